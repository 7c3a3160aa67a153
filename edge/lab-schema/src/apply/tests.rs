//! Server-side apply: who owns what, conflicts and removals.

use super::{Change, apply, update_managed_fields};
use crate::Schema;
use expect_test::{Expect, expect};
use serde_json::{Value, json};

fn change<'c>(manager: &'c str, now: &str) -> Change<'c> {
    Change {
        of: Schema::builtin().root("apps", "v1", "Deployment").unwrap(),
        api_version: "apps/v1",
        manager,
        subresource: "",
        now: now.parse().unwrap(),
    }
}

const NOON: &str = "2026-01-01T12:00:00Z";
const LATER: &str = "2026-01-01T12:01:00Z";

fn deployment(spec: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "labels": {"l": "1"}}, "spec": spec})
}

fn containers(list: Value) -> Value {
    json!({"template": {"spec": {"containers": list}}})
}

fn shows(value: &Value, expect: &Expect) {
    expect.assert_eq(&serde_json::to_string_pretty(value).unwrap());
}

#[test]
fn the_first_apply_makes_the_object_and_owns_what_it_says() {
    let wish = deployment(containers(
        json!([{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}]),
    ));
    let made = apply(&change("kubectl", NOON), None, &wish, false).unwrap();
    shows(
        &made["metadata"]["managedFields"],
        &expect![[r#"
            [
              {
                "apiVersion": "apps/v1",
                "fieldsType": "FieldsV1",
                "fieldsV1": {
                  "f:metadata": {
                    "f:labels": {
                      "f:l": {}
                    }
                  },
                  "f:spec": {
                    "f:template": {
                      "f:spec": {
                        "f:containers": {
                          "k:{\"name\":\"c\"}": {
                            ".": {},
                            "f:image": {},
                            "f:name": {},
                            "f:ports": {
                              "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {
                                ".": {},
                                "f:containerPort": {}
                              }
                            }
                          }
                        }
                      }
                    }
                  }
                },
                "manager": "kubectl",
                "operation": "Apply",
                "time": "2026-01-01T12:00:00Z"
              }
            ]"#]],
    );
}

#[test]
fn applying_the_same_again_changes_nothing() {
    let wish = deployment(json!({"replicas": 2}));
    let made = apply(&change("kubectl", NOON), None, &wish, false).unwrap();
    let again = apply(&change("kubectl", LATER), Some(&made), &wish, false).unwrap();
    assert_eq!(again, made);
}

#[test]
fn a_field_no_longer_applied_goes_unless_another_owns_it() {
    let first = deployment(json!({"replicas": 2, "paused": true, "minReadySeconds": 3}));
    let made = apply(&change("one", NOON), None, &first, false).unwrap();
    let other = deployment(json!({"paused": true}));
    let shared = apply(&change("two", NOON), Some(&made), &other, false).unwrap();
    let less = deployment(json!({"replicas": 2}));
    let result = apply(&change("one", LATER), Some(&shared), &less, false).unwrap();
    assert_eq!(result["spec"], json!({"replicas": 2, "paused": true}));
}

#[test]
fn elements_of_lists_are_owned_one_by_one() {
    let one = deployment(containers(
        json!([{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]),
    ));
    let made = apply(&change("one", NOON), None, &one, false).unwrap();
    let two = deployment(containers(json!([{"name": "c", "image": "c:1"}])));
    let both = apply(&change("two", NOON), Some(&made), &two, false).unwrap();
    let less = deployment(containers(json!([{"name": "b", "image": "b:2"}])));
    let result = apply(&change("one", LATER), Some(&both), &less, false).unwrap();
    assert_eq!(
        result["spec"],
        containers(json!([{"name": "b", "image": "b:2"}, {"name": "c", "image": "c:1"}]))
    );
}

#[test]
fn another_managers_field_is_a_conflict_unless_forced() {
    let made = apply(
        &change("one", NOON),
        None,
        &deployment(json!({"replicas": 2})),
        false,
    )
    .unwrap();
    let wish = deployment(json!({"replicas": 3}));
    let error = apply(&change("two", LATER), Some(&made), &wish, false).unwrap_err();
    assert_eq!(error.code, 409);
    expect![[r#"Apply failed with 1 conflict: conflict with "one": .spec.replicas"#]]
        .assert_eq(&error.message);
    let forced = apply(&change("two", LATER), Some(&made), &wish, true).unwrap();
    assert_eq!(forced["spec"]["replicas"], 3);
    let back = apply(
        &change("one", LATER),
        Some(&forced),
        &deployment(json!({"replicas": 2})),
        false,
    );
    assert!(
        back.unwrap_err()
            .message
            .contains("conflict with \"two\": .spec.replicas")
    );
}

#[test]
fn what_was_there_before_the_first_apply_has_an_owner() {
    let live = deployment(json!({"replicas": 2, "paused": true}));
    let wish = deployment(json!({"replicas": 3, "paused": false}));
    let error = apply(&change("kubectl", NOON), Some(&live), &wish, false).unwrap_err();
    expect![[r#"
        Apply failed with 2 conflicts: conflicts with "before-first-apply" using apps/v1:
        - .spec.paused
        - .spec.replicas"#]]
    .assert_eq(&error.message);
}

#[test]
fn a_plain_update_takes_ownership_of_what_it_changes() {
    let made = apply(
        &change("one", NOON),
        None,
        &deployment(json!({"replicas": 2})),
        false,
    )
    .unwrap();
    let mut scaled = made.clone();
    scaled["spec"]["replicas"] = 5.into();
    update_managed_fields(&change("scaler", LATER), &made, &mut scaled);
    let wish = deployment(json!({"replicas": 2}));
    let error = apply(&change("one", LATER), Some(&scaled), &wish, false).unwrap_err();
    expect![[
        r#"Apply failed with 1 conflict: conflict with "scaler" using apps/v1: .spec.replicas"#
    ]]
    .assert_eq(&error.message);
}

#[test]
fn an_object_that_was_never_applied_stays_without_managers() {
    let old = deployment(json!({"replicas": 1}));
    let mut new = deployment(json!({"replicas": 2}));
    update_managed_fields(&change("one", NOON), &old, &mut new);
    assert!(new["metadata"]["managedFields"].is_null());
}

#[test]
fn a_wish_that_does_not_fit_is_refused() {
    let wish = deployment(json!({"foo": 1}));
    let error = apply(&change("one", NOON), None, &wish, false).unwrap_err();
    expect!["failed to create typed patch object (/a; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema"]
        .assert_eq(&error.message);
    let twice = deployment(containers(json!([{"name": "a"}, {"name": "a"}])));
    let error = apply(&change("one", NOON), None, &twice, false).unwrap_err();
    expect![[r#"failed to create typed patch object (/a; apps/v1, Kind=Deployment): .spec.template.spec.containers: duplicate entries for key [name="a"]"#]]
        .assert_eq(&error.message);
}

mod properties {
    use super::{LATER, NOON, apply, change, containers, deployment};
    use proptest::prelude::*;
    use proptest::sample::subsequence;
    use serde_json::{Value, json};

    fn wish() -> impl Strategy<Value = Value> {
        let names = subsequence(vec!["a", "b", "c", "d"], 0..=4).prop_shuffle();
        (names, 0..3_u8, proptest::option::of(0..3_i32)).prop_map(|(names, image, replicas)| {
            let list: Vec<Value> = names
                .iter()
                .map(|n| json!({"name": n, "image": format!("i:{image}")}))
                .collect();
            let mut spec = containers(list.into());
            if let Some(replicas) = replicas {
                spec["replicas"] = replicas.into();
            }
            deployment(spec)
        })
    }

    proptest! {
        #[test]
        fn one_manager_gets_what_it_last_applied(first in wish(), second in wish()) {
            let made = apply(&change("one", NOON), None, &first, false).unwrap();
            let mut result = apply(&change("one", LATER), Some(&made), &second, false).unwrap();
            result["metadata"].as_object_mut().unwrap().remove("managedFields");
            prop_assert_eq!(result, second);
        }

        #[test]
        fn forced_wishes_hold_and_can_be_repeated(first in wish(), second in wish()) {
            let made = apply(&change("one", NOON), None, &first, false).unwrap();
            let forced = apply(&change("two", LATER), Some(&made), &second, true).unwrap();
            let again = apply(&change("two", LATER), Some(&forced), &second, false).unwrap();
            prop_assert_eq!(again, forced);
        }
    }
}
