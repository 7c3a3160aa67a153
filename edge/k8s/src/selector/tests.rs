//! What selectors pick, print and refuse.

use super::LabelSelector;
use super::fields::FieldSelector;
use expect_test::expect;
use proptest::prelude::*;
use serde_json::{Value, json};

fn select(text: &str, labels: &Value) -> bool {
    LabelSelector::parse(text).expect("parses").matches(labels)
}

#[test]
fn every_operator_selects_as_upstreams_does() {
    let labels = json!({"app": "backend", "tier": "2"});
    for text in [
        "",
        "app=backend",
        "app==backend",
        "app!=other",
        "app in (backend,other)",
        "app notin (other)",
        "missing notin (x)",
        "missing!=x",
        "app",
        "!missing",
        "tier>1",
        "tier<3",
        "app=backend,tier=2",
        " app = backend ",
        "app in (backend)",
    ] {
        assert!(select(text, &labels), "{text}");
    }
    for text in [
        "app=",
        "app=other",
        "!app",
        "missing",
        "app notin (backend)",
        "app>1",
        "app in ()",
    ] {
        assert!(!select(text, &labels), "{text}");
    }
}

#[test]
fn errors_are_upstreams_sentences() {
    let mut errors = String::new();
    for text in [
        "app=a=b",
        "=a",
        "app in a",
        "app in (a",
        "a b",
        "a,",
        "x/y/z",
        "a=-",
        "a>b",
        ",",
        "a!",
        "a=!",
        "!",
    ] {
        let error = LabelSelector::parse(text).expect_err(text);
        errors.push_str(&format!("{text}: {error}\n"));
    }
    expect![[r#"
        app=a=b: found '=', expected: ',' or 'end of string'
        =a: found '=', expected: !, identifier, or 'end of string'
        app in a: unable to parse requirement: found 'a' expected: '('
        app in (a: unable to parse requirement: found '', expected: ',' or ')'
        a b: unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt
        a,: found '', expected: identifier after ','
        x/y/z: unable to parse requirement: <nil>: Invalid value: "x/y/z": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')
        a=-: unable to parse requirement: values[0][a]: Invalid value: "-": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')
        a>b: unable to parse requirement: values[0]: Invalid value: "b": for 'Gt', 'Lt' operators, the value must be an integer
        ,: found ',', expected: !, identifier, or 'end of string'
        a!: unable to parse requirement: found '!', expected: in, notin, =, ==, !=, gt, lt
        a=!: unable to parse requirement: found '!', expected: identifier
        !: unable to parse requirement: found '', expected: identifier
    "#]].assert_eq(&errors);
}

#[test]
fn an_object_without_conditions_selects_all_and_none_selects_nothing() {
    assert!(
        LabelSelector::from_object(&json!({}))
            .expect("reads")
            .matches(&Value::Null)
    );
    assert!(
        !LabelSelector::from_object(&Value::Null)
            .expect("reads")
            .matches(&json!({"a": "b"}))
    );
}

#[test]
fn an_object_prints_as_kubectl_shows_it() {
    let selector = LabelSelector::from_object(&json!({
        "matchLabels": {"app": "a"},
        "matchExpressions": [{"key": "tier", "operator": "In", "values": ["z", "b"]},
                             {"key": "gone", "operator": "DoesNotExist"}],
    }));
    assert_eq!(
        selector.expect("reads").to_string(),
        "app=a,!gone,tier in (b,z)"
    );
}

#[test]
fn field_selectors_split_and_unescape() {
    let selector =
        FieldSelector::parse(r"status.phase!=Running,metadata.name==a\,b").expect("parses");
    assert_eq!(selector.exact("metadata.name"), Some("a,b"));
    assert!(
        selector.matches(|field| Some(if field == "metadata.name" { "a,b" } else { "x" }.into()))
    );
    let mut errors = String::new();
    for text in ["x", "a=b=c", r"a=\x", r"a=b\"] {
        errors.push_str(&format!(
            "{text}: {}\n",
            FieldSelector::parse(text).expect_err(text)
        ));
    }
    expect![[r#"
        x: invalid selector: 'x'; can't understand 'x'
        a=b=c: invalid field selector: unescaped character in value: 61
        a=\x: invalid field selector: invalid escape sequence: \x
        a=b\: invalid field selector: invalid escape sequence: \
    "#]]
    .assert_eq(&errors);
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in "\\PC*", spiced in "[a-z!=<>(), \\\\./\0]*") {
        for text in [text, spiced] {
            if let Ok(selector) = LabelSelector::parse(&text) {
                selector.matches(&json!({"a": "b"}));
            }
            if let Ok(selector) = FieldSelector::parse(&text) {
                selector.matches(|_| None);
            }
        }
    }

    #[test]
    fn what_prints_parses_to_the_same(text in "[a-c](=|!=|==| in | notin )(\\([a-c],[a-c]\\)|[a-c])") {
        if let Ok(selector) = LabelSelector::parse(&text) {
            prop_assert_eq!(LabelSelector::parse(&selector.to_string()).expect("parses again"), selector);
        }
    }
}
