//! The scheduler's refusals, and nodes.

use crate::deployment::deployment;
use crate::lab::Lab;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_fits_nowhere_waits_and_comes_when_it_can() -> anyhow::Result<()> {
    let lab = Lab::without_nodes().await?;
    lab.add_node("small", "50m").await?;
    lab.create::<Deployment>(deployment("web", 1, "one"))
        .await?;
    let why = lab
        .eventually("a refusal", || async {
            let pod = lab.pods().await?.pop();
            let conditions = pod
                .and_then(|pod| pod.status)
                .and_then(|status| status.conditions);
            let refused = conditions
                .into_iter()
                .flatten()
                .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
            Ok(refused.and_then(|condition| condition.message))
        })
        .await?;
    assert!(
        why.starts_with("0/1 nodes are available: 1 Insufficient cpu. "),
        "{why}"
    );
    lab.add_node("large", "4").await?;
    lab.eventually("the pod on the large node", || async {
        let pod = lab.pods().await?.pop();
        let node = pod.and_then(|pod| pod.spec).and_then(|spec| spec.node_name);
        Ok((node.as_deref() == Some("large")).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_are_spread_over_nodes() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    lab.add_node("node-2", "10").await?;
    lab.create::<Deployment>(deployment("web", 4, "one"))
        .await?;
    let mut nodes = lab
        .eventually("four placed pods", || async {
            let pods = lab.pods().await?;
            let node = |pod: &Pod| pod.spec.as_ref().and_then(|spec| spec.node_name.clone());
            let nodes: Vec<String> = pods.iter().filter_map(node).collect();
            Ok((nodes.len() == 4).then_some(nodes))
        })
        .await?;
    nodes.sort();
    assert_eq!(nodes, ["node-1", "node-1", "node-2", "node-2"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cordoned_node_is_tainted_and_a_sick_one_too() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    let nodes: Api<Node> = Api::all(lab.client.clone());
    let cordon = json!({"spec": {"unschedulable": true}});
    nodes
        .patch("node-1", &PatchParams::default(), &Patch::Merge(cordon))
        .await?;
    let sick = json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}});
    nodes
        .patch_status("node-1", &PatchParams::default(), &Patch::Merge(sick))
        .await?;
    lab.eventually("three taints", || async {
        let taints = nodes.get("node-1").await?.spec.and_then(|spec| spec.taints);
        let mut texts: Vec<String> = taints
            .into_iter()
            .flatten()
            .map(|taint| format!("{}:{}", taint.key, taint.effect))
            .collect();
        texts.sort();
        let wanted = [
            "node.kubernetes.io/not-ready:NoExecute",
            "node.kubernetes.io/not-ready:NoSchedule",
            "node.kubernetes.io/unschedulable:NoSchedule",
        ];
        Ok((texts == wanted).then_some(()))
    })
    .await
}
