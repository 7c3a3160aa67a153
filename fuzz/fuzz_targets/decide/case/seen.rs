//! The target, its pods and their figures.

use super::spec::{container, resource};
use crate::any::Any;
use arbitrary::Result;
use hpa::{
    Condition, ContainerRequests, ContainerUsage, LeftOut, Observation, Phase, Pod, PodMetrics,
    PodValue, Reading, Ready, Resource, Sample, Scale, ScaleProblem, ScaleStep, Selection, Source,
    Spec, Status, Unowned,
};
use std::sync::Arc;
use units::Timestamp;

const PODS_MAX: usize = 8;

pub(crate) fn any(any: &mut Any<'_, '_>, now: Timestamp, spec: &Spec) -> Result<Observation> {
    let scale = any.found(scale)?;
    Ok(Observation {
        status: Status {
            current_replicas: any.number(0, 60)?,
            desired_replicas: any.number(0, 60)?,
            conditions: any.list(3, |any| condition(any, now))?,
        },
        scale: match scale {
            Ok(scale) => Ok(scale),
            Err(error) => Err(ScaleProblem {
                error,
                context: any.one(&[ScaleStep::ApiVersion, ScaleStep::Mapping, ScaleStep::Get])?,
            }),
        },
        pods: any.list(PODS_MAX, |any| pod(any, now).map(Arc::new))?,
        left_out: any.list(2, |any| {
            Ok(LeftOut {
                pod: name(any)?,
                why: any.one(&[Unowned::Finished, Unowned::NoController])?,
            })
        })?,
        pods_problem: any.found(|_| Ok(()))?.err(),
        resource_metrics: any.found(|any| any.list(PODS_MAX, |any| usage(any, now).map(Arc::new)))?,
        readings: readings(any, now, spec)?,
    })
}

fn condition(any: &mut Any<'_, '_>, now: Timestamp) -> Result<Condition> {
    let kinds = [
        "AbleToScale",
        "ScalingActive",
        "ScalingLimited",
        "ScaledToZero",
    ];
    Ok(Condition {
        kind: any.one(&kinds)?.into(),
        status: any.one(&["True", "False", "Unknown"])?.into(),
        reason: "Before".into(),
        message: "".into(),
        last_transition: any.maybe(|any| any.time(now))?,
    })
}

fn scale(any: &mut Any<'_, '_>) -> Result<Scale> {
    Ok(Scale {
        spec_replicas: any.number(0, 70)?,
        status_replicas: any.number(0, 70)?,
        selection: match any.bytes.int_in_range(0..=15)? {
            0 => Selection::Missing,
            1 => Selection::Invalid {
                error: "it is no selector".to_owned(),
            },
            2 => Selection::Ambiguous {
                selector: "app=web".to_owned(),
                autoscalers: vec!["shop/web".to_owned(), "shop/web2".to_owned()],
            },
            _ => Selection::Valid,
        },
    })
}

/// Few names, so that pods and figures meet, and some twice.
fn name(any: &mut Any<'_, '_>) -> Result<String> {
    Ok(format!("web-{}", any.bytes.int_in_range(0..=9)?))
}

fn pod(any: &mut Any<'_, '_>, now: Timestamp) -> Result<Pod> {
    let phases = [
        Phase::Running,
        Phase::Running,
        Phase::Pending,
        Phase::Succeeded,
        Phase::Failed,
        Phase::Other,
    ];
    Ok(Pod {
        name: name(any)?,
        phase: any.one(&phases)?,
        deleting: any.bytes.ratio(1, 10)?,
        start_time: any.maybe(|any| any.time(now))?,
        ready: any.maybe(|any| {
            Ok(Ready {
                status: any.of()?,
                last_transition: any.time(now)?,
            })
        })?,
        pod_level_requests: any.maybe(amounts)?,
        containers: any.list(2, |any| {
            Ok(ContainerRequests {
                name: container(any)?,
                requests: amounts(any)?,
            })
        })?
        .into(),
    })
}

fn amounts(any: &mut Any<'_, '_>) -> Result<Vec<(Resource, i64)>> {
    any.list(2, |any| Ok((resource(any)?, any.milli()?)))
}

fn usage(any: &mut Any<'_, '_>, now: Timestamp) -> Result<PodMetrics> {
    Ok(PodMetrics {
        pod: name(any)?,
        timestamp: any.time(now)?,
        window: any.span()?,
        containers: any.list(2, |any| {
            Ok(ContainerUsage {
                name: container(any)?,
                usage: amounts(any)?,
            })
        })?,
    })
}

/// One that fits for each metric; and where no rule is kept, any number of any.
fn readings(any: &mut Any<'_, '_>, now: Timestamp, spec: &Spec) -> Result<Vec<Reading>> {
    let mut readings = Vec::new();
    for metric in &spec.metrics {
        readings.push(match &metric.source {
            Source::Pods { .. } => of_pods(any, now)?,
            Source::Object { .. } => Reading::Object(any.found(|any| sample(any, now))?),
            Source::External { .. } => of_series(any, now)?,
            _ => Reading::Resource,
        });
    }
    if !any.allowed {
        readings.push(of_pods(any, now)?);
        readings.push(of_series(any, now)?);
        let skipped = any.bytes.int_in_range(0..=readings.len())?;
        readings.rotate_left(skipped);
        readings.truncate(any.bytes.int_in_range(0..=3)?);
    }
    Ok(readings)
}

fn of_pods(any: &mut Any<'_, '_>, now: Timestamp) -> Result<Reading> {
    let values = any.found(|any| {
        any.list(PODS_MAX, |any| {
            Ok(PodValue {
                pod: name(any)?,
                timestamp: any.time(now)?,
                window: any.span()?,
                value: any.milli()?,
            })
        })
    })?;
    Ok(Reading::Pods(values))
}

fn of_series(any: &mut Any<'_, '_>, now: Timestamp) -> Result<Reading> {
    let series = any.found(|any| any.list(4, |any| sample(any, now)))?;
    Ok(Reading::External(series))
}

fn sample(any: &mut Any<'_, '_>, now: Timestamp) -> Result<Sample> {
    Ok(Sample {
        value: any.milli()?,
        timestamp: any.maybe(|any| any.time(now))?,
    })
}
