//! The whole answer for a person: the sentence that matters, then the derivation.

mod metric;
mod pods;

use crate::view::View;
use crate::words::{self, wrapped};
use crate::{Subject, headline, limits, options, sentence};
use hpa::SelectPolicy;
use hpa::step::{RateStep, StabilizeStep, Step};
use units::{Duration, Timestamp};

const WIDTH: usize = 118;
/// Where the sentences of the last section begin.
const SENTENCES: usize = 24;
/// So many earlier recommendations are shown one by one.
const RECENT_MAX: usize = 6;

pub(crate) fn text(subject: &Subject<'_>) -> String {
    let view = View::of(subject);
    let mut text = wrapped(&headline::headline(subject), WIDTH, "  ");
    text.push_str("\n\n");
    text.push_str(&head(subject));
    for told in &view.metrics {
        text.push('\n');
        text.push_str(&metric::section(subject, told));
    }
    text.push('\n');
    text.push_str(&transformations(subject, &view));
    text
}

/// A name and what there is to it.
fn row(name: &str, what: &str) -> String {
    wrapped(&format!("{name:<10} {what}"), WIDTH, "           ") + "\n"
}

fn head(subject: &Subject<'_>) -> String {
    let spec = subject.spec;
    let scale = match &subject.seen.scale {
        Ok(scale) => format!(
            ", set to {}, status counts {}",
            scale.spec_replicas, scale.status_replicas
        ),
        Err(_) => ", scale unknown".to_owned(),
    };
    let target = format!("{} {}{scale}", spec.target_kind, spec.target_name);
    let bounds = format!(
        "minReplicas {}, maxReplicas {}",
        spec.min_replicas.unwrap_or(1),
        spec.max_replicas
    );
    let asked = options::lines(&spec.options);
    let asked: String = asked.iter().map(|line| row("option", line)).collect();
    [
        row("autoscaler", subject.name),
        row("target", &target),
        row("bounds", &bounds),
        asked,
        row("decided at", &rfc3339(subject.now)),
    ]
    .concat()
}

/// `2026-01-01T12:00:00Z`: the day by counting 400-year cycles from 0000-03-01.
fn rfc3339(at: Timestamp) -> String {
    let (days, second) = (
        at.seconds().div_euclid(86_400),
        at.seconds().rem_euclid(86_400),
    );
    let days = days.saturating_add(719_468);
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = era * 400 + year + next;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// What happened to the number, step by step.
fn transformations(subject: &Subject<'_>, view: &View<'_>) -> String {
    let mut text = String::from("from the metrics to the scale\n");
    let steps = &subject.decision.steps;
    let unmoved = subject.spec.behavior.is_some() && view.rate.is_none();
    for step in steps {
        let (name, number) = match step {
            Step::Options(_) | Step::Start { .. } | Step::Metric(_) => continue,
            Step::Ownership(step) => ("own pods", step.own.to_string()),
            Step::Fallback(step) => {
                let number = step.replicas.map(|n| n.to_string());
                ("fallback", number.unwrap_or_default())
            }
            Step::Freeze { before, after, .. } => ("frozen", arrow(*before, *after)),
            Step::Pause { before, after } => ("paused", arrow(*before, *after)),
            Step::DryRun { from, to } => ("dry run", arrow(*from, *to)),
            Step::NoScale { .. } => ("scale", String::new()),
            Step::NoSelection { .. } => ("pods", String::new()),
            Step::Disabled { .. } => ("disabled", "0".to_owned()),
            Step::OutsideBounds { before, after } => ("bounds", arrow(*before, *after)),
            Step::Select(step) => {
                let number = step.chosen.map(|_| step.replicas.to_string());
                ("select", number.unwrap_or_default())
            }
            Step::Stabilize(step) => ("stabilize", arrow(step.before, step.after)),
            Step::Rate(step) => ("policies", arrow(step.before, step.after)),
            Step::Bound(step) => ("bounds", arrow(step.before, step.after)),
            Step::LiftFromZero { before, after } => ("from zero", arrow(*before, *after)),
            Step::Result { current, desired } => ("result", arrow(*current, *desired)),
            Step::Kept { desired } => ("kept", desired.to_string()),
        };
        text.push_str(&told(name, &number, &sentence::of(view, step)));
        match step {
            Step::Stabilize(step) => {
                text.push_str(&remembered(step));
                if unmoved {
                    let number = arrow(step.after, step.after);
                    text.push_str(&told(
                        "policies",
                        &number,
                        "not asked, because nothing is to change",
                    ));
                }
            }
            Step::Rate(step) => text.push_str(&policies(step, view.current)),
            _ => {}
        }
    }
    text.push_str(&checked(subject));
    text
}

fn arrow(before: i32, after: i32) -> String {
    format!("{before} → {after}")
}

fn told(name: &str, number: &str, sentence: &str) -> String {
    let line = format!("  {name:<10} {number:<10} {sentence}");
    let indent = " ".repeat(SENTENCES);
    wrapped(&line, WIDTH, &indent) + "\n"
}

/// `remembered: 5 (2m10s ago), 4 (1m ago)`.
fn remembered(step: &StabilizeStep) -> String {
    let looks_back = step
        .down_window
        .max(step.up_window.unwrap_or(Duration::ZERO));
    if looks_back <= Duration::ZERO {
        return String::new();
    }
    if step.recent.is_empty() {
        return told("", "", "nothing was recommended before within that time");
    }
    let mut recent = step.recent.clone();
    recent.sort_by_key(|past| past.age);
    let shown = recent.iter().take(RECENT_MAX);
    let mut said: Vec<String> = shown
        .map(|past| format!("{} ({})", past.replicas, words::ago(past.age)))
        .collect();
    if recent.len() > RECENT_MAX {
        said.push(match recent.len() - RECENT_MAX {
            1 => "1 earlier one".to_owned(),
            more => format!("{more} earlier ones"),
        });
    }
    told("", "", &format!("recommended before: {}", said.join(", ")))
}

fn policies(step: &RateStep, current: i32) -> String {
    if step.select == SelectPolicy::Disabled {
        return String::new();
    }
    let lines = step.policies.iter().map(|policy| {
        let changed = match policy.oldest {
            None => String::new(),
            Some(_) => format!(" ({current} now, {} in that time)", limits::changes(policy)),
        };
        let reach = limits::reach(policy, step.up);
        told(
            "",
            "",
            &format!("{}: {reach}{changed}", limits::policy(policy)),
        )
    });
    lines.collect()
}

/// Whether the steps alone lead to the same number.
fn checked(subject: &Subject<'_>) -> String {
    match hpa::step::audit(&subject.decision.steps) {
        Ok(number) => told(
            "checked",
            &number.to_string(),
            "the steps alone lead to this number",
        ),
        Err(error) => told(
            "checked",
            "",
            &format!("the steps do not lead there; please report this: {error}"),
        ),
    }
}
