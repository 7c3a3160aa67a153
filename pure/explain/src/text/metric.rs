//! One metric's section.

use super::{WIDTH, pods};
use crate::Subject;
use crate::metric::{Told, between, edges};
use crate::words::{self, count, wrapped};
use hpa::Reading;
use hpa::step::{Calculation, Pass};

/// So many series of an external metric are added up in full.
const SERIES_MAX: usize = 8;

pub(super) fn section(subject: &Subject<'_>, told: &Told<'_>) -> String {
    let title = format!(
        "metric {}: {}, target {}, tolerance {}\n",
        told.step.index + 1,
        told.name(),
        told.target(),
        between(told.step.tolerances)
    );
    let mut text = title;
    if !told.step.pods.is_empty() {
        text.push_str(&pods::table(subject, told));
    }
    if let Some(bare) = told.without_requests() {
        text.push_str(&row("no request", &bare));
    }
    if told.step.strangers > 0 {
        text.push_str(&row("others", &strangers(told)));
    }
    match &told.step.calculation {
        Calculation::None => {}
        Calculation::Pods { first, second } => {
            let name = if second.is_some() {
                "first pass"
            } else {
                "average"
            };
            text.push_str(&row(name, &pass(told, first)));
            if let (Some(second), Some(assumed)) = (second, told.assumed_of_whom()) {
                text.push_str(&row("assumed", &format!("{assumed}{}", because(first))));
                text.push_str(&row("second pass", &pass(told, second)));
            }
        }
        Calculation::Value {
            value, ready_pods, ..
        } => {
            text.push_str(&row("value", &value_of(subject, told, *value)));
            if let Some(ready) = ready_pods {
                let all = count(subject.seen.pods.len(), "pod");
                text.push_str(&row("pods", &format!("{ready} of {all} running and ready")));
            }
        }
        Calculation::PerReplica {
            value, replicas, ..
        } => {
            text.push_str(&row("value", &value_of(subject, told, *value)));
            let shared =
                format!("{replicas} replicas, as the target's status counts them, share it");
            text.push_str(&row("replicas", &shared));
        }
    }
    text.push_str(&match &told.step.proposal {
        Ok(proposal) => row(&format!("asks for {}", proposal.replicas), &told.working()),
        Err(error) => row("failed", error),
    });
    if let Some(counts) = told.counts_as() {
        text.push_str(&row("fallback", &format!("it {counts}")));
    }
    text
}

fn row(name: &str, what: &str) -> String {
    let line = format!("  {name:<12}  {what}");
    wrapped(&line, WIDTH, "                ") + "\n"
}

/// Figures of pods that the target does not have, or not any more.
fn strangers(told: &Told<'_>) -> String {
    let number = count(told.step.strangers, "figure");
    let usage = told.unit().amount(told.step.strangers_usage);
    match &told.step.calculation {
        Calculation::Pods { first, second } if first.request.is_some() => {
            let counted = if second.is_some() {
                "counted in the number of figures, but not"
            } else {
                "not counted"
            };
            format!(
                "{number} of pods that are not the target's ({usage}), {counted} in usage and request"
            )
        }
        Calculation::None => format!("{number} of pods that are not the target's ({usage})"),
        _ => format!("{number} of pods that are not the target's ({usage}), counted all the same"),
    }
}

const fn because(first: &Pass) -> &'static str {
    if first.ratio > 1.0 {
        ", the careful guess where the first ratio is above 1"
    } else if first.ratio < 1.0 {
        ", the careful guess where the first ratio is below 1"
    } else {
        ", because the first ratio is 1"
    }
}

/// `243m used of 300m requested by 3 pods is 81 %; 81/50 = 1.62`.
fn pass(told: &Told<'_>, pass: &Pass) -> String {
    let unit = told.unit();
    let usage = unit.amount(pass.usage);
    let average = match pass.request {
        Some(request) => {
            let pods = count(pass.figures, "pod");
            let percent = percent(pass, request);
            format!(
                "{usage} used of {} requested by {pods} is {percent}",
                unit.amount(request)
            )
        }
        None => {
            let figures = count(pass.figures, "figure");
            format!("{usage} by {figures} is {} each", unit.amount(pass.current))
        }
    };
    let [low, high] = edges(told.step.tolerances);
    let ratio = words::ratio(pass.ratio, &[low, 1.0, high]);
    format!("{average}; {} = {ratio}", told.quotient(pass))
}

/// `81 %`, or `81 % (cut from 81.97)`.
fn percent(pass: &Pass, request: i64) -> String {
    let whole = pass.usage.wrapping_mul(100);
    if whole.checked_rem(request) == Some(0) {
        return format!("{} %", pass.current);
    }
    let exact = words::ratio(
        100.0 * pass.usage as f64 / request as f64,
        &[pass.current as f64],
    );
    format!("{} % (cut from {exact})", pass.current)
}

/// `120`, or `120, the sum of 70 and 50`.
fn value_of(subject: &Subject<'_>, told: &Told<'_>, value: i64) -> String {
    let unit = told.unit();
    let sum = unit.amount(value);
    let Some(Reading::External(Ok(series))) = subject.seen.readings.get(told.step.index) else {
        return sum;
    };
    match series.len() {
        0 | 1 => sum,
        2..=SERIES_MAX => {
            let parts: Vec<String> = series.iter().map(|s| unit.amount(s.value)).collect();
            format!("{sum}, the sum of {}", words::listed(&parts))
        }
        many => format!("{sum}, the sum of {many} series"),
    }
}
