//! Probes in paused time: when they ask, and what they make of the answers.

use super::*;
use std::collections::VecDeque;

fn probe(period: i32, failures: i32) -> Probe {
    Probe {
        period_seconds: Some(period),
        failure_threshold: Some(failures),
        ..Probe::default()
    }
}

/// Gives the answers in turn, the last for ever; returns what was told, with the time in milliseconds.
async fn told(purpose: Purpose, probe: &Probe, answers: &[Outcome], enough: usize) -> Vec<String> {
    let started = Instant::now();
    let mut answers: VecDeque<Outcome> = answers.iter().cloned().collect();
    let mut told = Vec::new();
    let check = || {
        let next = if answers.len() > 1 {
            answers.pop_front()
        } else {
            answers.front().cloned()
        };
        async move { next.unwrap() }
    };
    let tell = |verdict: Verdict| {
        let text = match verdict {
            Verdict::Tried(said) => said,
            Verdict::Decided(healthy) => healthy.to_string(),
        };
        told.push(format!("{} {text}", started.elapsed().as_millis()));
        told.len() < enough
    };
    run(purpose, probe, check, tell).await;
    told
}

fn refused() -> Outcome {
    Outcome::Refused("refused".to_owned())
}

fn failure() -> Outcome {
    Outcome::Failure("500".to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_starting_container_is_ready_as_soon_as_it_answers() {
    let answers = [refused(), refused(), failure(), failure(), Outcome::Success];
    let told = told(Purpose::Readiness, &probe(10, 3), &answers, 1).await;
    assert_eq!(told, ["2200 true"]);
}

#[tokio::test(start_paused = true)]
async fn failures_count_once_a_period() {
    let told = told(Purpose::Readiness, &probe(10, 3), &[failure()], 4).await;
    let said = "Readiness probe failed: 500";
    let expected = [
        format!("10000 {said}"),
        format!("20000 {said}"),
        format!("30000 {said}"),
        "30000 false".to_owned(),
    ];
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_was_ready_is_asked_once_a_period() {
    let answers = [Outcome::Success, failure(), failure(), Outcome::Success];
    let told = told(Purpose::Readiness, &probe(5, 2), &answers, 5).await;
    let said = "Readiness probe failed: 500";
    let expected = [
        "0 true",
        &format!("5000 {said}"),
        &format!("10000 {said}"),
        "10000 false",
        "15000 true",
    ];
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn liveness_begins_a_period_late_and_ends_with_its_verdict() {
    let told = told(Purpose::Liveness, &probe(10, 2), &[refused()], 9).await;
    let said = "Liveness probe failed: refused";
    assert_eq!(
        told,
        [
            format!("10000 {said}"),
            format!("20000 {said}"),
            "20000 false".to_owned()
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_startup_probe_ends_when_it_is_decided() {
    let answers = [refused(), Outcome::Success];
    assert_eq!(
        told(Purpose::Startup, &probe(10, 3), &answers, 9).await,
        ["100 true"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_goes_wrong_decides_nothing() {
    let told = told(
        Purpose::Liveness,
        &probe(1, 1),
        &[Outcome::Error("no".to_owned())],
        2,
    )
    .await;
    let said = "Liveness probe errored and resulted in unknown state: no";
    assert_eq!(told, [format!("1000 {said}"), format!("2000 {said}")]);
}
