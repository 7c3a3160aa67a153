//! Decisions become sentences: what was decided and why, for people and as data.
//!
//! Not here: deciding (that is `hpa`), reading files, JSON.
//!
//! # Rules
//!
//! [`Line::rule`] is one of these; they are stable, and come in this order.
//!
//! | rule | says |
//! | --- | --- |
//! | `Options` | what the autoscaler asks for beyond Kubernetes' own, if anything; and what of it is not understood |
//! | `NoScale` | the target's scale could not be read |
//! | `Start` | the replicas found, and the bounds |
//! | `Ownership` | which pods are the target's own; only where they are selected by ownership |
//! | `Disabled` | the target is at zero, and not because the autoscaler put it there |
//! | `OutsideBounds` | the replicas found are outside the bounds, so no metric was asked |
//! | `NoSelection` | the scale's selector is missing, invalid or shared with another autoscaler |
//! | `Metric` | one metric: its pods, its passes, its proposal or error; one line for each metric |
//! | `Fallback` | what the metric before counts as, which failed; only where there is a fallback |
//! | `Select` | which metric asks for the most, or why none may |
//! | `Stabilize` | what recent recommendations made of the number |
//! | `Rate` | what the policies of `spec.behavior` made of it; only where there is a change |
//! | `Bound` | what the bounds and the older limit on scaling up made of it; only without `spec.behavior` |
//! | `LiftFromZero` | from zero it goes to `minReplicas` at once |
//! | `Freeze`, `Pause`, `DryRun` | what the option of that name made of the number; only while it is on |
//! | `Result` | what is done |
//! | `Kept` | nothing could be decided: the status keeps its number |
//!
//! A pod's `group` is `Ready`, `Unready`, `Missing`, `Unrequested` or `Ignored`; its `rule` is a name of `hpa::step::GroupRule`,
//! and a metric's `proposalRule` one of `hpa::step::Rule`. Names that end in `Milli` are thousandths of the
//! metric's unit (millicores, thousandths of a byte). `hpa::step::audit` recomputes the number from the same steps.

mod compare;
mod headline;
mod limits;
mod metric;
mod numbers;
mod options;
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
