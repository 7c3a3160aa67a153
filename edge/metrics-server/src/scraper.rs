//! The clockwork: every resolution, each node is asked once, spread over the beginning of the period.
//!
//! Upstream: pkg/server/server.go (runScrape, tick) and pkg/scraper/scraper.go.

use crate::cluster::{Cluster, Node};
use crate::drops::Drops;
use crate::kubelet::{Kubelets, Trouble, read_summary};
use crate::telemetry::Telemetry;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{
    Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout, timeout_at,
};
use tokio_util::sync::CancellationToken;
use usage::{Store, scrape};

/// So many nodes begin at once: what they share stays warm in the processor's caches, and their answers fit into them.
const BURST: u32 = 16;
/// Kubelets asked at a time.
const CONCURRENT: usize = 128;
/// Kubelets asked at a time of those that failed or were slow the last time: they wait among themselves,
/// each for no more than a socket and a timer.
const CONCURRENT_LATE: usize = 1_024;
/// An answer that took longer makes a kubelet late.
const SLOW: Duration = Duration::from_secs(1);
/// Until all that answers can be served, scrapes follow each other this many times as fast.
const HURRY: u32 = 3;
/// How far apart nodes begin on average, and how far at most the first from the last.
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

/// The nodes whose last answer failed or was slow.
#[derive(Debug, Default)]
pub(crate) struct Late(Mutex<HashSet<Box<str>>>);

impl Late {
    fn has(&self, node: &str) -> bool {
        let late = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        late.contains(node)
    }

    fn set(&self, node: &str, is_late: bool) {
        let mut late = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_late {
            late.remove(node);
        } else if !late.contains(node) {
            late.insert(node.into());
        }
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
    pub(crate) quick_start: bool,
    pub(crate) late: Late,
    pub(crate) drops: Drops,
    /// Is told whenever there is something new in the store.
    pub(crate) news: watch::Sender<()>,
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
        let last = self.hurry().await;
        let resolution = self.ticks.resolution;
        let mut interval = interval_at(last + resolution, resolution);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let start = interval.tick().await;
            self.ticks.began(Instant::now());
            self.tick(start).await;
        }
    }

    /// The first scrapes, and when the last of them began. Two samples make a figure, and the second need not wait for the whole resolution.
    ///
    /// Differs from upstream, which serves nothing for that long after each start. Kubelets that measure
    /// less often give the same sample twice, which does no harm.
    async fn hurry(self: &Arc<Self>) -> Instant {
        let mut start = Instant::now();
        for again in 0..HURRY {
            if again > 0 {
                start += self.ticks.resolution / HURRY;
                sleep_until(start).await;
            }
            self.ticks.began(Instant::now());
            self.tick(start).await;
            if !self.quick_start || self.settled() {
                break;
            }
        }
        start
    }

    fn settled(&self) -> bool {
        self.store
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .settled()
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
                self.late.set(&gone, false);
            }
            cluster.nodes().cloned().collect()
        };
        self.kubelets.refresh();
        self.write(Store::begin);
        let window = STAGGER.saturating_mul(u32::try_from(nodes.len()).unwrap_or(u32::MAX));
        let window = window.min(STAGGER_MAX).min(self.ticks.resolution / 4);
        let count = u32::try_from(nodes.len().max(1)).unwrap_or(u32::MAX);
        let slots = Arc::new(Semaphore::new(CONCURRENT));
        let late_slots = Arc::new(Semaphore::new(CONCURRENT_LATE));
        let mut scrapes = JoinSet::new();
        for (node, index) in nodes.iter().zip(0_u32..) {
            if index % BURST == 0 {
                sleep_until(start + window.mul_f64(f64::from(index) / f64::from(count))).await;
            }
            let slots = match self.late.has(&node.name) {
                true => Arc::clone(&late_slots),
                false => Arc::clone(&slots),
            };
            let (scraper, node) = (Arc::clone(self), Arc::clone(node));
            scrapes.spawn(async move {
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

    fn write<T>(&self, change: impl FnOnce(&mut Store) -> T) -> T {
        change(&mut self.store.write().unwrap_or_else(PoisonError::into_inner))
    }

    async fn scrape(&self, node: &Node) {
        let begin = Instant::now();
        let requested = runtime::clock::now();
        let limit = self.request_timeout.min(self.ticks.resolution.mul_f64(0.9));
        let was_late = self.late.has(&node.name);
        let answer = timeout(limit, self.kubelets.ask(node, was_late))
            .await
            .unwrap_or(Err(Trouble::Timeout(limit)))
            .and_then(|answer| self.take(node, &answer, requested.as_millisecond()));
        let is_late = answer.is_err() || begin.elapsed() > SLOW;
        self.late.set(&node.name, is_late);
        let at = runtime::clock::now().as_second();
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
        let dropped = self.write(|store| store.take(&node.name, &read));
        self.drops.tell(&node.name, &dropped, &self.telemetry);
        self.news.send_replace(());
        Ok(())
    }
}
