//! What becomes of objects on their way into the store.

use super::{default, prepare_create, prepare_update};
use crate::resources::{Resource, find};
use expect_test::expect;
use serde_json::{Value, json};

fn resource(group: &str, name: &str) -> &'static Resource {
    find(group, "v1", name).expect("a resource")
}

fn created(group: &str, name: &str, mut object: Value) -> Value {
    let resource = resource(group, name);
    default(group, "v1", &resource.kind, &mut object);
    prepare_create(resource, &mut object);
    object
}

#[test]
fn a_new_pod_is_pending_has_an_account_and_tolerates_for_five_minutes() {
    let pod = created(
        "",
        "pods",
        json!({
            "metadata": {"name": "p", "generation": 7},
            "spec": {"containers": [{"name": "c", "image": "i:1", "resources": {"requests": {"cpu": "100m"}}}]},
            "status": {"phase": "Running"},
        }),
    );
    assert_eq!(pod["metadata"]["generation"], 1);
    assert_eq!(
        pod["status"],
        json!({"phase": "Pending", "qosClass": "Burstable"})
    );
    expect![[r#"
        [
          "default",
          0,
          "PreemptLowerPriority",
          [
            {
              "effect": "NoExecute",
              "key": "node.kubernetes.io/not-ready",
              "operator": "Exists",
              "tolerationSeconds": 300
            },
            {
              "effect": "NoExecute",
              "key": "node.kubernetes.io/unreachable",
              "operator": "Exists",
              "tolerationSeconds": 300
            }
          ]
        ]
    "#]]
    .assert_eq(&format!(
        "{:#}\n",
        json!([
            pod["spec"]["serviceAccountName"],
            pod["spec"]["priority"],
            pod["spec"]["preemptionPolicy"],
            pod["spec"]["tolerations"],
        ])
    ));
}

#[test]
fn the_class_of_service_follows_requests_and_limits() {
    let class = |resources: Value| {
        let pod = created(
            "",
            "pods",
            json!({"metadata": {"name": "p"},
            "spec": {"containers": [{"name": "c", "image": "i:1", "resources": resources}]}}),
        );
        pod["status"]["qosClass"]
            .as_str()
            .expect("a class")
            .to_owned()
    };
    assert_eq!(class(json!({})), "BestEffort");
    assert_eq!(class(json!({"limits": {"cpu": "1"}})), "Burstable");
    assert_eq!(
        class(json!({"limits": {"cpu": "1", "memory": "1Gi"}})),
        "Guaranteed"
    );
    assert_eq!(
        class(
            json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m", "memory": "1024Mi"}})
        ),
        "Guaranteed"
    );
    assert_eq!(
        class(json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}})),
        "Burstable"
    );
}

#[test]
fn a_jobs_selector_is_made_of_its_uid() {
    let job = created(
        "batch",
        "jobs",
        json!({"metadata": {"name": "batch-app-1", "uid": "u-1"},
        "spec": {"template": {"spec": {"restartPolicy": "Never"}}}}),
    );
    expect![[r#"
        {
          "matchLabels": {
            "batch.kubernetes.io/controller-uid": "u-1"
          }
        }
        {
          "labels": {
            "batch.kubernetes.io/controller-uid": "u-1",
            "batch.kubernetes.io/job-name": "batch-app-1",
            "controller-uid": "u-1",
            "job-name": "batch-app-1"
          }
        }
    "#]]
    .assert_eq(&format!(
        "{:#}\n{:#}\n",
        job["spec"]["selector"], job["spec"]["template"]["metadata"]
    ));
}

#[test]
fn a_namespace_begins_active_with_its_finalizer() {
    let namespace = created(
        "",
        "namespaces",
        json!({"metadata": {"name": "n"}, "status": {"phase": "Terminating"}}),
    );
    assert_eq!(namespace["spec"], json!({"finalizers": ["kubernetes"]}));
    assert_eq!(namespace["status"], json!({"phase": "Active"}));
}

#[test]
fn an_update_keeps_the_status_and_counts_the_generation() {
    let deployments = resource("apps", "deployments");
    let old = json!({"metadata": {"name": "d", "generation": 3}, "spec": {"replicas": 1}, "status": {"replicas": 1}});
    let mut same = json!({"metadata": {"name": "d", "generation": 9}, "spec": {"replicas": 1}, "status": {"replicas": 8}});
    prepare_update(deployments, None, &old, &mut same);
    assert_eq!(
        (&same["metadata"]["generation"], &same["status"]),
        (&json!(3), &old["status"])
    );
    let mut scaled = json!({"metadata": {"name": "d"}, "spec": {"replicas": 2}});
    prepare_update(deployments, None, &old, &mut scaled);
    assert_eq!(scaled["metadata"]["generation"], 4);
    let mut noted =
        json!({"metadata": {"name": "d", "annotations": {"a": "b"}}, "spec": {"replicas": 1}});
    prepare_update(deployments, None, &old, &mut noted);
    assert_eq!(noted["metadata"]["generation"], 4);
}

#[test]
fn a_status_update_keeps_the_spec() {
    let deployments = resource("apps", "deployments");
    let old =
        json!({"metadata": {"name": "d", "generation": 3}, "spec": {"replicas": 1}, "status": {}});
    let mut new =
        json!({"metadata": {"name": "d"}, "spec": {"replicas": 9}, "status": {"replicas": 1}});
    prepare_update(deployments, Some("status"), &old, &mut new);
    assert_eq!(
        new,
        json!({"metadata": {"name": "d", "generation": 3}, "spec": {"replicas": 1}, "status": {"replicas": 1}})
    );
}

#[test]
fn an_update_cannot_change_when_an_object_was_made_or_marked() {
    let maps = resource("", "configmaps");
    let old =
        json!({"metadata": {"name": "c", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"}});
    let mut new = json!({"metadata": {"name": "c", "creationTimestamp": "2020-01-01T00:00:00Z", "deletionTimestamp": "2020-01-01T00:00:00Z"}});
    prepare_update(maps, None, &old, &mut new);
    assert_eq!(new, old);
}

#[test]
fn a_services_address_and_ports_survive_a_replace_and_go_with_the_type() {
    let services = resource("", "services");
    let mut old = created(
        "",
        "services",
        json!({"metadata": {"name": "s"},
        "spec": {"type": "LoadBalancer", "clusterIP": "127.32.64.9", "ports": [{"port": 80, "nodePort": 30001}]}}),
    );
    old["spec"]["ports"][0]["nodePort"] = 30001.into();
    let mut replaced = json!({"metadata": {"name": "s"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}});
    default("", "v1", "Service", &mut replaced);
    prepare_update(services, None, &old, &mut replaced);
    assert_eq!(replaced["spec"], old["spec"]);
    let mut plain = old.clone();
    plain["spec"]["type"] = "ClusterIP".into();
    default("", "v1", "Service", &mut plain);
    prepare_update(services, None, &old, &mut plain);
    assert!(plain["spec"]["ports"][0].get("nodePort").is_none());
    assert!(plain["spec"].get("allocateLoadBalancerNodePorts").is_none());
    assert!(plain["spec"].get("externalTrafficPolicy").is_none());
    assert_eq!(plain["spec"]["clusterIP"], "127.32.64.9");
}

#[test]
fn a_custom_resource_has_a_generation_and_its_status_apart() {
    let widgets = Resource {
        group: "example.com".to_owned(),
        resource: "widgets".to_owned(),
        kind: "Widget".to_owned(),
        ..resource("apps", "deployments").clone()
    };
    let mut new =
        json!({"metadata": {"name": "w"}, "spec": {"size": 1}, "status": {"ready": true}});
    prepare_create(&widgets, &mut new);
    assert_eq!(
        new,
        json!({"metadata": {"name": "w", "generation": 1}, "spec": {"size": 1}})
    );
    let mut status = json!({"metadata": {"name": "w", "labels": {"a": "b"}, "resourceVersion": "2"}, "spec": {"size": 2}, "status": {"ready": true}});
    prepare_update(&widgets, Some("status"), &new, &mut status);
    assert_eq!(
        status,
        json!({"metadata": {"name": "w", "generation": 1, "resourceVersion": "2"}, "spec": {"size": 1}, "status": {"ready": true}})
    );
}
