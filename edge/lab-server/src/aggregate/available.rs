//! Keeps the `Available` condition of APIServices: at once when their Service, its endpoints or
//! they themselves change, and again after a while.
//!
//! Upstream: kube-aggregator/pkg/controllers/status/{remote,local}.

use super::check::{self, Inputs, Known, Verdict};
use super::remote::{APISERVICES, Remote};
use super::{discovery, openapi};
use crate::backend::{Payload, Refused, Write};
use crate::server::Inner;
use crate::stored::Draft;
use crate::verbs::create::timestamp;
use bytes::Bytes;
use objects::{Expect, ListQuery};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long a good answer is believed. Upstream: the informer's resync period.
const GOOD: Duration = Duration::from_secs(30);
/// How soon a failure is tried again. Upstream: 5 ms, doubling up to 30 s.
const BAD: Duration = Duration::from_secs(1);

/// What is known of one APIService between passes.
struct Watched {
    inputs: Inputs,
    asking: bool,
    /// When it is asked again.
    due: Option<Instant>,
}

/// The end of an inquiry.
struct Asked {
    remote: Remote,
    inputs: Inputs,
    answer: Result<Bytes, String>,
    openapi: Option<String>,
}

struct Controller {
    inner: Arc<Inner>,
    watched: BTreeMap<String, Watched>,
    asking: JoinSet<Asked>,
}

/// Runs until the server's shutdown.
pub(super) async fn run(inner: Arc<Inner>) {
    let [services, slices] = check::COLLECTIONS;
    let mut wakers = [APISERVICES, services, slices]
        .map(|collection| inner.backend.subscribe(&collection.into()));
    let shutdown = inner.shutdown.clone();
    let mut controller = Controller {
        inner,
        watched: BTreeMap::new(),
        asking: JoinSet::new(),
    };
    loop {
        wakers.iter_mut().for_each(Receiver::mark_unchanged);
        controller.pass().await;
        let due = controller.next_due();
        let [first, second, third] = &mut wakers;
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = first.changed() => {}
            _ = second.changed() => {}
            _ = third.changed() => {}
            () = tokio::time::sleep_until(due) => {}
            Some(Ok(asked)) = controller.asking.join_next() => controller.finish(asked).await,
        }
    }
}

impl Controller {
    fn next_due(&self) -> Instant {
        let due = self.watched.values().filter_map(|watched| watched.due);
        due.min().unwrap_or_else(|| Instant::now() + GOOD)
    }

    async fn pass(&mut self) {
        let query = ListQuery {
            collection: APISERVICES,
            prefix: "",
            after: None,
            at: None,
        };
        let Ok(page) = self.inner.backend.list(query, None, |_| true) else {
            return;
        };
        let mut names = Vec::new();
        for item in page.items {
            match Remote::of(&item.payload) {
                Some(remote) => {
                    names.push(remote.name.clone());
                    self.look(remote, &item.payload).await;
                }
                None => write(&self.inner, &item.payload, &Verdict::local()).await,
            }
        }
        self.watched.retain(|name, _| names.contains(name));
        self.inner
            .aggregator
            .change_discovered(|all| all.retain(|name, _| names.contains(name)));
    }

    async fn look(&mut self, remote: Remote, stored: &Payload) {
        let (inputs, known) = check::known(&self.inner.backend, &remote);
        let watched = self
            .watched
            .entry(remote.name.clone())
            .or_insert_with(|| Watched {
                inputs: inputs.clone(),
                asking: false,
                due: Some(Instant::now()),
            });
        if watched.inputs != inputs {
            watched.inputs = inputs.clone();
            watched.due = Some(Instant::now());
        }
        match known {
            Known::Verdict(verdict) => {
                watched.due = None;
                discovery::silent(&self.inner, &remote);
                write(&self.inner, stored, &verdict).await;
            }
            Known::Ask(addresses) => {
                // Without a due time it was not to be asked before.
                let due = watched.due.is_none_or(|due| due <= Instant::now());
                if due && !watched.asking {
                    watched.asking = true;
                    watched.due = Some(Instant::now() + GOOD);
                    self.asking
                        .spawn(inquire(self.inner.clone(), remote, inputs, addresses));
                }
            }
        }
    }

    async fn finish(&mut self, asked: Asked) {
        let Some(watched) = self.watched.get_mut(&asked.remote.name) else {
            return;
        };
        watched.asking = false;
        if watched.inputs != asked.inputs {
            // What was asked is no longer what is there; the next pass asks anew.
            watched.due = Some(Instant::now());
            return;
        }
        let good = asked.answer.is_ok();
        watched.due = Some(Instant::now() + if good { GOOD } else { BAD });
        let verdict = match asked.answer {
            Ok(document) => {
                discovery::answered(&self.inner, &asked.remote, &document, asked.openapi);
                Verdict::passed()
            }
            Err(why) => {
                discovery::silent(&self.inner, &asked.remote);
                Verdict::no("FailedDiscoveryCheck", why)
            }
        };
        let key = crate::backend::key("", &asked.remote.name);
        if let Some(stored) = self.inner.backend.get(APISERVICES, &key) {
            write(&self.inner, &stored, &verdict).await;
        }
    }
}

async fn inquire(
    inner: Arc<Inner>,
    remote: Remote,
    inputs: Inputs,
    addresses: Vec<SocketAddr>,
) -> Asked {
    let answer = check::ask(&inner, &remote, &addresses).await;
    let openapi = match (&answer, addresses.first()) {
        (Ok(_), Some(address)) => openapi::find(&inner, &remote, *address).await,
        _ => None,
    };
    Asked {
        remote,
        inputs,
        answer,
        openapi,
    }
}

/// Writes the condition, if it says something new. A conflict is settled by the pass that the
/// other change causes.
async fn write(inner: &Inner, stored: &Payload, verdict: &Verdict) {
    let mut object = stored.value();
    if !set(&mut object, verdict, runtime::clock::now()) {
        return;
    }
    let write = Write {
        collection: APISERVICES.into(),
        key: crate::backend::key("", &stored.meta.name),
        expect: Expect::At(stored.revision),
        draft: Some(Draft::new(&object)),
    };
    match inner.backend.write(write).await {
        Ok(_) => tracing::info!(
            apiservice = &*stored.meta.name,
            reason = verdict.reason,
            message = verdict.message,
            "the availability of an APIService changed"
        ),
        Err(Refused::Mismatch(_)) => {}
        Err(error) => tracing::warn!(%error, "cannot write the status of an APIService"),
    }
}

/// Sets the condition; says whether that changed anything. Upstream: SetAPIServiceCondition.
pub(super) fn set(object: &mut Value, verdict: &Verdict, now: jiff::Timestamp) -> bool {
    let status = if verdict.available { "True" } else { "False" };
    let new = json!({
        "type": "Available", "status": status, "lastTransitionTime": timestamp(now),
        "reason": verdict.reason, "message": verdict.message,
    });
    if !object["status"]["conditions"].is_array() {
        object["status"]["conditions"] = json!([]);
    }
    let Some(conditions) = object["status"]["conditions"].as_array_mut() else {
        return false;
    };
    let Some(old) = conditions.iter_mut().find(|one| one["type"] == "Available") else {
        conditions.push(new);
        return true;
    };
    let since = old["lastTransitionTime"].clone();
    let same_status = old["status"] == new["status"];
    if same_status && old["reason"] == new["reason"] && old["message"] == new["message"] {
        return false;
    }
    *old = new;
    if same_status {
        old["lastTransitionTime"] = since;
    }
    true
}
