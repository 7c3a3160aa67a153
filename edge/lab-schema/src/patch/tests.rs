use super::{PatchError, json_patch, merge_patch, strategic_merge};
use crate::Schema;
use serde_json::{Value, json};

fn deployment(object: Value, patch: Value) -> Result<Value, PatchError> {
    strategic_merge(
        Schema::builtin().root("apps", "v1", "Deployment").unwrap(),
        &object,
        &patch,
    )
}

fn pod(object: Value, patch: Value) -> Result<Value, PatchError> {
    strategic_merge(
        Schema::builtin().root("", "v1", "Pod").unwrap(),
        &object,
        &patch,
    )
}

#[test]
fn containers_merge_by_name() {
    let live = json!({"spec": {"template": {"spec": {"containers": [
        {"name": "app", "image": "a:1", "env": [{"name": "A", "value": "1"}]},
        {"name": "side", "image": "s:1"},
    ]}}}});
    let patch = json!({"spec": {"template": {"spec": {"containers": [
        {"name": "app", "image": "a:2", "env": [{"name": "B", "value": "2"}]},
    ]}}}});
    let want = json!({"spec": {"template": {"spec": {"containers": [
        {"name": "app", "image": "a:2", "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]},
        {"name": "side", "image": "s:1"},
    ]}}}});
    assert_eq!(deployment(live, patch), Ok(want));
}
