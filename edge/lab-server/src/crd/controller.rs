//! Looks after definitions: gives names, establishes, registers groups, deletes.

use super::deletion::{self, is_going, waits};
use super::names::{self, Taken};
use super::{DEFINITIONS, services};
use crate::backend::{self, Payload, Refused, Write};
use crate::server::Inner;
use crate::stored::Draft;
use objects::{Expect, ListQuery};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// How soon a definition that waits for its objects is looked at again.
const AGAIN: Duration = Duration::from_millis(100);
/// When nothing happens.
const IDLE: Duration = Duration::from_secs(600);

/// Runs until the server's shutdown.
pub(super) async fn run(inner: Arc<Inner>) {
    let mut changed = inner.backend.subscribe(&DEFINITIONS.into());
    let shutdown = inner.shutdown.clone();
    loop {
        changed.mark_unchanged();
        let again = pass(&inner).await;
        // Whoever watches objects of a type that has gone is told by the registry.
        inner.registry();
        tokio::select! {
            () = shutdown.cancelled() => return,
            ended = changed.changed() => if ended.is_err() { return },
            () = sleep(if again { AGAIN } else { IDLE }) => {}
        }
    }
}

/// Looks at all definitions; returns whether one must be looked at again soon.
async fn pass(inner: &Arc<Inner>) -> bool {
    let now = runtime::clock::now();
    let mut again = false;
    let stored = all(inner);
    let mut definitions: Vec<Value> = stored.iter().map(|stored| stored.value()).collect();
    for (at, stored) in stored.iter().enumerate() {
        let mut definition = definitions[at].clone();
        if is_going(&definition) {
            if waits(&definition) {
                again |= deletion::go_on(inner, stored, now).await;
            }
            continue;
        }
        let taken = Taken::by_others(&definition, definitions.iter());
        names::accept(&mut definition, &taken, now);
        names::note_storage_version(&mut definition);
        if definition != definitions[at] {
            update(inner, stored, &definition).await;
            definitions[at] = definition;
        }
    }
    services::keep(inner, &definitions, now).await;
    again
}

fn all(inner: &Inner) -> Vec<Payload> {
    let query = ListQuery {
        collection: DEFINITIONS,
        prefix: "",
        after: None,
        at: None,
    };
    let page = inner.backend.list(query, None, |_| true);
    let items = page.map(|page| page.items).unwrap_or_default();
    items.into_iter().map(|item| item.payload).collect()
}

/// Writes a definition, or removes one that nothing keeps any longer. A conflict is settled by the
/// pass that the other change causes.
pub(super) async fn update(inner: &Inner, stored: &Payload, definition: &Value) {
    let finalizers = definition["metadata"]["finalizers"].as_array();
    let gone = is_going(definition) && finalizers.is_none_or(Vec::is_empty);
    let write = Write {
        collection: DEFINITIONS.into(),
        key: backend::key("", &stored.meta.name),
        expect: Expect::At(stored.revision),
        draft: (!gone).then(|| Draft::new(definition)),
    };
    match inner.backend.write(write).await {
        Ok(_) | Err(Refused::Mismatch(_)) => {}
        Err(error) => {
            tracing::warn!(%error, name = &*stored.meta.name, "cannot write a definition's status");
        }
    }
}
