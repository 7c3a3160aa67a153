//! Events are counted, begun anew when gone, and not let through without end.

use super::{Kind, Recorder, reference};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::{EventSource, Node, ObjectReference};
use kube::client::Body;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

type Asked = Arc<Mutex<Vec<(Method, String, Value)>>>;

/// Answers creations and refuses patches with `patched`.
fn recorder(patched: StatusCode) -> (Recorder, super::Scribe, Asked) {
    let asked = Asked::default();
    let log = asked.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let log = log.clone();
        async move {
            let (head, body) = request.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            let body: Value = serde_json::from_slice(&bytes).unwrap();
            let status = if head.method == Method::PATCH {
                patched
            } else {
                StatusCode::CREATED
            };
            let answer = if status.is_success() {
                json!({"metadata": {}, "involvedObject": {}})
            } else {
                json!({"kind": "Status", "code": status.as_u16(), "reason": "NotFound", "message": ""})
            };
            let path = head.uri.path().to_owned();
            log.lock().unwrap().push((head.method, path, body));
            let answer = Body::from(answer.to_string().into_bytes());
            Ok::<_, Infallible>(Response::builder().status(status).body(answer).unwrap())
        }
    });
    let source = EventSource {
        component: Some("kubelet".to_owned()),
        host: Some("node-1".to_owned()),
    };
    let client = kube::Client::new(service, "default");
    let (recorder, scribe) = Recorder::new(client, source);
    (recorder, scribe, asked)
}

fn node() -> Node {
    let mut node = Node::default();
    node.metadata.name = Some("node-1".to_owned());
    node.metadata.resource_version = Some("7".to_owned());
    node
}

#[tokio::test]
async fn what_repeats_is_counted() {
    let (recorder, scribe, asked) = recorder(StatusCode::OK);
    let mut node = node();
    recorder.normal(&node, "Starting", "Starting kubelet.");
    node.metadata.resource_version = Some("8".to_owned());
    recorder.normal(&node, "Starting", "Starting kubelet.");
    recorder.warning(&node, "Starting", "Starting kubelet.");
    drop(recorder);
    scribe.run().await;
    let asked = asked.lock().unwrap();
    let [first, again, other] = asked.as_slice() else {
        panic!("{asked:?}")
    };
    assert_eq!(first.0, Method::POST);
    assert_eq!(first.1, "/api/v1/namespaces/default/events");
    assert_eq!(
        first.2["involvedObject"],
        json!({"apiVersion": "v1", "kind": "Node", "name": "node-1", "resourceVersion": "7"})
    );
    assert_eq!(first.2["reportingInstance"], "node-1");
    assert_eq!((&again.0, &again.2["count"]), (&Method::PATCH, &json!(2)));
    assert_eq!(
        (&other.0, &other.2["type"]),
        (&Method::POST, &json!("Warning"))
    );
}

#[tokio::test]
async fn an_event_that_is_gone_is_written_anew() {
    let (recorder, scribe, asked) = recorder(StatusCode::NOT_FOUND);
    for _ in 0..2 {
        recorder.normal(&node(), "Starting", "Starting kubelet.");
    }
    drop(recorder);
    scribe.run().await;
    let methods: Vec<_> = asked.lock().unwrap().iter().map(|a| a.0.clone()).collect();
    assert_eq!(methods, [Method::POST, Method::PATCH, Method::POST]);
}

#[tokio::test]
async fn an_object_has_twenty_five_events_at_once_and_another_one_as_many() {
    let (recorder, scribe, asked) = recorder(StatusCode::OK);
    for name in ["a", "b"] {
        for number in 0..30 {
            let about = ObjectReference {
                name: Some(name.to_owned()),
                ..reference(&node())
            };
            recorder.record(about, Kind::Normal, "Counted", number.to_string());
        }
    }
    drop(recorder);
    scribe.run().await;
    assert_eq!(asked.lock().unwrap().len(), 50);
}

#[tokio::test]
async fn messages_that_differ_too_often_become_one_event_that_is_counted() {
    let (recorder, scribe, asked) = recorder(StatusCode::OK);
    for number in 0..12 {
        recorder.normal(&node(), "Counted", number.to_string());
    }
    drop(recorder);
    scribe.run().await;
    let asked = asked.lock().unwrap();
    let of = |method| asked.iter().filter(|a| a.0 == method).collect::<Vec<_>>();
    let (created, patched) = (of(Method::POST), of(Method::PATCH));
    assert_eq!((created.len(), patched.len()), (10, 2));
    assert_eq!(created[8].2["message"], "8");
    let combined = |number| format!("(combined from similar events): {number}");
    assert_eq!(created[9].2["message"], combined(9));
    assert_eq!(patched[1].2["message"], combined(11));
    assert_eq!(patched[1].2["count"], 3);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_let_through_is_counted_all_the_same() {
    let (recorder, scribe, asked) = recorder(StatusCode::OK);
    let scribe = tokio::spawn(scribe.run());
    for _ in 0..30 {
        recorder.normal(&node(), "Starting", "Starting kubelet.");
    }
    tokio::time::sleep(std::time::Duration::from_secs(301)).await;
    recorder.normal(&node(), "Starting", "Starting kubelet.");
    drop(recorder);
    scribe.await.unwrap();
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 26);
    assert_eq!(asked[25].2["count"], 31);
}
