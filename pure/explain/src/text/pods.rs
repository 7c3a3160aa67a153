//! The pods of a metric, each with its group and the rule that put it there.

use crate::Subject;
use crate::metric::{Told, in_short};
use crate::table::{Side, Table};
use crate::words;
use hpa::step::{Group, GroupRule, PodStep};
use hpa::{Pod, Reading};
use units::{Duration, Timestamp};

/// More pods than this are summed up by group and rule.
const ROWS_MAX: usize = 20;
/// Of each group and rule so many are shown then.
const EXAMPLES: usize = 2;

pub(super) fn table(subject: &Subject<'_>, told: &Told<'_>) -> String {
    let pods = &told.step.pods;
    if pods.len() <= ROWS_MAX {
        return one_by_one(subject, told, &pods.iter().collect::<Vec<_>>());
    }
    let kinds = kinds(pods);
    let shown: Vec<&PodStep> = kinds
        .iter()
        .flat_map(|(_, pods)| pods.iter().take(EXAMPLES).copied())
        .collect();
    let rest = pods.len() - shown.len();
    let examples = one_by_one(subject, told, &shown);
    format!(
        "{}  of these, for example:\n{examples}  … and {rest} more\n",
        summed_up(told, &kinds)
    )
}

type Kinds<'a> = Vec<(GroupRule, Vec<&'a PodStep>)>;

/// By group and rule, in the order of the groups.
fn kinds(pods: &[PodStep]) -> Kinds<'_> {
    let mut kinds: Kinds<'_> = Vec::new();
    for group in [
        Group::Ready,
        Group::Unrequested,
        Group::Unready,
        Group::Missing,
        Group::Ignored,
    ] {
        for pod in pods.iter().filter(|p| p.group == group) {
            match kinds.iter_mut().find(|(rule, _)| *rule == pod.rule) {
                Some((_, pods)) => pods.push(pod),
                None => kinds.push((pod.rule, vec![pod])),
            }
        }
    }
    kinds
}

fn summed_up(told: &Told<'_>, kinds: &Kinds<'_>) -> String {
    let mut table = Table::new(&[
        ("pods", Side::Right),
        ("group", Side::Left),
        ("why", Side::Left),
        ("usage", Side::Right),
        ("request", Side::Right),
        ("assumed", Side::Right),
    ]);
    let unit = told.unit();
    for (rule, pods) in kinds {
        let sum = |figure: fn(&PodStep) -> Option<i64>| {
            let figures: Vec<i64> = pods.iter().filter_map(|p| figure(p)).collect();
            if figures.is_empty() {
                return String::new();
            }
            unit.amount(figures.iter().fold(0, |sum: i64, f| sum.saturating_add(*f)))
        };
        let group = pods.first().map_or("", |p| group(p.group));
        table.row(vec![
            pods.len().to_string(),
            group.to_owned(),
            in_short(*rule).to_owned(),
            sum(|p| p.value),
            sum(|p| p.request),
            sum(|p| p.assumed),
        ]);
    }
    table.print("  ")
}

fn one_by_one(subject: &Subject<'_>, told: &Told<'_>, pods: &[&PodStep]) -> String {
    let mut table = Table::new(&[
        ("pod", Side::Left),
        ("group", Side::Left),
        ("why", Side::Left),
        ("usage", Side::Right),
        ("request", Side::Right),
        ("assumed", Side::Right),
    ]);
    let unit = told.unit();
    let amount = |milli: Option<i64>| milli.map_or_else(String::new, |milli| unit.amount(milli));
    for step in pods {
        table.row(vec![
            step.name(subject.seen).to_owned(),
            group(step.group).to_owned(),
            why(subject, told.step.index, step),
            amount(step.value),
            amount(step.request),
            amount(step.assumed),
        ]);
    }
    table.print("  ")
}

const fn group(group: Group) -> &'static str {
    match group {
        Group::Ready => "ready",
        Group::Unready => "unready",
        Group::Missing => "missing",
        Group::Unrequested => "no request",
        Group::Ignored => "ignored",
    }
}

/// The rule, with the times that it looked at.
fn why(subject: &Subject<'_>, index: usize, step: &PodStep) -> String {
    let Some(pod) = subject.seen.pods.get(step.pod) else {
        return in_short(step.rule).to_owned();
    };
    let ago = |at: Timestamp| words::age(subject.now.since(at));
    let started = || pod.start_time.map_or_else(String::new, ago);
    let changed = || {
        pod.ready
            .map_or_else(String::new, |ready| ago(ready.last_transition))
    };
    match step.rule {
        GroupRule::StartingNotReady => format!("started {} ago, not ready", started()),
        GroupRule::StartingTooFresh => match measured_since(subject, index, &pod.name) {
            Some(since) => format!(
                "ready for {}, but its figure begins {} ago",
                changed(),
                ago(since)
            ),
            None => in_short(step.rule).to_owned(),
        },
        GroupRule::StartingReady => format!(
            "started {} ago, {}, measured since",
            started(),
            readiness(pod, &changed())
        ),
        GroupRule::TooOld => match measured(subject, index, &pod.name) {
            Some((at, _)) => format!("measured {} ago, which is too long", ago(at)),
            None => in_short(step.rule).to_owned(),
        },
        GroupRule::NeverReady => format!("started {} ago, never ready", started()),
        GroupRule::Settled => readiness(pod, &changed()),
        rule => in_short(rule).to_owned(),
    }
}

fn readiness(pod: &Pod, since: &str) -> String {
    match pod.ready.and_then(|ready| ready.status) {
        Some(true) => format!("ready for {since}"),
        Some(false) => format!("not ready for {since}, but was ready before"),
        None => "readiness unknown, which counts as ready".to_owned(),
    }
}

/// When a pod's figure begins.
fn measured_since(subject: &Subject<'_>, index: usize, pod: &str) -> Option<Timestamp> {
    let (at, window) = measured(subject, index, pod)?;
    Some(at.minus(window))
}

/// When a pod's figure was measured, and over how long.
fn measured(subject: &Subject<'_>, index: usize, pod: &str) -> Option<(Timestamp, Duration)> {
    if let Some(Reading::Pods(Ok(values))) = subject.seen.readings.get(index) {
        let value = values.iter().find(|v| v.pod == pod)?;
        return Some((value.timestamp, value.window));
    }
    let metrics = subject.seen.resource_metrics.as_ref().ok()?;
    let metrics = metrics.iter().find(|m| m.pod == pod)?;
    Some((metrics.timestamp, metrics.window))
}
