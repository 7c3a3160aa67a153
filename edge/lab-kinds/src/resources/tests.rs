//! The table of resources: read whole, ordered, and found by name and kind.

use super::{DATA, all, find, find_kind, groups, split_api_version};

#[test]
fn every_line_of_the_data_is_a_resource() {
    assert_eq!(all().len(), DATA.lines().count());
}

#[test]
fn groups_come_in_the_order_of_upstreams_priorities_and_v2_of_autoscaling_is_preferred() {
    let groups = groups();
    let names: Vec<&str> = groups.iter().map(|(name, _)| *name).take(6).collect();
    assert_eq!(
        names,
        [
            "",
            "apiregistration.k8s.io",
            "apps",
            "events.k8s.io",
            "authentication.k8s.io",
            "authorization.k8s.io"
        ]
    );
    assert!(groups.contains(&("autoscaling", vec!["v2", "v1"])));
}

#[test]
fn a_resource_is_found_by_name_and_by_kind() {
    let pods = find("", "v1", "pods").expect("pods");
    assert_eq!(
        (
            pods.kind.as_str(),
            pods.namespaced,
            pods.api_version().as_str()
        ),
        ("Pod", true, "v1")
    );
    assert_eq!(
        pods.subresource("eviction").map(|s| s.group.as_str()),
        Some("policy")
    );
    assert_eq!(
        find_kind("apps", "v1", "Deployment").map(|r| r.resource.as_str()),
        Some("deployments")
    );
    assert!(find("apps", "v1beta1", "deployments").is_none());
    assert!(!find("", "v1", "nodes").expect("nodes").namespaced);
}

#[test]
fn an_api_version_without_a_slash_is_of_the_core_group() {
    assert_eq!(split_api_version("v1"), ("", "v1"));
    assert_eq!(split_api_version("apps/v1"), ("apps", "v1"));
}
