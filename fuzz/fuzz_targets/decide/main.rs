//! Decisions: no input makes one panic, and what the API server accepts is answered inside its bounds.
#![no_main]

mod any;
mod case;

use case::Case;
use hpa::{Decision, Direction, decide};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: Case| {
    let decision = decide(case.now, &case.spec, &case.seen, &case.history);
    let again = decide(case.now, &case.spec, &case.seen, &case.history);
    // Not the steps: a ratio may be no number, and then equals nothing.
    assert_eq!(again.outcome, decision.outcome);
    assert_eq!(again.rescale, decision.rescale);
    let refused = decision.refused(case.now, "refused");
    assert_eq!(
        refused.scaled_now,
        decision.rescale.is_none() && decision.outcome.scaled_now
    );
    follows_from_its_steps(&decision);
    holds_what_it_should(&case, &decision);
    if case.allowed {
        keeps_the_bounds(&case, &decision);
    }
});

/// The status says what the steps come to, when recomputed by other code.
fn follows_from_its_steps(decision: &Decision) {
    match hpa::step::audit(&decision.steps) {
        Ok(number) => assert_eq!(number, decision.desired_replicas, "{:#?}", decision.steps),
        Err(error) => panic!("{error}\n{:#?}", decision.steps),
    }
}

/// Options that hold changes back do so.
fn holds_what_it_should(case: &Case, decision: &Decision) {
    let options = &case.spec.options;
    if options.paused || options.dry_run {
        assert_eq!(decision.rescale, None);
    }
    let Some(change) = &decision.rescale else {
        return;
    };
    match options.freeze {
        Some(Direction::Up) => assert!(change.to < change.from, "{change:?}"),
        Some(Direction::Down) => assert!(change.to > change.from, "{change:?}"),
        None => {}
    }
}

fn keeps_the_bounds(case: &Case, decision: &Decision) {
    assert!(decision.desired_replicas >= 0, "{decision:?}");
    let Some(change) = &decision.rescale else {
        return;
    };
    assert_ne!(change.from, change.to, "a change that changes nothing");
    let bounds = case.spec.min_replicas.unwrap_or(1)..=case.spec.max_replicas;
    assert!(bounds.contains(&change.to), "{change:?} leaves {bounds:?}");
}
