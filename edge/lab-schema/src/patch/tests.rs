//! The cases follow upstream's table (apimachinery/pkg/util/strategicpatch/patch_test.go), told with pods and deployments.

mod diff;
mod properties;

use super::{PatchError, json_patch, merge_patch, strategic_merge};
use crate::{Schema, TypeRef};
use k8s::status::ApiError;
use serde_json::{Value, json};

pub(super) fn pod_type() -> TypeRef<'static> {
    Schema::builtin().root("", "v1", "Pod").unwrap()
}

fn deployment(object: Value, patch: Value) -> Result<Value, PatchError> {
    strategic_merge(
        Schema::builtin().root("apps", "v1", "Deployment").unwrap(),
        &object,
        &patch,
    )
}

fn pod(object: Value, patch: Value) -> Result<Value, PatchError> {
    strategic_merge(pod_type(), &object, &patch)
}

/// Patches a pod's spec.
fn spec(live: Value, patch: Value) -> Value {
    pod(json!({"spec": live}), json!({"spec": patch})).unwrap()["spec"].take()
}

/// Patches a pod's metadata.
fn meta(live: Value, patch: Value) -> Value {
    pod(json!({"metadata": live}), json!({"metadata": patch})).unwrap()["metadata"].take()
}

#[test]
fn maps_merge_and_null_deletes() {
    assert_eq!(
        meta(
            json!({"name": "a", "labels": {"x": "1", "y": "2"}}),
            json!({"labels": {"x": null, "z": "3"}, "annotations": {"n": null, "m": "1"}})
        ),
        json!({"name": "a", "labels": {"y": "2", "z": "3"}, "annotations": {"m": "1"}})
    );
}

#[test]
fn containers_merge_by_name() {
    let live = json!({"containers": [
        {"name": "app", "image": "a:1", "env": [{"name": "A", "value": "1"}]},
        {"name": "side", "image": "s:1"},
    ]});
    let patch = json!({"containers": [
        {"name": "app", "image": "a:2", "env": [{"name": "B", "value": "2"}]},
    ]});
    let want = json!({"containers": [
        {"name": "app", "image": "a:2", "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]},
        {"name": "side", "image": "s:1"},
    ]});
    assert_eq!(spec(live, patch), want);
}

#[test]
fn an_element_is_deleted_by_directive() {
    assert_eq!(
        spec(
            json!({"containers": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}),
            json!({"containers": [{"name": "b", "$patch": "delete"}, {"name": "d", "$patch": "delete"}]})
        ),
        json!({"containers": [{"name": "a"}, {"name": "c"}]})
    );
}

#[test]
fn a_list_or_a_map_is_replaced_by_directive() {
    assert_eq!(
        spec(
            json!({"containers": [{"name": "a"}, {"name": "b"}], "securityContext": {"runAsUser": 1, "fsGroup": 2}}),
            json!({"containers": [{"name": "c", "image": "i"}, {"$patch": "replace"}],
                "securityContext": {"$patch": "replace", "runAsUser": 3}})
        ),
        json!({"containers": [{"name": "c", "image": "i"}], "securityContext": {"runAsUser": 3}})
    );
    assert_eq!(
        meta(
            json!({"labels": {"a": "1"}}),
            json!({"labels": {"$patch": "delete"}})
        ),
        json!({"labels": {}})
    );
}

#[test]
fn lists_without_a_strategy_are_replaced() {
    assert_eq!(
        spec(
            json!({"containers": [{"name": "a", "args": ["x", "y"]}]}),
            json!({"containers": [{"name": "a", "args": ["z"]}]})
        ),
        json!({"containers": [{"name": "a", "args": ["z"]}]})
    );
}

#[test]
fn scalars_merge_into_a_set() {
    assert_eq!(
        meta(
            json!({"finalizers": ["a", "b"]}),
            json!({"finalizers": ["b", "c"]})
        ),
        json!({"finalizers": ["a", "b", "c"]})
    );
    assert_eq!(
        meta(
            json!({"finalizers": ["a", "b", "c"]}),
            json!({"$deleteFromPrimitiveList/finalizers": ["a", "x"]})
        ),
        json!({"finalizers": ["b", "c"]})
    );
    assert_eq!(
        meta(
            json!({"finalizers": ["a", "b", "c"]}),
            json!({"$deleteFromPrimitiveList/finalizers": ["b"], "$setElementOrder/finalizers": ["c", "d", "a"],
                "finalizers": ["d"]})
        ),
        json!({"finalizers": ["c", "d", "a"]})
    );
}

#[test]
fn the_order_of_elements_can_be_set() {
    assert_eq!(
        spec(
            json!({"containers": [{"name": "a"}, {"name": "b"}, {"name": "server"}, {"name": "c"}]}),
            json!({"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}, {"name": "new"}],
                "containers": [{"name": "a", "image": "i"}, {"name": "new"}, {"name": "b", "$patch": "delete"}]})
        ),
        json!({"containers": [{"name": "server"}, {"name": "c"}, {"name": "a", "image": "i"}, {"name": "new"}]})
    );
    assert_eq!(
        spec(
            json!({"containers": [{"name": "a"}, {"name": "b"}]}),
            json!({"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]})
        ),
        json!({"containers": [{"name": "b"}, {"name": "a"}]})
    );
}

#[test]
fn retain_keys_drops_the_rest() {
    let live =
        json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
    let patch = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
    assert_eq!(
        deployment(live, patch),
        Ok(json!({"spec": {"strategy": {"type": "Recreate"}}}))
    );
    let volumes = spec(
        json!({"volumes": [{"name": "v", "emptyDir": {}}]}),
        json!({"volumes": [{"$retainKeys": ["name", "secret"], "name": "v", "secret": {"secretName": "s"}}]}),
    );
    assert_eq!(
        volumes,
        json!({"volumes": [{"name": "v", "secret": {"secretName": "s"}}]})
    );
}

#[test]
fn directives_have_nothing_to_act_on_in_new_values() {
    let patch = json!({"volumes": [{"$retainKeys": ["name", "emptyDir"], "name": "v", "emptyDir": {}, "secret": null},
        {"name": "gone", "$patch": "delete"}], "$setElementOrder/volumes": [{"name": "v"}]});
    assert_eq!(
        spec(json!({}), patch),
        json!({"volumes": [{"name": "v", "emptyDir": {}}]})
    );
}

#[test]
fn a_new_value_that_is_a_directive_is_nothing() {
    let patch = json!({"labels": {"$patch": "replace", "a": "1"}, "annotations": {"b": "2"}});
    assert_eq!(
        meta(json!({"name": "p"}), patch),
        json!({"name": "p", "annotations": {"b": "2"}})
    );
}

#[test]
fn nested_lists_merge() {
    let ports = spec(
        json!({"containers": [{"name": "a", "ports": [{"containerPort": 80}, {"containerPort": 81, "name": "x"}]}]}),
        json!({"containers": [{"name": "a", "ports": [{"containerPort": 81, "name": "y"}, {"containerPort": 82}]}]}),
    );
    assert_eq!(
        ports,
        json!({"containers": [{"name": "a", "ports": [
            {"containerPort": 80}, {"containerPort": 81, "name": "y"}, {"containerPort": 82}]}]})
    );
}

#[test]
fn malformed_patches_are_refused_in_upstream_words() {
    let fails = |patch: Value| {
        let live = json!({"spec": {"containers": [{"name": "a"}], "nodeName": "n"},
            "metadata": {"finalizers": ["a"]}});
        pod(live, patch).unwrap_err()
    };
    assert_eq!(
        fails(json!({"spec": {"containers": [{"image": "i"}]}})),
        PatchError::Other("map: map[image:i] does not contain declared merge key: name".into())
    );
    assert_eq!(
        fails(json!({"spec": {"$patch": "mangle"}})),
        PatchError::Other("unknown patch type: mangle in map: map[]".into())
    );
    assert_eq!(
        fails(json!({"spec": {"$retainKeys": ["a"], "b": 1}})),
        PatchError::Bad("invalid patch format of retainKeys".into())
    );
    assert_eq!(
        fails(json!({"metadata": {"$deleteFromPrimitiveListfinalizers": []}})),
        PatchError::Bad("invalid patch format of primitive list".into())
    );
    assert_eq!(
        fails(json!({"spec": {"$setElementOrder/containers": "x"}})),
        PatchError::Other("expected a []interface {}, but received a string".into())
    );
    assert_eq!(
        fails(json!({"metadata": {"finalizers": [1]}})),
        PatchError::Other("list element types are not identical: [[a] [1]]".into())
    );
}

#[test]
fn a_json_patch_is_applied_in_order() {
    let live = json!({"a": [1, 2], "b": {"c": 1}});
    let patch = json!([
        {"op": "test", "path": "/a/0", "value": 1},
        {"op": "remove", "path": "/a/0"},
        {"op": "add", "path": "/a/-", "value": 3},
        {"op": "replace", "path": "/b/c", "value": 2},
        {"op": "copy", "from": "/b/c", "path": "/d"},
    ]);
    assert_eq!(
        json_patch(&live, &patch),
        Ok(json!({"a": [2, 3], "b": {"c": 2}, "d": 2}))
    );
}

#[test]
fn a_json_patch_that_does_not_fit_is_unprocessable() {
    let live = json!({"a": 1});
    let error = json_patch(&live, &json!([{"op": "test", "path": "/a", "value": 2}])).unwrap_err();
    let error = ApiError::from(error);
    assert_eq!((error.code, error.reason), (422, "Invalid"));
    assert_eq!(
        error.message,
        "the server rejected our request due to an error in our request"
    );
    let error = json_patch(&live, &json!({"a": 2})).unwrap_err();
    assert_eq!(ApiError::from(error).code, 400);
}

#[test]
fn a_merge_patch_follows_the_rfc() {
    let live = json!({"a": "b", "c": {"d": "e", "f": "g"}, "l": [1]});
    let patch = json!({"a": "z", "c": {"f": null}, "l": [2], "n": {"x": null}});
    assert_eq!(
        merge_patch(&live, &patch),
        Ok(json!({"a": "z", "c": {"d": "e"}, "l": [2], "n": {}}))
    );
    assert!(merge_patch(&live, &json!([1])).is_err());
}
