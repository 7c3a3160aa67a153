//! What a metric that failed counts as, if the autoscaler says so; and what each metric last asked for.
//!
//! Differs from upstream: there a metric that failed only forbids scaling down. None of this is done unless
//! it is asked for.

use crate::history::Known;
use crate::metric::Context;
use crate::options::Fallback;
use crate::spec::{Metric, Spec};
use crate::step::{FallbackFrom, FallbackStep};
use units::{Duration, Timestamp};

/// What a failed metric counts as; no step where nothing was asked for.
pub(crate) fn of(
    context: Context<'_>,
    index: usize,
    metric: &Metric,
    known: &[Known],
) -> Option<FallbackStep> {
    let (from, replicas) = match context.spec.options.fallback? {
        Fallback::Replicas(replicas) => (FallbackFrom::Fixed, Some(replicas)),
        Fallback::LastKnownGood { max_age } => {
            let identity = metric.identity();
            let last = known.iter().find(|k| k.metric == identity);
            let age = last.map(|k| context.now.since(k.at));
            let counts = last.filter(|_| age.is_some_and(|age| age < max_age));
            let from = FallbackFrom::LastKnown { age, max_age };
            (from, counts.map(|k| k.replicas))
        }
    };
    Some(FallbackStep {
        index,
        name: metric.source.label(),
        from,
        replicas,
    })
}

/// Remembers what a metric asked for, if that may be needed.
pub(crate) fn remember(
    context: Context<'_>,
    metric: &Metric,
    replicas: i32,
    known: &mut Vec<Known>,
) {
    if !matches!(
        context.spec.options.fallback,
        Some(Fallback::LastKnownGood { .. })
    ) {
        return;
    }
    let new = Known {
        metric: metric.identity(),
        at: context.now,
        replicas: replicas.max(0),
    };
    match known.iter_mut().find(|k| k.metric == new.metric) {
        Some(old) => *old = new,
        None => known.push(new),
    }
}

/// Forgets what cannot be fallen back on: all where that is not asked for, and metrics that are there no more.
pub(crate) fn forget(spec: &Spec, known: &mut Vec<Known>) {
    if !matches!(spec.options.fallback, Some(Fallback::LastKnownGood { .. })) {
        known.clear();
    } else if known.len() > spec.metrics.len() {
        let there: Vec<u64> = spec.metrics.iter().map(Metric::identity).collect();
        known.retain(|k| there.contains(&k.metric));
    }
}

/// What is worth keeping: not what no metric of the specification asked for, nor what is too old to count.
pub(crate) fn outstanding(now: Timestamp, spec: &Spec, known: &[Known]) -> Vec<Known> {
    let Some(Fallback::LastKnownGood { max_age }) = spec.options.fallback else {
        return Vec::new();
    };
    let young = |k: &&Known| now.since(k.at) < max_age;
    let mut kept: Vec<Known> = Vec::new();
    for metric in &spec.metrics {
        let identity = metric.identity();
        let found = known.iter().find(|k| k.metric == identity);
        if let Some(one) = found.filter(young)
            && kept.iter().all(|k| k.metric != identity)
        {
            kept.push(*one);
        }
    }
    kept
}

/// How much older a written note may be than what is known, before it is worth writing anew: so that after
/// a restart there is at least half of the time left.
pub(crate) fn slack(spec: &Spec) -> Duration {
    match spec.options.fallback {
        Some(Fallback::LastKnownGood { max_age }) => Duration::from_nanos(max_age.nanos() / 2),
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests;
