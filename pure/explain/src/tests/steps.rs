//! Steps as data, and two answers beside each other.

use super::samples::{Case, cpu, rules};
use crate::{Subject, compare, steps};
use expect_test::expect;

#[test]
fn every_step_has_its_rule_and_numbers() {
    let case = Case::new(&[90, 90, 90])
        .starting(2, 40, None)
        .behavior(rules(60, &[(1, 60)]), rules(300, &[(-100, 15)]))
        .recommended(&[(90, 3)])
        .added(&[(30, 1)]);
    let mut said = String::new();
    for line in case.with(steps) {
        said.push_str(&format!("{}: {}\n", line.rule, line.detail));
        for (name, number) in line.numbers {
            said.push_str(&format!("  {name} {number:?}\n"));
        }
    }
    expect![[r#"
        Start: the target is set to 3 and its status counts 3; minReplicas is 2, maxReplicas 20
          currentReplicas Integer(3)
          statusReplicas Integer(3)
          minReplicas Integer(2)
          maxReplicas Integer(20)
        Metric: cpu is at 90 % of its 50 % target across the 2 ready of 3 pods; counting 1 unready pod as idle, it is at 60 %; 60/50 × 3 = 3.6, rounded up to 4; it asks for 4
          metric Integer(0)
          source Text("Resource")
          name Text("cpu resource utilization (percentage of request)")
          toleranceDown Ratio(0.1)
          toleranceUp Ratio(0.1)
          pods List([[("pod", Text("web-0")), ("group", Text("Ready")), ("rule", Text("Settled")), ("usageMilli", Integer(90)), ("requestMilli", Integer(100))], [("pod", Text("web-1")), ("group", Text("Ready")), ("rule", Text("Settled")), ("usageMilli", Integer(90)), ("requestMilli", Integer(100))], [("pod", Text("web-2")), ("group", Text("Unready")), ("rule", Text("StartingNotReady")), ("usageMilli", Integer(90)), ("requestMilli", Integer(100)), ("assumedMilli", Integer(0))]])
          passes List([[("usageMilli", Integer(180)), ("figures", Integer(2)), ("requestMilli", Integer(200)), ("currentPercent", Integer(90)), ("targetPercent", Integer(50)), ("ratio", Ratio(1.8))], [("usageMilli", Integer(180)), ("figures", Integer(3)), ("requestMilli", Integer(300)), ("currentPercent", Integer(60)), ("targetPercent", Integer(50)), ("ratio", Ratio(1.2))]])
          proposal Integer(4)
          proposalRule Text("RatioTimesFigures")
        Select: cpu is the only metric
          metrics Integer(1)
          failed Integer(0)
          replicas Integer(4)
          chosen Integer(0)
        Stabilize: nothing held it: the least asked for in the last 1m is 4, the most asked for in the last 5m is 4
          upWindowSeconds Integer(60)
          downWindowSeconds Integer(300)
          recommendations List([[("replicas", Integer(3)), ("ageSeconds", Integer(90)), ("inUpWindow", Flag(false)), ("inDownWindow", Flag(true))]])
          lowest Integer(4)
          highest Integer(4)
          before Integer(4)
          after Integer(4)
        Rate: kept at 3 by the scale-up policy of 1 pod per 1m (1 added within that time, the oldest of which counts for 30s more)
          direction Text("Up")
          selectPolicy Text("Max")
          policies List([[("type", Text("Pods")), ("value", Integer(1)), ("periodSeconds", Integer(60)), ("added", Integer(1)), ("removed", Integer(0)), ("oldestChangeAgeSeconds", Integer(30)), ("startReplicas", Integer(2)), ("limit", Integer(3))]])
          limit Integer(3)
          maxReplicas Integer(20)
          allowed Integer(3)
          before Integer(4)
          after Integer(3)
        Result: it stays at 3
          before Integer(3)
          after Integer(3)
    "#]].assert_eq(&said);
}

#[test]
fn what_if() {
    let actual = Case::new(&[81, 80, 82]);
    let mut other = actual.clone();
    other.spec.max_replicas = 4;
    other.spec.metrics = vec![cpu(40)];
    let compared = |other: &Case| {
        actual.with(|one: &Subject<'_>| other.with(|two: &Subject<'_>| compare(one, two)))
    };
    expect![[r#"
        as it is  3 → 5: cpu is at 81 % of its 50 % target across 3 ready pods; 81/50 × 3 = 4.86, rounded up to 5; nothing
                  limited it.
        what if   3 → 4: cpu is at 81 % of its 40 % target across 3 ready pods; 81/40 × 3 = 6.07, rounded up to 7; limited to
                  4 by maxReplicas.

                           as it is             what if
        maxReplicas        20                   4
        metric 1 target    50 % of the request  40 % of the request
        metric 1 ratio     1.62                 2.02
        metric 1 asks for  5                    7
        stabilized to      5                    7
        after bounds       5                    4
        replicas           3 → 5                3 → 4
    "#]].assert_eq(&compared(&other));
    expect![[r#"
        as it is  3 → 5: cpu is at 81 % of its 50 % target across 3 ready pods; 81/50 × 3 = 4.86, rounded up to 5; nothing
                  limited it.
        what if   3 → 5: cpu is at 81 % of its 50 % target across 3 ready pods; 81/50 × 3 = 4.86, rounded up to 5; nothing
                  limited it.

        nothing differs
    "#]].assert_eq(&compared(&actual.clone()));
}
