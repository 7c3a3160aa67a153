//! Texts that are well formed, and the sentences about those that are not.

use super::{
    config_key_problems, label_key_problems, label_problems, label_value_problems,
    port_name_problems, subdomain_problems,
};

#[test]
fn texts_are_upstreams() {
    assert_eq!(
        subdomain_problems("Bad_Name"),
        [
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        ]
    );
    assert_eq!(
        label_problems("a_b"),
        [
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
        ]
    );
    assert_eq!(label_problems("a.b"), ["must not contain dots"]);
    assert_eq!(
        label_value_problems("-x"),
        [
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
        ]
    );
    assert_eq!(label_key_problems("/a"), ["prefix part must be non-empty"]);
    assert_eq!(
        port_name_problems("80"),
        ["must contain at least one letter (a-z)"]
    );
    assert_eq!(config_key_problems(".."), ["must not be '..'"]);
}

#[test]
fn good_texts_have_no_problems() {
    assert!(subdomain_problems("v1beta1.metrics.k8s.io").is_empty());
    assert!(label_key_problems("app.kubernetes.io/name").is_empty());
    assert!(label_value_problems("").is_empty());
    assert!(port_name_problems("https").is_empty());
    assert!(config_key_problems("key.name").is_empty());
}
