//! Properties: no patch panics; the difference of two objects, applied to the one, gives the other.

use super::diff::diff;
use super::pod_type;
use crate::fields::{Validation, check, drop_empty, duplicates};
use crate::patch::{json_patch, merge_patch, strategic_merge};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

const WORDS: &[&str] = &[
    "metadata",
    "spec",
    "status",
    "labels",
    "finalizers",
    "containers",
    "volumes",
    "name",
    "image",
    "ports",
    "containerPort",
    "env",
    "$patch",
    "$retainKeys",
    "$setElementOrder/containers",
    "$deleteFromPrimitiveList/finalizers",
    "$setElementOrder/finalizers",
    "delete",
    "replace",
    "merge",
];

/// Any JSON, made of the words that mean something to patches.
fn anything() -> impl Strategy<Value = Value> + Clone {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2_i64..3).prop_map(Value::from),
        Just(json!(1.5)),
        select(WORDS).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(select(WORDS), inner, 0..5).prop_map(|map| {
                Value::Object(map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
            }),
        ]
    })
}

fn shuffled(names: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> + Clone {
    subsequence(names, 0..=names.len()).prop_shuffle()
}

/// A pod that is well formed.
fn pod() -> impl Strategy<Value = Value> + Clone {
    let env = shuffled(&["A", "B", "C"]).prop_flat_map(|names| {
        let count = names.len();
        vec(0..3_u8, count).prop_map(move |values| {
            let pairs = names.iter().zip(values);
            pairs
                .map(|(n, v)| json!({"name": n, "value": v.to_string()}))
                .collect::<Vec<_>>()
        })
    });
    let container = (env, vec(select(&["-a", "-b"][..]), 0..3), any::<bool>()).prop_map(
        |(env, args, limited)| {
            let mut container = json!({"env": env, "args": args});
            if limited {
                container["resources"] = json!({"limits": {"cpu": "1"}});
            }
            container
        },
    );
    let containers = shuffled(&["a", "b", "c", "d"]).prop_flat_map(move |names| {
        let count = names.len();
        vec(container.clone(), count).prop_map(move |mut containers| {
            for (container, name) in containers.iter_mut().zip(&names) {
                container["name"] = (*name).into();
            }
            containers
        })
    });
    let labels = btree_map(select(&["x", "y", "z"][..]), 0..3_u8, 0..3);
    (containers, shuffled(&["f", "g", "h"]), labels).prop_map(|(containers, finalizers, labels)| {
        let labels: serde_json::Map<String, Value> =
            labels.into_iter().map(|(k, v)| (k.to_owned(), v.to_string().into())).collect();
        json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"labels": labels, "finalizers": finalizers}, "spec": {"containers": containers}})
    })
}

proptest! {
    #[test]
    fn no_patch_panics(live in anything(), patch in anything()) {
        let _ = strategic_merge(pod_type(), &live, &patch);
        let _ = merge_patch(&live, &patch);
        let _ = json_patch(&live, &patch);
        let mut object = patch;
        let _ = check(pod_type(), None, Validation::Warn, &mut object);
        drop_empty(pod_type(), &mut object);
    }

    #[test]
    fn a_patch_of_a_pod_never_panics(live in pod(), patch in anything()) {
        let _ = strategic_merge(pod_type(), &live, &json!({"spec": patch, "metadata": patch}));
    }

    #[test]
    fn a_difference_applied_gives_the_target(old in pod(), new in pod()) {
        let patch = diff(Some(pod_type()), &old, &new);
        prop_assert_eq!(strategic_merge(pod_type(), &old, &patch), Ok(new));
    }

    #[test]
    fn an_empty_patch_changes_nothing(pod in pod()) {
        prop_assert_eq!(strategic_merge(pod_type(), &pod, &json!({})), Ok(pod));
    }

    #[test]
    fn decoding_twice_is_decoding_once(object in pod()) {
        let mut once = object;
        let _ = check(pod_type(), None, Validation::Warn, &mut once);
        drop_empty(pod_type(), &mut once);
        let mut twice = once.clone();
        let warnings = check(pod_type(), None, Validation::Warn, &mut twice);
        drop_empty(pod_type(), &mut twice);
        prop_assert_eq!(warnings.ok(), Some(Vec::new()));
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn no_text_panics_the_reader_of_duplicates(text in ".{0,64}", value in anything()) {
        duplicates(text.as_bytes());
        prop_assert_eq!(duplicates(value.to_string().as_bytes()), Vec::<String>::new());
    }
}
