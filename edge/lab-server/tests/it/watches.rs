//! watch: resuming, selections, bookmarks, expiry.

use crate::raw::{admin, send, write};
use http::Request;
use http_body_util::{BodyExt, Full};
use lab_server::Body;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::{Lab, lab};
use tokio::time::timeout;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const SOON: Duration = Duration::from_secs(10);

/// A watch's lines, one after the other.
struct Lines {
    body: Body,
    buffer: Vec<u8>,
}

impl Lines {
    async fn open(lab: &Lab, query: &str) -> Self {
        Self::open_as(lab, query, "application/json").await
    }

    async fn open_as(lab: &Lab, query: &str, accept: &str) -> Self {
        let request = Request::get(format!("{MAPS}?watch=true&{query}")).header("accept", accept);
        let request = request.body(Full::default()).expect("a request");
        let (status, _, body) = send(lab, admin(), request).await;
        assert!(status.is_success(), "{status}");
        Self {
            body,
            buffer: Vec::new(),
        }
    }

    /// The next event, or `None` at the end.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).expect("JSON"));
            }
            let frame = timeout(SOON, self.body.frame()).await.expect("in time")?;
            let data = frame.expect("readable").into_data().expect("data");
            self.buffer.extend_from_slice(&data);
        }
    }

    /// The next event as type and name.
    async fn brief(&mut self) -> (String, String) {
        let event = self.next().await.expect("an event");
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        (
            text(&event["type"]),
            text(&event["object"]["metadata"]["name"]),
        )
    }
}

fn pair(kind: &str, name: &str) -> (String, String) {
    (kind.to_owned(), name.to_owned())
}

async fn put(lab: &Lab, name: &str, label: &str) -> Value {
    let body = json!({"metadata": {"name": name, "labels": {"l": label}}});
    let (status, answer) = write(lab, "POST", MAPS, &body).await;
    assert!(status.is_success(), "{answer}");
    answer
}

async fn relabel(lab: &Lab, name: &str, label: &str) {
    let patch = json!({"metadata": {"labels": {"l": label}}});
    let (status, answer) = write(lab, "PATCH", &format!("{MAPS}/{name}"), &patch).await;
    assert!(status.is_success(), "{answer}");
}

#[tokio::test]
async fn a_watch_begins_with_what_is_there_and_goes_on() {
    let lab = lab().await.expect("a lab");
    put(&lab, "a", "x").await;
    let mut lines = Lines::open(&lab, "").await;
    assert_eq!(lines.brief().await, pair("ADDED", "a"));
    put(&lab, "b", "x").await;
    assert_eq!(lines.brief().await, pair("ADDED", "b"));
    relabel(&lab, "b", "y").await;
    assert_eq!(lines.brief().await, pair("MODIFIED", "b"));
    write(&lab, "DELETE", &format!("{MAPS}/a"), &json!({})).await;
    let event = lines.next().await.expect("an event");
    assert_eq!(event["type"], "DELETED");
    let revision = lab.server.revision().to_string();
    assert_eq!(
        event["object"]["metadata"]["resourceVersion"],
        revision.as_str()
    );
}

#[tokio::test]
async fn a_watch_resumes_after_the_version_it_names() {
    let lab = lab().await.expect("a lab");
    let first = put(&lab, "a", "x").await;
    put(&lab, "b", "x").await;
    put(&lab, "c", "x").await;
    let version = first["metadata"]["resourceVersion"]
        .as_str()
        .expect("a version");
    let mut lines = Lines::open(&lab, &format!("resourceVersion={version}")).await;
    assert_eq!(lines.brief().await, pair("ADDED", "b"));
    assert_eq!(lines.brief().await, pair("ADDED", "c"));
}

#[tokio::test]
async fn entering_and_leaving_the_selection_are_added_and_deleted() {
    let lab = lab().await.expect("a lab");
    put(&lab, "a", "no").await;
    let version = lab.server.revision();
    let query = format!("labelSelector=l%3Dyes&resourceVersion={version}");
    let mut lines = Lines::open(&lab, &query).await;
    for label in ["yes", "no"] {
        relabel(&lab, "a", label).await;
    }
    assert_eq!(lines.brief().await, pair("ADDED", "a"));
    let gone = lines.next().await.expect("an event");
    assert_eq!(
        (&gone["type"], &gone["object"]["metadata"]["labels"]["l"]),
        (&json!("DELETED"), &json!("yes"))
    );
}

#[tokio::test]
async fn a_field_selector_watches_one_object() {
    let lab = lab().await.expect("a lab");
    let mut lines = Lines::open(&lab, "fieldSelector=metadata.name%3Db").await;
    put(&lab, "a", "x").await;
    put(&lab, "b", "x").await;
    assert_eq!(lines.brief().await, pair("ADDED", "b"));
}

#[tokio::test]
async fn streamed_lists_end_with_an_annotated_bookmark() {
    let lab = lab().await.expect("a lab");
    put(&lab, "a", "x").await;
    let query = "sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan";
    let mut lines = Lines::open(&lab, query).await;
    assert_eq!(lines.brief().await, pair("ADDED", "a"));
    let bookmark = lines.next().await.expect("a bookmark");
    assert_eq!(bookmark["type"], "BOOKMARK");
    assert_eq!(
        bookmark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"],
        "true"
    );
}

#[tokio::test(start_paused = true)]
async fn bookmarks_come_every_minute_and_the_watch_ends_when_asked() {
    let lab = lab().await.expect("a lab");
    let version = lab.server.revision();
    let query = format!("allowWatchBookmarks=true&timeoutSeconds=90&resourceVersion={version}");
    let mut lines = Lines {
        body: Lines::open(&lab, &query).await.body,
        buffer: Vec::new(),
    };
    let frame = lines
        .body
        .frame()
        .await
        .expect("a bookmark")
        .expect("readable");
    let line: Value = serde_json::from_slice(&frame.into_data().expect("data")).expect("JSON");
    assert_eq!(line["type"], "BOOKMARK");
    assert_eq!(
        line["object"]["metadata"]["resourceVersion"],
        version.to_string().as_str()
    );
    assert!(lines.body.frame().await.is_none(), "90 seconds are over");
}

#[tokio::test]
async fn a_forgotten_version_is_expired() {
    let lab = lab().await.expect("a lab");
    put(&lab, "a", "x").await;
    // More than the history holds.
    let long = "x".repeat(1_000_000);
    for turn in 0..15 {
        let patch = json!({"data": {"turn": format!("{turn}{long}")}});
        let (status, answer) = write(&lab, "PATCH", &format!("{MAPS}/a"), &patch).await;
        assert!(status.is_success(), "{answer}");
    }
    let mut lines = Lines::open(&lab, "resourceVersion=1").await;
    let event = lines.next().await.expect("an error");
    assert_eq!(
        (&event["type"], &event["object"]["code"]),
        (&json!("ERROR"), &json!(410))
    );
    assert_eq!(event["object"]["reason"], "Expired");
    assert!(lines.next().await.is_none());
}

#[tokio::test]
async fn a_watched_table_has_its_columns_once() {
    let lab = lab().await.expect("a lab");
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let mut lines = Lines::open_as(&lab, "", accept).await;
    put(&lab, "a", "x").await;
    put(&lab, "b", "x").await;
    let first = lines.next().await.expect("an event");
    let second = lines.next().await.expect("an event");
    let columns = |event: &Value| {
        event["object"]["columnDefinitions"]
            .as_array()
            .map_or(0, Vec::len)
    };
    assert_eq!((columns(&first) > 0, columns(&second)), (true, 0));
    assert_eq!(second["object"]["rows"][0]["cells"][0], "b");
}

#[tokio::test]
async fn the_end_of_the_server_ends_its_watches() {
    let lab = lab().await.expect("a lab");
    let mut lines = Lines::open(&lab, "").await;
    put(&lab, "a", "x").await;
    assert_eq!(lines.brief().await, pair("ADDED", "a"));
    lab.shutdown.cancel();
    assert!(lines.next().await.is_none());
}
