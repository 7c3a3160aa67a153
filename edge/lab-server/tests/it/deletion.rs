//! delete: at once, with grace, behind finalizers, whole namespaces.

use crate::raw::{get, write};
use http::StatusCode;
use serde_json::{Value, json};
use testkit::{Lab, lab};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const PODS: &str = "/api/v1/namespaces/default/pods";

async fn made(lab: &Lab, path: &str, body: Value) -> Value {
    let (status, answer) = write(lab, "POST", path, &body).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    answer
}

async fn status(lab: &Lab, path: &str) -> u16 {
    get(lab, path, &[]).await.0.as_u16()
}

#[tokio::test]
async fn an_object_without_finalizers_goes_at_once() {
    let lab = lab().await.expect("a lab");
    made(&lab, MAPS, json!({"metadata": {"name": "x"}})).await;
    let path = format!("{MAPS}/x");
    let wrong = json!({"preconditions": {"uid": "other"}});
    let (code, _) = write(&lab, "DELETE", &path, &wrong).await;
    assert_eq!(code, StatusCode::CONFLICT);
    let (_, answer) = write(&lab, "DELETE", &path, &json!({})).await;
    assert_eq!(
        (&answer["status"], &answer["details"]["kind"]),
        (&json!("Success"), &json!("configmaps"))
    );
    assert_eq!(status(&lab, &path).await, 404);
}

#[tokio::test]
async fn finalizers_hold_an_object_until_the_last_is_gone() {
    let lab = lab().await.expect("a lab");
    let body = json!({"metadata": {"name": "x", "finalizers": ["example.com/hold"]}});
    made(&lab, MAPS, body).await;
    let path = format!("{MAPS}/x");
    let (_, going) = write(&lab, "DELETE", &path, &json!({})).await;
    assert!(
        going["metadata"]["deletionTimestamp"].is_string(),
        "{going}"
    );
    let (_, again) = write(&lab, "DELETE", &path, &json!({})).await;
    assert_eq!(
        again["metadata"]["resourceVersion"],
        going["metadata"]["resourceVersion"]
    );
    let none = json!({"metadata": {"finalizers": null}});
    let (code, _) = write(&lab, "PATCH", &path, &none).await;
    assert_eq!((code, status(&lab, &path).await), (StatusCode::OK, 404));
}

#[tokio::test]
async fn foreground_and_orphan_leave_the_rest_to_the_collector() {
    let lab = lab().await.expect("a lab");
    for (policy, finalizer) in [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")] {
        made(&lab, MAPS, json!({"metadata": {"name": "x"}})).await;
        let path = format!("{MAPS}/x");
        let (_, going) = write(&lab, "DELETE", &path, &json!({"propagationPolicy": policy})).await;
        assert_eq!(going["metadata"]["finalizers"], json!([finalizer]));
        write(
            &lab,
            "PATCH",
            &path,
            &json!({"metadata": {"finalizers": null}}),
        )
        .await;
        assert_eq!(status(&lab, &path).await, 404);
    }
}

#[tokio::test]
async fn a_running_pod_has_its_grace_and_an_unscheduled_one_goes() {
    let lab = lab().await.expect("a lab");
    let spec = |node: Option<&str>| {
        let mut spec = json!({"containers": [{"name": "c", "image": "i"}]});
        if let Some(node) = node {
            spec["nodeName"] = node.into();
        }
        spec
    };
    made(
        &lab,
        PODS,
        json!({"metadata": {"name": "idle"}, "spec": spec(None)}),
    )
    .await;
    write(&lab, "DELETE", &format!("{PODS}/idle"), &json!({})).await;
    assert_eq!(status(&lab, &format!("{PODS}/idle")).await, 404);

    made(
        &lab,
        PODS,
        json!({"metadata": {"name": "busy"}, "spec": spec(Some("node-1"))}),
    )
    .await;
    let path = format!("{PODS}/busy");
    let (_, going) = write(&lab, "DELETE", &path, &json!({})).await;
    assert_eq!(going["metadata"]["deletionGracePeriodSeconds"], 30);
    let (_, shorter) = write(&lab, "DELETE", &path, &json!({"gracePeriodSeconds": 5})).await;
    assert_eq!(shorter["metadata"]["deletionGracePeriodSeconds"], 5);
    let (_, _) = write(&lab, "DELETE", &path, &json!({"gracePeriodSeconds": 0})).await;
    assert_eq!(status(&lab, &path).await, 404);
}

#[tokio::test]
async fn a_namespace_terminates_until_it_is_finalized() {
    let lab = lab().await.expect("a lab");
    made(
        &lab,
        "/api/v1/namespaces",
        json!({"metadata": {"name": "work"}}),
    )
    .await;
    let path = "/api/v1/namespaces/work";
    let (_, mut going) = write(&lab, "DELETE", path, &json!({})).await;
    assert_eq!(going["status"]["phase"], "Terminating");
    let maps = format!("{path}/configmaps");
    let (code, refused) = write(&lab, "POST", &maps, &json!({"metadata": {"name": "x"}})).await;
    assert_eq!(code, StatusCode::FORBIDDEN);
    assert_eq!(
        refused["message"],
        "configmaps \"x\" is forbidden: unable to create new content in namespace work because it is being terminated"
    );
    going["spec"]["finalizers"] = json!([]);
    let (code, _) = write(&lab, "PUT", &format!("{path}/finalize"), &going).await;
    assert_eq!((code, status(&lab, path).await), (StatusCode::OK, 404));
    let (code, _) = write(&lab, "DELETE", "/api/v1/namespaces/default", &json!({})).await;
    assert_eq!(code, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_collection_goes_by_selector() {
    let lab = lab().await.expect("a lab");
    for (name, label) in [("a", "x"), ("b", "y"), ("c", "x")] {
        made(
            &lab,
            MAPS,
            json!({"metadata": {"name": name, "labels": {"l": label}}}),
        )
        .await;
    }
    let (code, _) = write(
        &lab,
        "DELETE",
        &format!("{MAPS}?labelSelector=l%3Dx"),
        &json!({}),
    )
    .await;
    assert_eq!(code, StatusCode::OK);
    let codes = [
        status(&lab, &format!("{MAPS}/a")).await,
        status(&lab, &format!("{MAPS}/b")).await,
    ];
    assert_eq!(codes, [404, 200]);
}
