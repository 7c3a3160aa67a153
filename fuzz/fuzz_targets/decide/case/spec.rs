//! The autoscaler and the controller's flags.

use crate::any::Any;
use arbitrary::Result;
use hpa::{
    Behavior, Config, Gates, Identifier, Metric, Policy, PolicyKind, Resource, Rules, SelectPolicy,
    Source, Spec, Target, TargetKind,
};

pub(crate) fn any(any: &mut Any<'_, '_>) -> Result<Spec> {
    let config = config(any)?;
    let metrics = any.list(3, metric)?;
    let to_zero = config.gates.scale_to_zero
        && metrics
            .iter()
            .any(|m| matches!(m.source, Source::Object { .. } | Source::External { .. }));
    let least = i32::from(!(any.allowed && to_zero) && any.allowed);
    let min_replicas = any.maybe(|any| any.number(least, 20))?;
    let max = any.number(1, 60)?;
    Ok(Spec {
        namespace: "shop".to_owned(),
        target_kind: "Deployment".to_owned(),
        target_name: "web".to_owned(),
        min_replicas,
        max_replicas: if any.allowed {
            max.max(min_replicas.unwrap_or(1))
        } else {
            max
        },
        metrics,
        behavior: any.maybe(behavior)?,
        config,
        options: hpa::Options::default(),
    })
}

fn config(any: &mut Any<'_, '_>) -> Result<Config> {
    Ok(Config {
        tolerance: tolerance(any)?,
        cpu_initialization_period: any.span()?,
        initial_readiness_delay: any.span()?,
        downscale_stabilization: any.span()?,
        gates: Gates {
            configurable_tolerance: any.of()?,
            scale_to_zero: any.of()?,
        },
    })
}

fn tolerance(any: &mut Any<'_, '_>) -> Result<f64> {
    if any.allowed {
        any.one(&[0.0, 0.05, 0.1, 0.5])
    } else {
        any.of()
    }
}

fn metric(any: &mut Any<'_, '_>) -> Result<Metric> {
    Ok(Metric {
        source: source(any)?,
        target: target(any)?,
    })
}

fn source(any: &mut Any<'_, '_>) -> Result<Source> {
    Ok(match any.bytes.int_in_range(0..=5)? {
        0 => Source::Resource {
            name: resource(any)?,
        },
        1 => Source::ContainerResource {
            name: resource(any)?,
            container: container(any)?,
        },
        2 => Source::Pods {
            metric: identifier(any)?,
        },
        3 => Source::Object {
            kind: "Service".to_owned(),
            name: "web".to_owned(),
            metric: identifier(any)?,
        },
        4 => Source::External {
            metric: identifier(any)?,
        },
        _ => Source::Unknown { kind: any.of()? },
    })
}

pub(super) fn resource(any: &mut Any<'_, '_>) -> Result<Resource> {
    any.one(&[
        Resource::Cpu,
        Resource::Memory,
        Resource::Other("disk".into()),
    ])
}

pub(super) fn container(any: &mut Any<'_, '_>) -> Result<String> {
    any.one(&["app", "proxy", ""]).map(str::to_owned)
}

fn identifier(any: &mut Any<'_, '_>) -> Result<Identifier> {
    Ok(Identifier {
        name: "requests".to_owned(),
        selector: "nil".to_owned(),
        selector_problem: if any.bytes.ratio(1, 10)? {
            Some("it is no selector".to_owned())
        } else {
            None
        },
    })
}

fn target(any: &mut Any<'_, '_>) -> Result<Target> {
    let positive = any.allowed;
    let milli = |any: &mut Any<'_, '_>| {
        any.milli().map(|value| {
            if positive {
                value.saturating_abs().max(1)
            } else {
                value
            }
        })
    };
    Ok(Target {
        kind: any.one(&[
            TargetKind::Utilization,
            TargetKind::Value,
            TargetKind::AverageValue,
            TargetKind::Other,
        ])?,
        value: any.maybe(milli)?,
        average_value: any.maybe(milli)?,
        average_utilization: any.maybe(|any| any.number(1, 200))?,
    })
}

fn behavior(any: &mut Any<'_, '_>) -> Result<Behavior> {
    Ok(Behavior {
        up: rules(any)?,
        down: rules(any)?,
    })
}

fn rules(any: &mut Any<'_, '_>) -> Result<Rules> {
    let mut policies = any.list(2, policy)?;
    // The API server leaves no direction without a policy.
    if any.allowed {
        policies.push(policy(any)?);
    }
    Ok(Rules {
        stabilization_window_seconds: any.maybe(|any| any.number(0, 3_600))?,
        select: any.one(&[SelectPolicy::Max, SelectPolicy::Min, SelectPolicy::Disabled])?,
        policies,
        tolerance: any.maybe(tolerance)?,
    })
}

fn policy(any: &mut Any<'_, '_>) -> Result<Policy> {
    Ok(Policy {
        kind: any.one(&[PolicyKind::Pods, PolicyKind::Percent])?,
        value: any.number(1, 300)?,
        period_seconds: any.number(1, 1_800)?,
    })
}
