//! What a run's summary says.

use super::{Rescale, Sample, Setting, Timeline, duration_text};

fn timeline(changes: &[(f64, i32, i32)]) -> Timeline {
    let rescale = |&(at_seconds, from, to): &(f64, i32, i32)| Rescale {
        at_seconds,
        from,
        to,
        utilization_percent: None,
        reason: String::new(),
    };
    let sample = |&(at_seconds, _, replicas): &(f64, i32, i32)| Sample {
        at_seconds,
        offered_rps: 0.0,
        answered_rps: 0.0,
        utilization_percent: None,
        replicas,
        ready: replicas,
    };
    Timeline {
        setting: Setting {
            name: "ns/a".into(),
            min: 2,
            max: 5,
            target_percent: 50,
            periods: vec![],
        },
        samples: changes.iter().map(sample).collect(),
        rescales: changes.iter().map(rescale).collect(),
    }
}

#[test]
fn a_full_run_is_summed_up() {
    let run = timeline(&[(11.0, 2, 3), (42.0, 3, 5), (95.0, 5, 3), (130.0, 3, 2)]);
    assert_eq!(run.path(), "2 → 3 → 5 → 3 → 2");
    let summary = run.summary(Some(100.0));
    assert_eq!(summary.first_scale_up, Some(11.0));
    assert_eq!(summary.last_scale_up, Some(42.0));
    assert_eq!(summary.peak, 5);
    assert_eq!(summary.back_at_min, Some(30.0));
}

#[test]
fn a_run_without_a_change_has_no_times() {
    let run = timeline(&[]);
    assert_eq!(run.path(), "2");
    assert_eq!(run.summary(None).first_scale_up, None);
    assert_eq!(run.summary(Some(1.0)).back_at_min, None);
}

#[test]
fn durations_read_well() {
    assert_eq!(duration_text(6.6), "7 s");
    assert_eq!(duration_text(125.0), "2 min 05 s");
    assert_eq!(duration_text(-3.0), "0 s");
}
