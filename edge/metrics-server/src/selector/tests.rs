//! What selectors pick, and what is no selector.

use super::*;
use proptest::prelude::*;

#[test]
fn what_is_no_selector_is_refused() {
    for text in [
        "a=b,", "a b", "a in b", "a in (b", "=b", "a=b c", "a>x", "-a=b", "a=-",
    ] {
        assert_eq!(labels(text).unwrap_err().code, 400, "{text}");
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
        let _ = labels(&text);
        let _ = Fields::parse(&text);
    }
}
