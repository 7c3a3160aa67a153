//! Whether aggregated APIs answer, and whose words pass to whom.

use super::available::set;
use super::check::Verdict;
use super::discovery::convert;
use super::forward::speak_for;
use expect_test::expect;
use http::HeaderMap;
use jiff::Timestamp;
use lab_auth::User;
use serde_json::json;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("in range")
}

#[test]
fn the_time_of_a_condition_changes_with_its_status_only() {
    let mut object = json!({});
    let no = |words: &str| Verdict::no("ServiceNotFound", words.to_owned());
    assert!(set(&mut object, &no("a"), at(1)));
    assert!(!set(&mut object, &no("a"), at(2)));
    assert!(set(&mut object, &no("b"), at(3)));
    let time = |object: &serde_json::Value| {
        object["status"]["conditions"][0]["lastTransitionTime"].clone()
    };
    assert_eq!(time(&object), "1970-01-01T00:00:01Z");
    assert!(set(&mut object, &Verdict::passed(), at(4)));
    assert_eq!(time(&object), "1970-01-01T00:00:04Z");
    assert_eq!(
        object["status"]["conditions"].as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn extra_keys_fit_in_a_header_s_name() {
    let mut user = User::new("jürgen", &[]);
    user.extra
        .insert("scopes/a b:é".to_owned(), vec!["1".to_owned()]);
    user.groups.push("line\nbreak".to_owned());
    let mut headers = HeaderMap::new();
    speak_for(&user, &mut headers);
    assert_eq!(headers["x-remote-user"].as_bytes(), "jürgen".as_bytes());
    assert_eq!(headers["x-remote-extra-scopes%2fa%20b%3a%c3%a9"], "1");
    // What no header can say is not said.
    assert!(!headers.contains_key("x-remote-group"));
}

#[test]
fn a_document_that_is_no_resource_list_says_nothing() {
    assert_eq!(convert(&json!({})), None);
    assert_eq!(convert(&json!([1])), None);
    let odd = json!({"resources": [{"name": "a/b"}, {"name": 5}, "x"]});
    expect![[r#"[{"resource":5,"responseKind":{"group":"","kind":null,"version":""},"scope":"Cluster","singularResource":"","verbs":null},{"resource":null,"responseKind":{"group":"","kind":null,"version":""},"scope":"Cluster","singularResource":"","verbs":null}]"#]]
        .assert_eq(&convert(&odd).expect("a list").to_string());
}
