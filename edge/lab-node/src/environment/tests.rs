//! The environment of a container.

use super::*;
use serde_json::json;

fn pod() -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": "p", "namespace": "ns", "uid": "u", "labels": {"app": "x"}},
        "spec": {"nodeName": "node-1", "containers": []},
        "status": {"podIP": "127.32.128.2", "hostIP": "127.32.0.11"},
    }))
    .unwrap()
}

fn environment_of(container: serde_json::Value) -> Result<BTreeMap<String, String>, String> {
    let mut container = container;
    container["name"] = "c".into();
    let container: Container = serde_json::from_value(container).unwrap();
    let references = References {
        config_maps: BTreeMap::from([(
            "cm".to_owned(),
            serde_json::from_value(json!({"data": {"color": "blue"}})).unwrap(),
        )]),
        secrets: BTreeMap::from([(
            "db".to_owned(),
            serde_json::from_value(json!({"data": {"password": "c2VjcmV0"}})).unwrap(),
        )]),
    };
    let base = BTreeMap::from([("BASE".to_owned(), "b".to_owned())]);
    let pod = pod();
    environment(
        &container,
        Sources {
            pod: &pod,
            references: &references,
            base: &base,
        },
    )
}

#[test]
fn variables_come_from_values_and_references() {
    let got = environment_of(json!({
        "env": [
            {"name": "A", "value": "1"},
            {"name": "B", "value": "$(A)-$(BASE)-$(NONE)-$$(A)-$5"},
            {"name": "P", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
            {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "color"}}},
            {"name": "O", "valueFrom": {"configMapKeyRef": {"name": "no", "key": "k", "optional": true}}},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "L", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "0"}}},
            {"name": "MI", "valueFrom": {"resourceFieldRef": {"resource": "requests.memory", "divisor": "1Mi"}}},
        ],
        "envFrom": [{"configMapRef": {"name": "cm"}, "prefix": "X_"}],
        "resources": {"limits": {"cpu": "250m"}, "requests": {"memory": "512Mi"}},
    }))
    .unwrap();
    let expected = json!({
        "A": "1", "B": "1-b-$(NONE)-$(A)-$5", "P": "secret", "C": "blue", "IP": "127.32.128.2",
        "L": "x", "CPU": "1", "MI": "512", "X_color": "blue", "BASE": "b",
    });
    assert_eq!(serde_json::to_value(got).unwrap(), expected);
}

#[test]
fn what_is_missing_is_named_as_upstream_names_it() {
    for (from, expected) in [
        (
            json!({"secretKeyRef": {"name": "no", "key": "k"}}),
            "secret \"no\" not found",
        ),
        (
            json!({"secretKeyRef": {"name": "db", "key": "k"}}),
            "couldn't find key k in Secret ns/db",
        ),
        (
            json!({"configMapKeyRef": {"name": "no", "key": "k"}}),
            "configmap \"no\" not found",
        ),
        (
            json!({"configMapKeyRef": {"name": "cm", "key": "k"}}),
            "couldn't find key k in ConfigMap ns/cm",
        ),
        (
            json!({"fieldRef": {"fieldPath": "spec.x"}}),
            "unsupported fieldPath: spec.x",
        ),
    ] {
        let got = environment_of(json!({"env": [{"name": "A", "valueFrom": from}]}));
        assert_eq!(got.unwrap_err(), expected);
    }
}

#[test]
fn services_are_told_as_docker_links_were() {
    let service = crate::cluster::ServiceView {
        namespace: "ns".to_owned(),
        name: "backend-app".to_owned(),
        cluster_ip: Some("127.32.64.2".parse().unwrap()),
        load_balancers: vec![],
        ports: vec![crate::cluster::ServicePort {
            name: "http".to_owned(),
            port: 8080,
            node_port: None,
            tcp: true,
            endpoints: vec![],
        }],
        addresses: vec![],
        host_names: vec![],
        affinity: None,
    };
    let api = "127.0.0.1:6443".parse().unwrap();
    let got = service_variables(&[service], "ns", true, api);
    assert_eq!(got["BACKEND_APP_SERVICE_HOST"], "127.32.64.2");
    assert_eq!(got["BACKEND_APP_SERVICE_PORT_HTTP"], "8080");
    assert_eq!(got["BACKEND_APP_PORT_8080_TCP"], "tcp://127.32.64.2:8080");
    assert_eq!(got["KUBERNETES_SERVICE_HOST"], "127.0.0.1");
    assert_eq!(got["KUBERNETES_SERVICE_PORT"], "6443");
}
