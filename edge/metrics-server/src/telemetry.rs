//! Our own Prometheus metrics, by upstream's names: here what is metrics-server's, in [`requests`] and [`process`]
//! what upstream inherits.
//!
//! Upstream: pkg/{scraper/scraper,server/server,storage/monitoring,api/monitoring}.go.

mod process;
mod requests;

use process::Process;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use requests::Requests;
use runtime::client::Exchange;
use units::Duration;
use usage::store::Counts;

pub(crate) use requests::{Asked, InFlight};

/// What Go's client library calls so, which OpenMetrics forbids: a counter that does not say that it is one.
const NOT_TOTAL: (&str, &str) = ("authentication_attempts_total", "authentication_attempts");

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
    request_time: Family<NodeLabel, Gauge>,
    request_duration: Family<NodeLabel, Histogram>,
    requests: Family<SuccessLabel, Counter>,
    ticks: Histogram,
    points: Family<TypeLabel, Gauge>,
    dropped: Family<ReasonLabel, Counter>,
    asked: Requests,
    process: Process,
}

impl Telemetry {
    pub(crate) fn new(resolution: Duration) -> Self {
        let telemetry = Self {
            registry: Registry::default(),
            freshness: Histogram::new(freshness_buckets()),
            request_time: Family::default(),
            request_duration: Family::new_with_constructor(|| Histogram::new(DEFAULT_BUCKETS)),
            requests: Family::default(),
            ticks: Histogram::new(tick_buckets(resolution.as_seconds_f64())),
            points: Family::default(),
            dropped: Family::default(),
            asked: Requests::default(),
            process: Process::default(),
        };
        telemetry.registered()
    }

    fn registered(mut self) -> Self {
        self.asked.register(&mut self.registry);
        self.process.register(&mut self.registry);
        let build: Family<Vec<(&str, String)>, Gauge> = Family::default();
        build.get_or_create(&crate::version::labels()).set(1);
        let help = "[BETA] Always 1; the labels say what runs here";
        self.registry.register("kubernetes_build_info", help, build);
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
    pub(crate) fn scraped(&self, node: &str, took: std::time::Duration, at: i64, success: bool) {
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

    /// A request was answered.
    pub(crate) fn answered(
        &self,
        asked: Asked,
        code: u16,
        bytes: usize,
        took: std::time::Duration,
    ) {
        self.asked.answered(asked, code, bytes, took);
    }

    /// A request is being answered until what this gives is dropped.
    pub(crate) fn in_flight(&self, mutating: bool) -> InFlight {
        self.asked.in_flight(mutating)
    }

    /// It was found out who asks, or not: `success`, `failure` where nobody says it, or `error`.
    pub(crate) fn authenticated(&self, result: &'static str, took: std::time::Duration) {
        self.asked.authenticated(result, took);
    }

    /// It was found out whether they may: `allowed`, `no-opinion` or `error`.
    pub(crate) fn authorized(&self, result: &'static str, took: std::time::Duration) {
        self.asked.authorized(result, took);
    }

    /// The Kubernetes API answered us.
    pub(crate) fn exchanged(&self, exchange: &Exchange<'_>) {
        self.asked.exchanged(exchange);
    }

    /// When this process began, in whole seconds since 1970.
    pub(crate) fn start_seconds(&self) -> u64 {
        self.process.start_seconds() as u64
    }

    /// The text of `/metrics` in Prometheus' own format.
    pub(crate) fn classic(&self) -> String {
        let (from, to) = NOT_TOTAL;
        runtime::exposition::classic(&self.openmetrics()).replace(from, to)
    }

    /// The text of `/metrics` as OpenMetrics.
    pub(crate) fn openmetrics(&self) -> String {
        self.process.refresh();
        let mut text = String::new();
        if text::encode(&mut text, &self.registry).is_err() {
            tracing::warn!("cannot print the metrics");
        }
        text
    }
}

/// To the last digit as Go has them, which multiplies again and again: series are joined by these texts.
fn freshness_buckets() -> impl Iterator<Item = f64> {
    std::iter::successors(Some(1.0), |bound| Some(bound * 1.364)).take(20)
}

/// Around the resolution there are more. Upstream: BucketsForScrapeDuration (pkg/utils/monitoring.go).
fn tick_buckets(resolution_seconds: f64) -> Vec<f64> {
    let mut buckets = DEFAULT_BUCKETS.to_vec();
    let most = DEFAULT_BUCKETS[DEFAULT_BUCKETS.len() - 1];
    // Flags allow ten seconds at least; the lab less.
    if resolution_seconds > most {
        let halfway = most + (resolution_seconds - most) / 2.0;
        buckets.extend([halfway, resolution_seconds]);
        buckets.extend([resolution_seconds * 1.5, resolution_seconds * 2.0]);
    }
    buckets
}
