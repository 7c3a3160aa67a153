//! Our own Prometheus metrics, by upstream's names.
//!
//! Upstream: pkg/{scraper/scraper,server/server,storage/monitoring,api/monitoring}.go.

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;
use units::Duration;
use usage::store::Counts;

/// Go's prometheus.DefBuckets.
const DEFAULT_BUCKETS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NodeLabel {
    node: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SuccessLabel {
    success: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TypeLabel {
    r#type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

/// Everything that `/metrics` shows.
#[derive(Debug)]
pub(crate) struct Telemetry {
    registry: Registry,
    freshness: Histogram,
    request_time: Family<NodeLabel, Gauge<f64, AtomicU64>>,
    request_duration: Family<NodeLabel, Histogram>,
    requests: Family<SuccessLabel, Counter>,
    ticks: Histogram,
    points: Family<TypeLabel, Gauge>,
    dropped: Family<ReasonLabel, Counter>,
}

impl Telemetry {
    pub(crate) fn new(resolution: Duration) -> Self {
        let period = resolution.as_seconds_f64();
        let below = DEFAULT_BUCKETS
            .into_iter()
            .filter(move |bucket| *bucket < period);
        let steps = [1.0, 1.5, 2.0].map(|times| times * period);
        let telemetry = Self {
            registry: Registry::default(),
            freshness: Histogram::new(exponential_buckets(1.0, 1.364, 20)),
            request_time: Family::default(),
            request_duration: Family::new_with_constructor(|| Histogram::new(DEFAULT_BUCKETS)),
            requests: Family::default(),
            ticks: Histogram::new(below.chain(steps)),
            points: Family::default(),
            dropped: Family::default(),
        };
        telemetry.registered()
    }

    fn registered(mut self) -> Self {
        let ours = self
            .registry
            .sub_registry_with_prefix("evenkeel_metrics_server");
        // The format adds "_total".
        ours.register(
            "dropped",
            "Number of measurements that are not served, by the reason",
            self.dropped.clone(),
        );
        let registry = self.registry.sub_registry_with_prefix("metrics_server");
        registry.register(
            "api_metric_freshness_seconds",
            "[ALPHA] Freshness of metrics exported",
            self.freshness.clone(),
        );
        registry.register(
            "kubelet_last_request_time_seconds",
            "[ALPHA] Time of last request performed to Kubelet API since unix epoch in seconds",
            self.request_time.clone(),
        );
        registry.register(
            "kubelet_request_duration_seconds",
            "[ALPHA] Duration of requests to Kubelet API in seconds",
            self.request_duration.clone(),
        );
        // The format adds "_total".
        registry.register(
            "kubelet_request",
            "[ALPHA] Number of requests sent to Kubelet API",
            self.requests.clone(),
        );
        registry.register(
            "manager_tick_duration_seconds",
            "[ALPHA] The total time spent collecting and storing metrics in seconds",
            self.ticks.clone(),
        );
        registry.register(
            "storage_points",
            "[ALPHA] Number of metrics points stored",
            self.points.clone(),
        );
        self
    }

    /// One scrape ended.
    pub(crate) fn scraped(&self, node: &str, took: std::time::Duration, at: f64, success: bool) {
        let label = NodeLabel {
            node: node.to_owned(),
        };
        self.request_duration
            .get_or_create(&label)
            .observe(took.as_secs_f64());
        self.request_time.get_or_create(&label).set(at);
        let success = if success { "true" } else { "false" };
        self.requests.get_or_create(&SuccessLabel { success }).inc();
    }

    /// A node is gone: its series end.
    pub(crate) fn forget(&self, node: &str) {
        let label = NodeLabel {
            node: node.to_owned(),
        };
        self.request_duration.remove(&label);
        self.request_time.remove(&label);
    }

    /// One tick ended.
    pub(crate) fn ticked(&self, took: std::time::Duration, counts: Counts) {
        self.ticks.observe(took.as_secs_f64());
        let set = |r#type, count: usize| {
            let points = self.points.get_or_create(&TypeLabel { r#type });
            points.set(i64::try_from(count).unwrap_or(i64::MAX));
        };
        set("node", counts.nodes);
        set("container", counts.containers);
    }

    /// A measurement is not served, for this reason.
    pub(crate) fn dropped(&self, reason: &'static str) {
        self.dropped.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// A figure of this age was served.
    pub(crate) fn served(&self, age_seconds: f64) {
        self.freshness.observe(age_seconds);
    }

    /// The text of `/metrics` in Prometheus' own format.
    pub(crate) fn classic(&self) -> String {
        runtime::exposition::classic(&self.openmetrics())
    }

    /// The text of `/metrics` as OpenMetrics.
    pub(crate) fn openmetrics(&self) -> String {
        let mut text = String::new();
        if text::encode(&mut text, &self.registry).is_err() {
            tracing::warn!("cannot print the metrics");
        }
        text
    }
}
