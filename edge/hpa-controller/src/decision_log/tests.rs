//! What a line says.

use super::*;
use expect_test::expect;
use units::Timestamp;

fn decision() -> DecisionRecord {
    DecisionRecord {
        namespace: "shop".to_owned(),
        name: "web".to_owned(),
        at: Timestamp::from_seconds(1_767_268_800),
        current: 3,
        desired: 5,
        rescale: true,
        metrics: vec![MetricRecord {
            name: "cpu resource utilization (percentage of request)".to_owned(),
            current: 90,
            target: 60,
            unit: Unit::Percent,
            proposal: 5,
        }],
        reason: "cpu above target".to_owned(),
        conditions: Vec::new(),
        steps: Vec::new(),
    }
}

#[test]
fn a_decision_is_one_line() {
    let expected = expect![[
        r#"{"action":"ScaleUp","at":"2026-01-01T12:00:00Z","conditions":[],"currentReplicas":3,"desiredReplicas":5,"hpa":"shop/web","metrics":[{"current":90,"name":"cpu resource utilization (percentage of request)","proposal":5,"target":60,"unit":"percent"}],"reason":"cpu above target"}"#
    ]];
    expected.assert_eq(&line(&decision()).to_string());
}

#[test]
fn lines_are_appended_to_a_file_and_a_folder_is_refused() {
    let folder = std::env::temp_dir().join(format!("evenkeel-log-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("decisions.jsonl");
    let log = to(&file).unwrap();
    log(&decision());
    log(&decision());
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count(), 2);
    let Err(error) = to(&folder) else {
        panic!("a folder cannot be appended to");
    };
    assert!(
        error
            .to_string()
            .starts_with("cannot write --decision-log ")
    );
    std::fs::remove_dir_all(folder).unwrap();
}
