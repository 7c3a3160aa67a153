//! With the rights of deploy/hpa-controller and no others the controller works; without any one of them it says what
//! it lacks.

use crate::manifests;
use crate::options::a_stranger;
use crate::world::{DEADLINE, NAMESPACE, World, autoscaler, condition, create, deployment};
use hpa_controller::HpaFlags;
use k8s_openapi::api::core::v1::EventSource;
use kube::api::{Api, DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use runtime::events::Recorder;
use runtime::lease::{Candidate, Terms};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) const ACCOUNT: &str = "evenkeel-hpa-controller";
const USER: &str = "system:serviceaccount:kube-system:evenkeel-hpa-controller";
const EXTERNAL: &str = "/apis/external.metrics.k8s.io/v1beta1/namespaces/eks-work/queue";
const CUSTOM: &str = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/eks-work/pods/%2A/requests";

/// A right by group, resource and verb.
pub(crate) type Right = (&'static str, &'static str, &'static str);

/// Takes a right out of a role's rules.
fn without((group, resource, verb): Right, role: &mut Value) -> usize {
    let holds = |list: &Value, one: &str| list.as_array().unwrap().iter().any(|v| v == one);
    let rules = role["rules"].as_array_mut().into_iter().flatten();
    let mut taken = 0;
    for rule in rules.filter(|r| holds(&r["apiGroups"], group) && holds(&r["resources"], resource))
    {
        let verbs = rule["verbs"].as_array_mut().unwrap();
        let before = verbs.len();
        verbs.retain(|v| v != verb);
        taken += before - verbs.len();
        if verbs.is_empty() {
            verbs.push(json!("none"));
        }
    }
    taken
}

/// A world in which the shipped service account has the shipped rights, but for some.
pub(crate) async fn world(lacking: &[Right]) -> World {
    let world = World::new().await;
    let mut taken = 0;
    for mut object in manifests::objects() {
        let kind = object["kind"].as_str().unwrap().to_owned();
        if !kind.contains("Role") && kind != "ServiceAccount" {
            continue;
        }
        for right in lacking {
            taken += without(*right, &mut object);
        }
        let (group, version) = match object["apiVersion"].as_str().unwrap() {
            "v1" => ("", "v1"),
            other => other.split_once('/').unwrap(),
        };
        let kind = GroupVersionKind::gvk(group, version, &kind);
        let resource = ApiResource::from_gvk(&kind);
        let namespace = object["metadata"]["namespace"].as_str();
        let client = world.lab.client.clone();
        let api: Api<DynamicObject> = match namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, &resource),
            None => Api::all_with(client, &resource),
        };
        create(&api, object.clone()).await;
    }
    assert_eq!(taken, lacking.len(), "{lacking:?}");
    world
}

fn start(world: &World) -> DropGuard {
    let flags = HpaFlags {
        sync_period: units::Duration::from_millis(100),
        downscale_stabilization: units::Duration::ZERO,
        ..HpaFlags::default()
    };
    world.start_as(ACCOUNT, flags)
}

/// An autoscaler by cpu, a custom and an external metric, all of which ask for more.
async fn busy(world: &World) {
    world.use_cpu("95m");
    create(
        &world.api("apps/v1", "Deployment", "deployments"),
        deployment(),
    )
    .await;
    for name in ["backend-app-1", "backend-app-2"] {
        world.pod(name).await;
    }
    let discovery = |group: &str, version: &str| {
        json!({"kind": "APIGroup", "apiVersion": "v1", "name": group,
            "versions": [{"groupVersion": format!("{group}/{version}"), "version": version}],
            "preferredVersion": {"groupVersion": format!("{group}/{version}"), "version": version}})
    };
    let custom = "custom.metrics.k8s.io";
    world
        .adapter
        .put(&format!("/apis/{custom}"), &discovery(custom, "v1beta2"));
    world.adapter.put(
        EXTERNAL,
        &json!({"kind": "ExternalMetricValueList", "apiVersion": "external.metrics.k8s.io/v1beta1",
            "metadata": {}, "items": [{"metricName": "queue", "metricLabels": {},
                "timestamp": "2026-01-01T12:00:00Z", "value": "100"}]}),
    );
    let value = |pod: &str| {
        json!({"describedObject": {"kind": "Pod", "namespace": NAMESPACE, "name": pod},
            "metric": {"name": "requests"}, "timestamp": "2026-01-01T12:00:00Z", "value": "30"})
    };
    let values = json!({"kind": "MetricValueList", "apiVersion": "custom.metrics.k8s.io/v1beta2",
        "metadata": {}, "items": [value("backend-app-1"), value("backend-app-2")]});
    world.adapter.put(CUSTOM, &values);
    world.adapter.put(&CUSTOM.replace("%2A", "*"), &values);
    let hpa = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "backend-app-hpa"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "backend-app"},
            "minReplicas": 2, "maxReplicas": 5, "metrics": [
                {"type": "Resource", "resource": {"name": "cpu",
                    "target": {"type": "Utilization", "averageUtilization": 50}}},
                {"type": "Pods", "pods": {"metric": {"name": "requests"},
                    "target": {"type": "AverageValue", "averageValue": "20"}}},
                {"type": "External", "external": {"metric": {"name": "queue"},
                    "target": {"type": "AverageValue", "averageValue": "25"}}}]}});
    create(&world.hpas("autoscaling/v2"), hpa).await;
}

fn forbidden(verb: &str, resource: &str, group: &str, place: &str) -> String {
    format!(
        "User \"{USER}\" cannot {verb} resource \"{resource}\" in API group \"{group}\" {place}"
    )
}

async fn refused(world: &World, text: &str) {
    let wait = async {
        while !world.refused.texts().iter().any(|t| t.contains(text)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = timeout(DEADLINE, wait).await;
    assert!(waited.is_ok(), "{text}: {:#?}", world.refused.texts());
}

#[tokio::test]
async fn with_the_shipped_rights_alone_it_scales_and_says_so() {
    let world = world(&[]).await;
    busy(&world).await;
    let _controller = start(&world);
    let hpa = world.hpa(|hpa| hpa["status"]["desiredReplicas"] == 4).await;
    assert_eq!(condition(&hpa, "ScalingActive")["status"], "True");
    assert_eq!(
        hpa["status"]["currentMetrics"].as_array().map(Vec::len),
        Some(3)
    );
    let why = "New size: 4; reason: cpu resource utilization (percentage of request) above target";
    world.event("SuccessfulRescale", why).await;
    assert_eq!(world.refused.texts(), [""; 0], "nothing more is asked for");
}

/// An autoscaler that selects its pods by ownership, and a pod of nobody among them.
async fn owning(world: &World) {
    create(
        &world.api("apps/v1", "Deployment", "deployments"),
        deployment(),
    )
    .await;
    for name in ["backend-app-1", "backend-app-2"] {
        world.pod(name).await;
    }
    a_stranger(world).await;
    create(&world.hpas("autoscaling/v1"), autoscaler()).await;
    world.ask_for(json!({"pod-selection": "owner"})).await;
}

#[tokio::test]
async fn with_the_shipped_rights_pods_of_nobody_are_left_out() {
    let world = world(&[]).await;
    owning(&world).await;
    let _controller = start(&world);
    let read = |hpa: &Value| {
        hpa["status"]["currentMetrics"][0]["resource"]["current"]["averageUtilization"] == 50
    };
    let hpa = world.hpa(read).await;
    assert_eq!(hpa["status"]["desiredReplicas"], 2);
    assert_eq!(condition(&hpa, "ScalingActive")["status"], "True");
    assert_eq!(world.refused.texts(), [""; 0], "nothing more is asked for");
}

#[tokio::test]
async fn who_may_not_ask_whose_pods_they_are_scales_on_none_of_them() {
    let right = ("apps", "replicasets", "get");
    let world = world(&[right]).await;
    owning(&world).await;
    let _controller = start(&world);
    let place = "in the namespace \"eks-work\"";
    let text = forbidden("get", "replicasets", "apps", place);
    refused(&world, &text).await;
    let says = |hpa: &Value| {
        let message = condition(hpa, "ScalingActive")["message"].as_str();
        message.is_some_and(|message| message.contains(&text))
    };
    let hpa = world.hpa(says).await;
    assert_eq!(condition(&hpa, "ScalingActive")["status"], "False");
}

#[tokio::test]
async fn without_a_right_the_autoscaler_says_which() {
    let inside = "in the namespace \"eks-work\"";
    let rows: &[(&[Right], &str, [&str; 4])] = &[
        (
            // Whose target is watched need not be asked for.
            &[("*", "*/scale", "get"), ("apps", "deployments", "watch")],
            "AbleToScale",
            ["get", "deployments/scale", "apps", inside],
        ),
        (
            &[("*", "*/scale", "update")],
            "AbleToScale",
            ["update", "deployments/scale", "apps", inside],
        ),
        (
            &[("", "pods", "list")],
            // The external metric is still good for a number, so the condition is too.
            "",
            ["list", "pods", "", inside],
        ),
        (
            &[("metrics.k8s.io", "pods", "list")],
            "",
            ["list", "pods", "metrics.k8s.io", inside],
        ),
        (
            &[("custom.metrics.k8s.io", "*", "get")],
            "",
            ["get", "pods/requests", "custom.metrics.k8s.io", inside],
        ),
        (
            &[("external.metrics.k8s.io", "*", "list")],
            "",
            ["list", "queue", "external.metrics.k8s.io", inside],
        ),
    ];
    for (rights, kind, [verb, resource, group, place]) in rows {
        let world = world(rights).await;
        busy(&world).await;
        let _controller = start(&world);
        let text = forbidden(verb, resource, group, place);
        refused(&world, &text).await;
        if !kind.is_empty() {
            let says = |hpa: &Value| {
                let message = condition(hpa, kind)["message"].as_str();
                message.is_some_and(|message| message.contains(&text))
            };
            world.hpa(says).await;
        }
        let told = async {
            loop {
                let events = world.events().await;
                let mut messages = events.iter().filter_map(|e| e.message.as_deref());
                if messages.any(|message| message.contains(&text)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        assert!(timeout(DEADLINE, told).await.is_ok(), "no event: {text}");
    }
}

#[tokio::test]
async fn what_no_autoscaler_can_say_the_server_says_in_the_log() {
    let (everywhere, inside) = ("at the cluster scope", "in the namespace \"eks-work\"");
    let hpas = "horizontalpodautoscalers";
    let rows: &[(Right, [&str; 4])] = &[
        (
            ("autoscaling", hpas, "list"),
            ["list", hpas, "autoscaling", everywhere],
        ),
        (
            ("autoscaling", hpas, "watch"),
            ["watch", hpas, "autoscaling", everywhere],
        ),
        (
            ("autoscaling", "horizontalpodautoscalers/status", "update"),
            [
                "update",
                "horizontalpodautoscalers/status",
                "autoscaling",
                inside,
            ],
        ),
        (("", "events", "create"), ["create", "events", "", inside]),
    ];
    for (right, [verb, resource, group, place]) in rows {
        let world = world(&[*right]).await;
        busy(&world).await;
        let _controller = start(&world);
        refused(&world, &forbidden(verb, resource, group, place)).await;
    }
}

/// Stands for election until what this gives is gone.
fn stand(world: &World) -> DropGuard {
    let client = world.client_of(ACCOUNT);
    let (recorder, scribe) = Recorder::new(client.clone(), EventSource::default());
    tokio::spawn(scribe.run());
    let terms = Terms {
        namespace: "kube-system".to_owned(),
        name: ACCOUNT.to_owned(),
        identity: "one".to_owned(),
        duration: Duration::from_secs(3),
        renew_deadline: Duration::from_secs(2),
        retry_period: Duration::from_millis(50),
    };
    let stop = CancellationToken::new();
    let candidate = Candidate::new(client, terms, recorder);
    let work = |term: CancellationToken| async move { term.cancelled().await };
    tokio::spawn(candidate.run(stop.clone(), work));
    stop.drop_guard()
}

async fn holder(world: &World) -> Option<String> {
    let kind = GroupVersionKind::gvk("coordination.k8s.io", "v1", "Lease");
    let client = world.lab.client.clone();
    let leases: Api<DynamicObject> =
        Api::namespaced_with(client, "kube-system", &ApiResource::from_gvk(&kind));
    let lease = leases.get_opt(ACCOUNT).await.unwrap()?;
    let holder = lease.data["spec"]["holderIdentity"].as_str()?;
    Some(holder.to_owned())
}

#[tokio::test]
async fn the_lease_is_taken_with_the_shipped_rights_and_not_without() {
    let wide = world(&[]).await;
    let _one = stand(&wide);
    let wait = async {
        while holder(&wide).await.as_deref() != Some("one") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, wait).await.unwrap();
    assert_eq!(wide.refused.texts(), [""; 0]);
    for verb in ["create", "get", "update"] {
        let narrow = world(&[("coordination.k8s.io", "leases", verb)]).await;
        let _one = stand(&narrow);
        let place = "in the namespace \"kube-system\"";
        let text = forbidden(verb, "leases", "coordination.k8s.io", place);
        refused(&narrow, &text).await;
    }
}

#[tokio::test]
async fn it_may_ask_who_asks_and_whether_they_may() {
    let world = world(&[]).await;
    let create_as = async |group: &str, kind: &str, spec: Value| {
        let kind = GroupVersionKind::gvk(group, "v1", kind);
        let resource = ApiResource::from_gvk(&kind);
        let api: Api<DynamicObject> = Api::all_with(world.client_of(ACCOUNT), &resource);
        let object = json!({"apiVersion": format!("{group}/v1"), "kind": kind.kind,
            "metadata": {}, "spec": spec});
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        api.create(&PostParams::default(), &object).await.unwrap();
    };
    let token = json!({"token": "unknown"});
    create_as("authentication.k8s.io", "TokenReview", token).await;
    let access =
        json!({"user": "jane", "nonResourceAttributes": {"path": "/metrics", "verb": "get"}});
    create_as("authorization.k8s.io", "SubjectAccessReview", access).await;
    let maps: Api<k8s_openapi::api::core::v1::ConfigMap> =
        Api::namespaced(world.client_of(ACCOUNT), "kube-system");
    let found = maps.get_opt("extension-apiserver-authentication").await;
    assert!(found.is_ok(), "{found:?}");
}
