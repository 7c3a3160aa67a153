//! What was last decided for each autoscaler, printed when somebody asks.
//!
//! There are as many series as there are autoscalers, metrics in their specifications, and rules that limit them now.

use super::metrics;
use crate::kinds::{Key, Kind};
use hpa::Decision;
use hpa::step::{Calculation, MetricStep};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue};
use prometheus_client::metrics::MetricType;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use units::Timestamp;

/// Looks are cut off after two minutes: if none ended for longer than this, the loop hangs.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Debug, Default)]
pub(super) struct Fleet(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    seen: BTreeMap<Key, Option<Seen>>,
    /// When something last ended well, while there is work to do.
    alive: Option<Instant>,
    /// When the series are asked for.
    now: Option<Timestamp>,
}

/// What was decided for one.
#[derive(Debug)]
struct Seen {
    at: Timestamp,
    current: i32,
    desired: i32,
    /// The most that a metric asks for.
    proposed: Option<i32>,
    ratios: BTreeMap<String, f64>,
    limits: Vec<String>,
}

impl Fleet {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self) {
        self.state().alive = Some(Instant::now());
    }

    pub(super) fn end(&self) {
        *self.state() = State::default();
    }

    pub(super) fn insert(&self, key: &Key) {
        let mut state = self.state();
        // The first one is not late already.
        if state.seen.is_empty() {
            state.alive = Some(Instant::now());
        }
        state.seen.entry(key.clone()).or_default();
    }

    pub(super) fn remove(&self, key: &Key) {
        self.state().seen.remove(key);
    }

    /// A look that ends after its autoscaler adds nothing.
    pub(super) fn decided(&self, key: &Key, at: Timestamp, decision: &Decision) {
        self.looked(key, Some(Seen::of(at, decision)));
    }

    /// What was decided before is not what happens now.
    pub(super) fn stands_by(&self, key: &Key) {
        self.looked(key, None);
    }

    fn looked(&self, key: &Key, seen: Option<Seen>) {
        let mut state = self.state();
        state.alive = Some(Instant::now());
        if let Some(slot) = state.seen.get_mut(key) {
            *slot = seen;
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let state = self.state();
        match state.alive {
            Some(alive) if !state.seen.is_empty() && alive.elapsed() > PATIENCE => Err(format!(
                "no horizontal pod autoscaler was looked at for {} s",
                alive.elapsed().as_secs()
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn ask(&self, now: Timestamp) {
        self.state().now = Some(now);
    }
}

impl Seen {
    fn of(at: Timestamp, decision: &Decision) -> Self {
        let proposals = metrics(decision).filter_map(|metric| metric.proposal.as_ref().ok());
        Self {
            at,
            current: decision.current_replicas,
            desired: decision.desired_replicas,
            proposed: proposals.map(|proposal| proposal.replicas).max(),
            ratios: ratios(decision),
            limits: limits(decision),
        }
    }
}

/// Two metrics of one name make one series, of the one that asks for more.
fn ratios(decision: &Decision) -> BTreeMap<String, f64> {
    let mut ratios = BTreeMap::new();
    for (name, ratio) in metrics(decision).filter_map(ratio) {
        let highest = ratios.entry(name).or_insert(ratio);
        *highest = highest.max(ratio);
    }
    ratios
}

/// A metric by the name that conditions give it, with its value by its target.
fn ratio(metric: &MetricStep) -> Option<(String, f64)> {
    let ratio = match &metric.calculation {
        Calculation::None => return None,
        Calculation::Pods { first, .. } => first.ratio,
        Calculation::Value { ratio, .. } => *ratio,
        Calculation::PerReplica { ratio, .. } => *ratio,
    };
    let index = metric.index;
    let name = match metric.name.as_str() {
        "" => format!("metric {index}"),
        name => name.to_owned(),
    };
    Some((name, ratio))
}

/// What keeps the number from being what the metrics ask for, by the reasons of the conditions; and what holds the
/// change back.
fn limits(decision: &Decision) -> Vec<String> {
    let limiting = decision.outcome.conditions.iter().filter(|condition| {
        match (&*condition.kind, &*condition.status) {
            ("ScalingLimited", "True") | ("ScalingActive" | "AbleToScale", "False") => true,
            ("AbleToScale", "True") => condition.reason.ends_with("Stabilized"),
            _ => false,
        }
    });
    let held = decision.withheld.iter().map(|w| w.by.as_str().to_owned());
    limiting
        .map(|c| c.reason.clone().into_owned())
        .chain(held)
        .collect()
}

/// Writes one gauge for each autoscaler that has it.
fn gauges<'a, V: EncodeGaugeValue>(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    label: &str,
    values: impl Iterator<Item = (&'a Key, &'a str, V)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for ((kind, namespace, hpa_name), text, value) in values {
        let mut labels = vec![
            ("namespace", namespace.as_str()),
            ("hpa_name", hpa_name.as_str()),
        ];
        // Upstream's have upstream's labels and no others.
        if *kind == Kind::Evenkeel {
            labels.push(("group", k8s::own_kind::GROUP));
        }
        if !label.is_empty() {
            labels.push((label, text));
        }
        metric.encode_family(&labels)?.encode_gauge(&value)?;
    }
    Ok(())
}

const DESIRED: (&str, &str) = (
    "horizontal_pod_autoscaler_controller_desired_replicas",
    "[ALPHA] Replicas that are wanted",
);
const CURRENT: (&str, &str) = (
    "evenkeel_hpa_current_replicas",
    "Replicas that the decision found",
);
const PROPOSED: (&str, &str) = (
    "evenkeel_hpa_proposed_replicas",
    "Replicas that the metrics ask for, before any rule limits them",
);
const AGE: (&str, &str) = (
    "evenkeel_hpa_decision_age_seconds",
    "Time since the last decision",
);
const RATIO: (&str, &str) = (
    "evenkeel_hpa_metric_ratio",
    "A metric by its target: above 1 it asks for more replicas",
);
const LIMITED: (&str, &str) = (
    "evenkeel_hpa_limited",
    "1 for each rule that keeps the number from being what the metrics ask for",
);

impl Collector for Fleet {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let state = self.state();
        encoder
            .encode_descriptor(
                "horizontal_pod_autoscaler_controller_num_horizontal_pod_autoscalers",
                "[ALPHA] Autoscalers that there are",
                None,
                MetricType::Gauge,
            )?
            .encode_gauge(&state.seen.len())?;
        let known = || {
            let all = state.seen.iter();
            all.filter_map(|(key, seen)| Some((key, seen.as_ref()?)))
        };
        let out = &mut encoder;
        gauges(out, DESIRED, "", known().map(|(k, s)| (k, "", s.desired)))?;
        gauges(out, CURRENT, "", known().map(|(k, s)| (k, "", s.current)))?;
        let proposed = known().filter_map(|(k, s)| Some((k, "", s.proposed?)));
        gauges(out, PROPOSED, "", proposed)?;
        let ages = state.now.into_iter().flat_map(|now| {
            known().map(move |(k, s)| (k, "", now.since(s.at).as_seconds_f64().max(0.0)))
        });
        gauges(out, AGE, "", ages)?;
        let ratios = known().flat_map(|(k, s)| s.ratios.iter().map(move |(m, r)| (k, &**m, *r)));
        gauges(out, RATIO, "metric", ratios)?;
        let limits = known().flat_map(|(k, s)| s.limits.iter().map(move |l| (k, &**l, 1)));
        gauges(out, LIMITED, "rule", limits)
    }
}
