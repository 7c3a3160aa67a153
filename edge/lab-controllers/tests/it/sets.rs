//! StatefulSets and DaemonSets.

use crate::lab::Lab;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, Service};
use serde_json::{Value, json};

fn spec(name: &str, image: &str) -> Value {
    json!({
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "main", "image": image}]},
        },
    })
}

fn set(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

/// Names and images of the pods that are ready, by name.
async fn ready(lab: &Lab) -> anyhow::Result<Vec<String>> {
    let text = |pod: Pod| {
        let spec = pod.spec.unwrap_or_default();
        let conditions = pod
            .status
            .and_then(|status| status.conditions)
            .unwrap_or_default();
        let ready = conditions
            .iter()
            .any(|held| held.type_ == "Ready" && held.status == "True");
        let image = spec
            .containers
            .first()
            .and_then(|container| container.image.clone());
        let name = pod.metadata.name.unwrap_or_default();
        ready.then(|| format!("{name} {}", image.unwrap_or_default()))
    };
    Ok(lab.pods().await?.into_iter().filter_map(text).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pods_of_a_stateful_set_have_names_that_stay() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    let mut db = spec("db", "one");
    db["replicas"] = json!(3);
    db["serviceName"] = json!("db");
    lab.create::<StatefulSet>(set("StatefulSet", "db", &db))
        .await?;
    lab.eventually("three pods", || async {
        Ok((ready(&lab).await? == ["db-0 one", "db-1 one", "db-2 one"]).then_some(()))
    })
    .await?;
    let containers = json!([{"name": "main", "image": "two"}]);
    let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
    lab.merge::<StatefulSet>("db", patch).await?;
    lab.eventually("three new pods", || async {
        let status = lab
            .api::<StatefulSet>()
            .get("db")
            .await?
            .status
            .unwrap_or_default();
        let complete =
            status.current_revision == status.update_revision && status.updated_replicas == Some(3);
        let pods = ready(&lab).await?;
        Ok((complete && pods == ["db-0 two", "db-1 two", "db-2 two"]).then_some(()))
    })
    .await?;
    lab.merge::<StatefulSet>("db", json!({"spec": {"replicas": 1}}))
        .await?;
    lab.eventually("the first to stay", || async {
        Ok((ready(&lab).await? == ["db-0 two"]).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_set_has_one_pod_on_every_node() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    lab.add_node("node-2", "1").await?;
    lab.create::<DaemonSet>(set("DaemonSet", "agent", &spec("agent", "one")))
        .await?;
    let on_nodes = |wanted: &'static [&'static str], image: &'static str| {
        let lab = &lab;
        async move {
            let pods = lab.pods().await?;
            let place = |pod: &Pod| {
                let spec = pod.spec.clone().unwrap_or_default();
                (spec.containers[0].image.as_deref() == Some(image)).then_some(spec.node_name?)
            };
            let mut nodes: Vec<String> = pods.iter().filter_map(place).collect();
            nodes.sort();
            Ok((nodes == wanted && pods.len() == wanted.len()).then_some(()))
        }
    };
    lab.eventually("two pods", || on_nodes(&["node-1", "node-2"], "one"))
        .await?;
    lab.add_node("node-3", "1").await?;
    lab.eventually("three pods", || {
        on_nodes(&["node-1", "node-2", "node-3"], "one")
    })
    .await?;
    let containers = json!([{"name": "main", "image": "two"}]);
    let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
    lab.merge::<DaemonSet>("agent", patch).await?;
    lab.eventually("new pods", || {
        on_nodes(&["node-1", "node-2", "node-3"], "two")
    })
    .await?;
    lab.eventually("a full status", || async {
        let status = lab
            .api::<DaemonSet>()
            .get("agent")
            .await?
            .status
            .unwrap_or_default();
        Ok((status.number_ready == 3 && status.updated_number_scheduled == Some(3)).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_settled_is_left_alone() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    lab.create::<DaemonSet>(set("DaemonSet", "agent", &spec("agent", "one")))
        .await?;
    lab.create::<StatefulSet>(set("StatefulSet", "db", &spec("db", "one")))
        .await?;
    lab.create::<Deployment>(set("Deployment", "web", &spec("web", "one")))
        .await?;
    let mut once = json!({"template": spec("once", "one")["template"]});
    once["template"]["spec"]["restartPolicy"] = json!("Never");
    lab.create::<Job>(json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"}, "spec": once,
    }))
    .await?;
    lab.create::<Service>(json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}], "type": "LoadBalancer"},
    }))
    .await?;
    lab.eventually("four pods", || async {
        Ok((ready(&lab).await?.len() == 4).then_some(()))
    })
    .await?;
    lab.quiet().await
}
