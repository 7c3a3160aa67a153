//! Metrics that are one value, not one a pod.
//!
//! Upstream: replica_calculator.go, GetObjectMetricReplicas, GetObjectPerPodMetricReplicas,
//! GetExternalMetricReplicas, GetExternalPerPodMetricReplicas, getUsageRatioReplicaCount.

use super::Context;
use crate::arithmetic::{to_i32, to_i64};
use crate::observation::Sample;
use crate::pods;
use crate::step::{Calculation, MetricStep, Proposal, Rule};

/// The ratio times the ready pods; from zero the ratio itself, without tolerance.
pub(super) fn by_ready_pods(
    context: Context<'_>,
    usage: i64,
    target: i64,
    step: &mut MetricStep,
) -> Result<(Proposal, i64), String> {
    let ratio = usage as f64 / target as f64;
    let current = context.scale.spec_replicas;
    let (replicas, rule, ready_pods) = if current == 0 {
        (to_i32(ratio.ceil()), Rule::RatioFromZero, None)
    } else if context.tolerances.hold(ratio) {
        (current, Rule::WithinTolerance, None)
    } else {
        let pods = pods::of_target(context.seen)
            .map_err(|e| format!("unable to calculate ready pods: {e}"))?;
        let ready = pods::ready_count(pods);
        (
            capped(ratio * ready as f64),
            Rule::RatioTimesReadyPods,
            Some(ready),
        )
    };
    step.calculation = Calculation::Value {
        value: usage,
        target,
        ratio,
        ready_pods,
    };
    Ok((Proposal { replicas, rule }, usage))
}

pub(super) fn object_per_replica(
    context: Context<'_>,
    usage: i64,
    target: i64,
    step: &mut MetricStep,
) -> (Proposal, i64) {
    let observed = context.scale.status_replicas;
    let proposal = match per_replica(context, usage, target, step) {
        Some(wanted) => Proposal {
            replicas: to_i32(wanted),
            rule: Rule::ValueByTarget,
        },
        None => Proposal {
            replicas: observed,
            rule: Rule::WithinTolerance,
        },
    };
    (
        proposal,
        to_i64((usage as f64 / f64::from(observed)).ceil()),
    )
}

pub(super) fn external_per_replica(
    context: Context<'_>,
    series: &[Sample],
    target: i64,
    step: &mut MetricStep,
) -> (Proposal, i64) {
    let usage = wrapping_sum(series);
    let observed = context.scale.status_replicas;
    let proposal = match per_replica(context, usage, target, step) {
        Some(wanted) => Proposal {
            replicas: capped(wanted),
            rule: Rule::ValueByTarget,
        },
        None => Proposal {
            replicas: observed,
            rule: Rule::WithinTolerance,
        },
    };
    if usage as f64 >= i64::MAX as f64 {
        return (proposal, i64::MAX);
    }
    (
        proposal,
        to_i64((usage as f64 / f64::from(observed)).ceil()),
    )
}

/// Value by target, rounded up; nothing inside the tolerance.
fn per_replica(
    context: Context<'_>,
    usage: i64,
    target: i64,
    step: &mut MetricStep,
) -> Option<f64> {
    let replicas = context.scale.status_replicas;
    let ratio = usage as f64 / (target as f64 * f64::from(replicas));
    step.calculation = Calculation::PerReplica {
        value: usage,
        target,
        replicas,
        ratio,
    };
    (!context.tolerances.hold(ratio)).then(|| (usage as f64 / target as f64).ceil())
}

/// Rounded up, at most the largest number.
fn capped(replicas: f64) -> i32 {
    if replicas > f64::from(i32::MAX) {
        i32::MAX
    } else {
        to_i32(replicas.ceil())
    }
}

/// As GetExternalMetricReplicas adds: it stops at the largest number.
pub(super) fn saturating_sum(series: &[Sample]) -> i64 {
    let mut sum = 0_i64;
    for Sample { value, .. } in series {
        if *value > 0 && sum > i64::MAX - value {
            return i64::MAX;
        }
        sum = sum.wrapping_add(*value);
    }
    sum
}

/// As GetExternalPerPodMetricReplicas adds: whatever goes below zero is taken for an overflow.
fn wrapping_sum(series: &[Sample]) -> i64 {
    let mut sum = 0_i64;
    for Sample { value, .. } in series {
        sum = sum.wrapping_add(*value);
        if sum < 0 {
            return i64::MAX;
        }
    }
    sum
}
