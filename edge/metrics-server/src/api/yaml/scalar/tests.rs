//! Texts and how they look, as upstream's emitter wrote them.

use super::*;

fn written(value: &str) -> String {
    let mut out = "key: ".to_owned();
    text(&mut out, value, Place::Value { indent: 2 });
    out.split_off("key: ".len())
}

#[test]
fn a_text_has_quotes_only_where_it_would_be_read_as_something_else() {
    for plain in [
        "node-1", "250m", "64Mi", "1m0.5s", "a b", "a:b", "a'b", "/apis", "-x", "v1", "1E",
        "2026-01",
    ] {
        assert_eq!(written(plain), plain);
    }
    for double in [
        "",
        "1",
        "1e3",
        "true",
        "Yes",
        "null",
        "~",
        "0x1F",
        "1_000",
        "-.inf",
        "2026-01-01",
    ] {
        assert_eq!(written(double), format!("\"{double}\""));
    }
    for single in [
        "a: b", "b:", "- a", "[a]", "*", "#a", "a #b", "@a", " a", "a ", "--- a",
    ] {
        assert_eq!(written(single), format!("'{single}'"));
    }
    assert_eq!(written("'a: b'"), "'''a: b'''");
    assert_eq!(written("bell\u{7}"), "\"bell\\u0007\"");
}

#[test]
fn a_long_text_goes_on_in_the_next_line() {
    let words = "0123456789 ".repeat(9);
    let long = words.trim_end();
    let (first, rest) = long.split_at(76);
    assert_eq!(written(long), format!("{first}\n  {}", rest.trim_start()));
    let mut key = String::new();
    text(&mut key, long, Place::Key);
    assert_eq!(key, long);
    let quoted = written(&format!("a: {long}"));
    assert!(
        quoted.starts_with("'a: ") && quoted.contains("\n  "),
        "{quoted}"
    );
}

#[test]
fn a_text_of_several_lines_is_written_line_by_line() {
    assert_eq!(written("a\n\nb: c"), "|-\n  a\n\n  b: c");
    assert_eq!(written("a\n"), "|\n  a");
    assert_eq!(written("a\n\n"), "|+\n  a\n");
    assert_eq!(written(" a\nb"), "|2-\n   a\n  b");
}
