//! Everything that one decision needs to see.

use crate::custom::{self, Asker, query};
use crate::errors::{get, request};
use crate::kinds::Kind;
use crate::mapping::Mapper;
use crate::ownership::{self, Families};
use crate::selectors::Selectors;
use crate::target::{self, Target};
use crate::world::{Candidate, World};
use hpa::{Observation, Reading, Selection};
use k8s::autoscaling::observe as wire;
use k8s::autoscaling::ownership::{Kin, Owner};
use k8s::labels::Labels;
use k8s::selector::LabelSelector;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector as SelectorObject;
use kube::api::ListParams;
use kube::{Api, Client};
use serde::Deserialize;
use std::sync::Arc;

/// Pods are listed in pages, so that no answer is too large.
const PAGE: u32 = 500;
/// No target has more pods than this; a list that goes on for longer is cut.
const PAGES_MAX: usize = 400;

/// Who looks.
#[derive(Clone, Copy)]
pub(crate) struct Observer<'a> {
    pub(crate) kind: Kind,
    pub(crate) client: &'a Client,
    pub(crate) mapper: &'a Mapper,
    pub(crate) selectors: &'a Selectors,
    /// What is watched; without it everything is asked for.
    pub(crate) world: Option<&'a World>,
    pub(crate) families: &'a Families,
}

/// What was seen, and the target as it was then.
pub(crate) struct Seen {
    pub(crate) observation: Observation,
    pub(crate) target: Option<Target>,
}

/// Why a metric's selector is none.
pub(crate) fn selector_problem(selector: &SelectorObject) -> Option<String> {
    let value = serde_json::to_value(selector).ok()?;
    LabelSelector::from_object(&value).err()
}

/// The pods' label sets. Most of a workload's pods share theirs, and stand side by side.
pub(crate) fn distinct<'a>(all: impl Iterator<Item = &'a Labels>) -> Vec<&'a Labels> {
    let mut distinct: Vec<&Labels> = all.collect();
    distinct.dedup();
    distinct
}

/// Whether an autoscaler asks what pods use, of metrics-server.
pub(crate) fn reads_samples(object: &HorizontalPodAutoscaler) -> bool {
    let metrics = object.spec.metrics.as_deref().unwrap_or_default();
    let mut kinds = metrics.iter().map(|metric| metric.type_.as_str());
    kinds.any(|kind| matches!(kind, "Resource" | "ContainerResource"))
}

impl Observer<'_> {
    /// Looks at all that concerns an autoscaler.
    pub(crate) async fn observe(self, object: &HorizontalPodAutoscaler) -> Seen {
        let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
        let mut observation = Observation {
            status: wire::status(object),
            scale: Err(hpa::ScaleProblem {
                error: String::new(),
                context: hpa::ScaleStep::Get,
            }),
            pods: Vec::new(),
            left_out: Vec::new(),
            pods_problem: None,
            resource_metrics: Ok(Vec::new()),
            readings: Vec::new(),
        };
        let reference = &object.spec.scale_target_ref;
        let target = match target::read(self, namespace, reference).await {
            Ok(target) => target,
            Err(problem) => {
                observation.scale = Err(problem);
                return Seen {
                    observation,
                    target: None,
                };
            }
        };
        let text = target
            .scale
            .status
            .as_ref()
            .and_then(|s| s.selector.clone())
            .unwrap_or_default();
        let owner = ownership::wanted(object, &target.scale);
        let owner = owner.as_ref();
        let selection = self
            .look_at_pods(object, &text, owner, &mut observation)
            .await;
        let valid = selection == Selection::Valid;
        observation.scale = Ok(wire::scale(&target.scale, selection));
        if valid {
            self.look_at_metrics(object, &text, &mut observation).await;
            if owner.is_some() {
                let left_out = std::mem::take(&mut observation.left_out);
                observation.leave_out(left_out);
            }
        }
        Seen {
            observation,
            target: Some(target),
        }
    }

    /// Upstream: validateAndParseSelector.
    async fn look_at_pods(
        self,
        object: &HorizontalPodAutoscaler,
        text: &str,
        owner: Option<&Owner>,
        observation: &mut Observation,
    ) -> Selection {
        if text.is_empty() {
            return Selection::Missing;
        }
        let selector = match LabelSelector::parse(text) {
            Ok(selector) => selector,
            Err(error) => return Selection::Invalid { error },
        };
        let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
        let known = self.world.and_then(|w| w.pods.picked(namespace, &selector));
        self.selectors.put(self.kind, object, selector);
        let pods = match known {
            Some(pods) => pods,
            None => match self.pods(namespace, text).await {
                Ok(pods) => pods
                    .iter()
                    .map(|pod| Arc::new(Candidate::of(pod)))
                    .collect(),
                Err(error) => {
                    observation.pods_problem = Some(error.to_string());
                    return Selection::Valid;
                }
            },
        };
        if let Some(owner) = owner {
            let kin: Vec<Kin<'_>> = pods.iter().map(|pod| pod.kin()).collect();
            let left_out = self.families.left_out(self.client, namespace, &kin, owner);
            match left_out.await {
                Ok(left_out) => observation.left_out = left_out,
                Err(error) => {
                    observation.pods_problem = Some(error);
                    return Selection::Valid;
                }
            }
        }
        let labels = distinct(pods.iter().map(|pod| &pod.labels));
        let autoscalers = self.selectors.picking(namespace, &labels);
        // Differs from upstream, and only where it is asked for: what is owned is not shared.
        if autoscalers.len() > 1 && owner.is_none() {
            return Selection::Ambiguous {
                selector: text.to_owned(),
                autoscalers,
            };
        }
        observation.pods = pods.iter().map(|pod| Arc::clone(&pod.pod)).collect();
        observation.pods.sort_by(|a, b| a.name.cmp(&b.name));
        Selection::Valid
    }

    pub(crate) async fn pods(
        self,
        namespace: &str,
        selector: &str,
    ) -> Result<Vec<Pod>, crate::errors::Error> {
        let api: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let mut pods = Vec::new();
        let mut params = ListParams::default().labels(selector).limit(PAGE);
        for _ in 0..PAGES_MAX {
            let page = request("get pods", api.list(&params)).await?;
            pods.extend(page.items);
            match page.metadata.continue_ {
                Some(token) if !token.is_empty() => params = params.continue_token(&token),
                _ => break,
            }
        }
        Ok(pods)
    }

    async fn look_at_metrics(
        self,
        object: &HorizontalPodAutoscaler,
        selector: &str,
        observation: &mut Observation,
    ) {
        let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
        let metrics = object.spec.metrics.as_deref().unwrap_or_default();
        if reads_samples(object) {
            let pods = observation.pods.iter().map(|pod| pod.name.as_str());
            let world = self.world.filter(|_| observation.pods_problem.is_none());
            let told = world.and_then(|world| world.samples.of(namespace, pods));
            observation.resource_metrics = match told {
                Some(metrics) => Ok(metrics),
                None => self.resource_metrics(namespace, selector).await,
            };
        }
        let asker = Asker {
            client: self.client,
            mapper: self.mapper,
            namespace,
        };
        let mut readings: Vec<Reading> = Vec::with_capacity(metrics.len());
        for metric in metrics {
            readings.push(custom::read(asker, metric, selector).await);
        }
        observation.readings = readings;
    }

    pub(crate) async fn resource_metrics(
        self,
        namespace: &str,
        selector: &str,
    ) -> Result<Vec<Arc<hpa::PodMetrics>>, String> {
        #[derive(Deserialize)]
        struct List {
            #[serde(default)]
            items: Vec<wire::PodMetrics>,
        }
        let query = query(&[("labelSelector", selector)]);
        let uri = format!("/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods{query}");
        let list: List = get(self.client, uri, "get pods.metrics.k8s.io".to_owned())
            .await
            .map_err(|e| e.to_string())?;
        let metrics = list.items.iter().map(hpa::PodMetrics::from);
        let mut metrics: Vec<_> = metrics.map(Arc::new).collect();
        metrics.sort_by(|a, b| a.pod.cmp(&b.pod));
        Ok(metrics)
    }
}
