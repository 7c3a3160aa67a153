//! Two sides, told as seconds and replicas.

use super::*;

const WINDOW: Duration = Duration::from_secs(10);
const BRIEF: Duration = Duration::from_secs(6);

fn side(moments: &[(i64, i64)]) -> Vec<Decided> {
    moments
        .iter()
        .map(|(seconds, desired)| Decided {
            at: Timestamp::from_second(1_767_268_800 + seconds).unwrap(),
            hpa: "shop/web".to_owned(),
            wants: Wants {
                desired: *desired,
                active: "ValidMetricFound".to_owned(),
            },
        })
        .collect()
}

fn told(theirs: &[(i64, i64)], ours: &[(i64, i64)]) -> Vec<String> {
    differences(&side(theirs), &side(ours), (WINDOW, BRIEF))
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn the_same_steps_a_little_apart_are_no_difference() {
    let theirs = [(0, 2), (15, 4), (60, 2), (80, 2)];
    let ours = [(3, 2), (8, 2), (19, 4), (24, 4), (55, 4), (66, 2), (80, 2)];
    assert_eq!(told(&theirs, &ours), [""; 0]);
    assert_eq!(steps(&side(&theirs)), 2);
}

#[test]
fn a_step_that_the_other_never_makes_is_told_with_what_it_wanted_then() {
    let theirs = [(0, 2), (30, 5), (60, 2), (90, 2)];
    let ours = [(0, 2), (32, 4), (62, 2), (90, 2)];
    let expected = [
        "shop/web at 2026-01-01T12:00:30Z: upstream wants 5 (ValidMetricFound), the other 2 (ValidMetricFound), 4 (ValidMetricFound)",
        "shop/web at 2026-01-01T12:00:32Z: ours wants 4 (ValidMetricFound), the other 2 (ValidMetricFound), 5 (ValidMetricFound)",
    ];
    assert_eq!(told(&theirs, &ours), expected);
}

#[test]
fn a_step_that_comes_much_later_is_a_difference() {
    let theirs = [(0, 2), (30, 5), (100, 2), (110, 2)];
    let ours = [(0, 2), (60, 5), (103, 2), (110, 2)];
    assert_eq!(told(&theirs, &ours).len(), 1);
}

#[test]
fn a_side_that_says_nothing_differs() {
    assert_eq!(told(&[(0, 2), (30, 5), (60, 4)], &[]).len(), 2);
}

#[test]
fn what_one_side_sees_for_a_moment_is_no_difference() {
    let theirs = [(0, 2), (30, 5), (34, 2), (60, 2), (90, 3), (120, 2)];
    let ours = [(0, 2), (60, 2), (92, 3), (121, 2)];
    assert_eq!(told(&theirs, &ours), [""; 0]);
}
