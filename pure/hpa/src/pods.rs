//! Which pods' figures count, and what the pods request.
//!
//! Upstream: replica_calculator.go, groupPods and calculateRequests; metrics/client.go, getPodMetrics and
//! getContainerMetrics.

use crate::observation::{Observation, Phase, Pod, PodMetrics, PodValue};
use crate::options::PodsWithoutRequests;
use crate::spec::{Config, Resource};
use crate::step::{Group, GroupRule, PodStep};
use std::sync::Arc;
use units::{Duration, Timestamp};

/// A pod's figure.
#[derive(Debug, Clone, Copy)]
struct Figure<'a> {
    pod: &'a str,
    value: i64,
    timestamp: Timestamp,
    window: Duration,
    /// Whether a pod of this name was met.
    met: bool,
    /// Whether it is too old to count.
    old: bool,
}

/// Figures, one a pod, sorted by the pod's name.
#[derive(Debug)]
pub(crate) struct Figures<'a>(Vec<Figure<'a>>);

impl<'a> Figures<'a> {
    /// Of a resource: of all containers together, or of one.
    pub(crate) fn of_resource(
        metrics: &'a [Arc<PodMetrics>],
        resource: &Resource,
        container: Option<&str>,
        cutoff: Option<Timestamp>,
    ) -> Self {
        let mut figures = Vec::with_capacity(metrics.len());
        figures.extend(metrics.iter().filter_map(|m| {
            let value = match container {
                None => pod_usage(m, resource),
                Some(name) => container_usage(m, resource, name),
            };
            Some(Figure {
                pod: &m.pod,
                value: value?,
                timestamp: m.timestamp,
                window: m.window,
                met: false,
                old: is_old(m.timestamp, cutoff),
            })
        }));
        Self::sorted(figures)
    }

    /// Of a custom metric.
    pub(crate) fn of_values(values: &'a [PodValue], cutoff: Option<Timestamp>) -> Self {
        let figures = values.iter().map(|v| Figure {
            pod: &v.pod,
            value: v.value,
            timestamp: v.timestamp,
            window: v.window,
            met: false,
            old: is_old(v.timestamp, cutoff),
        });
        Self::sorted(figures.collect())
    }

    fn sorted(mut figures: Vec<Figure<'a>>) -> Self {
        if !figures.is_sorted_by(|a, b| a.pod < b.pod) {
            figures.sort_by_key(|f| f.pod);
            // Upstream keeps them in a map: of two for the same pod, the last counts.
            figures.reverse();
            figures.dedup_by_key(|f| f.pod);
            figures.reverse();
        }
        Self(figures)
    }

    /// Looks a pod up, and marks its figure as met. `cursor` is where the last one was found: pods in the
    /// figures' order cost one look.
    fn meet(&mut self, pod: &str, cursor: &mut usize) -> Option<&Figure<'a>> {
        if self.0.get(*cursor).is_none_or(|f| f.pod != pod) {
            *cursor = self.0.binary_search_by(|f| f.pod.cmp(pod)).ok()?;
        }
        let found = self.0.get_mut(*cursor)?;
        found.met = true;
        *cursor += 1;
        Some(found)
    }
}

fn is_old(measured: Timestamp, cutoff: Option<Timestamp>) -> bool {
    cutoff.is_some_and(|cutoff| measured < cutoff)
}

/// Nothing when any container lacks the resource, or there are no containers.
fn pod_usage(metrics: &PodMetrics, resource: &Resource) -> Option<i64> {
    if metrics.containers.is_empty() {
        return None;
    }
    metrics.containers.iter().try_fold(0_i64, |sum, c| {
        Some(sum.wrapping_add(amount(&c.usage, resource)?))
    })
}

fn container_usage(metrics: &PodMetrics, resource: &Resource, container: &str) -> Option<i64> {
    let found = metrics.containers.iter().find(|c| c.name == container)?;
    amount(&found.usage, resource)
}

fn amount(amounts: &[(Resource, i64)], resource: &Resource) -> Option<i64> {
    amounts
        .iter()
        .find(|(name, _)| name == resource)
        .map(|(_, milli)| *milli)
}

/// The target's pods, each in its group; and figures of pods that are not the target's.
#[derive(Debug)]
pub(crate) struct Grouped {
    pub(crate) pods: Vec<PodStep>,
    pub(crate) strangers: usize,
    pub(crate) strangers_usage: i64,
}

/// Puts every pod in its group. Upstream: groupPods.
pub(crate) fn group(
    pods: &[Arc<Pod>],
    mut figures: Figures<'_>,
    cpu: Option<Starting<'_>>,
) -> Grouped {
    let mut cursor = 0;
    let steps = pods.iter().enumerate().map(|(index, pod)| {
        let figure = figures.meet(&pod.name, &mut cursor);
        let (group, rule) = place(pod, figure, cpu);
        PodStep {
            pod: index,
            group,
            rule,
            value: figure.map(|f| f.value),
            request: None,
            assumed: None,
        }
    });
    let pods = steps.collect();
    let strangers = figures.0.iter().filter(|f| !f.met && !f.old);
    Grouped {
        pods,
        strangers: strangers.clone().count(),
        strangers_usage: strangers.fold(0, |sum, f| sum.wrapping_add(f.value)),
    }
}

/// What the rules for cpu at a pod's start need to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Starting<'a> {
    pub(crate) now: Timestamp,
    pub(crate) config: &'a Config,
}

fn place(pod: &Pod, figure: Option<&Figure<'_>>, cpu: Option<Starting<'_>>) -> (Group, GroupRule) {
    if pod.deleting {
        return (Group::Ignored, GroupRule::Deleting);
    }
    match pod.phase {
        Phase::Failed => return (Group::Ignored, GroupRule::Failed),
        Phase::Pending => return (Group::Unready, GroupRule::Pending),
        _ => {}
    }
    let Some(figure) = figure else {
        return (Group::Missing, GroupRule::NoFigure);
    };
    if figure.old {
        return (Group::Missing, GroupRule::TooOld);
    }
    let Some(starting) = cpu else {
        return (Group::Ready, GroupRule::HasFigure);
    };
    let rule = starting_rule(pod, figure, starting);
    let ready = matches!(rule, GroupRule::StartingReady | GroupRule::Settled);
    (if ready { Group::Ready } else { Group::Unready }, rule)
}

fn starting_rule(pod: &Pod, figure: &Figure<'_>, starting: Starting<'_>) -> GroupRule {
    let (Some(ready), Some(started)) = (pod.ready, pod.start_time) else {
        return GroupRule::NeverObserved;
    };
    let not_ready = ready.status == Some(false);
    if started.plus(starting.config.cpu_initialization_period) > starting.now {
        if not_ready {
            return GroupRule::StartingNotReady;
        }
        // A whole window must have been measured since the pod became ready.
        if figure.timestamp < ready.last_transition.plus(figure.window) {
            return GroupRule::StartingTooFresh;
        }
        return GroupRule::StartingReady;
    }
    if not_ready && started.plus(starting.config.initial_readiness_delay) > ready.last_transition {
        return GroupRule::NeverReady;
    }
    GroupRule::Settled
}

/// Every pod's request, of ignored and unready pods too; or the first that has none. With `ignore`, pods
/// may have none as long as one has. Upstream: calculateRequests.
pub(crate) fn requests(
    steps: &mut [PodStep],
    pods: &[Arc<Pod>],
    wanted: (&Resource, Option<&str>),
    lacking: PodsWithoutRequests,
) -> Result<(), String> {
    let mut first_error = None;
    let mut found = false;
    for (step, pod) in steps.iter_mut().zip(pods) {
        match pod_request(pod, wanted) {
            Ok(request) => {
                step.request = Some(request);
                found = true;
            }
            Err(error) if lacking == PodsWithoutRequests::Fail => return Err(error),
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    match first_error {
        Some(error) if !found => return Err(error),
        None => return Ok(()),
        Some(_) => {}
    }
    // Differs from upstream, and only where it is asked for.
    let bare = |s: &&mut PodStep| s.request.is_none() && s.group == Group::Ready;
    for step in steps.iter_mut().filter(bare) {
        (step.group, step.rule) = (Group::Unrequested, GroupRule::NoRequest);
    }
    Ok(())
}

fn pod_request(pod: &Pod, (resource, container): (&Resource, Option<&str>)) -> Result<i64, String> {
    match (&pod.pod_level_requests, container) {
        (Some(requests), None) => amount(requests, resource).ok_or_else(|| {
            format!(
                "missing pod-level request for {resource} in Pod {}",
                pod.name
            )
        }),
        _ => containers_request(pod, resource, container),
    }
}

fn containers_request(
    pod: &Pod,
    resource: &Resource,
    container: Option<&str>,
) -> Result<i64, String> {
    let mut sum = 0_i64;
    for c in pod
        .containers
        .iter()
        .filter(|c| container.is_none_or(|name| name == c.name))
    {
        let request = amount(&c.requests, resource).ok_or_else(|| {
            format!(
                "missing request for {resource} in container {} of Pod {}",
                c.name, pod.name
            )
        })?;
        sum = sum.wrapping_add(request);
        if container.is_some() {
            return Ok(sum);
        }
    }
    match container {
        Some(name) => Err(format!("container {name} not found in Pod {}", pod.name)),
        None => Ok(sum),
    }
}

/// The target's pods, if there are any.
pub(crate) fn of_target(seen: &Observation) -> Result<&[Arc<Pod>], String> {
    if let Some(problem) = &seen.pods_problem {
        return Err(format!(
            "unable to get pods while calculating replica count: {problem}"
        ));
    }
    if seen.pods.is_empty() {
        let error = "no pods returned by selector while calculating replica count";
        return Err(format!("{error}{}", none_own(seen)));
    }
    Ok(&seen.pods)
}

/// Why there is nothing although the selector picks pods, if that is so.
pub(crate) fn none_own(seen: &Observation) -> &'static str {
    if seen.pods.is_empty() && !seen.left_out.is_empty() {
        " (none of the pods that the selector picks is the target's own, as evenkeel.dev/pod-selection asks)"
    } else {
        ""
    }
}

/// How many pods are running and ready. Upstream: getReadyPodsCount.
pub(crate) fn ready_count(pods: &[Arc<Pod>]) -> i64 {
    let ready = |p: &&Arc<Pod>| {
        p.phase == Phase::Running && p.ready.is_some_and(|r| r.status == Some(true))
    };
    pods.iter().filter(ready).count() as i64
}

#[cfg(test)]
mod tests;
