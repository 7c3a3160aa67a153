//! The clockwork: every resolution, each node is asked once, spread over the beginning of the period.
//!
//! Upstream: pkg/server/server.go (runScrape, tick) and pkg/scraper/scraper.go.

use crate::cluster::{Cluster, Node};
use crate::kubelet::{Kubelets, Trouble, read_summary};
use crate::telemetry::Telemetry;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use usage::{Store, scrape};

/// Kubelets asked at a time.
const CONCURRENT: usize = 128;
/// How far apart nodes begin, and how far at most the first from the last.
const STAGGER: Duration = Duration::from_millis(8);
const STAGGER_MAX: Duration = Duration::from_secs(4);

/// When ticks began; `/livez` reads it.
#[derive(Debug)]
pub(crate) struct Ticks {
    resolution: Duration,
    last: RwLock<Instant>,
}

impl Ticks {
    pub(crate) fn new(resolution: Duration, now: Instant) -> Self {
        Self {
            resolution,
            last: RwLock::new(now),
        }
    }

    fn began(&self, now: Instant) {
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Whether the last tick began in time. Upstream: probeMetricCollectionTimely.
    pub(crate) fn timely(&self, now: Instant) -> bool {
        let last = *self.last.read().unwrap_or_else(PoisonError::into_inner);
        now.saturating_duration_since(last) <= self.resolution.mul_f64(1.5)
    }
}

/// Fills the store.
pub(crate) struct Scraper {
    pub(crate) cluster: Arc<RwLock<Cluster>>,
    pub(crate) store: Arc<RwLock<Store>>,
    pub(crate) kubelets: Kubelets,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) ticks: Arc<Ticks>,
    pub(crate) request_timeout: Duration,
}

impl Scraper {
    /// Scrapes until `shutdown`, from when the nodes are known.
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        tokio::select! {
            () = self.scrape_forever() => {}
            () = shutdown.cancelled() => {}
        }
    }

    async fn scrape_forever(self: &Arc<Self>) {
        while !self.nodes_known() {
            self.ticks.began(Instant::now());
            sleep(Duration::from_millis(20)).await;
        }
        let mut interval = interval(self.ticks.resolution);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let start = interval.tick().await;
            self.ticks.began(Instant::now());
            self.tick(start).await;
        }
    }

    fn nodes_known(&self) -> bool {
        self.cluster
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .nodes_synced()
    }

    async fn tick(self: &Arc<Self>, start: Instant) {
        let nodes: Vec<Arc<Node>> = {
            let cluster = self.cluster.read().unwrap_or_else(PoisonError::into_inner);
            for gone in self.kubelets.retain(|name| cluster.node(name).is_some()) {
                self.telemetry.forget(&gone);
            }
            cluster.nodes().cloned().collect()
        };
        self.write(Store::begin);
        let window = STAGGER.saturating_mul(u32::try_from(nodes.len()).unwrap_or(u32::MAX));
        let window = window.min(STAGGER_MAX).min(self.ticks.resolution / 4);
        let count = u32::try_from(nodes.len().max(1)).unwrap_or(u32::MAX);
        let slots = Arc::new(Semaphore::new(CONCURRENT));
        let mut scrapes = JoinSet::new();
        for (node, index) in nodes.iter().zip(0_u32..) {
            let begin = start + window.mul_f64(f64::from(index) / f64::from(count));
            let (scraper, slots) = (Arc::clone(self), Arc::clone(&slots));
            let node = Arc::clone(node);
            scrapes.spawn(async move {
                sleep_until(begin).await;
                let _slot = slots.acquire().await;
                scraper.scrape(&node).await;
            });
        }
        let all = async { while scrapes.join_next().await.is_some() {} };
        if timeout_at(start + self.ticks.resolution, all)
            .await
            .is_err()
        {
            tracing::warn!("the tick ended before all nodes had answered");
        }
        // Who is still out would come too late for this tick.
        drop(scrapes);
        self.write(Store::end);
        let counts = self
            .store
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .counts();
        self.telemetry.ticked(start.elapsed(), counts);
        tracing::debug!(
            nodes = nodes.len(), took = ?start.elapsed(),
            node_points = counts.nodes, container_points = counts.containers, "scrape finished"
        );
    }

    fn write(&self, change: impl FnOnce(&mut Store)) {
        change(&mut self.store.write().unwrap_or_else(PoisonError::into_inner));
    }

    async fn scrape(&self, node: &Node) {
        let begin = Instant::now();
        let requested = runtime::clock::now();
        let limit = self.request_timeout.min(self.ticks.resolution.mul_f64(0.9));
        let answer = timeout(limit, self.kubelets.ask(node))
            .await
            .unwrap_or(Err(Trouble::Timeout(limit)))
            .and_then(|answer| self.take(node, &answer, requested.as_millisecond()));
        let at = runtime::clock::now().as_millisecond() as f64 / 1e3;
        self.telemetry
            .scraped(&node.name, begin.elapsed(), at, answer.is_ok());
        match answer {
            Ok(()) => {}
            Err(trouble) if !node.ready => {
                tracing::debug!(node = &*node.name, %trouble, "failed to scrape a node that is not ready");
            }
            Err(trouble) => {
                tracing::error!(node = &*node.name, %trouble, "failed to scrape node");
            }
        }
    }

    fn take(
        &self,
        node: &Node,
        answer: &crate::kubelet::Answer,
        requested_millis: i64,
    ) -> Result<(), Trouble> {
        let text =
            std::str::from_utf8(&answer.body).map_err(|error| Trouble::Text(Box::new(error)))?;
        let read = if answer.summary {
            read_summary(text).map_err(|error| Trouble::Text(Box::new(error)))?
        } else {
            scrape::read(text, requested_millis).map_err(|error| Trouble::Text(Box::new(error)))?
        };
        self.write(|store| store.take(&node.name, &read));
        Ok(())
    }
}
