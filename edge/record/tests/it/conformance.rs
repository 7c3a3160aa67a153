//! Recordings of Kubernetes 1.36's own controller: 290 cases from its tests, 2,000 random ones.

use flate2::read::GzDecoder;
use record::{Answer, Choice, Documents, Snapshot};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use units::Timestamp;

/// What a recording holds.
const FIELDS: [&str; 6] = [
    "currentReplicas",
    "desiredReplicas",
    "action",
    "conditions",
    "currentMetrics",
    "events",
];

fn cases() -> impl Iterator<Item = Value> {
    let files: [&[u8]; 2] = [
        include_bytes!("../conformance/upstream.jsonl.gz"),
        include_bytes!("../conformance/random.jsonl.gz"),
    ];
    files.into_iter().flat_map(|file| {
        let lines = BufReader::new(GzDecoder::new(file)).lines();
        lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap())
    })
}

fn choice() -> Choice<'static> {
    Choice {
        hpa: None,
        now: Timestamp::EPOCH,
    }
}

/// The answer as text, and as a recording would hold it.
fn answer(snapshot: &Snapshot) -> Value {
    let answer = Answer::of(snapshot, &snapshot.decide());
    let printed = serde_json::to_string(&answer).unwrap();
    let printed: Value = serde_json::from_str(&printed).unwrap();
    FIELDS
        .iter()
        .map(|field| ((*field).to_owned(), printed[field].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn compare(mut answer_to: impl FnMut(&Value) -> Value) {
    let mut wrong = Vec::new();
    let mut count = 0;
    for case in cases() {
        let ours = answer_to(&case);
        count += 1;
        if ours != case["expect"] {
            let (name, recorded) = (&case["name"], &case["expect"]);
            wrong.push(format!("{name}\n  ours     {ours}\n  recorded {recorded}"));
        }
    }
    let shown = wrong.iter().take(10).cloned().collect::<Vec<_>>();
    assert!(
        wrong.is_empty(),
        "{} of {count} differ:\n{}",
        wrong.len(),
        shown.join("\n")
    );
    assert_eq!(count, 2_290);
}

/// Objects in a row, as a file of JSON.
fn as_json(case: &Value) -> Vec<u8> {
    let docs = case["docs"].as_array().unwrap();
    let texts: Vec<String> = docs.iter().map(Value::to_string).collect();
    texts.join("\n").into_bytes()
}

#[test]
fn all_cases_are_answered_as_recorded() {
    compare(|case| {
        let name = case["name"].as_str().unwrap();
        match Snapshot::parse(name, &as_json(case), choice()) {
            Ok(snapshot) => answer(&snapshot),
            Err(error) => json!(error.to_string()),
        }
    });
}

#[test]
fn all_cases_are_answered_the_same_after_they_were_saved() {
    compare(|case| {
        let mut documents = Documents::default();
        documents.read("case", &as_json(case)).unwrap();
        let first = Snapshot::read(&documents, choice()).unwrap();
        let saved = first.save(&documents).unwrap();
        match Snapshot::parse("saved", saved.as_bytes(), choice()) {
            Ok(second) => {
                assert_eq!(first.observation, second.observation, "{}", case["name"]);
                assert_eq!(first.spec, second.spec, "{}", case["name"]);
                assert_eq!(first.history, second.history, "{}", case["name"]);
                answer(&second)
            }
            Err(error) => json!(format!("{error}\n{saved}")),
        }
    });
}

#[test]
fn every_number_follows_from_its_steps_alone() {
    for case in cases() {
        let name = case["name"].as_str().unwrap();
        let snapshot = Snapshot::parse(name, &as_json(&case), choice()).unwrap();
        let decision = snapshot.decide();
        let found = hpa::step::audit(&decision.steps);
        assert_eq!(found, Ok(decision.desired_replicas), "{name}");
    }
}
