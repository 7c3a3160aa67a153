//! The store's rules, and that they hold for any order of writes.

use super::{Limits, ListQuery, Store, Weigh};
use crate::{Event, Expect, Expired, Mismatch};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Weigh for u32 {
    fn weight(&self) -> usize {
        1
    }
}

const PLENTY: Limits = Limits {
    events: 1000,
    weight: 1000,
};

fn put(
    store: &mut Store<u32>,
    key: &str,
    expect: Expect,
    payload: Option<u32>,
) -> Result<u64, Mismatch> {
    let mut batch = store.batch();
    let revision = store.stage(&mut batch, ("c".into(), key.into()), expect, |_| payload)?;
    store
        .commit(batch)
        .expect("nothing was committed in between");
    Ok(revision)
}

fn keys(store: &Store<u32>, query: ListQuery<'_>, limit: Option<usize>) -> Vec<String> {
    let page = store.list(query, limit, |_| true).expect("remembered");
    page.items.iter().map(|item| item.key.to_string()).collect()
}

fn query(prefix: &str) -> ListQuery<'_> {
    ListQuery {
        collection: "c",
        prefix,
        after: None,
        at: None,
    }
}

#[test]
fn every_change_gets_the_next_revision() {
    let mut store = Store::new(PLENTY, 7);
    assert_eq!(put(&mut store, "a", Expect::Absent, Some(1)), Ok(8));
    assert_eq!(put(&mut store, "b", Expect::Absent, Some(1)), Ok(9));
    assert_eq!(put(&mut store, "a", Expect::At(8), Some(2)), Ok(10));
    assert_eq!(store.revision(), 10);
    assert_eq!(store.changed_at("c"), 10);
}

#[test]
fn a_write_that_expects_something_else_is_refused() {
    let mut store = Store::new(PLENTY, 0);
    assert_eq!(
        put(&mut store, "a", Expect::At(3), Some(1)),
        Err(Mismatch { actual: None })
    );
    assert_eq!(put(&mut store, "a", Expect::Absent, Some(1)), Ok(1));
    assert_eq!(
        put(&mut store, "a", Expect::Absent, Some(1)),
        Err(Mismatch { actual: Some(1) })
    );
    assert_eq!(put(&mut store, "a", Expect::At(1), None), Ok(2));
    assert_eq!(
        put(&mut store, "a", Expect::At(1), None),
        Err(Mismatch { actual: None })
    );
}

#[test]
fn writes_of_one_batch_are_decided_on_top_of_each_other_and_seen_together() {
    let mut store = Store::new(PLENTY, 0);
    let mut batch = store.batch();
    let place = || ("c".into(), "a".into());
    assert_eq!(
        store.stage(&mut batch, place(), Expect::Absent, |_| Some(1)),
        Ok(1)
    );
    assert_eq!(
        store.stage(&mut batch, place(), Expect::At(1), |revision| {
            u32::try_from(revision).ok()
        }),
        Ok(2)
    );
    assert_eq!(
        store.stage(&mut batch, place(), Expect::Absent, |_| Some(9)),
        Err(Mismatch { actual: Some(2) })
    );
    assert!(store.get("c", "a").is_none());
    store.commit(batch).expect("the only one");
    assert_eq!(store.get("c", "a").map(|entry| entry.payload), Some(2));
}

#[test]
fn a_batch_made_before_another_was_committed_is_given_back() {
    let mut store = Store::new(PLENTY, 0);
    let mut batch = store.batch();
    store
        .stage(&mut batch, ("c".into(), "a".into()), Expect::Absent, |_| {
            Some(1)
        })
        .expect("absent");
    put(&mut store, "b", Expect::Absent, Some(1)).expect("absent");
    assert!(store.commit(batch).is_err());
    assert!(store.get("c", "a").is_none());
}

#[test]
fn lists_go_by_prefix_and_continue_as_of_their_first_page() {
    let mut store = Store::new(PLENTY, 0);
    for key in ["x/a", "x/b", "x/c", "x/d", "y/a"] {
        put(&mut store, key, Expect::Absent, Some(1)).expect("absent");
    }
    let first = store.list(query("x/"), Some(2), |_| true).expect("now");
    assert_eq!(
        (first.items.len(), first.remaining, first.revision),
        (2, 2, 5)
    );
    put(&mut store, "x/c", Expect::At(3), None).expect("there");
    put(&mut store, "x/bb", Expect::Absent, Some(1)).expect("absent");
    let rest = ListQuery {
        after: Some("x/b"),
        at: Some(5),
        ..query("x/")
    };
    assert_eq!(keys(&store, rest, None), ["x/c", "x/d"]);
    assert_eq!(
        keys(&store, query("x/"), None),
        ["x/a", "x/b", "x/bb", "x/d"]
    );
}

#[test]
fn what_is_forgotten_is_expired_for_its_own_collection_only() {
    let limits = Limits {
        events: 2,
        weight: 1000,
    };
    let mut store = Store::new(limits, 0);
    let mut batch = store.batch();
    store
        .stage(&mut batch, ("d".into(), "a".into()), Expect::Absent, |_| {
            Some(1)
        })
        .expect("absent");
    store.commit(batch).expect("the only one");
    for key in ["a", "b", "c"] {
        put(&mut store, key, Expect::Absent, Some(1)).expect("absent");
    }
    assert_eq!(store.remembers("c", 1), Err(Expired { oldest: 2 }));
    assert_eq!(store.remembers("c", 2), Ok(()));
    assert_eq!(store.remembers("d", 0), Err(Expired { oldest: 1 }));
    assert_eq!(store.remembers("d", 1), Ok(()));
    assert_eq!(store.since("c", 2, 10).map(|events| events.len()), Ok(2));
}

#[test]
fn the_weight_of_what_is_remembered_is_bounded() {
    let mut store = Store::new(
        Limits {
            events: 1000,
            weight: 3,
        },
        0,
    );
    for revision in 0..10 {
        let expect = if revision == 0 {
            Expect::Absent
        } else {
            Expect::At(revision)
        };
        put(&mut store, "a", expect, Some(1)).expect("as expected");
    }
    assert_eq!(store.remembers("c", 6), Err(Expired { oldest: 7 }));
    assert_eq!(store.since("c", 7, 10).map(|events| events.len()), Ok(3));
}

#[test]
fn a_loaded_collection_is_resumed_from_its_last_change() {
    let mut store: Store<u32> = Store::new(PLENTY, 100);
    store.load_changed(&"c".into(), 40);
    assert_eq!(store.remembers("c", 39), Err(Expired { oldest: 40 }));
    assert_eq!(store.remembers("c", 40), Ok(()));
    assert_eq!(store.remembers("other", 99), Err(Expired { oldest: 100 }));
    put(&mut store, "a", Expect::Absent, Some(1)).expect("absent");
    assert_eq!(
        store.since("c", 40, 10).map(|events| events[0].revision),
        Ok(101)
    );
}

/// Applies events to a copy, as a client does.
fn follow(copy: &mut BTreeMap<Arc<str>, u32>, events: &[Event<u32>]) {
    for event in events {
        assert_eq!(copy.get(&event.key).copied(), event.before, "before");
        match event.after {
            Some(payload) => copy.insert(event.key.clone(), payload),
            None => copy.remove(&event.key),
        };
    }
}

fn state(store: &Store<u32>, at: Option<u64>) -> BTreeMap<Arc<str>, u32> {
    let page = store
        .list(ListQuery { at, ..query("") }, None, |_| true)
        .expect("remembered");
    page.items
        .into_iter()
        .map(|item| (item.key, item.payload))
        .collect()
}

proptest! {
    #[test]
    fn a_watch_from_any_revision_leads_to_the_same_state(
        writes in proptest::collection::vec((0_u8..6, proptest::option::weighted(0.7, 0_u32..100)), 1..60),
        from in 0_usize..60,
    ) {
        let mut store = Store::new(PLENTY, 0);
        let mut states = vec![BTreeMap::new()];
        for (key, payload) in writes {
            let key = format!("k{key}");
            let expect = store.get("c", &key).map_or(Expect::Absent, |entry| Expect::At(entry.revision));
            if payload.is_none() && expect == Expect::Absent {
                continue;
            }
            put(&mut store, &key, expect, payload).expect("as expected");
            states.push(state(&store, None));
        }
        let from = from.min(states.len() - 1);
        let mut copy = states[from].clone();
        let revision = u64::try_from(from).expect("small");
        follow(&mut copy, &store.since("c", revision, 1000).expect("remembered"));
        prop_assert_eq!(&copy, states.last().expect("one at least"));
        // A list as of that revision shows what was there then.
        prop_assert_eq!(&state(&store, Some(revision)), &states[from]);
    }

    #[test]
    fn pages_of_any_size_make_the_whole_list(count in 0_usize..40, size in 1_usize..10) {
        let mut store = Store::new(PLENTY, 0);
        for index in 0..count {
            put(&mut store, &format!("k{index:02}"), Expect::Absent, Some(1)).expect("absent");
        }
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = store
                .list(ListQuery { after: after.as_deref(), ..query("") }, Some(size), |_| true)
                .expect("now");
            all.extend(page.items.iter().map(|item| item.key.to_string()));
            after = all.last().cloned();
            prop_assert_eq!(page.remaining, count - all.len());
            if page.remaining == 0 {
                break;
            }
        }
        prop_assert_eq!(all, keys(&store, query(""), None));
    }
}
