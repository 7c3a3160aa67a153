//! What the controller looks at, one question at a time: for those who explain what it would decide.

use crate::custom::{self, Asker};
use crate::kinds::Kind;
use crate::mapping::Mapper;
use crate::observe::{Observer, distinct};
use crate::ownership::{self, Families};
use crate::selectors::Selectors;
use crate::target;
use crate::world::Candidate;
use hpa::{Reading, ScaleProblem};
use k8s::autoscaling::ownership::Kin;
use k8s::labels::Labels;
use k8s::selector::LabelSelector;
use k8s_openapi::api::autoscaling::v1::Scale;
use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HorizontalPodAutoscaler, MetricSpec,
};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Client;
use std::fmt;
use std::sync::Arc;

/// A ReplicaSet, as far as it tells whose its pods are.
#[derive(Debug, Clone)]
pub struct ReplicaSet {
    /// `metadata.uid`
    pub uid: String,
    /// `metadata.name`
    pub name: String,
    /// What controls it, if anything.
    pub controller: Option<OwnerReference>,
}

/// Asks as the controller asks, with its limits on time and in its words for what goes wrong.
pub struct Look {
    client: Client,
    namespace: String,
    mapper: Mapper,
    selectors: Selectors,
    families: Families,
}

impl fmt::Debug for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Look")
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

impl Look {
    /// Looks at autoscalers of one namespace.
    pub fn new(client: Client, namespace: &str) -> Self {
        Self {
            client,
            namespace: namespace.to_owned(),
            mapper: Mapper::default(),
            selectors: Selectors::default(),
            families: Families::default(),
        }
    }

    /// The scale of what an autoscaler points at.
    pub async fn scale(&self, of: &CrossVersionObjectReference) -> Result<Scale, ScaleProblem> {
        let found = target::read(self.observer(), &self.namespace, of).await?;
        Ok(found.scale)
    }

    /// The pods that a scale's selector picks.
    pub async fn pods(&self, selector: &str) -> Result<Vec<Pod>, String> {
        let pods = self.observer().pods(&self.namespace, selector).await;
        pods.map_err(|e| e.to_string())
    }

    /// Which of the namespace's autoscalers have targets that select any of these pods, as `namespace/name`.
    pub async fn picking(&self, all: &[HorizontalPodAutoscaler], pods: &[Pod]) -> Vec<String> {
        for autoscaler in all {
            let Ok(scale) = self.scale(&autoscaler.spec.scale_target_ref).await else {
                continue;
            };
            let text = scale.status.and_then(|s| s.selector).unwrap_or_default();
            match LabelSelector::parse(&text) {
                Ok(selector) if !text.is_empty() => {
                    self.selectors.put(Kind::Autoscaling, autoscaler, selector);
                }
                _ => {}
            }
        }
        let labels: Vec<Labels> = pods.iter().map(|pod| Candidate::of(pod).labels).collect();
        self.selectors
            .picking(&self.namespace, &distinct(labels.iter()))
    }

    /// What controls the ReplicaSets between these pods and the target, by the ReplicaSets' uid and name; only
    /// for an autoscaler that selects its pods by ownership.
    pub async fn replica_sets(
        &self,
        object: &HorizontalPodAutoscaler,
        scale: &Scale,
        pods: &[Pod],
    ) -> Result<Vec<ReplicaSet>, String> {
        let Some(owner) = ownership::wanted(object, scale) else {
            return Ok(Vec::new());
        };
        let (client, namespace) = (&self.client, &self.namespace);
        let kin: Vec<Kin<'_>> = pods.iter().map(Kin::of).collect();
        let known = self.families.replica_sets(client, namespace, &kin, &owner);
        let mut known = known.await?;
        let needed = k8s::autoscaling::ownership::needed(&kin, &owner);
        let set = |(uid, name): (String, String)| ReplicaSet {
            controller: known.remove(&uid).flatten(),
            uid,
            name,
        };
        Ok(needed.into_iter().map(set).collect())
    }

    /// What metrics.k8s.io serves for them.
    pub async fn resource_metrics(
        &self,
        selector: &str,
    ) -> Result<Vec<Arc<hpa::PodMetrics>>, String> {
        self.observer()
            .resource_metrics(&self.namespace, selector)
            .await
    }

    /// What one of an autoscaler's metrics reads beyond that.
    pub async fn metric(&self, metric: &MetricSpec, selector: &str) -> Reading {
        let asker = Asker {
            client: &self.client,
            mapper: &self.mapper,
            namespace: &self.namespace,
        };
        custom::read(asker, metric, selector).await
    }

    fn observer(&self) -> Observer<'_> {
        Observer {
            kind: Kind::Autoscaling,
            client: &self.client,
            mapper: &self.mapper,
            selectors: &self.selectors,
            world: None,
            families: &self.families,
        }
    }
}
