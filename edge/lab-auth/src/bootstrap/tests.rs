use super::{DATA, objects};
use crate::rbac::aggregate;

#[test]
fn every_line_becomes_an_object() {
    let all = objects();
    assert_eq!(all.len(), DATA.lines().count());
    for object in &all {
        assert_eq!(object["apiVersion"], "rbac.authorization.k8s.io/v1");
        assert!(object["metadata"]["name"].is_string());
        assert_eq!(
            object["metadata"]["namespace"].is_string(),
            matches!(object["kind"].as_str(), Some("Role" | "RoleBinding"))
        );
    }
}

#[test]
fn aggregated_roles_are_already_filled_in() {
    let all = objects();
    let roles: Vec<_> = all.iter().filter(|o| o["kind"] == "ClusterRole").collect();
    assert_eq!(aggregate(&roles), Vec::<serde_json::Value>::new());
}
