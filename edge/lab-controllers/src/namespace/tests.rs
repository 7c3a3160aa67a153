//! The conditions of a namespace that is being emptied.

use super::conditions::{Remains, status};
use crate::fixtures::{ago, now, object};
use k8s_openapi::api::core::v1::Namespace;
use serde_json::json;

#[test]
fn an_empty_namespace_says_that_all_is_done_and_keeps_its_times() {
    let mut namespace: Namespace = object(json!({"metadata": {"name": "work"}}));
    let first = status(&namespace, &Remains::default(), ago(60));
    assert_eq!(first.phase.as_deref(), Some("Terminating"));
    assert!(
        first
            .conditions
            .iter()
            .flatten()
            .all(|held| held.status == "False")
    );
    namespace.status = Some(first.clone());
    assert_eq!(status(&namespace, &Remains::default(), now()), first);
}

#[test]
fn failures_keep_the_namespace() {
    let mut remains = Remains::default();
    assert!(remains.is_empty());
    remains.failures.push("pods: forbidden".into());
    assert!(!remains.is_empty());
    let namespace: Namespace = object(json!({"metadata": {"name": "work"}}));
    let status = status(&namespace, &remains, now());
    let failed = status
        .conditions
        .into_iter()
        .flatten()
        .find(|held| held.status == "True")
        .unwrap();
    assert_eq!(failed.reason.as_deref(), Some("ContentDeletionFailed"));
}
