//! What one metric must have asked for.

use super::{Start, check, same};
use crate::arithmetic::to_i32;
use crate::spec::Tolerances;
use crate::step::{
    Calculation, Group, GroupRule, MetricStep, Origin, Pass, PodStep, Proposal, Rule,
};

/// The number a metric must have asked for; nothing when it failed.
pub(super) fn proposal(start: Start, step: &MetricStep) -> Result<Option<i32>, String> {
    for pod in &step.pods {
        same("a pod's group", pod.group, group(pod.rule))?;
    }
    let Ok(said) = &step.proposal else {
        let none = &Calculation::None;
        same("a failed metric's calculation", &step.calculation, none)?;
        return Ok(None);
    };
    let (replicas, rule) = match &step.calculation {
        Calculation::None => return Err("a number without a calculation".to_owned()),
        Calculation::Pods { first, second } => over_pods(start, step, (first, second.as_ref()))?,
        Calculation::Value {
            value,
            target,
            ratio,
            ready_pods,
        } => {
            same_ratio(*ratio, *value as f64 / *target as f64)?;
            by_value(start, step.tolerances, *ratio, *ready_pods)?
        }
        Calculation::PerReplica {
            value,
            target,
            replicas,
            ratio,
        } => {
            same("the replicas that share", *replicas, start.observed)?;
            let shared = *target as f64 * f64::from(start.observed);
            same_ratio(*ratio, *value as f64 / shared)?;
            per_replica(start, step, (*value, *target, *ratio))
        }
    };
    same("the proposal", *said, Proposal { replicas, rule })?;
    Ok(Some(replicas))
}

/// Where each rule puts a pod.
fn group(rule: GroupRule) -> Group {
    match rule {
        GroupRule::Deleting | GroupRule::Failed => Group::Ignored,
        GroupRule::NoFigure | GroupRule::TooOld => Group::Missing,
        GroupRule::NoRequest => Group::Unrequested,
        GroupRule::HasFigure | GroupRule::StartingReady | GroupRule::Settled => Group::Ready,
        GroupRule::Pending
        | GroupRule::NeverObserved
        | GroupRule::StartingNotReady
        | GroupRule::StartingTooFresh
        | GroupRule::NeverReady => Group::Unready,
    }
}

fn same_ratio(said: f64, found: f64) -> Result<(), String> {
    // What is no number equals itself here.
    if said.is_nan() && found.is_nan() {
        return Ok(());
    }
    same("the ratio", said, found)
}

fn inside(tolerances: Tolerances, ratio: f64) -> bool {
    ratio >= 1.0 - tolerances.down && ratio <= 1.0 + tolerances.up
}

/// Rounded up; where upstream guards against numbers that do not fit, they are the largest.
fn rounded(replicas: f64, guarded: bool) -> i32 {
    if guarded && replicas > f64::from(i32::MAX) {
        i32::MAX
    } else {
        to_i32(replicas.ceil())
    }
}

fn by_value(
    start: Start,
    tolerances: Tolerances,
    ratio: f64,
    ready_pods: Option<i64>,
) -> Result<(i32, Rule), String> {
    if start.current == 0 {
        return Ok((rounded(ratio, false), Rule::RatioFromZero));
    }
    if inside(tolerances, ratio) {
        return Ok((start.current, Rule::WithinTolerance));
    }
    let ready = ready_pods.ok_or("the ready pods were not counted")?;
    let replicas = rounded(ratio * ready as f64, true);
    Ok((replicas, Rule::RatioTimesReadyPods))
}

fn per_replica(
    start: Start,
    step: &MetricStep,
    (value, target, ratio): (i64, i64, f64),
) -> (i32, Rule) {
    if inside(step.tolerances, ratio) {
        return (start.observed, Rule::WithinTolerance);
    }
    let guarded = step.origin == Origin::External;
    let replicas = rounded(value as f64 / target as f64, guarded);
    (replicas, Rule::ValueByTarget)
}

fn over_pods(
    start: Start,
    step: &MetricStep,
    (first, second): (&Pass, Option<&Pass>),
) -> Result<(i32, Rule), String> {
    let own = |pod: &PodStep| pod.value.filter(|_| pod.group == Group::Ready);
    pass(step, first, own).map_err(|e| format!("first pass: {e}"))?;
    let of = |group| step.pods.iter().filter(|p| p.group == group).count();
    let counted = of(Group::Ready) + of(Group::Unrequested);
    let idle = of(Group::Unready) > 0 && first.ratio > 1.0;
    if !idle && of(Group::Missing) == 0 {
        check("no second pass without assumptions", second.is_none())?;
        if inside(step.tolerances, first.ratio) {
            return Ok((start.current, Rule::WithinTolerance));
        }
        let replicas = rounded(first.ratio * counted as f64, false);
        return Ok((replicas, Rule::RatioTimesReadyPods));
    }
    for pod in &step.pods {
        let found = assumed(pod, first, idle);
        same("what a pod is assumed to use", pod.assumed, found)?;
    }
    let second = second.ok_or("the second pass is missing")?;
    pass(step, second, |pod| own(pod).or(pod.assumed)).map_err(|e| format!("second pass: {e}"))?;
    let guessed = step.pods.iter().filter(|p| p.assumed.is_some()).count();
    let figures = counted + step.strangers + guessed;
    Ok(after_assumptions(
        start,
        step.tolerances,
        (first.ratio, second.ratio),
        figures,
    ))
}

fn after_assumptions(
    start: Start,
    tolerances: Tolerances,
    (first, second): (f64, f64),
    figures: usize,
) -> (i32, Rule) {
    let opposed = |a: f64, b: f64| (a < 1.0 && b > 1.0) || (a > 1.0 && b < 1.0);
    let replicas = rounded(second * figures as f64, false);
    let moved = f64::from(replicas) - f64::from(start.current);
    if inside(tolerances, second) {
        (start.current, Rule::WithinToleranceAfterAssumptions)
    } else if opposed(first, second) {
        (start.current, Rule::DirectionTurned)
    } else if opposed(second, 1.0 + moved) {
        (start.current, Rule::AgainstDirection)
    } else {
        (replicas, Rule::RatioTimesFigures)
    }
}

fn assumed(pod: &PodStep, first: &Pass, idle: bool) -> Option<i64> {
    match pod.group {
        Group::Missing if first.ratio > 1.0 => Some(0),
        Group::Missing if first.ratio < 1.0 => Some(match first.request {
            None => first.target,
            Some(_) => pod.request.unwrap_or(0).wrapping_mul(first.target.max(100)) / 100,
        }),
        Group::Unready if idle => Some(0),
        _ => None,
    }
}

/// Adds one pass up again.
fn pass(
    step: &MetricStep,
    said: &Pass,
    figure: impl Fn(&PodStep) -> Option<i64>,
) -> Result<(), String> {
    let (mut usage, mut request, mut figures) = (0_i64, 0_i64, 0_usize);
    for pod in &step.pods {
        if let Some(value) = figure(pod) {
            usage = usage.wrapping_add(value);
            request = request.wrapping_add(pod.request.unwrap_or(0));
            figures += 1;
        }
    }
    if said.request.is_none() {
        usage = usage.wrapping_add(step.strangers_usage);
        figures += step.strangers;
    }
    same("the usage", said.usage, usage)?;
    same("the number of figures", said.figures, figures)?;
    let current = match said.request {
        Some(sum) => {
            same("the request", sum, request)?;
            check("a request that is not zero", request != 0)?;
            i64::from(usage.wrapping_mul(100).wrapping_div(request) as i32)
        }
        None => usage.checked_div(figures as i64).unwrap_or(0),
    };
    same("the average", said.current, current)?;
    same_ratio(said.ratio, current as f64 / said.target as f64)
}
