//! What is written as YAML reads back as it was.

use super::yaml;
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(text: &str) -> Value {
    let mut documents = crate::Documents::default();
    let object = format!("apiVersion: v1\nkind: X\nvalue:\n{}", indented(text));
    documents.read("f", object.as_bytes()).unwrap();
    documents.list[0].value["value"].clone()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

#[test]
fn texts_that_look_like_something_else_stay_texts() {
    for text in [
        "yes",
        "no",
        "on",
        "off",
        "y",
        "null",
        "~",
        "true",
        "1",
        "1e3",
        "0x10",
        "0o7",
        "0755",
        "1_000",
        ".5",
        "-",
        "- a",
        "a: b",
        "#c",
        "a #b",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a`",
        "",
        " ",
        " a",
        "a ",
        "2026-01-01",
        "2026-01-01T12:00:00Z",
        "12:30:00",
        "=",
        "<<",
        "\u{7f}",
        "\u{85}",
        "\u{feff}",
        "a\nb",
        "a\n",
        "\ta",
        "\"",
        "'",
        "---",
        "...",
        ".inf",
        ".nan",
        "{",
        "[",
        "?",
        "é→…",
    ] {
        let value = json!({"a": text, text.to_owned() + "k": [text]});
        assert_eq!(read(&yaml(&value).unwrap()), value, "{text:?}");
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~é\n\t]{0,12}".prop_map(Value::from),
        "[a-z:#' -]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z0-9./ -]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(value in values()) {
        let value = json!({"v": value});
        let text = yaml(&value).unwrap();
        prop_assert_eq!(read(&text), value, "{}", text);
    }
}
