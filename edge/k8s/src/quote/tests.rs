//! Strings and lists as Go prints them.

use super::{quoted, quoted_list};

#[test]
fn strings_are_quoted_as_go_quotes_them() {
    for (text, want) in [
        ("", r#""""#),
        ("jane", r#""jane""#),
        ("a\"b\\c", r#""a\"b\\c""#),
        ("line\nend\t", r#""line\nend\t""#),
        ("\u{1}\u{7f}", r#""\x01\x7f""#),
        ("\u{85}", r#""\u0085""#),
        ("전환", "\"전환\""),
    ] {
        assert_eq!(quoted(text), want);
    }
}

#[test]
fn lists_have_no_commas() {
    assert_eq!(quoted_list(&["a", "b"]), r#"["a" "b"]"#);
    assert_eq!(quoted_list::<&str>(&[]), "[]");
}
