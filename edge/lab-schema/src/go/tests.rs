//! Values and strings as Go prints them.

use super::{print, quote};
use serde_json::json;

#[test]
fn values_print_as_go_prints_them() {
    let value = json!({"b": [1, "x", null], "a": {"c": true}, "d": 1.5});
    assert_eq!(print(&value), "map[a:map[c:true] b:[1 x <nil>] d:1.5]");
}

#[test]
fn strings_are_quoted_as_go_quotes_them() {
    assert_eq!(quote("a\"b\\\n\u{1}é"), r#""a\"b\\\n\x01é""#);
}
