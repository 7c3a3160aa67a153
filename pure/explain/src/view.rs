//! A decision's steps, sorted by what they are.

use crate::metric::Told;
use crate::{Subject, limits};
use hpa::Withheld;
use hpa::step::{BoundStep, RateStep, SelectStep, StabilizeStep, Step};

/// What the steps of one decision say, each kind at its place.
#[derive(Debug, Default)]
pub(crate) struct View<'a> {
    pub(crate) current: i32,
    pub(crate) metrics: Vec<Told<'a>>,
    pub(crate) select: Option<&'a SelectStep>,
    pub(crate) stabilize: Option<&'a StabilizeStep>,
    pub(crate) rate: Option<&'a RateStep>,
    pub(crate) bound: Option<&'a BoundStep>,
    /// From zero to the lower bound.
    pub(crate) lifted: Option<i32>,
    /// Nothing was decided: the status keeps this number.
    pub(crate) kept: Option<i32>,
    /// Why it changes, in the event's words.
    pub(crate) reason: Option<&'a str>,
    /// A change that an option holds back.
    pub(crate) withheld: Option<&'a Withheld>,
}

impl<'a> View<'a> {
    pub(crate) fn of(subject: &Subject<'a>) -> Self {
        let mut view = Self {
            current: subject.decision.current_replicas,
            reason: subject.decision.rescale.as_ref().map(|r| r.reason.as_str()),
            withheld: subject.decision.withheld.as_ref(),
            ..Self::default()
        };
        for step in &subject.decision.steps {
            match step {
                Step::Metric(metric) => {
                    let told = Told::new(subject, metric, view.current);
                    view.metrics.push(told);
                }
                Step::Fallback(step) => {
                    if let Some(told) = view.metrics.last_mut() {
                        told.fallback = Some(step);
                    }
                }
                Step::Select(step) => view.select = Some(step),
                Step::Stabilize(step) => view.stabilize = Some(step),
                Step::Rate(step) => view.rate = Some(step),
                Step::Bound(step) => view.bound = Some(step),
                Step::LiftFromZero { after, .. } => view.lifted = Some(*after),
                Step::Kept { desired } => view.kept = Some(*desired),
                _ => {}
            }
        }
        view
    }

    /// The metric that decides.
    pub(crate) fn chosen(&self) -> Option<&Told<'a>> {
        self.metrics.get(self.select?.chosen?)
    }

    /// Those that ask for nothing, as they failed and have not fallen back.
    pub(crate) fn failed(&self) -> impl Iterator<Item = &Told<'a>> {
        self.metrics.iter().filter(|m| m.proposal().is_none())
    }

    /// What moved the number, in order.
    pub(crate) fn limits(&self) -> Vec<String> {
        let current = self.current;
        let stabilized = self.stabilize.and_then(|s| limits::stabilized(s, current));
        let rate = self.rate.and_then(|s| limits::rate(s, current));
        let bound = self.bound.and_then(|s| limits::bound(s, current));
        let lifted = self
            .lifted
            .map(|min| format!("raised to minReplicas {min}, as it comes from zero"));
        [stabilized, rate, bound, lifted]
            .into_iter()
            .flatten()
            .collect()
    }
}
