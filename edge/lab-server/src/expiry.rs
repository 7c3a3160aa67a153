//! Events are forgotten an hour after they last happened.
//!
//! Upstream: --event-ttl (etcd leases there; a look every few minutes here).

use crate::backend::{self, Payload, Refused, Write};
use crate::derived;
use crate::server::Inner;
use jiff::{SignedDuration, Timestamp};
use objects::Expect;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

const COLLECTION: &str = "/events";
const LIFE: SignedDuration = SignedDuration::from_hours(1);
const LOOK: Duration = Duration::from_secs(300);

/// Looks until the server's shutdown.
pub(crate) async fn run(inner: Arc<Inner>) {
    loop {
        tokio::select! {
            () = inner.shutdown.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let now = runtime::clock::now();
        let events = derived::all(&inner.backend.read().store, COLLECTION);
        for stored in events.iter().filter(|stored| is_old(stored, now)) {
            forget(&inner, stored).await;
        }
    }
}

async fn forget(inner: &Inner, stored: &Payload) {
    let write = Write {
        collection: COLLECTION.into(),
        key: backend::key(&stored.meta.namespace, &stored.meta.name),
        expect: Expect::At(stored.revision),
        draft: None,
    };
    // One that happened again meanwhile stays.
    if let Err(Refused::Journal(error)) = inner.backend.write(write).await {
        tracing::warn!(error, "an old event cannot be deleted");
    }
}

/// Whether an event last happened long ago; one without times is as old as it says it was made.
fn is_old(stored: &Payload, now: Timestamp) -> bool {
    let event = stored.value();
    let times = [
        &event["lastTimestamp"],
        &event["series"]["lastObservedTime"],
        &event["eventTime"],
        &event["metadata"]["creationTimestamp"],
    ];
    let times = times.into_iter().filter_map(Value::as_str);
    let last = times
        .filter_map(|time| time.parse::<Timestamp>().ok())
        .max();
    last.is_some_and(|last| now.duration_since(last) > LIFE)
}
