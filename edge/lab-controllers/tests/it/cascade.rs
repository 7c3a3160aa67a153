//! Deletions that take others with them, or let them go.

use crate::deployment::deployment;
use crate::lab::Lab;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

async fn running(lab: &Lab, count: usize) -> anyhow::Result<()> {
    lab.eventually(&format!("{count} pods"), || async {
        Ok((lab.pods().await?.len() == count).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_goes_with_all_that_it_holds() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    let namespaces: Api<Namespace> = Api::all(lab.client.clone());
    let namespace = serde_json::from_value(json!({"metadata": {"name": "work"}}))?;
    namespaces
        .create(&PostParams::default(), &namespace)
        .await?;
    let deployments: Api<Deployment> = Api::namespaced(lab.client.clone(), "work");
    let web = serde_json::from_value(deployment("web", 3, "one"))?;
    deployments.create(&PostParams::default(), &web).await?;
    let pods: Api<Pod> = Api::namespaced(lab.client.clone(), "work");
    lab.eventually("three pods", || async {
        Ok((pods.list(&Default::default()).await?.items.len() == 3).then_some(()))
    })
    .await?;
    namespaces.delete("work", &DeleteParams::default()).await?;
    lab.eventually("the namespace to go", || async {
        Ok(namespaces.get_opt("work").await?.is_none().then_some(()))
    })
    .await?;
    assert!(pods.list(&Default::default()).await?.items.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn orphans_stay_and_are_adopted_again() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    lab.create::<Deployment>(deployment("web", 2, "one"))
        .await?;
    running(&lab, 2).await?;
    let orphan = DeleteParams::orphan();
    lab.api::<Deployment>().delete("web", &orphan).await?;
    let set = lab
        .eventually("a set without owner", || async {
            let gone = lab.api::<Deployment>().get_opt("web").await?.is_none();
            let set = lab.list::<ReplicaSet>().await?.pop();
            let free =
                |set: &ReplicaSet| set.metadata.owner_references.iter().flatten().count() == 0;
            Ok(set.filter(|set| gone && free(set)))
        })
        .await?;
    let before: Vec<_> = lab
        .pods()
        .await?
        .into_iter()
        .map(|pod| pod.metadata.uid)
        .collect();
    lab.create::<Deployment>(deployment("web", 2, "one"))
        .await?;
    lab.eventually("the set to be adopted", || async {
        let name = set.metadata.name.clone().unwrap_or_default();
        let set = lab.api::<ReplicaSet>().get(&name).await?;
        Ok(set
            .metadata
            .owner_references
            .filter(|owners| owners.len() == 1))
    })
    .await?;
    let after: Vec<_> = lab
        .pods()
        .await?
        .into_iter()
        .map(|pod| pod.metadata.uid)
        .collect();
    assert_eq!(before, after);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreground_deletion_ends_with_the_owner() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    lab.create::<Deployment>(deployment("web", 2, "one"))
        .await?;
    running(&lab, 2).await?;
    lab.api::<Deployment>()
        .delete("web", &DeleteParams::foreground())
        .await?;
    lab.eventually("the owner to go", || async {
        Ok(lab
            .api::<Deployment>()
            .get_opt("web")
            .await?
            .is_none()
            .then_some(()))
    })
    .await?;
    assert!(lab.list::<Pod>().await?.is_empty());
    assert!(lab.list::<ReplicaSet>().await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_whose_owner_never_was_goes() -> anyhow::Result<()> {
    let lab = Lab::without_nodes().await?;
    let owner =
        json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": "no-such-uid"}]);
    let child = json!({"metadata": {"name": "child", "ownerReferences": owner}});
    lab.create::<ConfigMap>(child).await?;
    lab.eventually("the child to go", || async {
        Ok(lab
            .api::<ConfigMap>()
            .get_opt("child")
            .await?
            .is_none()
            .then_some(()))
    })
    .await
}
