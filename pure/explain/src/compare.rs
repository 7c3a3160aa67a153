//! Two answers beside each other.

use crate::metric::{Told, between};
use crate::table::{Side, Table};
use crate::view::View;
use crate::words::{self, wrapped};
use crate::{Subject, headline, limits, options};
use hpa::step::Calculation;

const WIDTH: usize = 118;
const INDENT: &str = "          ";

/// Both headlines, then the rows in which they differ.
pub(crate) fn compare(actual: &Subject<'_>, what_if: &Subject<'_>) -> String {
    let line = |name: &str, subject: &Subject<'_>| {
        let line = format!("{name:<9} {}", headline::headline(subject));
        wrapped(&line, WIDTH, INDENT) + "\n"
    };
    let mut text = line("as it is", actual) + &line("what if", what_if) + "\n";
    let mut table = Table::new(&[
        ("", Side::Left),
        ("as it is", Side::Left),
        ("what if", Side::Left),
    ]);
    let (here, there) = (facts(actual), facts(what_if));
    let mut differ = false;
    for name in names(&here, &there) {
        let said = |facts: &Facts| {
            let found = facts.iter().find(|(n, _)| *n == name);
            found.map_or_else(|| "-".to_owned(), |(_, what)| what.clone())
        };
        let (one, other) = (said(&here), said(&there));
        if one != other {
            differ = true;
            table.row(vec![name, one, other]);
        }
    }
    if differ {
        text.push_str(&table.print(""));
    } else {
        text.push_str("nothing differs\n");
    }
    text
}

type Facts = Vec<(String, String)>;

/// All names, in the order of the first; those of the second alone at the end.
fn names(here: &Facts, there: &Facts) -> Vec<String> {
    let mut names: Vec<String> = here.iter().map(|(name, _)| name.clone()).collect();
    for (name, _) in there {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

fn facts(subject: &Subject<'_>) -> Facts {
    let (spec, view) = (subject.spec, View::of(subject));
    let mut facts: Facts = Vec::new();
    let mut fact = |name: &str, what: String| facts.push((name.to_owned(), what));
    fact("minReplicas", spec.min_replicas.unwrap_or(1).to_string());
    fact("maxReplicas", spec.max_replicas.to_string());
    for option in options::asked(&spec.options) {
        fact(option.annotation, option.value);
    }
    for told in &view.metrics {
        of_metric(told, &mut fact);
    }
    if let Some(chosen) = view.chosen() {
        fact("the most is asked by", chosen.name());
    }
    if let Some(step) = view.stabilize {
        fact("down window", words::span(step.down_window));
        if let Some(window) = step.up_window {
            fact("up window", words::span(window));
        }
        fact("stabilized to", step.after.to_string());
    }
    if let Some(step) = view.rate {
        let policies: Vec<String> = step.policies.iter().map(limits::policy).collect();
        fact("policies", policies.join(", "));
        fact("after policies", step.after.to_string());
    }
    if let Some(step) = view.bound {
        fact("after bounds", step.after.to_string());
    }
    fact("replicas", result(subject));
    facts
}

fn of_metric(told: &Told<'_>, fact: &mut impl FnMut(&str, String)) {
    let name = format!("metric {}", told.step.index + 1);
    let mut of = |what: &str, value: String| fact(&format!("{name} {what}"), value);
    of("is", told.name());
    of("target", told.target());
    of("tolerance", between(told.step.tolerances));
    let ratio = match &told.step.calculation {
        Calculation::None => None,
        Calculation::Pods { first, .. } => Some(first.ratio),
        Calculation::Value { ratio, .. } | Calculation::PerReplica { ratio, .. } => Some(*ratio),
    };
    if let Some(ratio) = ratio {
        of("ratio", words::ratio(ratio, &[1.0]));
    }
    match (told.proposal(), told.fallback) {
        (Some(replicas), Some(_)) => of(
            "asks for",
            format!("nothing, it failed, and counts as {replicas}"),
        ),
        (Some(replicas), None) => of("asks for", replicas.to_string()),
        (None, _) => of("asks for", "nothing, it failed".to_owned()),
    }
}

/// `3 → 5`, or `stays at 3`.
fn result(subject: &Subject<'_>) -> String {
    match &subject.decision.rescale {
        Some(change) => format!("{} → {}", change.from, change.to),
        None if subject.decision.withheld.is_some() => {
            let (from, to) = (
                subject.decision.current_replicas,
                subject.decision.desired_replicas,
            );
            if from == to {
                format!("held at {from}")
            } else {
                format!("would be {from} → {to}")
            }
        }
        None => format!("stays at {}", subject.decision.current_replicas),
    }
}
