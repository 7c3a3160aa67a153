//! Annotations, well written and not.

use super::{ALL, FALLBACK_MAX_AGE_DEFAULT, of};
use hpa::{Direction, Fallback, Options, PodSelection, PodsWithoutRequests};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use units::Duration;

fn read(annotations: &[(&str, &str)]) -> Options {
    let mut object = HorizontalPodAutoscaler::default();
    let all = annotations.iter();
    let all = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    object.metadata.annotations = Some(all.collect());
    of(&object)
}

fn one(name: &str, value: &str) -> Options {
    read(&[(&format!("evenkeel.dev/{name}"), value)])
}

#[test]
fn without_annotations_of_ours_nothing_is_asked_for() {
    assert_eq!(of(&HorizontalPodAutoscaler::default()), Options::default());
    let others = [
        ("kubectl.kubernetes.io/last-applied-configuration", "{}"),
        ("evenkeel.dev/history", "{\"v\":1}"),
        ("not-evenkeel.dev/paused", "true"),
    ];
    assert_eq!(read(&others), Options::default());
}

#[test]
fn every_option_is_read() {
    let seconds = Duration::from_seconds;
    let options = read(&[
        ("evenkeel.dev/paused", "true"),
        ("evenkeel.dev/freeze", "down"),
        ("evenkeel.dev/dry-run", "true"),
        ("evenkeel.dev/sync-period", "1s"),
        ("evenkeel.dev/initial-readiness-delay", "0"),
        ("evenkeel.dev/cpu-initialization-period", "1m30s"),
        ("evenkeel.dev/downscale-stabilization", "1h"),
        ("evenkeel.dev/tolerance", "0.05"),
        ("evenkeel.dev/fallback", "last-known-good"),
        ("evenkeel.dev/fallback-max-age", "5m"),
        ("evenkeel.dev/metric-max-age", "90s"),
        ("evenkeel.dev/pod-selection", "owner"),
        ("evenkeel.dev/pods-without-requests", "ignore"),
    ]);
    let expected = Options {
        paused: true,
        freeze: Some(Direction::Down),
        dry_run: true,
        sync_period: Some(seconds(1)),
        initial_readiness_delay: Some(seconds(0)),
        cpu_initialization_period: Some(seconds(90)),
        downscale_stabilization: Some(seconds(3_600)),
        tolerance: Some(0.05),
        fallback: Some(Fallback::LastKnownGood {
            max_age: seconds(300),
        }),
        metric_max_age: Some(seconds(90)),
        pod_selection: PodSelection::Owner,
        pods_without_requests: PodsWithoutRequests::Ignore,
        problems: Vec::new(),
    };
    assert_eq!(options, expected);
}

#[test]
fn what_is_written_as_the_default_is_the_default() {
    let options = read(&[
        ("evenkeel.dev/paused", "false"),
        ("evenkeel.dev/dry-run", "false"),
        ("evenkeel.dev/pod-selection", "label"),
        ("evenkeel.dev/pods-without-requests", "fail"),
    ]);
    assert_eq!(options, Options::default());
}

#[test]
fn a_fallback_is_a_number_or_what_was_last_known() {
    assert_eq!(one("fallback", "0").fallback, Some(Fallback::Replicas(0)));
    assert_eq!(one("fallback", "12").fallback, Some(Fallback::Replicas(12)));
    assert_eq!(
        one("fallback", "last-known-good").fallback,
        Some(Fallback::LastKnownGood {
            max_age: FALLBACK_MAX_AGE_DEFAULT
        })
    );
}

#[test]
fn a_tolerance_is_a_number_or_a_quantity() {
    let rows = [("0", 0.0), ("0.25", 0.25), ("50m", 0.05), ("1", 1.0)];
    for (text, expected) in rows {
        assert_eq!(one("tolerance", text).tolerance, Some(expected), "{text}");
    }
}

#[test]
fn what_is_wrong_counts_as_not_given_and_is_told() {
    let rows = [
        ("paused", "yes", "\"yes\" is not true or false"),
        ("paused", "", "\"\" is not true or false"),
        ("freeze", "left", "\"left\" is not up or down"),
        ("dry-run", "True", "\"True\" is not true or false"),
        (
            "sync-period",
            "500ms",
            "\"500ms\" is not a duration of at least 1s, like 5s",
        ),
        (
            "initial-readiness-delay",
            "-1s",
            "\"-1s\" is not a duration that is not negative, like 30s or 5m",
        ),
        (
            "cpu-initialization-period",
            "30",
            "\"30\" is not a duration that is not negative, like 30s or 5m",
        ),
        (
            "downscale-stabilization",
            "soon",
            "\"soon\" is not a duration that is not negative, like 30s or 5m",
        ),
        (
            "tolerance",
            "-0.1",
            "\"-0.1\" is not a number that is not negative, like 0.1",
        ),
        (
            "tolerance",
            "NaN",
            "\"NaN\" is not a number that is not negative, like 0.1",
        ),
        (
            "fallback",
            "-1",
            "\"-1\" is not last-known-good or a whole number that is not negative",
        ),
        (
            "metric-max-age",
            "0s",
            "\"0s\" is not a duration above zero, like 30s or 5m",
        ),
        (
            "pod-selection",
            "labels",
            "\"labels\" is not label or owner",
        ),
        (
            "pods-without-requests",
            "skip",
            "\"skip\" is not fail or ignore",
        ),
    ];
    for (name, value, problem) in rows {
        let problem = format!("evenkeel.dev/{name} is ignored: {problem}");
        let expected = Options {
            problems: vec![problem],
            ..Options::default()
        };
        assert_eq!(one(name, value), expected);
    }
}

#[test]
fn one_mistake_leaves_the_rest_in_force() {
    let options = read(&[
        ("evenkeel.dev/paused", "true"),
        ("evenkeel.dev/freeze", "sideways"),
    ]);
    assert!(options.paused && options.freeze.is_none());
    assert_eq!(options.problems.len(), 1);
}

#[test]
fn an_age_that_limits_nothing_is_told() {
    let expected = "evenkeel.dev/fallback-max-age is ignored: it says something only beside evenkeel.dev/fallback: last-known-good";
    assert_eq!(one("fallback-max-age", "5m").problems, [expected]);
    let beside_a_number = read(&[
        ("evenkeel.dev/fallback", "3"),
        ("evenkeel.dev/fallback-max-age", "5m"),
    ]);
    assert_eq!(beside_a_number.problems, [expected]);
    assert_eq!(beside_a_number.fallback, Some(Fallback::Replicas(3)));
}

#[test]
fn an_unknown_name_is_told_with_the_nearest_known_one() {
    let rows = [
        ("pasued", "paused"),
        ("dryrun", "dry-run"),
        ("syncPeriod", "sync-period"),
        ("fallback-maxage", "fallback-max-age"),
        ("pods-without-request", "pods-without-requests"),
    ];
    for (name, nearest) in rows {
        assert_eq!(
            one(name, "true").problems,
            [format!(
                "evenkeel.dev/{name} is not known and ignored; the nearest that is known is evenkeel.dev/{nearest}"
            )]
        );
    }
}

#[test]
fn however_much_is_wrong_little_is_said() {
    let names: Vec<String> = (0..50)
        .map(|n| format!("evenkeel.dev/{n}{}", "x".repeat(200)))
        .collect();
    let long = "y".repeat(10_000);
    let mut annotations: Vec<(&str, &str)> = names.iter().map(|n| (n.as_str(), "1")).collect();
    annotations.push(("evenkeel.dev/freeze", &long));
    let problems = read(&annotations).problems;
    assert_eq!(problems.len(), 6);
    assert!(problems.iter().all(|p| p.len() < 200), "{problems:?}");
    assert_eq!(
        problems[5],
        "46 more annotations evenkeel.dev/… are ignored"
    );
}

#[test]
fn every_option_has_a_name_of_its_own() {
    let mut names = ALL.to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ALL.len());
}
