//! What selectors pick, and what is no selector.

use super::*;
use proptest::prelude::*;

fn picks(selector: &str) -> bool {
    let labels = [("app", "web"), ("tier", ""), ("n", "5")];
    let selector = Selector::parse(selector).unwrap();
    selector.matches(|key| labels.iter().find(|(k, _)| *k == key).map(|(_, v)| *v))
}

#[test]
fn labels_are_picked_by_every_operator() {
    for (selector, picked) in [
        ("", true),
        ("app=web", true),
        ("app==web,tier=", true),
        ("app != web", false),
        ("app in (web, db)", true),
        ("app notin (web,db)", false),
        ("other notin (x)", true),
        ("app", true),
        ("!app", false),
        ("!other,app", true),
        ("n>4", true),
        ("n < 5", false),
        ("example.com/role!=x", true),
    ] {
        assert_eq!(picks(selector), picked, "{selector}");
    }
}

#[test]
fn what_is_no_selector_is_refused() {
    for text in [
        "a=b,", "a b", "a in b", "a in (b", "=b", "a=b c", "a>x", "-a=b", "a=-",
    ] {
        assert_eq!(Selector::parse(text).unwrap_err().code, 400, "{text}");
    }
}

#[test]
fn fields_are_name_and_namespace_only() {
    let fields = Fields::parse("metadata.name=a,metadata.namespace!=b").unwrap();
    assert!(fields.matches("c", "a"));
    assert!(!fields.matches("b", "a"));
    assert_eq!(
        Fields::parse("spec.nodeName=a").unwrap_err().message,
        "\"spec.nodeName\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_parsers_panic(text in "\\PC*|[ab!=<>(), in]{0,30}") {
        let _ = Selector::parse(&text);
        let _ = Fields::parse(&text);
    }
}
