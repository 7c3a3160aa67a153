//! /metrics: a few of upstream's figures about requests and stored objects.

use crate::body::{Reply, full, typed};
use crate::server::Inner;
use http::StatusCode;
use http::header::HeaderValue;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

/// What is counted of one kind of request.
type Labels = (&'static str, String, u16);

/// Requests answered so far.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Verb, resource (or nothing), code → how many. Bounded by what is served: an unknown
    /// resource counts as none.
    requests: Mutex<BTreeMap<Labels, u64>>,
}

impl Counters {
    /// Counts an answer.
    pub(crate) fn count(&self, verb: &'static str, resource: &str, code: u16) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests
            .entry((verb, resource.to_owned(), code))
            .or_default() += 1;
    }
}

/// The page, in Prometheus' text format.
pub(crate) fn answer(inner: &Inner) -> Reply {
    let mut page = String::from(
        "# HELP apiserver_request_total [STABLE] Counter of apiserver requests broken out for each verb, resource and HTTP response code.\n\
         # TYPE apiserver_request_total counter\n",
    );
    let requests = inner
        .counters
        .requests
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    for ((verb, resource, code), count) in requests {
        let verb = verb.to_ascii_uppercase();
        // Writing into a string cannot fail.
        let _ = writeln!(
            page,
            "apiserver_request_total{{code=\"{code}\",resource=\"{resource}\",verb=\"{verb}\"}} {count}"
        );
    }
    page.push_str(
        "# HELP apiserver_storage_objects [STABLE] Number of stored objects at the time of last check split by kind.\n\
         # TYPE apiserver_storage_objects gauge\n",
    );
    let state = inner.backend.read();
    for (collection, count) in state.store.counts() {
        let (group, resource) = collection.split_once('/').unwrap_or(("", collection));
        let dot = if group.is_empty() { "" } else { "." };
        let _ = writeln!(
            page,
            "apiserver_storage_objects{{resource=\"{resource}{dot}{group}\"}} {count}"
        );
    }
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(typed(StatusCode::OK, kind, full(page)))
}
