//! Policies: how fast the number may change.
//!
//! Upstream: horizontal.go, convertDesiredReplicasWithBehaviorRate, calculateScaleUpLimitWithScalingRules,
//! calculateScaleDownLimitWithBehaviors, getLongestPolicyPeriod.

use crate::arithmetic::to_i32;
use crate::bounds::Limited;
use crate::history::{History, changes_after};
use crate::spec::{Behavior, Policy, PolicyKind, Rules, SelectPolicy};
use crate::step::{PolicyStep, RateStep};
use units::{Duration, Timestamp};

/// The replicas between which, and the wish.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Move {
    pub(crate) current: i32,
    pub(crate) desired: i32,
    pub(crate) min: i32,
    pub(crate) max: i32,
}

/// Applies the policies and the bound of the direction. No step when there is no direction.
pub(crate) fn limit(
    now: Timestamp,
    wish: Move,
    behavior: &Behavior,
    history: &History,
) -> (Limited, Option<RateStep>) {
    if wish.desired > wish.current {
        up(now, wish, &behavior.up, history)
    } else if wish.desired < wish.current {
        down(now, wish, &behavior.down, history)
    } else {
        (Limited::within(wish.desired), None)
    }
}

fn up(now: Timestamp, wish: Move, rules: &Rules, history: &History) -> (Limited, Option<RateStep>) {
    let policies: Vec<PolicyStep> = rules
        .policies
        .iter()
        .map(|p| policy(now, wish.current, p, history, true))
        .collect();
    let limits = policies.iter().map(|p| p.limit);
    let limit = match rules.select {
        SelectPolicy::Disabled => wish.current,
        SelectPolicy::Min => limits.min().unwrap_or(i32::MAX),
        SelectPolicy::Max => limits.max().unwrap_or(i32::MIN),
    };
    let reachable = limit.max(wish.current);
    let (allowed, reason) = if wish.max > reachable {
        (reachable, Limited::up_limit(reachable))
    } else {
        (wish.max, Limited::too_many(wish.max))
    };
    let limited = if wish.desired > allowed {
        reason
    } else {
        Limited::within(wish.desired)
    };
    let step = RateStep {
        up: true,
        select: rules.select,
        policies,
        limit,
        bound: wish.max,
        allowed,
        before: wish.desired,
        after: limited.replicas,
    };
    (limited, Some(step))
}

fn down(
    now: Timestamp,
    wish: Move,
    rules: &Rules,
    history: &History,
) -> (Limited, Option<RateStep>) {
    let policies: Vec<PolicyStep> = rules
        .policies
        .iter()
        .map(|p| policy(now, wish.current, p, history, false))
        .collect();
    let limits = policies.iter().map(|p| p.limit);
    let limit = match rules.select {
        SelectPolicy::Disabled => wish.current,
        SelectPolicy::Min => limits.max().unwrap_or(i32::MIN),
        SelectPolicy::Max => limits.min().unwrap_or(i32::MAX),
    };
    let reachable = limit.min(wish.current);
    let (allowed, reason) = if wish.min < reachable {
        (reachable, Limited::down_limit(reachable))
    } else {
        (wish.min, Limited::too_few(wish.min))
    };
    let limited = if wish.desired < allowed {
        reason
    } else {
        Limited::within(wish.desired)
    };
    let step = RateStep {
        up: false,
        select: rules.select,
        policies,
        limit,
        bound: wish.min,
        allowed,
        before: wish.desired,
        after: limited.replicas,
    };
    (limited, Some(step))
}

fn policy(
    now: Timestamp,
    current: i32,
    policy: &Policy,
    history: &History,
    up: bool,
) -> PolicyStep {
    let cutoff = now.minus(Duration::from_seconds(i64::from(policy.period_seconds)));
    let (ups, downs) = (
        changes_after(&history.ups, cutoff),
        changes_after(&history.downs, cutoff),
    );
    let (added, removed) = (ups.change, downs.change);
    let start = current.wrapping_sub(added).wrapping_add(removed);
    let share = f64::from(policy.value) / 100.0;
    let limit = match (policy.kind, up) {
        (PolicyKind::Pods, true) => start.wrapping_add(policy.value),
        (PolicyKind::Pods, false) => start.wrapping_sub(policy.value),
        // Rounded up: it might otherwise never grow.
        (PolicyKind::Percent, true) => to_i32((f64::from(start) * (1.0 + share)).ceil()),
        (PolicyKind::Percent, false) => to_i32(f64::from(start) * (1.0 - share)),
    };
    PolicyStep {
        kind: policy.kind,
        value: policy.value,
        period_seconds: policy.period_seconds,
        added,
        removed,
        oldest: ups
            .oldest
            .into_iter()
            .chain(downs.oldest)
            .min()
            .map(|at| now.since(at)),
        start,
        limit,
    }
}

/// How long a change must be remembered.
pub(crate) fn longest_period(rules: &Rules) -> Duration {
    let seconds = rules
        .policies
        .iter()
        .map(|p| p.period_seconds)
        .fold(0, i32::max);
    Duration::from_seconds(i64::from(seconds))
}
