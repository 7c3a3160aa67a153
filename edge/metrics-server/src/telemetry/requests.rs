//! What was asked of us, and of the Kubernetes API by us, counted by upstream's names. Which requests count is
//! decided where they are answered.
//!
//! Upstream: apiserver/pkg/endpoints/metrics/metrics.go, endpoints/filters/metrics.go, pkg/server/options/
//! {authentication,authorization}.go (v1.36) and component-base/metrics/prometheus/restclient/metrics.go.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use runtime::client::Exchange;
use std::time::Duration;

const REQUEST: [f64; 23] = [
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0,
    10.0, 15.0, 20.0, 30.0, 45.0, 60.0,
];
const CLIENT: [f64; 12] = [
    0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0,
];
const REVIEW: [f64; 8] = [0.25, 0.5, 0.7, 1.0, 1.5, 3.0, 5.0, 10.0];

const TOKENS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
const ACCESS: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

/// What a request asked for, as labels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Asked {
    pub(crate) component: &'static str,
    pub(crate) group: &'static str,
    pub(crate) resource: &'static str,
    pub(crate) scope: &'static str,
    pub(crate) subresource: &'static str,
    pub(crate) verb: &'static str,
    pub(crate) version: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Timed {
    /// We change nothing: never dry.
    dry_run: &'static str,
    #[prometheus(flatten)]
    asked: Asked,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    code: u16,
    #[prometheus(flatten)]
    timed: Timed,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    request_kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Sent {
    code: String,
    host: String,
    method: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Told {
    host: String,
    verb: String,
}

/// Counted and timed by one label.
#[derive(Debug, Clone)]
struct Tally<L: Clone + std::hash::Hash + Eq> {
    count: Family<L, Counter>,
    duration: Family<L, Histogram>,
}

impl<L: Clone + std::hash::Hash + Eq + std::fmt::Debug> Tally<L> {
    fn new(duration: fn() -> Histogram) -> Self {
        Self {
            count: Family::default(),
            duration: Family::new_with_constructor(duration),
        }
    }

    fn add(&self, label: &L, took: Duration) {
        self.count.get_or_create(label).inc();
        self.duration
            .get_or_create(label)
            .observe(took.as_secs_f64());
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Requests {
    answered: Family<Answered, Counter>,
    duration: Family<Timed, Histogram>,
    sizes: Family<Asked, Histogram>,
    in_flight: Family<Kind, Gauge>,
    authentication: Tally<Outcome>,
    authorization: Tally<Outcome>,
    tokens: Tally<Code>,
    access: Tally<Code>,
    sent: Family<Sent, Counter>,
    waited: Family<Told, Histogram>,
}

impl Default for Requests {
    fn default() -> Self {
        let review = || Histogram::new(REVIEW);
        let client = || Histogram::new(CLIENT);
        Self {
            answered: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(REQUEST)),
            sizes: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(1000.0, 10.0, 7))
            }),
            in_flight: Family::default(),
            authentication: Tally::new(|| Histogram::new(exponential_buckets(0.001, 2.0, 15))),
            authorization: Tally::new(|| Histogram::new(exponential_buckets(0.001, 2.0, 15))),
            tokens: Tally::new(review),
            access: Tally::new(review),
            sent: Family::default(),
            waited: Family::new_with_constructor(client),
        }
    }
}

impl Requests {
    /// Adds them to what is printed. The format adds "_total".
    pub(super) fn register(&self, registry: &mut Registry) {
        for mutating in [true, false] {
            // Both are there from the beginning.
            drop(self.in_flight.get_or_create(&kind(mutating)));
        }
        let server = registry.sub_registry_with_prefix("apiserver");
        let help = "[STABLE] Requests that were answered, by what was asked and the HTTP code";
        server.register("request", help, self.answered.clone());
        let help = "[STABLE] Time to the answer in seconds, by what was asked";
        server.register("request_duration_seconds", help, self.duration.clone());
        let help = "[STABLE] Size of answers in bytes, by what was asked";
        server.register("response_sizes", help, self.sizes.clone());
        let help = "[STABLE] Requests that are being answered, watches apart";
        server.register("current_inflight_requests", help, self.in_flight.clone());
        let reviews = [("authn", &self.tokens), ("authz", &self.access)];
        for (name, tally) in reviews {
            let count = format!("delegated_{name}_request");
            server.register(
                count,
                "[ALPHA] Reviews asked for, by HTTP code",
                tally.count.clone(),
            );
            let duration = format!("delegated_{name}_request_duration_seconds");
            let help = "[ALPHA] Time to a review's answer in seconds, by HTTP code";
            server.register(duration, help, tally.duration.clone());
        }
        let attempts = [
            ("authentication", &self.authentication),
            ("authorization", &self.authorization),
        ];
        for (name, tally) in attempts {
            let count = format!("{name}_attempts");
            registry.register(
                count,
                "[ALPHA] Attempts, by how they ended",
                tally.count.clone(),
            );
            let duration = format!("{name}_duration_seconds");
            let help = "[ALPHA] Time that attempts took in seconds, by how they ended";
            registry.register(duration, help, tally.duration.clone());
        }
        let client = registry.sub_registry_with_prefix("rest_client");
        let help = "[ALPHA] Requests to the Kubernetes API, by HTTP code, method and host";
        client.register("requests", help, self.sent.clone());
        let help = "[ALPHA] Time to the Kubernetes API's answer in seconds, by method and host";
        client.register("request_duration_seconds", help, self.waited.clone());
    }

    pub(super) fn answered(&self, asked: Asked, code: u16, bytes: usize, took: Duration) {
        let timed = Timed { dry_run: "", asked };
        if matches!(timed.asked.verb, "GET" | "LIST") {
            self.sizes.get_or_create(&timed.asked).observe(bytes as f64);
        }
        self.duration
            .get_or_create(&timed)
            .observe(took.as_secs_f64());
        self.answered.get_or_create(&Answered { code, timed }).inc();
    }

    pub(super) fn in_flight(&self, mutating: bool) -> InFlight {
        let gauge = self.in_flight.get_or_create(&kind(mutating)).clone();
        gauge.inc();
        InFlight(gauge)
    }

    pub(super) fn authenticated(&self, result: &'static str, took: Duration) {
        self.authentication.add(&Outcome { result }, took);
    }

    pub(super) fn authorized(&self, result: &'static str, took: Duration) {
        self.authorization.add(&Outcome { result }, took);
    }

    pub(super) fn exchanged(&self, exchange: &Exchange<'_>) {
        let code = exchange
            .code
            .map_or_else(|| "<error>".to_owned(), |code| code.to_string());
        let reviews = match exchange.path {
            TOKENS => Some(&self.tokens),
            ACCESS => Some(&self.access),
            _ => None,
        };
        if let Some(reviews) = reviews {
            reviews.add(&Code { code: code.clone() }, exchange.took);
        }
        let (host, method) = (exchange.host.to_owned(), exchange.method.to_owned());
        let told = Told {
            host: host.clone(),
            verb: method.clone(),
        };
        self.waited
            .get_or_create(&told)
            .observe(exchange.took.as_secs_f64());
        self.sent.get_or_create(&Sent { code, host, method }).inc();
    }
}

fn kind(mutating: bool) -> Kind {
    Kind {
        request_kind: if mutating { "mutating" } else { "readOnly" },
    }
}

/// Counts as being answered until it is dropped.
#[derive(Debug)]
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
