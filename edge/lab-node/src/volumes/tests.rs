//! What volumes hold.

use super::*;
use serde_json::json;

fn fill_one(volume: serde_json::Value, check: impl FnOnce(Result<PathBuf, String>)) {
    let directory = tempfile::tempdir().unwrap();
    let pod: Pod =
        serde_json::from_value(json!({"metadata": {"name": "p", "namespace": "ns"}})).unwrap();
    let references = References {
        config_maps: BTreeMap::from([(
            "cm".to_owned(),
            serde_json::from_value(json!({"data": {"a": "1", "b": "2"}})).unwrap(),
        )]),
        ..References::default()
    };
    let tokens = BTreeMap::from([(String::new(), "jwt".to_owned())]);
    let filling = Filling {
        pod: &pod,
        references: &references,
        tokens: &tokens,
        ca_pem: "CA",
    };
    let mut volume = volume;
    volume["name"] = "v".into();
    let volume: Volume = serde_json::from_value(volume).unwrap();
    check(fill(&volume, directory.path(), filling));
}

fn read(place: &Path, name: &str) -> String {
    std::fs::read_to_string(place.join(name)).unwrap()
}

#[test]
fn volumes_hold_what_their_sources_say() {
    fill_one(
        json!({"configMap": {"name": "cm", "items": [{"key": "a", "path": "x/y", "mode": 0o600}]}}),
        |place| {
            let place = place.unwrap();
            assert_eq!(read(&place, "x/y"), "1");
            assert!(!place.join("b").exists());
        },
    );
    let projected = json!({"projected": {"sources": [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]}});
    fill_one(projected, |place| {
        let place = place.unwrap();
        let files = ["token", "ca.crt", "namespace"].map(|f| read(&place, f));
        assert_eq!(files, ["jwt", "CA", "ns"]);
    });
    fill_one(json!({"emptyDir": {}}), |place| {
        let mode = std::fs::metadata(place.unwrap())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o777);
    });
}

#[test]
fn what_cannot_be_filled_says_why() {
    for (volume, expected) in [
        (
            json!({"configMap": {"name": "no"}}),
            "configmap \"no\" not found",
        ),
        (
            json!({"secret": {"secretName": "no"}}),
            "secret \"no\" not found",
        ),
        (
            json!({"configMap": {"name": "cm", "items": [{"key": "z", "path": "z"}]}}),
            "configmap references non-existent config key: ns/cm",
        ),
        (
            json!({"configMap": {"name": "cm", "items": [{"key": "a", "path": "../z"}]}}),
            "the path \"../z\" leaves its volume",
        ),
        (
            json!({"hostPath": {"path": "/etc/hosts", "type": "Directory"}}),
            "hostPath type check failed: /etc/hosts is not a directory",
        ),
    ] {
        fill_one(volume, |got| assert_eq!(got.unwrap_err(), expected));
    }
    fill_one(json!({"nfs": {"server": "s", "path": "/"}}), |got| {
        assert!(got.unwrap_err().contains("does not have"));
    });
}
