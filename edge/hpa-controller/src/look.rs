//! What the controller looks at, one question at a time: for those who explain what it would decide.

use crate::custom::{self, Asker};
use crate::fleet::Selectors;
use crate::kinds::Kind;
use crate::mapping::Mapper;
use crate::observe::Observer;
use crate::target;
use hpa::{Reading, ScaleProblem};
use k8s::selector::LabelSelector;
use k8s_openapi::api::autoscaling::v1::Scale;
use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HorizontalPodAutoscaler, MetricSpec,
};
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use std::fmt;

/// Asks as the controller asks, with its limits on time and in its words for what goes wrong.
pub struct Look {
    client: Client,
    namespace: String,
    mapper: Mapper,
    selectors: Selectors,
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
        }
    }

    /// The scale of what an autoscaler points at.
    pub async fn scale(&self, of: &CrossVersionObjectReference) -> Result<Scale, ScaleProblem> {
        let found = target::read(&self.client, &self.mapper, &self.namespace, of).await?;
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
        self.selectors.picking(&self.namespace, pods)
    }

    /// What metrics.k8s.io serves for them.
    pub async fn resource_metrics(&self, selector: &str) -> Result<Vec<hpa::PodMetrics>, String> {
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
        }
    }
}
