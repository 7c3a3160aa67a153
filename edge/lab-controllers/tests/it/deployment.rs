//! Deployments, from their creation to their end.

use crate::lab::Lab;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

pub(crate) fn deployment(name: &str, replicas: i32, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": image,
                    "resources": {"requests": {"cpu": "100m"}}}]},
            },
        },
    })
}

fn image(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.containers.first()?.image.as_deref()
}

/// Waits until the rollout is complete, with `replicas` of `image`.
async fn rolled_out(
    lab: &Lab,
    name: &str,
    replicas: i32,
    wanted: &str,
) -> anyhow::Result<Deployment> {
    lab.eventually(&format!("{replicas} of {wanted}"), || async {
        let deployment = lab.api::<Deployment>().get(name).await?;
        let status = deployment.status.clone().unwrap_or_default();
        let counts = [
            status.replicas,
            status.updated_replicas,
            status.available_replicas,
        ];
        let complete = counts.iter().all(|count| count.unwrap_or(0) == replicas)
            && status.observed_generation == deployment.metadata.generation;
        let pods = lab.pods().await?;
        let right = pods.iter().filter(|pod| image(pod) == Some(wanted)).count();
        let enough = usize::try_from(replicas) == Ok(right) && pods.len() == right;
        Ok((complete && enough).then_some(deployment))
    })
    .await
}

fn condition(deployment: &Deployment, kind: &str) -> String {
    let conditions = deployment
        .status
        .as_ref()
        .and_then(|status| status.conditions.clone());
    let found = conditions
        .into_iter()
        .flatten()
        .find(|condition| condition.type_ == kind);
    found.map_or_else(
        || format!("no {kind}"),
        |found| {
            let reason = found.reason.unwrap_or_default();
            format!(
                "{} {reason} {}",
                found.status,
                found.message.unwrap_or_default()
            )
        },
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_gets_its_pods_and_says_so() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    lab.create::<Deployment>(deployment("web", 3, "one"))
        .await?;
    let deployment = rolled_out(&lab, "web", 3, "one").await?;
    let sets = lab.list::<ReplicaSet>().await?;
    let set = sets[0].metadata.name.clone().unwrap_or_default();
    assert_eq!(
        condition(&deployment, "Available"),
        "True MinimumReplicasAvailable Deployment has minimum availability."
    );
    assert_eq!(
        condition(&deployment, "Progressing"),
        format!("True NewReplicaSetAvailable ReplicaSet {set:?} has successfully progressed.")
    );
    let annotations = deployment.metadata.annotations.unwrap_or_default();
    assert_eq!(annotations["deployment.kubernetes.io/revision"], "1");
    let told = format!("ScalingReplicaSet Scaled up replica set {set} from 0 to 3");
    lab.eventually("the event", || async {
        Ok(lab.events("web").await?.contains(&told).then_some(()))
    })
    .await?;
    lab.eventually("the pods' events", || async {
        let events = lab.events(&set).await?;
        Ok(
            (events.len() == 3 && events[0].starts_with("SuccessfulCreate Created pod: web-"))
                .then_some(()),
        )
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_template_is_rolled_out_and_rolled_back() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    lab.create::<Deployment>(deployment("web", 4, "one"))
        .await?;
    rolled_out(&lab, "web", 4, "one").await?;
    let template = |image: &str| {
        json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image,
            "resources": {"requests": {"cpu": "100m"}}}]}}}})
    };
    lab.merge::<Deployment>("web", template("two")).await?;
    rolled_out(&lab, "web", 4, "two").await?;
    let sets = lab.list::<ReplicaSet>().await?;
    assert_eq!(sets.len(), 2);
    lab.merge::<Deployment>("web", template("one")).await?;
    let deployment = rolled_out(&lab, "web", 4, "one").await?;
    assert_eq!(
        lab.list::<ReplicaSet>().await?.len(),
        2,
        "the old set is used again"
    );
    let annotations = deployment.metadata.annotations.unwrap_or_default();
    assert_eq!(annotations["deployment.kubernetes.io/revision"], "3");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scaling_is_told_with_both_numbers() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    lab.create::<Deployment>(deployment("web", 2, "one"))
        .await?;
    rolled_out(&lab, "web", 2, "one").await?;
    lab.merge::<Deployment>("web", json!({"spec": {"replicas": 5}}))
        .await?;
    rolled_out(&lab, "web", 5, "one").await?;
    lab.merge::<Deployment>("web", json!({"spec": {"replicas": 3}}))
        .await?;
    rolled_out(&lab, "web", 3, "one").await?;
    lab.eventually("the events", || async {
        let events = lab.events("web").await?;
        let has = |end: &str| events.iter().any(|event| event.ends_with(end));
        Ok((has("from 2 to 5") && has("from 5 to 3")).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn recreate_ends_all_old_pods_before_a_new_one_starts() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    let mut object = deployment("web", 3, "one");
    object["spec"]["strategy"] = json!({"type": "Recreate"});
    lab.create::<Deployment>(object).await?;
    rolled_out(&lab, "web", 3, "one").await?;
    let containers = json!([{"name": "main", "image": "two"}]);
    let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
    lab.merge::<Deployment>("web", patch).await?;
    rolled_out(&lab, "web", 3, "two").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_that_cannot_progress_keeps_the_old_pods() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    lab.create::<Deployment>(deployment("web", 4, "one"))
        .await?;
    rolled_out(&lab, "web", 4, "one").await?;
    let stuck = json!({"spec": {"template": {"metadata": {"annotations": {"stuck": "yes"}}}}});
    lab.merge::<Deployment>("web", stuck).await?;
    // One may be missing and one too many: three old ones stay, two new ones wait.
    lab.eventually("a stuck rollout", || async {
        let status = lab
            .api::<Deployment>()
            .get("web")
            .await?
            .status
            .unwrap_or_default();
        let counts = (
            status.replicas,
            status.updated_replicas,
            status.available_replicas,
        );
        Ok((counts == (Some(5), Some(2), Some(3))).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_pod_is_replaced_and_a_deleted_deployment_takes_all_with_it() -> anyhow::Result<()>
{
    let lab = Lab::start().await?;
    lab.create::<Deployment>(deployment("web", 2, "one"))
        .await?;
    rolled_out(&lab, "web", 2, "one").await?;
    let victim = lab.pods().await?[0]
        .metadata
        .name
        .clone()
        .unwrap_or_default();
    lab.delete::<Pod>(&victim).await?;
    // Only then: until the controllers notice, the status still tells of the pods before.
    lab.eventually("the deleted pod to go", || async {
        let victim = lab.api::<Pod>().get_opt(&victim).await?;
        Ok(victim.is_none().then_some(()))
    })
    .await?;
    rolled_out(&lab, "web", 2, "one").await?;
    lab.delete::<Deployment>("web").await?;
    lab.eventually("nothing left", || async {
        let left = lab.list::<Pod>().await?.len() + lab.list::<ReplicaSet>().await?.len();
        Ok((left == 0).then_some(()))
    })
    .await
}
