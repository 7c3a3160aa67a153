//! What one metric says: where it is, and what follows from that.

mod assumptions;

use crate::unit::Unit;
use crate::words::{self, count};
use crate::{Subject, options};
use hpa::step::{Calculation, FallbackStep, Group, GroupRule, MetricStep, Pass, Rule};
use hpa::{Metric, Observation, Source, Tolerances};

/// A metric's step, with what the specification says of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) step: &'a MetricStep,
    /// What it counts as, if it failed and may fall back.
    pub(crate) fallback: Option<&'a FallbackStep>,
    metric: Option<&'a Metric>,
    seen: &'a Observation,
    current: i32,
}

impl<'a> Told<'a> {
    pub(crate) fn new(subject: &Subject<'a>, step: &'a MetricStep, current: i32) -> Self {
        let metric = subject.spec.metrics.get(step.index);
        Self {
            step,
            fallback: None,
            metric,
            seen: subject.seen,
            current,
        }
    }

    /// `cpu`, `cpu of container app`, `hits of Ingress main`.
    pub(crate) fn name(&self) -> String {
        self.metric.map_or_else(
            || format!("metric {}", self.step.index + 1),
            |metric| name(&metric.source),
        )
    }

    pub(crate) fn unit(&self) -> Unit {
        self.metric.map_or(Unit::Plain, |m| Unit::of(&m.source))
    }

    /// `50 % of the request`, `512Mi per pod`.
    pub(crate) fn target(&self) -> String {
        self.metric.map_or_else(String::new, target)
    }

    pub(crate) fn count(&self, group: Group) -> usize {
        self.step.pods.iter().filter(|p| p.group == group).count()
    }

    /// Figures by which the second ratio is multiplied.
    pub(crate) fn figures(&self) -> usize {
        let assumed = self
            .step
            .pods
            .iter()
            .filter(|p| p.assumed.is_some())
            .count();
        self.multiplied() + self.step.strangers + assumed
    }

    /// Pods by which the first ratio is multiplied: it counts for those without requests too.
    fn multiplied(&self) -> usize {
        self.count(Group::Ready) + self.count(Group::Unrequested)
    }

    /// What it asks for, or counts as.
    pub(crate) fn proposal(&self) -> Option<i32> {
        let own = self.step.proposal.as_ref().ok().map(|p| p.replicas);
        own.or_else(|| self.fallback?.replicas)
    }

    /// `counts as 6, what it asked for 3m ago (fallback)`, if it failed.
    pub(crate) fn counts_as(&self) -> Option<String> {
        self.fallback.map(options::counts_as)
    }

    /// `without a cpu request, and counted at the others' ratio: web-1, web-2`.
    pub(crate) fn without_requests(&self) -> Option<String> {
        let Calculation::Pods { first, .. } = &self.step.calculation else {
            return None;
        };
        let pods = self.step.pods.iter();
        let bare = pods.filter(|p| p.request.is_none() && p.group != Group::Ignored);
        let names: Vec<&str> = bare.map(|p| p.name(self.seen)).collect();
        if first.request.is_none() || names.is_empty() {
            return None;
        }
        let names = options::named(&names);
        Some(format!(
            "left out of the ratio for having no {} request, but multiplied by it: {names}",
            self.name()
        ))
    }

    /// Whether its number was computed, not just left as it is.
    pub(crate) fn computed(&self) -> bool {
        let rule = self.step.proposal.as_ref().map(|p| p.rule);
        rule.is_ok_and(|rule| {
            matches!(
                rule,
                Rule::RatioTimesReadyPods
                    | Rule::RatioTimesFigures
                    | Rule::RatioFromZero
                    | Rule::ValueByTarget
            )
        })
    }

    /// `cpu is at 81 % of its 50 % target across 3 ready pods; 81/50 × 3 = 4.86, rounded up to 5`, or why not.
    pub(crate) fn sentence(&self) -> String {
        if let Err(error) = &self.step.proposal {
            let failure = std::iter::once(self.failure(error));
            let parts: Vec<String> = failure.chain(self.counts_as()).collect();
            return parts.join("; it ");
        }
        let mut parts = vec![self.reading()];
        parts.extend(self.without_requests());
        parts.extend(self.assumption());
        parts.push(self.working());
        parts.join("; ")
    }

    /// Why there is no number.
    fn failure(&self, error: &str) -> String {
        let pods = &self.step.pods;
        let unusable =
            !pods.is_empty() && self.step.strangers == 0 && self.count(Group::Ready) == 0;
        if unusable {
            let name = self.name();
            let kinds = words::listed(&self.kinds());
            return format!(
                "{name} has no usable figure from {} ({kinds})",
                count(pods.len(), "pod")
            );
        }
        // The name is said already.
        let cause = ["utilization: ", "usage: "].iter().find_map(|end| {
            let (before, cause) = error.split_once(end)?;
            before.starts_with("failed to get ").then_some(cause)
        });
        format!("{} failed: {}", self.name(), cause.unwrap_or(error))
    }

    /// `2 pending`, `1 without a figure`.
    fn kinds(&self) -> Vec<String> {
        let mut kinds: Vec<(GroupRule, usize)> = Vec::new();
        for pod in &self.step.pods {
            match kinds.iter_mut().find(|(rule, _)| *rule == pod.rule) {
                Some((_, number)) => *number += 1,
                None => kinds.push((pod.rule, 1)),
            }
        }
        kinds
            .iter()
            .map(|(rule, number)| format!("{number} {}", in_short(*rule)))
            .collect()
    }

    /// `cpu is at 81 % of its 50 % target across 3 ready pods`.
    fn reading(&self) -> String {
        let (name, unit) = (self.name(), self.unit());
        match &self.step.calculation {
            Calculation::None => name,
            Calculation::Pods { first, .. } => {
                let at = self.figure(first.current, first);
                let target = self.figure(first.target, first);
                let each = if first.request.is_some() {
                    ""
                } else {
                    " per pod"
                };
                format!(
                    "{name} is at {at} of its {target} target{each} {}",
                    self.across(first)
                )
            }
            Calculation::Value { value, target, .. } => {
                format!(
                    "{name} is at {} of its {} target",
                    unit.amount(*value),
                    unit.amount(*target)
                )
            }
            Calculation::PerReplica { value, target, .. } => {
                let (value, target) = (unit.amount(*value), unit.amount(*target));
                format!("{name} is at {value} in all, {target} wanted per replica")
            }
        }
    }

    /// Percent or an amount.
    pub(crate) fn figure(&self, number: i64, pass: &Pass) -> String {
        if pass.request.is_some() {
            format!("{number} %")
        } else {
            self.unit().amount(number)
        }
    }

    fn across(&self, first: &Pass) -> String {
        let ready = self.count(Group::Ready);
        let counting = self.step.pods.len() - self.count(Group::Ignored);
        let strangers = if first.request.is_some() {
            0
        } else {
            self.step.strangers
        };
        if strangers > 0 {
            let all = count(first.figures, "figure");
            return format!("across {all} ({strangers} of pods that are not the target's)");
        }
        if ready == counting {
            format!("across {}", count(ready, "ready pod"))
        } else {
            format!("across the {ready} ready of {}", count(counting, "pod"))
        }
    }

    /// `81/50`, `699.1Mi/512Mi`.
    pub(crate) fn quotient(&self, pass: &Pass) -> String {
        if pass.request.is_some() {
            format!("{}/{}", pass.current, pass.target)
        } else {
            let unit = self.unit();
            format!("{}/{}", unit.amount(pass.current), unit.amount(pass.target))
        }
    }

    /// `81/50 × 3 = 4.86, rounded up to 5`.
    pub(crate) fn working(&self) -> String {
        let Ok(proposal) = self.step.proposal else {
            return String::new();
        };
        let wanted = proposal.replicas;
        match &self.step.calculation {
            Calculation::None => String::new(),
            Calculation::Pods { first, second } => match second {
                None => self.over_pods((proposal.rule, wanted), first, self.multiplied()),
                Some(second) => self.over_pods((proposal.rule, wanted), second, self.figures()),
            },
            Calculation::Value {
                value,
                target,
                ratio,
                ready_pods,
            } => {
                let (unit, all) = (self.unit(), ready_pods.unwrap_or(0));
                let quotient = format!("{}/{}", unit.amount(*value), unit.amount(*target));
                match proposal.rule {
                    Rule::WithinTolerance => self.within(&quotient, *ratio),
                    Rule::RatioFromZero => {
                        let reached = rounded_up(&quotient, *ratio, wanted);
                        format!("{reached}, and from zero no tolerance counts")
                    }
                    _ => {
                        let pods = count(usize::try_from(all).unwrap_or(0), "ready pod");
                        rounded_up(&format!("{quotient} × {pods}"), ratio * all as f64, wanted)
                    }
                }
            }
            Calculation::PerReplica {
                value,
                target,
                replicas,
                ratio,
            } => {
                let unit = self.unit();
                let (v, t) = (unit.amount(*value), unit.amount(*target));
                if proposal.rule == Rule::WithinTolerance {
                    let within = self.within(&format!("{v}/({t} × {replicas})"), *ratio);
                    return if wanted == self.current {
                        within
                    } else {
                        format!(
                            "{within}; so it asks for the {wanted} that the target's status counts"
                        )
                    };
                }
                rounded_up(&format!("{v}/{t}"), *value as f64 / *target as f64, wanted)
            }
        }
    }

    fn over_pods(&self, (rule, wanted): (Rule, i32), pass: &Pass, figures: usize) -> String {
        let quotient = self.quotient(pass);
        let times = || format!("{quotient} × {figures}");
        match rule {
            Rule::WithinTolerance | Rule::WithinToleranceAfterAssumptions => {
                self.within(&quotient, pass.ratio)
            }
            Rule::DirectionTurned => {
                let turn = if pass.ratio < 1.0 {
                    "up into down"
                } else {
                    "down into up"
                };
                let ratio = words::ratio(pass.ratio, &[1.0]);
                format!("{quotient} = {ratio} would turn {turn}, so it asks for no change")
            }
            Rule::AgainstDirection => {
                let product = rounded_product(&times(), pass.ratio * figures as f64);
                let (side, above) = if pass.ratio < 1.0 {
                    ("more", "below")
                } else {
                    ("fewer", "above")
                };
                let current = self.current;
                format!(
                    "{product} is {side} than the {current} there are, although it is {above} its target, so it asks for no change"
                )
            }
            _ => rounded_up(&times(), pass.ratio * figures as f64, wanted),
        }
    }

    fn within(&self, quotient: &str, ratio: f64) -> String {
        let edges = edges(self.step.tolerances);
        let ratio = words::ratio(ratio, &edges);
        format!(
            "{quotient} = {ratio} is inside the tolerance, {}",
            between(self.step.tolerances)
        )
    }
}

/// The ratios at which the tolerance ends.
pub(crate) fn edges(tolerances: Tolerances) -> [f64; 2] {
    [1.0 - tolerances.down, 1.0 + tolerances.up]
}

/// `0.9 to 1.1`.
pub(crate) fn between(tolerances: Tolerances) -> String {
    let [low, high] = edges(tolerances).map(|edge| words::trimmed(format!("{edge:.6}")));
    format!("{low} to {high}")
}

/// `60/50 × 3 = 3.6, rounded up`.
fn rounded_product(formula: &str, value: f64) -> String {
    let rounded = if value == value.ceil() {
        ""
    } else {
        ", rounded up,"
    };
    format!("{formula} = {}{rounded}", words::product(value))
}

/// `81/50 × 3 = 4.86, rounded up to 5`; nothing is said of rounding where there is none.
fn rounded_up(formula: &str, value: f64, replicas: i32) -> String {
    let product = words::product(value);
    if value == f64::from(replicas) {
        format!("{formula} = {product}")
    } else if value.ceil() == f64::from(replicas) {
        format!("{formula} = {product}, rounded up to {replicas}")
    } else {
        format!("{formula} = {product}, which is no number of replicas and is taken for {replicas}")
    }
}

fn name(source: &Source) -> String {
    match source {
        Source::Resource { name } => name.to_string(),
        Source::ContainerResource { name, container } => format!("{name} of container {container}"),
        Source::Pods { metric } => metric.name.clone(),
        Source::Object { kind, name, metric } => format!("{} of {kind} {name}", metric.name),
        Source::External { metric } => format!("external metric {}", metric.name),
        Source::Unknown { kind } => format!("metric of type {kind:?}"),
    }
}

/// What a metric should be. Which of several targets counts depends on its type, as upstream.
fn target(metric: &Metric) -> String {
    let unit = Unit::of(&metric.source);
    let target = &metric.target;
    let average = target
        .average_value
        .map(|milli| format!("{} per pod", unit.amount(milli)));
    let percent = target
        .average_utilization
        .map(|percent| format!("{percent} % of the request"));
    let value = target.value.map(|milli| unit.amount(milli));
    let said = match &metric.source {
        Source::Resource { .. } | Source::ContainerResource { .. } => average.or(percent),
        Source::Object { .. } if target.kind == hpa::TargetKind::Value => value,
        Source::External { .. } => average.or(value),
        _ => average,
    };
    said.unwrap_or_else(|| "none".to_owned())
}

/// As in `2 pending`.
pub(crate) fn in_short(rule: GroupRule) -> &'static str {
    match rule {
        GroupRule::Deleting => "being deleted",
        GroupRule::Failed => "failed",
        GroupRule::Pending => "pending",
        GroupRule::NoFigure => "without a figure",
        GroupRule::TooOld => "measured too long ago",
        GroupRule::NoRequest => "without a request",
        GroupRule::HasFigure => "with a figure",
        GroupRule::NeverObserved => "without a Ready condition or a start time",
        GroupRule::StartingNotReady => "starting and not ready",
        GroupRule::StartingTooFresh => "not measured for long enough since ready",
        GroupRule::StartingReady => "starting, ready and measured since",
        GroupRule::NeverReady => "never ready",
        GroupRule::Settled => "ready, or ready before",
    }
}
