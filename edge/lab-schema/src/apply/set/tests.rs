//! Sets of fields, read, written, added and subtracted.

use super::FieldSet;
use serde_json::json;

#[test]
fn a_set_is_written_as_it_was_read() {
    let fields = json!({
        "f:spec": {"f:containers": {"k:{\"name\":\"a\"}": {".": {}, "f:image": {}}}, "f:replicas": {}},
        "f:metadata": {"f:finalizers": {"v:\"x\"": {}}},
    });
    assert_eq!(FieldSet::from_json(&fields).to_json(), fields);
}

#[test]
fn paths_read_as_in_upstream_messages() {
    let fields = json!({
        "f:spec": {"f:containers": {"k:{\"name\":\"a\"}": {".": {}, "f:image": {}}}},
        "f:metadata": {"f:finalizers": {"v:\"x\"": {}}},
    });
    assert_eq!(
        FieldSet::from_json(&fields).paths(),
        [
            ".metadata.finalizers[=\"x\"]",
            ".spec.containers[name=\"a\"]",
            ".spec.containers[name=\"a\"].image"
        ]
    );
}

#[test]
fn sets_add_and_subtract() {
    let a = FieldSet::from_json(&json!({"f:a": {".": {}, "f:b": {}}, "f:c": {}}));
    let b = FieldSet::from_json(&json!({"f:a": {"f:b": {}}}));
    assert_eq!(a.common(&b), b);
    let mut rest = a.clone();
    rest.subtract(&b);
    assert_eq!(rest.to_json(), json!({"f:a": {}, "f:c": {}}));
    rest.add(&b);
    assert_eq!(rest, a);
}
