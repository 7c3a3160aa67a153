//! Whose pods these are, for autoscalers that select by ownership: asks for ReplicaSets, and remembers.
//!
//! Not here: who counts as an owner (`k8s::autoscaling::ownership`).

use crate::errors::request;
use hpa::{LeftOut, PodSelection};
use http::{Request, header};
use k8s::autoscaling::options;
use k8s::autoscaling::ownership::{self, Kin, Owner, ReplicaSets};
use k8s_openapi::api::autoscaling::v1::Scale;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Client;
use serde::Deserialize;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long an answer is good for: ReplicaSets hardly ever get another controller.
const FRESH: Duration = Duration::from_secs(300);
/// ReplicaSets that are remembered; more and all are forgotten.
const REMEMBERED: usize = 4_096;
/// Of an object only its metadata, from servers that can tell it apart.
const METADATA: &str =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

/// When it was asked, and the answer.
type Answer = (Instant, Option<OwnerReference>);

/// The controllers of ReplicaSets, by the ReplicaSets' uid.
#[derive(Debug, Default)]
pub(crate) struct Families(Mutex<HashMap<String, Answer>>);

/// The target as its pods know it, if the autoscaler selects them by ownership.
pub(crate) fn wanted(object: &HorizontalPodAutoscaler, scale: &Scale) -> Option<Owner> {
    if options::of(object).pod_selection != PodSelection::Owner {
        return None;
    }
    let reference = &object.spec.scale_target_ref;
    Some(Owner {
        // A scale's uid is that of its object.
        uid: scale.metadata.uid.clone(),
        kind: reference.kind.clone(),
        name: reference.name.clone(),
    })
}

impl Families {
    /// Those of the pods that are not the owner's.
    pub(crate) async fn left_out(
        &self,
        client: &Client,
        namespace: &str,
        pods: &[Kin<'_>],
        owner: &Owner,
    ) -> Result<Vec<LeftOut>, String> {
        let sets = self.replica_sets(client, namespace, pods, owner).await?;
        Ok(ownership::left_out(pods, owner, &sets))
    }

    /// The controllers of all ReplicaSets between these pods and the owner.
    pub(crate) async fn replica_sets(
        &self,
        client: &Client,
        namespace: &str,
        pods: &[Kin<'_>],
        owner: &Owner,
    ) -> Result<ReplicaSets, String> {
        let mut sets = ReplicaSets::new();
        for (uid, name) in ownership::needed(pods, owner) {
            let known = self.0.lock().await.get(&uid).cloned();
            let above = match known.filter(|(at, _)| at.elapsed() < FRESH) {
                Some((_, above)) => above,
                None => {
                    let above = ask(client, namespace, &name, &uid).await?;
                    self.remember(&uid, above.clone()).await;
                    above
                }
            };
            sets.insert(uid, above);
        }
        Ok(sets)
    }

    async fn remember(&self, uid: &str, above: Option<OwnerReference>) {
        let mut known = self.0.lock().await;
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(uid.to_owned(), (Instant::now(), above));
    }
}

#[derive(Deserialize)]
struct Partial {
    metadata: ObjectMeta,
}

/// What controls the ReplicaSet; nothing if it is gone, or another has its name.
async fn ask(
    client: &Client,
    namespace: &str,
    name: &str,
    uid: &str,
) -> Result<Option<OwnerReference>, String> {
    let asked = async {
        let path = format!("/apis/apps/v1/namespaces/{namespace}/replicasets/{name}");
        let ask = Request::get(path)
            .header(header::ACCEPT, METADATA)
            .body(Vec::new())
            .map_err(kube::Error::HttpError)?;
        client.request::<Partial>(ask).await
    };
    match request("get replicasets.apps", asked).await {
        Ok(found) if found.metadata.uid.as_deref() == Some(uid) => {
            Ok(ownership::controller(&found.metadata).cloned())
        }
        Ok(_) => Ok(None),
        Err(error) if error.code() == Some(404) => Ok(None),
        Err(error) => Err(format!("whose pods these are is not known: {error}")),
    }
}
