//! What pods use, heard as metrics-server learns it.
//!
//! Evenkeel's metrics-server lets `metrics.k8s.io` be watched. Where another one answers, or the watch has fallen
//! silent, nothing is known here: then the metrics are asked for, and errors are the API's own.

mod frame;

use bytes::{Buf, BytesMut};
use frame::{Event, Kind};
use futures::{StreamExt, stream::BoxStream};
use hpa::PodMetrics;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

const WATCH: &str =
    "/apis/metrics.k8s.io/v1beta1/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=1800";
/// A watch that says nothing for so long is broken: bookmarks come every 5 s.
const SILENCE: Duration = Duration::from_secs(12);
/// An event is no longer than this.
const LINE_MAX: usize = 4 << 20;
/// How long until a broken watch is tried again, and one that is not served or not allowed.
const BROKEN: Duration = Duration::from_secs(1);
const UNSERVED: Duration = Duration::from_secs(60);

/// A pod's last sample.
#[derive(Debug, Clone)]
struct Sample {
    metrics: Arc<PodMetrics>,
    /// Grows with each sample of any pod.
    stamp: u64,
}

/// A new sample.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) namespace: Box<str>,
    pub(crate) metrics: Arc<PodMetrics>,
}

/// The samples, while a watch tells them.
#[derive(Debug, Default)]
pub(crate) struct Samples(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    namespaces: HashMap<Box<str>, HashMap<Box<str>, Sample>>,
    stamp: u64,
    /// All that there was at the beginning has been told.
    live: bool,
}

impl Samples {
    /// The last samples of these pods, which are sorted by name; `None` while nobody tells them.
    pub(crate) fn of<'a>(
        &self,
        namespace: &str,
        pods: impl Iterator<Item = &'a str>,
    ) -> Option<Vec<Arc<PodMetrics>>> {
        let state = self.read();
        if !state.live {
            return None;
        }
        let Some(known) = state.namespaces.get(namespace) else {
            return Some(Vec::new());
        };
        let found = pods.filter_map(|pod| known.get(pod));
        Some(found.map(|s| Arc::clone(&s.metrics)).collect())
    }

    /// The newest sample's stamp.
    pub(crate) fn stamp(&self) -> u64 {
        self.read().stamp
    }

    /// Whether any of these pods has a sample after `stamp`, and whether all that have samples do.
    pub(crate) fn news<'a>(
        &self,
        namespace: &str,
        pods: impl Iterator<Item = &'a str>,
        stamp: u64,
    ) -> News {
        let state = self.read();
        let known = state.namespaces.get(namespace);
        let stamps = pods.filter_map(|pod| Some(known?.get(pod)?.stamp));
        let (mut new, mut all) = (0, 0);
        for sample in stamps {
            all += 1;
            new += usize::from(sample > stamp);
        }
        match new {
            0 => News::None,
            new if new < all => News::Some,
            _ => News::All,
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which of some pods have new samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    None,
    Some,
    All,
}

impl State {
    /// Gives the sample, if it is new.
    fn hear(&mut self, event: Event) -> Option<Heard> {
        let Event {
            kind,
            namespace,
            metrics,
        } = event;
        match kind {
            Kind::Changed => {
                self.stamp += 1;
                let metrics = Arc::new(metrics);
                let sample = Sample {
                    metrics: Arc::clone(&metrics),
                    stamp: self.stamp,
                };
                let known = self.namespaces.get_mut(&namespace);
                match known.and_then(|pods| pods.get_mut(metrics.pod.as_str())) {
                    Some(known) => *known = sample,
                    None => {
                        let pods = self.namespaces.entry(namespace.clone()).or_default();
                        pods.insert(metrics.pod.as_str().into(), sample);
                    }
                }
                Some(Heard { namespace, metrics })
            }
            Kind::Deleted => {
                if let Some(pods) = self.namespaces.get_mut(&namespace) {
                    pods.remove(metrics.pod.as_str());
                }
                None
            }
            Kind::Bookmark { first } => {
                self.live |= first;
                None
            }
        }
    }
}

/// Why a watch ended.
enum Ended {
    /// It is not served, or not allowed.
    Refused(StatusCode),
    /// What is served is no watch.
    Strange(String),
    Broken(String),
}

/// Watches until it is dropped; `wake` is told of new samples.
pub(super) async fn keep(client: Client, samples: &Samples, wake: impl Fn(&[Heard]) + Send) {
    let mut refusal = None;
    loop {
        let ended = follow(&client, samples, &wake).await;
        let was_live = std::mem::take(&mut *samples.write()).live;
        let pause = match ended {
            Ended::Refused(code) => {
                if refusal.replace(code) != Some(code) {
                    tell_refusal(code);
                }
                UNSERVED
            }
            Ended::Strange(why) => {
                debug!(why, "the watch of pods' metrics cannot be read");
                UNSERVED
            }
            Ended::Broken(why) => {
                debug!(why, "the watch of pods' metrics ended");
                if was_live {
                    refusal = None;
                }
                BROKEN
            }
        };
        sleep(pause).await;
    }
}

fn tell_refusal(code: StatusCode) {
    let code = code.as_u16();
    if code == 403 {
        warn!(
            "may not watch pods of metrics.k8s.io, so metrics are asked for: allow it, and new samples count at once"
        );
    } else {
        info!(
            code,
            "the metrics server cannot be watched, so metrics are asked for"
        );
    }
}

async fn follow(client: &Client, samples: &Samples, wake: &(impl Fn(&[Heard]) + Send)) -> Ended {
    let mut chunks = match begin(client).await {
        Ok(chunks) => chunks,
        Err(ended) => return ended,
    };
    let mut read = BytesMut::new();
    loop {
        let chunk = match timeout(SILENCE, chunks.next()).await {
            Err(_) => return Ended::Broken("it fell silent".to_owned()),
            Ok(None) if read.is_empty() => return Ended::Broken("its time is over".to_owned()),
            Ok(None) => return Ended::Strange("it ends in the middle".to_owned()),
            Ok(Some(Err(error))) => return Ended::Broken(error.to_string()),
            Ok(Some(Ok(chunk))) => chunk,
        };
        read.extend_from_slice(&chunk);
        match take(&mut read, samples) {
            Ok(changed) if changed.is_empty() => {}
            Ok(changed) => wake(&changed),
            Err(error) => return Ended::Strange(error),
        }
        if read.len() > LINE_MAX {
            return Ended::Broken("an event is too long".to_owned());
        }
    }
}

type Chunks = BoxStream<'static, Result<bytes::Bytes, kube::Error>>;

async fn begin(client: &Client) -> Result<Chunks, Ended> {
    let broken = |error: String| Ended::Broken(error);
    let ask = Request::get(WATCH)
        .header(http::header::ACCEPT, "application/json")
        .body(Body::empty())
        .map_err(|e| broken(e.to_string()))?;
    let answer = timeout(SILENCE, client.send(ask)).await;
    let answer = answer
        .map_err(|_| broken("no answer".to_owned()))?
        .map_err(|e| broken(e.to_string()))?;
    match answer.status() {
        StatusCode::OK => Ok(answer.into_body().into_data_stream().boxed()),
        // Whoever cannot serve just now says 429 or 5xx.
        code if code.is_client_error() && code != StatusCode::TOO_MANY_REQUESTS => {
            Err(Ended::Refused(code))
        }
        code => Err(broken(format!("the answer is {code}"))),
    }
}

/// Takes whole lines; gives the new samples.
fn take(read: &mut BytesMut, samples: &Samples) -> Result<Vec<Heard>, String> {
    let Some(end) = read.iter().rposition(|byte| *byte == b'\n') else {
        return Ok(Vec::new());
    };
    let events = read[..end]
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(frame::read)
        .collect::<Result<Vec<Event>, String>>();
    read.advance(end + 1);
    let mut state = samples.write();
    Ok(events?
        .into_iter()
        .filter_map(|event| state.hear(event))
        .collect())
}

#[cfg(test)]
mod tests;
