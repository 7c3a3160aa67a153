//! All numbers of a step, by stable names.

use crate::{Number, Numbers, Subject, options};
use hpa::step::{
    Calculation, Group, GroupRule, MetricStep, Origin, Pass, PodStep, PolicyStep, RateStep, Rule,
    StabilizeStep, Step,
};
use hpa::{PolicyKind, SelectPolicy};
use units::Duration;

/// A step's stable name.
pub(crate) const fn rule(step: &Step) -> &'static str {
    match step {
        Step::Options(_) => "Options",
        Step::NoScale { .. } => "NoScale",
        Step::Start { .. } => "Start",
        Step::Ownership(_) => "Ownership",
        Step::Disabled { .. } => "Disabled",
        Step::OutsideBounds { .. } => "OutsideBounds",
        Step::NoSelection { .. } => "NoSelection",
        Step::Metric(_) => "Metric",
        Step::Fallback(_) => "Fallback",
        Step::Select(_) => "Select",
        Step::Stabilize(_) => "Stabilize",
        Step::Rate(_) => "Rate",
        Step::Bound(_) => "Bound",
        Step::LiftFromZero { .. } => "LiftFromZero",
        Step::Freeze { .. } => "Freeze",
        Step::Pause { .. } => "Pause",
        Step::DryRun { .. } => "DryRun",
        Step::Result { .. } => "Result",
        Step::Kept { .. } => "Kept",
    }
}

pub(crate) fn of(subject: &Subject<'_>, step: &Step) -> Numbers {
    match step {
        Step::Options(asked) => options::numbers(asked),
        Step::Ownership(step) => options::ownership_numbers(step),
        Step::Fallback(step) => options::fallback_numbers(step),
        Step::Freeze {
            direction,
            before,
            after,
        } => {
            let mut numbers = vec![("direction", text(direction.as_str()))];
            numbers.extend(moved(*before, *after));
            numbers
        }
        Step::Pause { before, after } => moved(*before, *after),
        Step::DryRun { from, to } => moved(*from, *to),
        Step::NoScale { error } | Step::NoSelection { error } => vec![("error", text(error))],
        Step::Start {
            current,
            observed,
            min,
            max,
        } => vec![
            ("currentReplicas", int(*current)),
            ("statusReplicas", int(*observed)),
            ("minReplicas", int(*min)),
            ("maxReplicas", int(*max)),
        ],
        Step::Disabled {
            scaled_to_zero,
            object_or_external,
        } => vec![
            ("scaledToZero", Number::Flag(*scaled_to_zero)),
            ("objectOrExternalMetric", Number::Flag(*object_or_external)),
        ],
        Step::OutsideBounds { before, after } | Step::LiftFromZero { before, after } => {
            moved(*before, *after)
        }
        Step::Metric(step) => metric(subject, step),
        Step::Select(step) => {
            let mut numbers = vec![
                ("metrics", size(step.of)),
                ("failed", size(step.failed)),
                ("replicas", int(step.replicas)),
            ];
            numbers.extend(step.chosen.map(|index| ("chosen", size(index))));
            numbers
        }
        Step::Stabilize(step) => stabilize(step),
        Step::Rate(step) => rate(step),
        Step::Bound(step) => {
            let mut numbers = vec![
                ("minReplicas", int(step.min)),
                ("maxReplicas", int(step.max)),
                ("scaleUpLimit", int(step.up_limit)),
            ];
            numbers.extend(moved(step.before, step.after));
            numbers
        }
        Step::Result { current, desired } => moved(*current, *desired),
        Step::Kept { desired } => vec![("desiredReplicas", int(*desired))],
    }
}

fn int(number: impl Into<i64>) -> Number {
    Number::Integer(number.into())
}

fn size(number: usize) -> Number {
    Number::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn text(text: impl Into<String>) -> Number {
    Number::Text(text.into())
}

/// Seconds; a fraction only where there is one.
pub(crate) fn seconds(duration: Duration) -> Number {
    if duration.nanos() % 1_000_000_000 == 0 {
        int(duration.whole_seconds())
    } else {
        Number::Ratio(duration.as_seconds_f64())
    }
}

fn moved(before: i32, after: i32) -> Numbers {
    vec![("before", int(before)), ("after", int(after))]
}

fn metric(subject: &Subject<'_>, step: &MetricStep) -> Numbers {
    let mut numbers = vec![
        ("metric", size(step.index)),
        ("source", text(origin(step.origin))),
    ];
    if !step.name.is_empty() {
        numbers.push(("name", text(&step.name)));
    }
    numbers.push(("toleranceDown", Number::Ratio(step.tolerances.down)));
    numbers.push(("toleranceUp", Number::Ratio(step.tolerances.up)));
    if !step.pods.is_empty() {
        let pods = step.pods.iter().map(|p| pod(p, p.name(subject.seen)));
        numbers.push(("pods", Number::List(pods.collect())));
    }
    if step.strangers > 0 {
        numbers.push(("otherFigures", size(step.strangers)));
        numbers.push(("otherUsageMilli", int(step.strangers_usage)));
    }
    numbers.extend(calculation(&step.calculation));
    match &step.proposal {
        Ok(proposal) => {
            numbers.push(("proposal", int(proposal.replicas)));
            numbers.push(("proposalRule", text(proposal_rule(proposal.rule))));
        }
        Err(error) => numbers.push(("error", text(error))),
    }
    numbers
}

fn pod(step: &PodStep, name: &str) -> Numbers {
    let mut numbers = vec![
        ("pod", text(name)),
        ("group", text(group(step.group))),
        ("rule", text(group_rule(step.rule))),
    ];
    let figures = [
        ("usageMilli", step.value),
        ("requestMilli", step.request),
        ("assumedMilli", step.assumed),
    ];
    numbers.extend(
        figures
            .into_iter()
            .filter_map(|(name, milli)| Some((name, int(milli?)))),
    );
    numbers
}

fn calculation(calculation: &Calculation) -> Numbers {
    match calculation {
        Calculation::None => Vec::new(),
        Calculation::Pods { first, second } => {
            let passes = std::iter::once(first).chain(second).map(pass);
            vec![("passes", Number::List(passes.collect()))]
        }
        Calculation::Value {
            value,
            target,
            ratio,
            ready_pods,
        } => {
            let mut numbers = vec![
                ("valueMilli", int(*value)),
                ("targetMilli", int(*target)),
                ("ratio", Number::Ratio(*ratio)),
            ];
            numbers.extend(ready_pods.map(|pods| ("readyPods", int(pods))));
            numbers
        }
        Calculation::PerReplica {
            value,
            target,
            replicas,
            ratio,
        } => vec![
            ("valueMilli", int(*value)),
            ("targetMilli", int(*target)),
            ("statusReplicas", int(*replicas)),
            ("ratio", Number::Ratio(*ratio)),
        ],
    }
}

fn pass(pass: &Pass) -> Numbers {
    let mut numbers = vec![
        ("usageMilli", int(pass.usage)),
        ("figures", size(pass.figures)),
    ];
    match pass.request {
        Some(request) => {
            numbers.push(("requestMilli", int(request)));
            numbers.push(("currentPercent", int(pass.current)));
            numbers.push(("targetPercent", int(pass.target)));
        }
        None => {
            numbers.push(("currentMilli", int(pass.current)));
            numbers.push(("targetMilli", int(pass.target)));
        }
    }
    numbers.push(("ratio", Number::Ratio(pass.ratio)));
    numbers
}

fn stabilize(step: &StabilizeStep) -> Numbers {
    let recent = step.recent.iter().map(|past| {
        vec![
            ("replicas", int(past.replicas)),
            ("ageSeconds", seconds(past.age)),
            ("inUpWindow", Number::Flag(step.in_up_window(past))),
            ("inDownWindow", Number::Flag(step.in_down_window(past))),
        ]
    });
    let mut numbers = Vec::new();
    numbers.extend(
        step.up_window
            .map(|window| ("upWindowSeconds", seconds(window))),
    );
    numbers.push(("downWindowSeconds", seconds(step.down_window)));
    numbers.push(("recommendations", Number::List(recent.collect())));
    numbers.extend(step.lowest.map(|lowest| ("lowest", int(lowest))));
    numbers.push(("highest", int(step.highest)));
    numbers.extend(moved(step.before, step.after));
    numbers
}

fn rate(step: &RateStep) -> Numbers {
    let select = match step.select {
        SelectPolicy::Max => "Max",
        SelectPolicy::Min => "Min",
        SelectPolicy::Disabled => "Disabled",
    };
    let direction = if step.up { "Up" } else { "Down" };
    let policies = step.policies.iter().map(policy).collect();
    let bound = if step.up {
        "maxReplicas"
    } else {
        "minReplicas"
    };
    let mut numbers = vec![
        ("direction", text(direction)),
        ("selectPolicy", text(select)),
        ("policies", Number::List(policies)),
        ("limit", int(step.limit)),
        (bound, int(step.bound)),
        ("allowed", int(step.allowed)),
    ];
    numbers.extend(moved(step.before, step.after));
    numbers
}

fn policy(step: &PolicyStep) -> Numbers {
    let kind = match step.kind {
        PolicyKind::Pods => "Pods",
        PolicyKind::Percent => "Percent",
    };
    let mut numbers = vec![
        ("type", text(kind)),
        ("value", int(step.value)),
        ("periodSeconds", int(step.period_seconds)),
        ("added", int(step.added)),
        ("removed", int(step.removed)),
    ];
    numbers.extend(
        step.oldest
            .map(|age| ("oldestChangeAgeSeconds", seconds(age))),
    );
    numbers.push(("startReplicas", int(step.start)));
    numbers.push(("limit", int(step.limit)));
    numbers
}

const fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Resource => "Resource",
        Origin::ContainerResource => "ContainerResource",
        Origin::Pods => "Pods",
        Origin::Object => "Object",
        Origin::External => "External",
        Origin::Unknown => "Unknown",
    }
}

const fn group(group: Group) -> &'static str {
    match group {
        Group::Ready => "Ready",
        Group::Unready => "Unready",
        Group::Missing => "Missing",
        Group::Unrequested => "Unrequested",
        Group::Ignored => "Ignored",
    }
}

const fn group_rule(rule: GroupRule) -> &'static str {
    match rule {
        GroupRule::Deleting => "Deleting",
        GroupRule::Failed => "Failed",
        GroupRule::Pending => "Pending",
        GroupRule::NoFigure => "NoFigure",
        GroupRule::TooOld => "TooOld",
        GroupRule::NoRequest => "NoRequest",
        GroupRule::HasFigure => "HasFigure",
        GroupRule::NeverObserved => "NeverObserved",
        GroupRule::StartingNotReady => "StartingNotReady",
        GroupRule::StartingTooFresh => "StartingTooFresh",
        GroupRule::StartingReady => "StartingReady",
        GroupRule::NeverReady => "NeverReady",
        GroupRule::Settled => "Settled",
    }
}

const fn proposal_rule(rule: Rule) -> &'static str {
    match rule {
        Rule::WithinTolerance => "WithinTolerance",
        Rule::RatioTimesReadyPods => "RatioTimesReadyPods",
        Rule::RatioTimesFigures => "RatioTimesFigures",
        Rule::WithinToleranceAfterAssumptions => "WithinToleranceAfterAssumptions",
        Rule::DirectionTurned => "DirectionTurned",
        Rule::AgainstDirection => "AgainstDirection",
        Rule::RatioFromZero => "RatioFromZero",
        Rule::ValueByTarget => "ValueByTarget",
    }
}
