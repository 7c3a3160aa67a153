//! list: selectors, pages, tables, metadata.

use crate::raw::{get, write};
use http::StatusCode;
use serde_json::{Value, json};
use testkit::{Lab, lab};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn fill(lab: &Lab, count: usize) {
    for index in 0..count {
        let parity = if index % 2 == 0 { "even" } else { "odd" };
        let body = json!({"metadata": {"name": format!("m{index}"), "labels": {"parity": parity}}});
        let (status, answer) = write(lab, "POST", MAPS, &body).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
    }
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().expect("a list");
    items
        .iter()
        .filter_map(|item| item["metadata"]["name"].as_str())
        .collect()
}

#[tokio::test]
async fn selectors_narrow_lists() {
    let lab = lab().await.expect("a lab");
    fill(&lab, 5).await;
    let rows = [
        ("labelSelector=parity%3Dodd", vec!["m1", "m3"]),
        ("labelSelector=parity%20in%20(odd,none)", vec!["m1", "m3"]),
        ("labelSelector=!parity", vec![]),
        ("fieldSelector=metadata.name%3Dm2", vec!["m2"]),
        (
            "fieldSelector=metadata.name!%3Dm2&labelSelector=parity%3Deven",
            vec!["m0", "m4"],
        ),
        ("fieldSelector=metadata.namespace%3Dother", vec![]),
    ];
    for (query, expected) in rows {
        let (status, list) = get(&lab, &format!("{MAPS}?{query}"), &[]).await;
        assert_eq!(
            (status, names(&list)),
            (StatusCode::OK, expected),
            "{query}"
        );
    }
    let (status, _) = get(&lab, &format!("{MAPS}?fieldSelector=spec.x%3D1"), &[]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn pages_show_the_revision_of_the_first() {
    let lab = lab().await.expect("a lab");
    fill(&lab, 5).await;
    let (_, first) = get(&lab, &format!("{MAPS}?limit=2"), &[]).await;
    assert_eq!(names(&first), ["m0", "m1"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    let (status, _) = write(&lab, "DELETE", &format!("{MAPS}/m3"), &json!({})).await;
    assert_eq!(status, StatusCode::OK);
    let token = first["metadata"]["continue"].as_str().expect("more");
    let (_, rest) = get(&lab, &format!("{MAPS}?limit=5&continue={token}"), &[]).await;
    assert_eq!(names(&rest), ["m2", "m3", "m4"]);
    assert_eq!(
        rest["metadata"]["resourceVersion"],
        first["metadata"]["resourceVersion"]
    );
    let (status, _) = get(&lab, &format!("{MAPS}?continue=nonsense"), &[]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_version_from_the_future_is_a_timeout() {
    let lab = lab().await.expect("a lab");
    let (status, answer) = get(&lab, &format!("{MAPS}?resourceVersion=99999"), &[]).await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(
        answer["details"]["causes"][0]["reason"],
        "ResourceVersionTooLarge"
    );
}

#[tokio::test]
async fn lists_come_as_tables_and_as_metadata() {
    let lab = lab().await.expect("a lab");
    fill(&lab, 2).await;
    let table = (
        "accept",
        "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
    );
    let (_, answer) = get(&lab, MAPS, &[table]).await;
    assert_eq!(
        (&answer["kind"], &answer["columnDefinitions"][0]["name"]),
        (&json!("Table"), &json!("Name"))
    );
    assert_eq!(answer["rows"][1]["cells"][0], "m1");
    assert_eq!(answer["rows"][1]["object"]["kind"], "PartialObjectMetadata");

    let partial = (
        "accept",
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
    );
    let (_, answer) = get(&lab, MAPS, &[partial]).await;
    assert_eq!(answer["kind"], "PartialObjectMetadataList");
    assert_eq!(names(&answer), ["m0", "m1"]);
    assert!(answer["items"][0].get("data").is_none());

    let (status, _) = get(&lab, MAPS, &[("accept", "application/xml")]).await;
    assert_eq!(status, StatusCode::NOT_ACCEPTABLE);
    let typed = ("accept", "application/vnd.kubernetes.protobuf, */*");
    let (status, _) = get(&lab, MAPS, &[typed]).await;
    assert_eq!(status, StatusCode::OK);
}
