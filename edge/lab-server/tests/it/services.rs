//! Cluster addresses and node ports.

use crate::raw::write;
use http::StatusCode;
use serde_json::{Value, json};
use testkit::{Lab, lab};

const SERVICES: &str = "/api/v1/namespaces/default/services";

async fn service(lab: &Lab, name: &str, spec: Value) -> (StatusCode, Value) {
    let mut body = json!({"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}});
    if let (Some(all), Some(more)) = (body["spec"].as_object_mut(), spec.as_object()) {
        all.extend(more.clone());
    }
    write(lab, "POST", SERVICES, &body).await
}

#[tokio::test]
async fn addresses_are_given_once_and_freed_with_their_service() {
    let lab = lab().await.expect("a lab");
    let (status, one) = service(&lab, "one", json!({})).await;
    assert_eq!(status, StatusCode::CREATED, "{one}");
    let (_, two) = service(&lab, "two", json!({})).await;
    let ip = |service: &Value| {
        service["spec"]["clusterIP"]
            .as_str()
            .unwrap_or("")
            .to_owned()
    };
    assert_ne!(ip(&one), ip(&two));
    let (status, refused) = service(&lab, "three", json!({"clusterIP": ip(&one)})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let message = refused["message"].as_str().expect("text");
    assert!(
        message.ends_with("provided IP is already allocated"),
        "{message}"
    );
    write(&lab, "DELETE", &format!("{SERVICES}/one"), &json!({})).await;
    let (status, _) = service(&lab, "three", json!({"clusterIP": ip(&one)})).await;
    assert_eq!(status, StatusCode::CREATED);
    let (_, headless) = service(&lab, "four", json!({"clusterIP": "None"})).await;
    assert_eq!(ip(&headless), "None");
}

#[tokio::test]
async fn node_ports_come_and_go_with_the_type() {
    let lab = lab().await.expect("a lab");
    let (_, made) = service(&lab, "s", json!({"type": "NodePort"})).await;
    let port = made["spec"]["ports"][0]["nodePort"]
        .as_u64()
        .expect("a port");
    assert!((30_000..=32_767).contains(&port));
    let taken = json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": port}]});
    let (status, _) = service(&lab, "t", taken).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let path = format!("{SERVICES}/s");
    let (_, plain) = write(
        &lab,
        "PATCH",
        &path,
        &json!({"spec": {"type": "ClusterIP"}}),
    )
    .await;
    assert!(
        plain["spec"]["ports"][0].get("nodePort").is_none(),
        "{plain}"
    );
    let (_, again) = write(
        &lab,
        "PATCH",
        &path,
        &json!({"spec": {"type": "LoadBalancer"}}),
    )
    .await;
    assert!(again["spec"]["ports"][0]["nodePort"].is_u64(), "{again}");
}
