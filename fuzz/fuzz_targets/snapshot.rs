//! Snapshots: no file makes reading panic; what reads is decided, said in words, and written back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use record::{Answer, Choice, Snapshot, subject};
use units::Timestamp;

const CHOICE: Choice<'_> = Choice {
    hpa: None,
    now: Timestamp::from_seconds(1_767_268_800),
};

fuzz_target!(|bytes: &[u8]| {
    match Snapshot::parse("file", bytes, CHOICE) {
        Ok(snapshot) => is_answered(&snapshot),
        Err(error) => is_one_line(&error.to_string()),
    }
});

fn is_one_line(error: &str) {
    assert!(error.starts_with("file: "), "{error:?} names no file");
    assert!(
        !error.contains(char::is_control),
        "{error:?} is no single line"
    );
}

fn is_answered(snapshot: &Snapshot) {
    let decision = snapshot.decide();
    let said = hpa::step::audit(&decision.steps);
    assert_eq!(said, Ok(decision.desired_replicas), "{:#?}", decision.steps);
    let name = snapshot.name();
    assert!(!explain::text(&subject(&name, snapshot, &decision)).is_empty());
    let answer = Answer::of(snapshot, &decision);
    assert_eq!(answer.hpa, name);
}
