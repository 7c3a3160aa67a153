//! Decisions become sentences: what was decided and why, for people and as data.
//!
//! Not here: deciding (that is `hpa`), reading files, JSON.

mod compare;
mod headline;
mod limits;
mod metric;
mod numbers;
mod sentence;
mod table;
mod text;
mod unit;
mod view;
mod words;

use units::Timestamp;

/// A decision, and what it was made from.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The autoscaler's `namespace/name`.
    pub name: &'a str,
    /// What was wanted.
    pub spec: &'a hpa::Spec,
    /// What was seen.
    pub seen: &'a hpa::Observation,
    /// What was decided.
    pub decision: &'a hpa::Decision,
    /// When.
    pub now: Timestamp,
}

/// One rule that was consulted.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its stable name.
    pub rule: &'static str,
    /// A sentence.
    pub detail: String,
    /// All its numbers, by name; names are camelCase and end in their unit.
    pub numbers: Numbers,
}

/// Named numbers, in order.
pub type Numbers = Vec<(&'static str, Number)>;

/// What a rule counted with.
#[derive(Debug, Clone, PartialEq)]
pub enum Number {
    /// Replicas, pods, percent, seconds, thousandths.
    Integer(i64),
    /// A quotient; may be infinite or no number.
    Ratio(f64),
    /// A name.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// Several of the same kind.
    List(Vec<Numbers>),
}

/// The sentence that matters, on one line.
pub fn headline(subject: &Subject<'_>) -> String {
    headline::headline(subject)
}

/// The headline, an empty line, and how the number came about.
pub fn text(subject: &Subject<'_>) -> String {
    text::text(subject)
}

/// Every rule that was consulted, in order.
pub fn steps(subject: &Subject<'_>) -> Vec<Line> {
    let view = view::View::of(subject);
    let steps = subject.decision.steps.iter();
    steps
        .map(|step| Line {
            rule: numbers::rule(step),
            detail: sentence::of(&view, step),
            numbers: numbers::of(subject, step),
        })
        .collect()
}

/// Two answers beside each other: the real one, and that for a changed specification.
pub fn compare(actual: &Subject<'_>, what_if: &Subject<'_>) -> String {
    compare::compare(actual, what_if)
}

#[cfg(test)]
mod tests;
