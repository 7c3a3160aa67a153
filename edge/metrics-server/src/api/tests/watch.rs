//! Watches: which events come, and when.

use super::*;
use serde_json::Value;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// A watch that is read.
struct Read {
    body: Body,
    lines: VecDeque<Value>,
}

impl Read {
    async fn next(&mut self) -> Option<Value> {
        while self.lines.is_empty() {
            let frame = self.body.frame().await?.unwrap().into_data().unwrap();
            let lines = std::str::from_utf8(&frame).unwrap().lines();
            let lines = lines.map(|line| serde_json::from_str(line).unwrap());
            self.lines.extend(lines);
        }
        self.lines.pop_front()
    }

    /// Type and name of the next events, up to a bookmark.
    async fn until_bookmark(&mut self) -> Vec<String> {
        let mut seen = Vec::new();
        loop {
            let event = self.next().await.expect("the watch goes on");
            let kind = event["type"].as_str().unwrap();
            let metadata = &event["object"]["metadata"];
            if kind == "BOOKMARK" {
                let first = metadata["annotations"]["k8s.io/initial-events-end"] == "true";
                seen.push(if first { "FIRST" } else { "BOOKMARK" }.to_owned());
                return seen;
            }
            seen.push(format!("{kind} {}", metadata["name"].as_str().unwrap()));
        }
    }
}

/// An API that can be watched, and what says that there is news.
fn watched(scrapes: i64) -> (Api, watch::Sender<()>) {
    let (tell, told) = watch::channel(());
    let api = api(scrapes).with_watches(told, CancellationToken::new());
    (api, tell)
}

fn begin(api: &Api, query: &str) -> Read {
    let path = format!("/apis/metrics.k8s.io/v1beta1/pods?watch=true{query}");
    let (head, ()) = Request::get(path).body(()).unwrap().into_parts();
    let (head, body) = api.route(&head, jiff::Timestamp::UNIX_EPOCH).into_parts();
    assert_eq!(head.status, 200);
    Read {
        body,
        lines: VecDeque::new(),
    }
}

/// Scrapes once more, at so many seconds after noon.
fn scrape(api: &Api, seconds: i64) {
    let text = answer(seconds);
    let mut store = api.store.write().unwrap();
    store.begin();
    store.take("node-1", &scrape::read(&text, 0).unwrap());
    store.end();
}

const MARKS: &str = "&allowWatchBookmarks=true";

#[tokio::test(start_paused = true)]
async fn a_watch_begins_with_what_there_is_and_goes_on_with_new_samples() {
    let (api, tell) = watched(2);
    let mut read = begin(&api, MARKS);
    let first = ["ADDED web-1", "ADDED web-2", "FIRST"];
    assert_eq!(read.until_bookmark().await, first);
    scrape(&api, 30);
    tell.send_replace(());
    let changed = read.next().await.unwrap();
    assert_eq!(changed["type"], "MODIFIED");
    let object = &changed["object"];
    assert_eq!(object["kind"], "PodMetrics");
    assert_eq!(object["timestamp"], "2026-01-01T12:00:30Z");
    assert_eq!(object["window"], "15s");
    assert_eq!(object["containers"][0]["usage"]["cpu"], "200m");
    assert_eq!(read.until_bookmark().await, ["MODIFIED web-2", "BOOKMARK"]);
}

#[tokio::test(start_paused = true)]
async fn the_same_sample_twice_is_no_news() {
    let (api, tell) = watched(2);
    let mut read = begin(&api, MARKS);
    read.until_bookmark().await;
    scrape(&api, 15);
    tell.send_replace(());
    assert_eq!(read.until_bookmark().await, ["BOOKMARK"]);
}

#[tokio::test(start_paused = true)]
async fn pods_that_come_late_are_added_and_those_without_metrics_deleted() {
    let (api, tell) = watched(1);
    let mut read = begin(&api, MARKS);
    assert_eq!(read.until_bookmark().await, ["FIRST"]);
    scrape(&api, 15);
    tell.send_replace(());
    let added = ["ADDED web-1", "ADDED web-2", "BOOKMARK"];
    assert_eq!(read.until_bookmark().await, added);
    api.store.write().unwrap().begin();
    let empty = scrape::read("node_cpu_usage_seconds_total 1 1\n", 0).unwrap();
    api.store.write().unwrap().take("node-1", &empty);
    api.store.write().unwrap().end();
    let mut gone = read.until_bookmark().await;
    gone.sort();
    assert_eq!(gone, ["BOOKMARK", "DELETED web-1", "DELETED web-2"]);
}

#[tokio::test(start_paused = true)]
async fn selectors_namespaces_and_tables_are_obeyed() {
    let (api, _tell) = watched(2);
    let mut read = begin(&api, &format!("{MARKS}&labelSelector=n%3D1"));
    assert_eq!(read.until_bookmark().await, ["ADDED web-1", "FIRST"]);
    let mut read = begin(
        &api,
        &format!("{MARKS}&fieldSelector=metadata.name%3Dweb-2"),
    );
    assert_eq!(read.until_bookmark().await, ["ADDED web-2", "FIRST"]);
    let path = "/apis/metrics.k8s.io/v1beta1/namespaces/eks-work/pods?watch=1";
    let (head, ()) = Request::get(path)
        .header(ACCEPT, TABLE)
        .body(())
        .unwrap()
        .into_parts();
    let (_, body) = api.route(&head, jiff::Timestamp::UNIX_EPOCH).into_parts();
    let lines = VecDeque::new();
    let row = Read { body, lines }.next().await.unwrap();
    assert_eq!(row["object"]["kind"], "Table");
    assert_eq!(row["object"]["rows"][0]["cells"][0], "web-1");
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_when_its_time_is_over_and_without_marks_has_none() {
    let (api, _tell) = watched(2);
    let mut read = begin(&api, "&timeoutSeconds=7");
    assert_eq!(read.next().await.unwrap()["type"], "ADDED");
    assert_eq!(read.next().await.unwrap()["type"], "ADDED");
    let end = timeout(Duration::from_secs(60), read.next()).await;
    assert_eq!(end.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn there_is_room_for_so_many_watches_and_one_that_ends_makes_room() {
    let (api, _tell) = watched(2);
    let mut all: Vec<Read> = (0..32).map(|_| begin(&api, "")).collect();
    let (code, body) = get(&api, "/apis/metrics.k8s.io/v1beta1/pods?watch=true");
    assert_eq!(code, 429, "{body}");
    all.pop();
    let room = async {
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let watches = api.watches.as_ref().unwrap();
            if watches.free() > 0 {
                return;
            }
        }
    };
    timeout(Duration::from_secs(60), room).await.unwrap();
}
