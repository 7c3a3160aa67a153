//! Metrics with one figure a pod: two passes, the second with assumptions for pods without usable figures.
//!
//! Upstream: replica_calculator.go, GetResourceReplicas, GetRawResourceReplicas, GetMetricReplicas,
//! calcPlainMetricReplicas; metrics/utilization.go.

use super::Context;
use crate::arithmetic::to_i32;
use crate::observation::{PodMetrics, PodValue};
use crate::pods::{self, Figures, Grouped, Starting};
use crate::spec::Resource;
use crate::step::{Calculation, Group, GroupRule, MetricStep, Pass, PodStep, Proposal, Rule};
use std::sync::Arc;

/// What the figures are held against.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    /// Percent of the requests.
    Utilization(i32),
    /// Milli-units per pod.
    Average(i64),
}

/// Gives the proposal, the utilization in percent and the average usage.
pub(super) fn utilization(
    context: Context<'_>,
    resource: &Resource,
    container: Option<&str>,
    target: i32,
    step: &mut MetricStep,
) -> Result<(Proposal, i32, i64), String> {
    let metrics = resource_metrics(context, resource)?;
    let figures = Figures::of_resource(metrics, resource, container, context.cutoff());
    let mut grouped = grouped(context, figures, *resource == Resource::Cpu, step)?;
    let lacking = context.spec.options.pods_without_requests;
    let wanted = (resource, container);
    let requests = pods::requests(&mut grouped.pods, &context.seen.pods, wanted, lacking);
    let (proposal, first) = match requests {
        Ok(()) => two_passes(context, Wanted::Utilization(target), grouped, step)?,
        Err(error) => {
            keep(grouped, step);
            return Err(error);
        }
    };
    Ok((
        proposal,
        first.current as i32,
        first.usage.wrapping_div(first.figures as i64),
    ))
}

/// Gives the proposal and the average usage.
pub(super) fn raw_resource(
    context: Context<'_>,
    resource: &Resource,
    container: Option<&str>,
    target: i64,
    step: &mut MetricStep,
) -> Result<(Proposal, i64), String> {
    let metrics = resource_metrics(context, resource)?;
    let figures = Figures::of_resource(metrics, resource, container, context.cutoff());
    let grouped = grouped(context, figures, *resource == Resource::Cpu, step)?;
    let (proposal, first) = two_passes(context, Wanted::Average(target), grouped, step)?;
    Ok((proposal, first.current))
}

/// Gives the proposal and the average value.
pub(super) fn plain_values(
    context: Context<'_>,
    values: &[PodValue],
    target: i64,
    step: &mut MetricStep,
) -> Result<(Proposal, i64), String> {
    let figures = Figures::of_values(values, context.cutoff());
    let grouped = grouped(context, figures, false, step)?;
    let (proposal, first) = two_passes(context, Wanted::Average(target), grouped, step)?;
    Ok((proposal, first.current))
}

fn resource_metrics<'a>(
    context: Context<'a>,
    resource: &Resource,
) -> Result<&'a [Arc<PodMetrics>], String> {
    let error = match &context.seen.resource_metrics {
        Ok(metrics) if !metrics.is_empty() => return Ok(metrics),
        Ok(_) => {
            let error = "no metrics returned from resource metrics API";
            format!("{error}{}", pods::none_own(context.seen))
        }
        Err(error) => format!("unable to fetch metrics from resource metrics API: {error}"),
    };
    Err(format!(
        "unable to get metrics for resource {resource}: {error}"
    ))
}

fn grouped(
    context: Context<'_>,
    figures: Figures<'_>,
    cpu: bool,
    step: &mut MetricStep,
) -> Result<Grouped, String> {
    let pods = pods::of_target(context.seen)?;
    let config = context.spec.effective_config();
    let starting = cpu.then_some(Starting {
        now: context.now,
        config: &config,
    });
    let grouped = pods::group(pods, figures, starting);
    if count(&grouped.pods, Group::Ready) + grouped.strangers == 0 {
        let old = grouped.pods.iter().any(|p| p.rule == GroupRule::TooOld);
        keep(grouped, step);
        let age = context.spec.options.metric_max_age.filter(|_| old);
        return Err(age.map_or_else(
            || "did not receive metrics for targeted pods (pods might be unready)".to_owned(),
            |age| format!("did not receive metrics for targeted pods that are younger than {age} (evenkeel.dev/metric-max-age)"),
        ));
    }
    Ok(grouped)
}

fn count(pods: &[PodStep], group: Group) -> usize {
    pods.iter().filter(|p| p.group == group).count()
}

fn keep(grouped: Grouped, step: &mut MetricStep) {
    step.pods = grouped.pods;
    step.strangers = grouped.strangers;
    step.strangers_usage = grouped.strangers_usage;
}

fn two_passes(
    context: Context<'_>,
    wanted: Wanted,
    mut grouped: Grouped,
    step: &mut MetricStep,
) -> Result<(Proposal, Pass), String> {
    let result = first_and_second(context, wanted, &mut grouped);
    keep(grouped, step);
    let (proposal, first, second) = result?;
    step.calculation = Calculation::Pods { first, second };
    Ok((proposal, first))
}

fn first_and_second(
    context: Context<'_>,
    wanted: Wanted,
    grouped: &mut Grouped,
) -> Result<(Proposal, Pass, Option<Pass>), String> {
    let current = context.scale.spec_replicas;
    let first = pass(wanted, grouped)?;
    // The ratio counts for pods without requests too.
    let ready = count(&grouped.pods, Group::Ready) + count(&grouped.pods, Group::Unrequested);
    let missing = count(&grouped.pods, Group::Missing);
    let up_with_unready = count(&grouped.pods, Group::Unready) > 0 && first.ratio > 1.0;
    if !up_with_unready && missing == 0 {
        let proposal = if context.tolerances.hold(first.ratio) {
            Proposal {
                replicas: current,
                rule: Rule::WithinTolerance,
            }
        } else {
            let replicas = to_i32((first.ratio * ready as f64).ceil());
            Proposal {
                replicas,
                rule: Rule::RatioTimesReadyPods,
            }
        };
        return Ok((proposal, first, None));
    }
    for pod in &mut grouped.pods {
        pod.assumed = assumption(*pod, wanted, first.ratio, up_with_unready);
    }
    let second = pass(wanted, grouped)?;
    let figures =
        ready + grouped.strangers + grouped.pods.iter().filter(|p| p.assumed.is_some()).count();
    Ok((
        second_proposal(context, first.ratio, second.ratio, figures),
        first,
        Some(second),
    ))
}

/// What a pod without a usable figure is taken to use.
fn assumption(pod: PodStep, wanted: Wanted, ratio: f64, up_with_unready: bool) -> Option<i64> {
    match pod.group {
        // On the way down it is taken to use all of its request (or the target, if that is more).
        Group::Missing if ratio < 1.0 => Some(match wanted {
            Wanted::Utilization(target) => {
                pod.request
                    .unwrap_or(0)
                    .wrapping_mul(i64::from(target.max(100)))
                    / 100
            }
            Wanted::Average(target) => target,
        }),
        // On the way up it is taken to use nothing.
        Group::Missing if ratio > 1.0 => Some(0),
        Group::Unready if up_with_unready => Some(0),
        _ => None,
    }
}

fn second_proposal(context: Context<'_>, first: f64, second: f64, figures: usize) -> Proposal {
    let current = context.scale.spec_replicas;
    let unchanged = |rule| Proposal {
        replicas: current,
        rule,
    };
    if context.tolerances.hold(second) {
        return unchanged(Rule::WithinToleranceAfterAssumptions);
    }
    if (first < 1.0 && second > 1.0) || (first > 1.0 && second < 1.0) {
        return unchanged(Rule::DirectionTurned);
    }
    let replicas = to_i32((second * figures as f64).ceil());
    if (second < 1.0 && replicas > current) || (second > 1.0 && replicas < current) {
        return unchanged(Rule::AgainstDirection);
    }
    Proposal {
        replicas,
        rule: Rule::RatioTimesFigures,
    }
}

/// What counts, added up.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    usage: i64,
    request: i64,
    figures: usize,
}

impl Sums {
    /// Of ready pods' figures and the assumptions made so far.
    fn of(pods: &[PodStep]) -> Self {
        let mut sums = Self::default();
        for pod in pods {
            let figure = match pod.group {
                Group::Ready => pod.value,
                _ => pod.assumed,
            };
            if let Some(value) = figure {
                sums.usage = sums.usage.wrapping_add(value);
                sums.request = sums.request.wrapping_add(pod.request.unwrap_or(0));
                sums.figures += 1;
            }
        }
        sums
    }
}

fn pass(wanted: Wanted, grouped: &Grouped) -> Result<Pass, String> {
    let Sums {
        usage,
        request,
        figures,
    } = Sums::of(&grouped.pods);
    match wanted {
        Wanted::Utilization(target) => {
            // Upstream: GetResourceUtilizationRatio. Strangers have no request and are left out.
            if request == 0 {
                return Err("no metrics returned matched known pods".to_owned());
            }
            let percent = usage.wrapping_mul(100).wrapping_div(request) as i32;
            let ratio = f64::from(percent) / f64::from(target);
            let (current, target) = (i64::from(percent), i64::from(target));
            Ok(Pass {
                usage,
                request: Some(request),
                figures,
                current,
                target,
                ratio,
            })
        }
        Wanted::Average(target) => {
            // Upstream: GetMetricUsageRatio. Strangers count.
            let usage = usage.wrapping_add(grouped.strangers_usage);
            let figures = figures + grouped.strangers;
            let current = usage.checked_div(figures as i64).unwrap_or(0);
            let ratio = current as f64 / target as f64;
            Ok(Pass {
                usage,
                request: None,
                figures,
                current,
                target,
                ratio,
            })
        }
    }
}
