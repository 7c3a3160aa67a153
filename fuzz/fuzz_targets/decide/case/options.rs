//! What the autoscaler asks for beyond upstream.

use crate::any::Any;
use arbitrary::Result;
use hpa::{Direction, Fallback, Known, Options, PodSelection, PodsWithoutRequests, Spec};
use units::Timestamp;

/// Mostly nothing; and nothing where the bytes have run out.
pub(crate) fn any(any: &mut Any<'_, '_>) -> Result<Options> {
    if !any.of::<bool>()? {
        return Ok(Options::default());
    }
    Ok(Options {
        paused: any.bytes.ratio(1, 8)?,
        freeze: any.maybe(|any| any.one(&[Direction::Up, Direction::Down]))?,
        dry_run: any.bytes.ratio(1, 4)?,
        sync_period: None,
        initial_readiness_delay: any.maybe(Any::span)?,
        cpu_initialization_period: any.maybe(Any::span)?,
        downscale_stabilization: any.maybe(Any::span)?,
        tolerance: any.maybe(|any| any.one(&[0.0, 0.05, 0.5]))?,
        fallback: any.maybe(fallback)?,
        metric_max_age: any.maybe(Any::span)?,
        pod_selection: any.one(&[PodSelection::Label, PodSelection::Owner])?,
        pods_without_requests: any
            .one(&[PodsWithoutRequests::Fail, PodsWithoutRequests::Ignore])?,
        problems: any.list(2, |any| any.one(&["one", "another"]).map(str::to_owned))?,
    })
}

fn fallback(any: &mut Any<'_, '_>) -> Result<Fallback> {
    Ok(if any.of()? {
        Fallback::Replicas(any.number(0, 60)?)
    } else {
        Fallback::LastKnownGood {
            max_age: any.span()?,
        }
    })
}

/// What some of the metrics last asked for.
pub(crate) fn known(any: &mut Any<'_, '_>, now: Timestamp, spec: &Spec) -> Result<Vec<Known>> {
    let mut known = Vec::new();
    for metric in &spec.metrics {
        if any.of()? {
            known.push(Known {
                metric: metric.identity(),
                at: any.time(now)?,
                replicas: any.number(0, 60)?.max(0),
            });
        }
    }
    Ok(known)
}
