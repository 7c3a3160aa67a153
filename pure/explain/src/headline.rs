//! The sentence that matters: what is done, which metric wants it, how the number came about, what limited it.

use crate::Subject;
use crate::metric::Told;
use crate::options;
use crate::sentence;
use crate::view::View;
use crate::words;
use hpa::step::Step;

/// One sentence, whatever was decided.
pub(crate) fn headline(subject: &Subject<'_>) -> String {
    let decision = subject.decision;
    let view = View::of(subject);
    let asked = &subject.spec.options;
    let done = match &decision.rescale {
        Some(change) => format!("{} → {}", change.from, change.to),
        None if no_scale(&decision.steps) => "nothing decided".to_owned(),
        None if view.kept.is_some() => format!("undecided, stays at {}", view.current),
        None => match &decision.withheld {
            Some(withheld) => options::withheld(withheld, asked),
            None => format!("stays at {}{}", view.current, options::standing(asked)),
        },
    };
    let why = decision.steps.iter().find_map(|step| match step {
        Step::NoScale { .. }
        | Step::Disabled { .. }
        | Step::OutsideBounds { .. }
        | Step::NoSelection { .. } => Some(sentence::of(&view, step)),
        _ => None,
    });
    let changes = decision.rescale.is_some() || decision.withheld.is_some();
    let why = why.unwrap_or_else(|| by_metrics(&view, changes));
    format!("{done}: {why}.")
}

fn no_scale(steps: &[Step]) -> bool {
    steps
        .iter()
        .any(|step| matches!(step, Step::NoScale { .. }))
}

fn by_metrics(view: &View<'_>, changes: bool) -> String {
    let Some(chosen) = view.chosen() else {
        return undecided(view);
    };
    let mut parts = vec![format!("{}{}", chosen.sentence(), among(view, chosen))];
    let limits = view.limits();
    if limits.is_empty() && !changes && chosen.computed() {
        parts.push("that is how many there are".to_owned());
    }
    if limits.is_empty() && changes {
        parts.push("nothing limited it".to_owned());
    }
    parts.extend(limits);
    parts.join("; ")
}

/// `, the most of 2 metrics (memory asks for 3)`.
fn among(view: &View<'_>, chosen: &Told<'_>) -> String {
    let others = view
        .metrics
        .iter()
        .filter(|m| m.step.index != chosen.step.index);
    let said: Vec<String> = others
        .map(|other| match (other.proposal(), other.counts_as()) {
            (Some(_), Some(counts)) => format!("{} failed and {counts}", other.name()),
            (Some(replicas), None) => format!("{} asks for {replicas}", other.name()),
            (None, _) => format!("{} failed, and could only have raised that", other.name()),
        })
        .collect();
    match said.len() {
        0 => String::new(),
        1..=3 => format!(
            ", the most of {} metrics ({})",
            said.len() + 1,
            said.join(", ")
        ),
        others => {
            let failed = view.failed().count();
            let failures = if failed > 0 {
                format!(", of which {failed} failed")
            } else {
                String::new()
            };
            format!(", the most of {} metrics{failures}", others + 1)
        }
    }
}

/// No metric may decide.
fn undecided(view: &View<'_>) -> String {
    let mut failed = view.failed();
    let Some(first) = failed.next() else {
        return "there is no metric".to_owned();
    };
    let more = failed.count();
    let best = view
        .metrics
        .iter()
        .filter(|m| m.proposal().is_some())
        .max_by_key(|m| m.proposal());
    let failure = first.sentence();
    if let Some((best, replicas)) = best.and_then(|b| b.proposal().map(|n| (b, n))) {
        let them = if more > 0 {
            "the failed ones"
        } else {
            "the failed one"
        };
        return format!(
            "{} asks for {replicas}, but {failure}{}; {them} might have asked for more, so nothing is scaled down",
            best.name(),
            and_more(more)
        );
    }
    if more > 0 {
        return format!(
            "none of {} could be read; {failure}",
            words::count(more + 1, "metric")
        );
    }
    failure
}

fn and_more(more: usize) -> String {
    if more == 0 {
        String::new()
    } else {
        format!(" (and {more} more failed)")
    }
}
