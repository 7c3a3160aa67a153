//! What paths and queries ask for; none of them makes the parsers panic.

use super::{Query, ResourcePath, Target, decode, parse, verb};
use http::Method;
use proptest::prelude::*;

fn path(text: &str) -> ResourcePath {
    match parse(text) {
        Target::Resource(path) => path,
        Target::Other => panic!("{text} is no resource"),
    }
}

#[test]
fn a_path_names_group_namespace_object_and_what_is_below() {
    let log = path("/api/v1/namespaces/shop/pods/web-1/proxy/a/b%20c");
    assert_eq!((log.group.as_str(), log.version.as_str()), ("", "v1"));
    assert_eq!(log.namespace.as_deref(), Some("shop"));
    assert_eq!(
        (log.resource.as_str(), log.name.as_deref()),
        ("pods", Some("web-1"))
    );
    assert_eq!(log.subresource.as_deref(), Some("proxy"));
    assert_eq!(log.tail.as_deref(), Some("a/b c"));
    let status = path("/api/v1/namespaces/shop/status");
    assert_eq!(
        (status.resource.as_str(), status.subresource.as_deref()),
        ("namespaces", Some("status"))
    );
    assert!(path("/apis/apps/v1/watch/deployments").watch);
}

#[test]
fn paths_without_a_resource_are_others() {
    for text in ["", "/", "/api", "/api/v1", "/apis/apps/v1", "/healthz/ping"] {
        assert_eq!(parse(text), Target::Other, "{text}");
    }
}

#[test]
fn half_an_escape_stays_as_it_is() {
    assert_eq!(decode("%"), "%");
    assert_eq!(decode("%4"), "%4");
    assert_eq!(decode("%zz%41"), "%zzA");
    let query = Query::parse(Some("a=b+c&a=d%3De&flag&n=7&n2=x"));
    assert_eq!(query.get("a"), Some("b c"));
    assert_eq!(query.all("a").collect::<Vec<_>>(), ["b c", "d=e"]);
    assert!(query.flag("flag"));
    assert_eq!((query.number("n"), query.number("n2")), (Some(7), None));
}

proptest! {
    #[test]
    fn no_path_makes_it_panic(any in "\\PC*", spiced in "/(api|apis)(/(watch|namespaces|status|v1|%[0-9a-z]?|é|)){0,8}") {
        for text in [any, spiced] {
            if let Target::Resource(path) = parse(&text) {
                verb(&Method::GET, &path, false);
            }
        }
    }

    #[test]
    fn no_query_makes_it_panic(any in "\\PC*", spiced in "[a=&%+é0-9]{0,40}") {
        for text in [any, spiced] {
            let query = Query::parse(Some(&text));
            prop_assert_eq!(query.encoded(), text.as_str());
            for key in ["", "a", "0"] {
                let _ = (query.flag(key), query.number(key), query.all(key).count());
            }
        }
    }

    #[test]
    fn what_is_encoded_decodes_to_itself(text in "\\PC*") {
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        prop_assert_eq!(decode(&encoded), text);
    }
}
