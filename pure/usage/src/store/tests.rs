//! Which points make a rate.

use super::*;
use proptest::prelude::*;

const SECOND: i64 = 1_000_000_000;

fn at(seconds: i64, cpu_seconds: u64) -> Point {
    Point {
        started: 0,
        at: seconds * SECOND,
        cpu: cpu_seconds * SECOND as u64,
        memory: 64,
    }
}

fn store() -> Store {
    Store::new(Duration::from_seconds(15))
}

fn tick(store: &mut Store, containers: &[(&str, Point)]) {
    let pods = vec![PodPoints {
        namespace: "n",
        name: "p",
        containers: containers.to_vec(),
    }];
    store.begin();
    let scrape = Scrape {
        pods,
        ..Scrape::default()
    };
    store.take("node", &scrape);
    store.end();
}

fn cpu(store: &Store) -> Option<Vec<(&str, u64)>> {
    let pod = store.pod("n", "p")?;
    Some(
        pod.containers
            .iter()
            .map(|(name, usage)| (*name, usage.cpu_nanocores))
            .collect(),
    )
}

#[test]
fn two_samples_make_a_rate_over_the_time_between_them() {
    let mut store = store();
    tick(&mut store, &[("c", at(100, 10))]);
    assert_eq!(cpu(&store), None);
    assert!(!store.ready());
    tick(&mut store, &[("c", at(110, 15))]);
    assert_eq!(cpu(&store), Some(vec![("c", 500_000_000)]));
    assert_eq!(store.pod("n", "p").map(|pod| pod.window), Some(10 * SECOND));
    assert_eq!(
        store.counts(),
        Counts {
            nodes: 0,
            containers: 1
        }
    );
}

#[test]
fn it_is_ready_with_figures_of_a_node_and_of_a_container() {
    for (node, container, ready) in [
        (true, true, true),
        (true, false, false),
        (false, true, false),
    ] {
        let mut store = store();
        for second in [100, 110] {
            let pod = PodPoints {
                namespace: "n",
                name: "p",
                containers: vec![("c", at(second, 1))],
            };
            let scrape = Scrape {
                node: node.then(|| at(second, 1)),
                pods: Vec::from_iter(container.then_some(pod)),
                ..Scrape::default()
            };
            store.begin();
            store.take("node", &scrape);
            store.end();
        }
        assert_eq!(store.ready(), ready, "node {node}, container {container}");
    }
}

#[test]
fn nothing_is_left_out_without_a_word() {
    let answers = |points: &[Point]| {
        let mut store = store();
        let mut dropped = Vec::new();
        for point in points {
            let pods = vec![PodPoints {
                namespace: "n",
                name: "p",
                containers: vec![("c", *point)],
            }];
            let scrape = Scrape {
                pods,
                ..Scrape::default()
            };
            store.begin();
            dropped = store.take("node", &scrape);
            store.end();
        }
        let told = dropped.iter();
        told.map(|d| format!("{}: {} ({})", d.of, d.words(), d.why.word()))
            .collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(answers(&[at(100, 10), at(110, 15)]), none);
    assert_eq!(
        answers(&[at(100, 10), at(110, 5)]),
        ["n/p/c: Skipping container usage metric (decrease)"]
    );
    assert_eq!(
        answers(&[at(100, 10), at(110, 15), at(90, 16)]),
        [
            "n/p/c: Found new container metrics point is older than stored previous, drop previous (older)"
        ]
    );
}

#[test]
fn a_second_answer_within_a_tick_is_told() {
    let scrape = Scrape {
        node: Some(at(100, 1)),
        pods: vec![PodPoints {
            namespace: "n",
            name: "p",
            containers: vec![("c", at(100, 1))],
        }],
        ..Scrape::default()
    };
    let mut store = store();
    store.begin();
    assert_eq!(store.take("node", &scrape), []);
    let whys: Vec<Why> = store.take("node", &scrape).iter().map(|d| d.why).collect();
    assert_eq!(whys, [Why::Duplicate, Why::Duplicate]);
}

#[test]
fn it_is_settled_when_old_containers_have_figures_too() {
    let mut store = store();
    assert!(!store.settled());
    let fresh = |second| Point {
        started: 88 * SECOND,
        ..at(second, 1)
    };
    tick(&mut store, &[("fresh", fresh(100)), ("old", at(100, 1))]);
    assert_eq!(store.counts().containers, 1);
    assert!(!store.settled());
    tick(&mut store, &[("fresh", fresh(105)), ("old", at(105, 2))]);
    assert!(store.settled());
}

#[test]
fn a_container_that_started_within_the_resolution_needs_one_sample_only() {
    for (age, served) in [(9, false), (10, true), (14, true), (15, false)] {
        let mut store = store();
        let point = Point {
            started: 100 * SECOND,
            ..at(100 + age, 1)
        };
        tick(&mut store, &[("c", point)]);
        assert_eq!(cpu(&store).is_some(), served, "age {age} s");
    }
}

#[test]
fn a_restarted_container_hides_its_pod_until_its_next_sample() {
    let mut store = store();
    tick(&mut store, &[("a", at(100, 10)), ("b", at(100, 10))]);
    tick(&mut store, &[("a", at(115, 11)), ("b", at(115, 11))]);
    let restarted = |seconds, cpu| Point {
        started: 120 * SECOND,
        ..at(seconds, cpu)
    };
    tick(&mut store, &[("a", at(125, 12)), ("b", restarted(125, 1))]);
    assert_eq!(cpu(&store), None);
    tick(&mut store, &[("a", at(145, 13)), ("b", restarted(145, 21))]);
    assert_eq!(
        cpu(&store),
        Some(vec![("a", 50_000_000), ("b", 1_000_000_000)])
    );
}

#[test]
fn the_same_sample_twice_keeps_the_older_one() {
    let mut store = store();
    tick(&mut store, &[("c", at(100, 10))]);
    tick(&mut store, &[("c", at(110, 15))]);
    tick(&mut store, &[("c", at(110, 15))]);
    assert_eq!(cpu(&store), Some(vec![("c", 500_000_000)]));
}

#[test]
fn a_container_whose_counter_goes_back_is_left_out() {
    let mut store = store();
    tick(&mut store, &[("a", at(100, 10)), ("b", at(100, 10))]);
    tick(&mut store, &[("a", at(110, 5)), ("b", at(110, 15))]);
    assert_eq!(cpu(&store), Some(vec![("b", 500_000_000)]));
}

#[test]
fn what_was_not_seen_in_a_tick_is_forgotten() {
    let mut store = store();
    tick(&mut store, &[("c", at(100, 10))]);
    tick(&mut store, &[("c", at(110, 15))]);
    store.begin();
    store.end();
    assert_eq!(cpu(&store), None);
    tick(&mut store, &[("c", at(120, 16))]);
    assert_eq!(cpu(&store), None);
}

fn empty_tick(store: &mut Store, answering: &[&str]) {
    store.begin();
    for node in answering {
        store.take(node, &Scrape::default());
    }
    store.end();
}

#[test]
fn a_store_that_keeps_points_bridges_missed_scrapes_up_to_its_limit() {
    let fresh = || {
        let mut store = Store::keeping(Duration::from_seconds(15), 2);
        tick(&mut store, &[("c", at(100, 10))]);
        tick(&mut store, &[("c", at(115, 25))]);
        store
    };
    let mut bridged = fresh();
    empty_tick(&mut bridged, &[]);
    empty_tick(&mut bridged, &["another-node"]);
    assert_eq!(cpu(&bridged), Some(vec![("c", 1_000_000_000)]));
    tick(&mut bridged, &[("c", at(160, 25))]);
    assert_eq!(
        cpu(&bridged),
        Some(vec![("c", 0)]),
        "over all that was missed"
    );

    let mut silent = fresh();
    for _ in 0..3 {
        empty_tick(&mut silent, &[]);
    }
    assert_eq!(cpu(&silent), None, "the limit is two");

    let mut gone = fresh();
    empty_tick(&mut gone, &["node"]);
    assert_eq!(cpu(&gone), None, "its node answered without it");
}

#[test]
fn a_second_answer_for_a_node_within_a_tick_is_ignored() {
    let mut store = store();
    for points in [[at(100, 10), at(100, 90)], [at(110, 15), at(111, 99)]] {
        store.begin();
        for point in points {
            store.take(
                "node",
                &Scrape {
                    node: Some(point),
                    ..Scrape::default()
                },
            );
        }
        store.end();
    }
    assert_eq!(
        store.node("node").map(|usage| usage.cpu_nanocores),
        Some(500_000_000)
    );
}

proptest! {
    #[test]
    fn shifting_all_times_changes_no_rate(
        samples in prop::collection::vec((0_i64..60, 0_u64..100), 1..8), shift in 0_i64..1_000_000,
    ) {
        let (mut plain, mut shifted) = (store(), store());
        for (seconds, used) in samples {
            let point = at(seconds, used);
            tick(&mut plain, &[("c", point)]);
            let by = shift * SECOND;
            let moved = Point { started: point.started + by, at: point.at + by, ..point };
            tick(&mut shifted, &[("c", moved)]);
            prop_assert_eq!(cpu(&plain), cpu(&shifted));
        }
    }
}

#[test]
fn a_pod_with_a_container_that_counted_back_is_served_whole_or_not_at_all() {
    let ticks = |mut store: Store| {
        tick(&mut store, &[("a", at(100, 10)), ("b", at(100, 10))]);
        tick(&mut store, &[("a", at(110, 15)), ("b", at(110, 15))]);
        tick(&mut store, &[("a", at(120, 20)), ("b", at(120, 3))]);
        store
    };
    let upstream = ticks(store());
    assert_eq!(cpu(&upstream), Some(vec![("a", 500_000_000)]));
    let mut whole = ticks(store().whole_pods());
    assert_eq!(cpu(&whole), None);
    tick(&mut whole, &[("a", at(130, 25)), ("b", at(130, 8))]);
    assert_eq!(
        cpu(&whole),
        Some(vec![("a", 500_000_000), ("b", 500_000_000)])
    );
}

#[test]
fn what_changed_after_a_moment_is_what_had_a_new_sample() {
    let mut store = store();
    tick(&mut store, &[("c", at(100, 10))]);
    let changed = |store: &Store, stamp| store.changed_after(stamp).count();
    assert_eq!(changed(&store, 0), 1);
    let stamp = store.stamp();
    // The same sample again, as from a kubelet that measures less often than it is asked.
    tick(&mut store, &[("c", at(100, 10))]);
    assert_eq!(changed(&store, stamp), 0);
    tick(&mut store, &[("c", at(110, 15))]);
    assert_eq!(changed(&store, stamp), 1);
    let stamp = store.stamp();
    tick(&mut store, &[("c", at(110, 15)), ("new", at(111, 1))]);
    assert_eq!(changed(&store, stamp), 1);
}
