//! What admission adds to pods.

use super::{use_priority_class, use_service_account};
use expect_test::expect;
use serde_json::json;

#[test]
fn a_pod_mounts_its_accounts_token_once() {
    let mut pod = json!({"spec": {"containers": [{"name": "a"},
        {"name": "b", "volumeMounts": [{"name": "own", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]}]}});
    use_service_account(
        &mut pod,
        &json!({"imagePullSecrets": [{"name": "pull"}]}),
        [0, 1, 2, 3, 4],
    );
    expect![[r#"
        {"spec":{"containers":[{"name":"a","volumeMounts":[{"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount","name":"kube-api-access-bcdfg","readOnly":true}]},{"name":"b","volumeMounts":[{"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount","name":"own"}]}],"imagePullSecrets":[{"name":"pull"}],"volumes":[{"name":"kube-api-access-bcdfg","projected":{"defaultMode":420,"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},{"configMap":{"items":[{"key":"ca.crt","path":"ca.crt"}],"name":"kube-root-ca.crt"}},{"downwardAPI":{"items":[{"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.namespace"},"path":"namespace"}]}}]}}]}}
    "#]].assert_eq(&format!("{pod}\n"));
}

#[test]
fn a_pod_or_its_account_may_do_without_the_token() {
    let without = json!({"automountServiceAccountToken": false});
    let mut pod = json!({"spec": {"containers": [{"name": "a"}]}});
    use_service_account(&mut pod, &without, [0; 5]);
    assert_eq!(pod, json!({"spec": {"containers": [{"name": "a"}]}}));
    let mut insists =
        json!({"spec": {"automountServiceAccountToken": true, "containers": [{"name": "a"}]}});
    use_service_account(&mut insists, &without, [0; 5]);
    assert_eq!(
        insists["spec"]["volumes"][0]["name"],
        "kube-api-access-bbbbb"
    );
}

#[test]
fn a_class_gives_its_priority() {
    let mut pod = json!({"spec": {}});
    use_priority_class(
        &mut pod,
        &json!({"metadata": {"name": "high"}, "value": 1000, "preemptionPolicy": "Never"}),
    );
    assert_eq!(
        pod["spec"],
        json!({"priorityClassName": "high", "priority": 1000, "preemptionPolicy": "Never"})
    );
}
