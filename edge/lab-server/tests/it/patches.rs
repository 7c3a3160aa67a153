//! patch: each kind of patch, and apply.

use crate::raw::{admin, send, value};
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use testkit::{Lab, lab};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

async fn patch(lab: &Lab, query: &str, kind: &str, body: &Value) -> (StatusCode, Value) {
    let request = Request::patch(format!("{DEPLOYMENTS}/web{query}"))
        .header("content-type", format!("application/{kind}"))
        .body(Full::from(body.to_string()))
        .expect("a request");
    let (status, _, body) = send(lab, admin(), request).await;
    (status, value(body).await)
}

fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "c", "image": "i:1"}]},
            },
        },
    })
}

#[tokio::test]
async fn each_kind_of_patch_changes_the_image() {
    let lab = lab().await.expect("a lab");
    let (status, made) = crate::raw::write(&lab, "POST", DEPLOYMENTS, &deployment()).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let containers = |image: &str| json!([{"name": "c", "image": image}]);
    let spec =
        |image: &str| json!({"spec": {"template": {"spec": {"containers": containers(image)}}}});
    let path = "/spec/template/spec/containers/0/image";
    let rows = [
        ("strategic-merge-patch+json", spec("i:2"), "i:2"),
        ("merge-patch+json", spec("i:3"), "i:3"),
        (
            "json-patch+json",
            json!([{"op": "replace", "path": path, "value": "i:4"}]),
            "i:4",
        ),
    ];
    for (kind, body, image) in rows {
        let (status, answer) = patch(&lab, "", kind, &body).await;
        assert_eq!(status, StatusCode::OK, "{kind}: {answer}");
        let container = &answer["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["image"], image);
        // Defaults are there whatever the patch left.
        assert_eq!(container["imagePullPolicy"], "IfNotPresent");
    }
    let (status, _) = patch(&lab, "", "xml", &json!({})).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_patch_with_a_stale_version_is_refused() {
    let lab = lab().await.expect("a lab");
    crate::raw::write(&lab, "POST", DEPLOYMENTS, &deployment()).await;
    let body = json!({"metadata": {"resourceVersion": "1", "labels": {"a": "b"}}});
    let (status, _) = patch(&lab, "", "merge-patch+json", &body).await;
    assert_eq!(status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn an_invalid_result_is_refused_whole() {
    let lab = lab().await.expect("a lab");
    crate::raw::write(&lab, "POST", DEPLOYMENTS, &deployment()).await;
    let body = json!({"spec": {"replicas": -1}});
    let (status, answer) = patch(&lab, "", "merge-patch+json", &body).await;
    assert_eq!(
        (status, &answer["reason"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("Invalid"))
    );
}

#[tokio::test]
async fn apply_makes_then_changes_and_names_conflicts() {
    let lab = lab().await.expect("a lab");
    let kind = "apply-patch+yaml";
    let (status, answer) = patch(&lab, "?fieldManager=one", kind, &deployment()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let (status, again) = patch(&lab, "?fieldManager=one", kind, &deployment()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        again["metadata"]["resourceVersion"],
        answer["metadata"]["resourceVersion"]
    );
    let mut other = deployment();
    other["spec"]["template"]["spec"]["containers"][0]["image"] = "i:9".into();
    let (status, conflict) = patch(&lab, "?fieldManager=two", kind, &other).await;
    assert_eq!(
        (status, &conflict["reason"]),
        (StatusCode::CONFLICT, &json!("Conflict"))
    );
    let (status, _) = patch(&lab, "?fieldManager=two&force=true", kind, &other).await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) = patch(&lab, "", kind, &other).await;
    assert_eq!(
        status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "a manager is required"
    );
}
