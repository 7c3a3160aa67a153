//! What is known of samples, from the lines of a watch.

use super::*;

const BOOKMARK: &str = r#"{"type":"BOOKMARK","object":{"kind":"PodMetrics","apiVersion":"metrics.k8s.io/v1beta1","metadata":{"resourceVersion":"1","annotations":{"k8s.io/initial-events-end":"true"}}}}"#;

fn event(kind: &str, pod: &str) -> String {
    format!(
        r#"{{"type":"{kind}","object":{{"metadata":{{"name":"{pod}","namespace":"shop"}},"timestamp":"2026-01-01T12:00:00Z","window":"15s","containers":[{{"name":"app","usage":{{"cpu":"250m","memory":"1Mi"}}}}]}}}}"#
    )
}

fn heard(samples: &Samples, lines: &[&str]) -> Vec<String> {
    let text = lines.iter().map(|line| format!("{line}\n"));
    let mut read = BytesMut::from(text.collect::<String>().as_bytes());
    let changed = take(&mut read, samples).unwrap();
    assert!(read.is_empty());
    changed.iter().map(|s| s.metrics.pod.clone()).collect()
}

fn of(samples: &Samples, pods: &[&str]) -> Option<Vec<String>> {
    let found = samples.of("shop", pods.iter().copied())?;
    Some(
        found
            .into_iter()
            .map(|metrics| metrics.pod.clone())
            .collect(),
    )
}

#[test]
fn nothing_is_known_before_the_first_bookmark() {
    let samples = Samples::default();
    assert_eq!(heard(&samples, &[&event("ADDED", "web-1")]), ["web-1"]);
    assert_eq!(of(&samples, &["web-1"]), None);
    heard(&samples, &[BOOKMARK]);
    assert_eq!(of(&samples, &["web-1", "web-2"]).unwrap(), ["web-1"]);
    assert_eq!(samples.of("elsewhere", ["x"].into_iter()), Some(Vec::new()));
}

#[test]
fn a_deleted_pods_sample_goes() {
    let samples = Samples::default();
    heard(
        &samples,
        &[
            &event("ADDED", "web-1"),
            BOOKMARK,
            &event("DELETED", "web-1"),
        ],
    );
    assert_eq!(of(&samples, &["web-1"]).unwrap(), [""; 0]);
}

#[test]
fn a_part_of_a_line_waits_for_the_rest() {
    let samples = Samples::default();
    let line = format!("{}\n", event("ADDED", "web-1"));
    let (begin, rest) = line.split_at(40);
    let mut read = BytesMut::from(begin);
    assert!(take(&mut read, &samples).unwrap().is_empty());
    read.extend_from_slice(rest.as_bytes());
    assert_eq!(take(&mut read, &samples).unwrap().len(), 1);
}

#[test]
fn news_are_samples_after_a_stamp() {
    let samples = Samples::default();
    heard(
        &samples,
        &[&event("ADDED", "web-1"), &event("ADDED", "web-2"), BOOKMARK],
    );
    let stamp = samples.stamp();
    let news = || samples.news("shop", ["web-1", "web-2", "web-3"].into_iter(), stamp);
    assert_eq!(news(), News::None);
    heard(&samples, &[&event("MODIFIED", "web-2")]);
    assert_eq!(news(), News::Some);
    heard(&samples, &[&event("MODIFIED", "web-1")]);
    assert_eq!(news(), News::All);
}

#[test]
fn a_line_that_is_no_event_ends_the_watch() {
    let samples = Samples::default();
    let mut read = BytesMut::from("{\"type\":\n");
    let error = take(&mut read, &samples).unwrap_err();
    assert!(error.starts_with("no event: "), "{error}");
    let gone = r#"{"type":"ERROR","object":{"kind":"Status","message":"too old"}}"#;
    let mut read = BytesMut::from(format!("{gone}\n").as_str());
    assert_eq!(take(&mut read, &samples).unwrap_err(), "too old");
}
