//! Protobuf bodies of clients, and bytes that are none.

use super::{MESSAGES, decode};
use expect_test::expect;
use proptest::prelude::*;

/// `kubectl create namespace eks-work`, as kubectl 1.33 sends it.
const NAMESPACE: &[u8] = b"k8s\0\n\x0f\n\x02v1\x12\tNamespace\x12\x1e\n\x16\n\x08eks-work\x12\0\x1a\0\"\0*\x002\08\0\x12\0\x1a\x02\n\0\x1a\0\"\0";

#[test]
fn a_namespace_of_kubectl_is_read() {
    let object = decode(NAMESPACE).expect("readable");
    expect![[r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"eks-work"}}"#]]
        .assert_eq(&object.to_string());
}

#[test]
fn every_type_that_a_field_names_is_listed() {
    for (name, message) in MESSAGES.iter() {
        for field in message.values() {
            let special = [
                "Quantity",
                "IntOrString",
                "RawExtension",
                "meta/v1.Time",
                "meta/v1.MicroTime",
                "meta/v1.FieldsV1",
            ];
            let known = field.kind.len() == 1
                || special.contains(&field.kind)
                || MESSAGES.contains_key(field.kind);
            assert!(known, "{name}.{} is a {}", field.name, field.kind);
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode(&bytes);
        let mut object = b"k8s\0\n\x09\n\x02v1\x12\x03Pod\x12\xff\x01".to_vec();
        object.extend(bytes);
        let _ = decode(&object);
    }
}
