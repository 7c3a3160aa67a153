//! Documents that are kept, looked after and found again.

use super::*;
use http::header::{CACHE_CONTROL, ETAG, EXPIRES, IF_NONE_MATCH, LOCATION, VARY};

/// What the aggregator of an API server sends.
fn aggregator(path: &str) -> http::request::Builder {
    Request::get(path).header(ACCEPT, "application/json")
}

#[test]
fn a_document_that_has_not_changed_is_not_sent_again() {
    let api = api(2);
    for path in [
        "/openapi/v2",
        "/openapi/v3",
        "/openapi/v3/apis/metrics.k8s.io/v1beta1",
    ] {
        let (code, headers, body) = exchange(&api, aggregator(path));
        assert_eq!((code, body.is_empty()), (200, false), "{path}");
        assert_eq!(headers[CONTENT_TYPE], "application/json");
        // The index has one form, and says so by silence.
        let varies = headers.get_all(VARY).iter().any(|by| by == "Accept");
        assert_eq!(varies, path != "/openapi/v3");
        let tag = headers[ETAG].to_str().unwrap();
        assert_eq!(tag.len(), 130, "{tag}");
        for kept in [tag.to_owned(), format!("\"old\", W/{tag}"), "*".to_owned()] {
            let again = aggregator(path).header(IF_NONE_MATCH, &kept);
            let (code, headers, body) = exchange(&api, again);
            assert_eq!((code, body.len()), (304, 0), "{path} {kept}");
            assert_eq!(headers[ETAG], tag);
        }
        let changed = aggregator(path).header(IF_NONE_MATCH, "\"old\"");
        assert_eq!(exchange(&api, changed).0, 200);
    }
}

#[test]
fn the_index_leads_to_addresses_that_can_be_kept_for_ever() {
    let api = api(2);
    let (_, index) = ask(&api, aggregator("/openapi/v3"));
    let index: serde_json::Value = serde_json::from_str(&index).unwrap();
    let entry = &index["paths"]["apis/metrics.k8s.io/v1beta1"];
    let address = entry["serverRelativeURL"].as_str().unwrap();
    let (code, headers, _) = exchange(&api, aggregator(address));
    assert_eq!(code, 200);
    let (_, hash) = address.split_once("?hash=").unwrap();
    assert_eq!(headers[ETAG], format!("\"{hash}\""));
    assert_eq!(headers[CACHE_CONTROL], "public, immutable");
    assert_eq!(headers[EXPIRES], "Fri, 01 Jan 2027 12:00:20 GMT");

    let path = "/openapi/v3/apis/metrics.k8s.io/v1beta1";
    let (code, headers, _) = exchange(&api, aggregator(&format!("{path}?hash=old")));
    assert_eq!((code, headers[LOCATION].to_str().unwrap()), (301, address));
    let (_, headers, _) = exchange(&api, aggregator(path));
    assert!(!headers.contains_key(CACHE_CONTROL));
}

#[test]
fn protocol_buffers_alone_are_refused_and_json_is_the_second_best() {
    let api = api(2);
    let buffers = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    let asked = |accept: &str| {
        let request = Request::get("/openapi/v2").header(ACCEPT, accept);
        exchange(&api, request).0
    };
    assert_eq!(asked(buffers), 406);
    assert_eq!(asked(&format!("{buffers}, application/json;q=0.5")), 200);
    assert_eq!(asked(&format!("{buffers}, */*")), 200);
}
