//! What stands in a report.

use super::html;
use crate::demo::timeline::{Rescale, Sample, Setting, Timeline};

fn run() -> Timeline {
    let sample = |at_seconds: f64, utilization: i32, replicas| Sample {
        at_seconds,
        offered_rps: 27.0,
        answered_rps: 26.9,
        utilization_percent: Some(utilization),
        replicas,
        ready: 2,
    };
    Timeline {
        setting: Setting {
            name: "eks-work/backend-app".into(),
            min: 2,
            max: 5,
            target_percent: 50,
            periods: vec![("sync period", "5s".into())],
        },
        samples: vec![
            sample(-5.0, 0, 2),
            sample(0.0, 2, 2),
            sample(10.0, 67, 3),
            sample(20.0, 45, 3),
        ],
        rescales: vec![Rescale {
            at_seconds: 10.0,
            from: 2,
            to: 3,
            utilization_percent: Some(67),
            reason: "67 % > 50 % & \"rounded\" up".into(),
        }],
    }
}

#[test]
fn a_report_holds_every_part_and_fetches_nothing() {
    let page = html(&run(), None);
    assert!(!page.contains("{{"), "a place was not filled");
    assert!(!page.contains("http"), "the file must be self-contained");
    assert_eq!(page.matches("<svg").count(), 3);
    assert!(page.contains("2 → 3"));
    assert!(page.contains("0:10"));
    assert!(page.contains("sync period"));
}

#[test]
fn texts_cannot_become_markup() {
    assert!(html(&run(), None).contains("67 % &gt; 50 % &amp; &quot;rounded&quot; up"));
}

#[test]
fn a_run_that_saw_nothing_still_has_a_report() {
    let empty = Timeline {
        samples: vec![],
        rescales: vec![],
        ..run()
    };
    assert!(html(&empty, None).contains("<h1>2</h1>"));
}
