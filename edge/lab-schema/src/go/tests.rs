//! Values as Go prints them.

use super::print;
use serde_json::json;

#[test]
fn values_print_as_go_prints_them() {
    let value = json!({"b": [1, "x", null], "a": {"c": true}, "d": 1.5});
    assert_eq!(print(&value), "map[a:map[c:true] b:[1 x <nil>] d:1.5]");
}
