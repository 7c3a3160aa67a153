//! The roles and bindings that every cluster begins with.

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
fn aggregated_roles_hold_their_parts_and_nothing_of_add_ons() {
    let all = objects();
    let roles: Vec<_> = all.iter().filter(|o| o["kind"] == "ClusterRole").collect();
    assert!(aggregate(&roles).is_empty());
    let view = roles
        .iter()
        .find(|role| role["metadata"]["name"] == "view")
        .unwrap();
    assert!(!view["rules"].to_string().contains("metrics.k8s.io"));
    assert!(
        view["rules"]
            .to_string()
            .contains("horizontalpodautoscalers")
    );
}
