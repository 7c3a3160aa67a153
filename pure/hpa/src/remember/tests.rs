//! A controller that ends and another that goes on, tick by tick.

use super::{ENTRIES_MAX, essence, resume, same};
use crate::decide;
use crate::history::{History, Recommendation, ScaleEvent};
use crate::observation::{Observation, Reading, Scale, Selection, Status};
use crate::options::Options;
use crate::spec::{
    Behavior, Config, Identifier, Metric, Policy, PolicyKind, Rules, SelectPolicy, Source, Spec,
    Target, TargetKind,
};
use proptest::prelude::*;
use units::{Duration, Timestamp};

const NOW: Timestamp = Timestamp::from_seconds(1_767_268_800);
const TICK: i64 = 15;

fn at(seconds: i64) -> Timestamp {
    NOW.plus(Duration::from_seconds(seconds))
}

/// One external metric that asks for as many replicas as it counts.
fn spec(behavior: Option<Behavior>) -> Spec {
    Spec {
        namespace: "shop".to_owned(),
        target_kind: "Deployment".to_owned(),
        target_name: "web".to_owned(),
        min_replicas: Some(2),
        max_replicas: 8,
        metrics: vec![Metric {
            source: Source::External {
                metric: Identifier {
                    name: "queue".to_owned(),
                    selector: "nil".to_owned(),
                    selector_problem: None,
                },
            },
            target: Target {
                kind: TargetKind::AverageValue,
                value: None,
                average_value: Some(1_000),
                average_utilization: None,
            },
        }],
        behavior,
        config: Config {
            downscale_stabilization: Duration::from_seconds(60),
            ..Config::default()
        },
        options: Options::default(),
    }
}

fn rules(window: i32, pods: i32, period_seconds: i32) -> Rules {
    Rules {
        stabilization_window_seconds: Some(window),
        select: SelectPolicy::Max,
        policies: vec![Policy {
            kind: PolicyKind::Pods,
            value: pods,
            period_seconds,
        }],
        tolerance: None,
    }
}

/// A target under a controller.
struct World {
    spec: Spec,
    replicas: i32,
    history: History,
    /// What the object carries.
    stored: Option<History>,
    expected: i32,
    writes: usize,
}

impl World {
    fn new(behavior: Option<Behavior>, replicas: i32) -> Self {
        Self {
            spec: spec(behavior),
            replicas,
            history: History::default(),
            stored: None,
            expected: replicas,
            writes: 0,
        }
    }

    /// One look while the metric asks for `wanted`.
    fn look(&mut self, now: Timestamp, wanted: i32) -> i32 {
        let seen = Observation {
            status: Status::default(),
            scale: Ok(Scale {
                spec_replicas: self.replicas,
                status_replicas: self.replicas,
                selection: Selection::Valid,
            }),
            pods: Vec::new(),
            left_out: Vec::new(),
            pods_problem: None,
            resource_metrics: Ok(Vec::new()),
            readings: vec![Reading::External(Ok(vec![
                (i64::from(wanted) * 1_000).into(),
            ]))],
        };
        let decision = decide(now, &self.spec, &seen, &self.history);
        self.replicas = decision.desired_replicas;
        self.expected = self.replicas;
        self.history = decision.outcome.history;
        let essence = essence(now, &self.spec, self.replicas, &self.history);
        if !same(&self.spec, self.stored.as_ref(), essence.as_ref()) {
            self.stored = essence;
            self.writes += 1;
        }
        self.replicas
    }

    /// The controller ends, and another goes on from what is stored.
    fn restart(&mut self, now: Timestamp) {
        self.history = match &self.stored {
            Some(stored) => resume(now, &self.spec, self.replicas, self.expected, stored),
            None => History::default(),
        };
    }
}

fn run(behavior: Option<&Behavior>, wanted: &[i32], restart_at: Option<usize>) -> Vec<i32> {
    let mut world = World::new(behavior.cloned(), 3);
    let mut seen = Vec::new();
    for (tick, wanted) in wanted.iter().enumerate() {
        let now = at(tick as i64 * TICK);
        if restart_at == Some(tick) {
            world.restart(now);
        }
        seen.push(world.look(now, *wanted));
    }
    seen
}

#[test]
fn a_steady_target_has_nothing_to_keep_and_costs_no_write() {
    let mut world = World::new(None, 3);
    for tick in 0..20 {
        world.look(at(tick * TICK), 3);
    }
    assert_eq!((world.stored, world.writes), (None, 0));
}

#[test]
fn what_the_bounds_turn_into_the_present_number_is_not_kept() {
    let mut world = World::new(None, 2);
    for tick in 0..20 {
        world.look(at(tick * TICK), 1);
    }
    assert_eq!((world.stored, world.writes), (None, 0));
}

#[test]
fn a_held_number_is_written_once_and_forgotten_when_it_is_let_go() {
    let mut world = World::new(None, 5);
    world.look(at(0), 5);
    for tick in 1..4 {
        assert_eq!(world.look(at(tick * TICK), 2), 5);
    }
    let list = world.stored.clone().unwrap().recommendations.unwrap();
    let values: Vec<i32> = list.iter().map(|r| r.replicas).collect();
    assert_eq!((values, world.writes), (vec![5, 2], 1));
    assert_eq!(world.look(at(75), 2), 2);
    assert_eq!((world.stored, world.writes), (None, 2));
}

#[test]
fn a_held_number_stays_held_over_a_restart_for_the_rest_of_its_window_and_no_longer() {
    let wanted = [5, 5, 2, 2, 2, 2, 2, 2];
    let expected = [5, 5, 5, 5, 5, 5, 2, 2];
    for restart in 0..wanted.len() {
        let seen = run(None, &wanted, Some(restart));
        assert_eq!(seen, expected, "restarted at look {restart}");
    }
}

#[test]
fn policies_remember_what_was_added_over_a_restart() {
    let behavior = Behavior {
        up: rules(0, 2, 60),
        down: rules(0, 8, 15),
    };
    let wanted = [8, 8, 8, 8, 8, 8];
    let expected = [5, 5, 5, 5, 7, 7];
    for restart in 0..wanted.len() {
        let seen = run(Some(&behavior), &wanted, Some(restart));
        assert_eq!(seen, expected, "restarted at look {restart}");
    }
}

#[test]
fn a_rise_that_waits_for_its_window_goes_on_waiting() {
    let behavior = Behavior {
        up: rules(45, 8, 15),
        down: rules(60, 8, 15),
    };
    let wanted = [3, 6, 6, 6, 6, 6];
    let whole = run(Some(&behavior), &wanted, None);
    assert_eq!(whole, [3, 3, 3, 6, 6, 6]);
    assert_eq!(run(Some(&behavior), &wanted, Some(2)), whole);
}

#[test]
fn a_change_that_nobody_wrote_down_is_held_as_found() {
    let stored = History {
        recommendations: Some(vec![
            Recommendation {
                at: at(-50),
                replicas: 4,
            },
            Recommendation {
                at: at(-15),
                replicas: 3,
            },
        ]),
        ..History::default()
    };
    let mut world = World::new(None, 6);
    world.expected = 4;
    world.stored = Some(stored);
    world.restart(NOW);
    assert_eq!(world.look(NOW, 2), 6);
    assert_eq!(world.look(at(45), 2), 6);
    assert_eq!(world.look(at(75), 2), 2);
}

#[test]
fn an_old_wish_to_grow_does_not_grow_anything_after_a_restart() {
    let mut world = World::new(None, 3);
    world.stored = Some(History {
        recommendations: Some(vec![Recommendation {
            at: at(-3_600),
            replicas: 8,
        }]),
        ..History::default()
    });
    world.restart(NOW);
    assert_eq!(world.look(NOW, 3), 3);
}

#[test]
fn a_long_history_is_merged_so_that_nothing_ends_early() {
    let up: Vec<Recommendation> = (0..500)
        .map(|n| Recommendation {
            at: at(n - 500),
            replicas: 1_000 - n as i32,
        })
        .collect();
    let ups: Vec<ScaleEvent> = (0..1_000)
        .map(|n| ScaleEvent {
            at: at(n - 1_000),
            change: 1,
        })
        .collect();
    let history = History {
        recommendations: Some(up),
        ups,
        ..History::default()
    };
    let mut spec = spec(Some(Behavior {
        up: rules(0, 1, 1_800),
        down: rules(3_600, 1, 60),
    }));
    spec.max_replicas = 1_000;
    let kept = essence(NOW, &spec, 1_000, &history).unwrap();
    let list = kept.recommendations.unwrap();
    assert!(
        list.len() <= ENTRIES_MAX && kept.ups.len() <= ENTRIES_MAX,
        "{} {}",
        list.len(),
        kept.ups.len()
    );
    assert_eq!(kept.ups.iter().map(|e| e.change).sum::<i32>(), 1_000);
    for past in history.recommendations.unwrap() {
        let held = list
            .iter()
            .any(|r| r.at >= past.at && r.replicas >= past.replicas);
        assert!(held, "{past:?} would be forgotten early");
    }
}

proptest! {
    /// Whatever was wanted and whenever the controller is replaced: never lower than without a
    /// replacement, and never held for more than one look longer. (Up to four nothing limits a rise.)
    #[test]
    fn a_restart_never_hurries_and_hardly_delays(
        wanted in proptest::collection::vec(1_i32..=4, 2..30), restart in 0_usize..30
    ) {
        let whole = run(None, &wanted, None);
        let broken = run(None, &wanted, Some(restart));
        for tick in 0..wanted.len() {
            let before = whole[tick.saturating_sub(1)];
            prop_assert!(broken[tick] >= whole[tick], "{whole:?} {broken:?}");
            prop_assert!(broken[tick] <= whole[tick].max(before), "{whole:?} {broken:?}");
        }
    }

    /// What is kept says as much as all of it, for any history.
    #[test]
    fn the_essence_of_the_essence_is_itself(
        entries in proptest::collection::vec((-400_000_i64..=0, 0_i32..12), 0..60), up in 0_i32..400
    ) {
        let list = entries.iter().map(|(millis, replicas)| Recommendation {
            at: NOW.plus(Duration::from_millis(*millis)), replicas: *replicas });
        let history = History { recommendations: Some(list.collect()), ..History::default() };
        let spec = spec(Some(Behavior { up: rules(up, 4, 60), down: rules(300, 4, 60) }));
        if let Some(kept) = essence(NOW, &spec, 3, &history) {
            prop_assert_eq!(essence(NOW, &spec, 3, &kept), Some(kept));
        }
    }
}
