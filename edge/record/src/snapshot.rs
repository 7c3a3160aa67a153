//! Objects → what one decision takes.

use crate::autoscaler;
use crate::check::{Form, check};
use crate::context::{self, Context, Unavailable};
use crate::documents::{Document, Documents};
use crate::error::Error;
use crate::metrics::{Asked, Lists};
use crate::ownership;
use crate::target;
use crate::typed;
use hpa::{Decision, History, Observation, Selection, Spec};
use k8s::autoscaling::{history as kept, observe as wire};
use k8s::selector::LabelSelector;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector as SelectorObject;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use units::Timestamp;

const POD_QUANTITIES: [&str; 6] = [
    "spec.containers[].resources.requests.*",
    "spec.containers[].resources.limits.*",
    "spec.initContainers[].resources.requests.*",
    "spec.initContainers[].resources.limits.*",
    "spec.resources.requests.*",
    "spec.overhead.*",
];

/// What the objects alone do not say.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// Which autoscaler, as `NAMESPACE/NAME`, if there are several.
    pub hpa: Option<&'a str>,
    /// The time, where no `DecisionContext` says it.
    pub now: Timestamp,
}

/// Everything that one decision takes.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// When it is decided.
    pub now: Timestamp,
    /// The autoscaler, as autoscaling/v2 and defaulted.
    pub object: HorizontalPodAutoscaler,
    /// The same, as the decision takes it, with the controller's flags.
    pub spec: Spec,
    /// What was seen.
    pub observation: Observation,
    /// What is remembered.
    pub history: History,
    /// What was left out or is odd, a line each.
    pub warnings: Vec<String>,
    /// Which APIs did not answer.
    pub(crate) unavailable: Unavailable,
    pub(crate) other_autoscalers: Vec<String>,
}

impl Snapshot {
    /// Reads one input; `name` is what errors call it.
    pub fn parse(name: &str, bytes: &[u8], choice: Choice<'_>) -> Result<Self, Error> {
        let mut documents = Documents::default();
        documents.read(name, bytes)?;
        Self::read(&documents, choice)
    }

    /// Reads what all inputs hold together.
    pub fn read(documents: &Documents, choice: Choice<'_>) -> Result<Self, Error> {
        let chosen = autoscaler::find(documents, choice.hpa)?;
        let context_document = context_of(documents)?;
        let context = match context_document {
            Some(document) => Context::read(document)?,
            None => Context::default(),
        };
        let config = match context_document {
            Some(document) => context.config(document)?,
            None => hpa::Config::default(),
        };
        let chosen = autoscaler::read(chosen, config.gates.scale_to_zero)?;
        let look = Look {
            documents,
            namespace: chosen
                .object
                .metadata
                .namespace
                .as_deref()
                .unwrap_or_default(),
            unavailable: &context.unavailable,
            others: &context.other_autoscalers,
        };
        let now = context.now.map_or(choice.now, context::timestamp);
        let spec = wire::spec(&chosen.object, config, &selector_problem);
        if let Some(document) = context_document {
            context.check_last_known(document, spec.metrics.len())?;
        }
        let (history, forgotten) = remembered(now, &context, &chosen.object, &spec);
        let observation = look.observe(&chosen.object)?;
        let mut warnings = documents.warnings.clone();
        warnings.extend(chosen.warnings);
        warnings.extend(look.unused(&chosen.object));
        warnings.extend(forgotten);
        Ok(Self {
            now,
            spec,
            observation,
            history,
            warnings,
            unavailable: context.unavailable,
            other_autoscalers: context.other_autoscalers,
            object: chosen.object,
        })
    }

    /// The autoscaler's `namespace/name`.
    pub fn name(&self) -> String {
        let metadata = &self.object.metadata;
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        format!(
            "{namespace}/{}",
            metadata.name.as_deref().unwrap_or_default()
        )
    }

    /// What Kubernetes' controller would do.
    pub fn decide(&self) -> Decision {
        hpa::decide(self.now, &self.spec, &self.observation, &self.history)
    }
}

/// What the context says is remembered; where it says nothing, what Evenkeel's controller keeps on the
/// autoscaler. And why that cannot be used.
fn remembered(
    now: Timestamp,
    context: &Context,
    object: &HorizontalPodAutoscaler,
    spec: &Spec,
) -> (History, Option<String>) {
    let said = context.history(spec);
    let annotations = object.metadata.annotations.as_ref();
    let kept = annotations.and_then(|a| a.get(kept::ANNOTATION));
    match kept.filter(|_| said == History::default()) {
        None => (said, None),
        Some(text) => match kept::decode(now, text) {
            Ok(history) => (history, None),
            Err(problem) => {
                let warning = format!("the annotation {} is left out: {problem}", kept::ANNOTATION);
                (said, Some(warning))
            }
        },
    }
}

fn context_of(documents: &Documents) -> Result<Option<&Document>, Error> {
    let mut found = documents
        .list
        .iter()
        .filter(|d| d.kind() == context::KIND && d.group() == "evenkeel.dev");
    let first = found.next();
    match found.next() {
        Some(second) => Err(second.error("", "a second DecisionContext: keep one")),
        None => Ok(first),
    }
}

/// Why a metric's selector is none.
pub(crate) fn selector_problem(selector: &SelectorObject) -> Option<String> {
    let value = serde_json::to_value(selector).ok()?;
    LabelSelector::from_object(&value).err()
}

struct Look<'a> {
    documents: &'a Documents,
    namespace: &'a str,
    unavailable: &'a Unavailable,
    others: &'a [String],
}

impl<'a> Look<'a> {
    fn observe(&self, object: &HorizontalPodAutoscaler) -> Result<Observation, Error> {
        let mut observation = Observation {
            status: wire::status(object),
            scale: Err(hpa::ScaleProblem {
                error: String::new(),
                context: hpa::ScaleStep::Get,
            }),
            pods: Vec::new(),
            left_out: Vec::new(),
            pods_problem: self.unavailable.pods.clone(),
            resource_metrics: Ok(Vec::new()),
            readings: Vec::new(),
        };
        // All is read and checked, whatever of it the decision comes to need.
        let lists = Lists::read(self.documents)?;
        let pods = self.pods()?;
        let metrics = self.pod_metrics()?;
        let reference = &object.spec.scale_target_ref;
        let unavailable = self.unavailable.scale.as_ref();
        let scale = match target::scale(self.documents, self.namespace, reference, unavailable)? {
            Ok(scale) => scale,
            Err(problem) => {
                observation.scale = Err(problem);
                return Ok(observation);
            }
        };
        let text = scale.status.as_ref().and_then(|s| s.selector.as_deref());
        let selector = match text.filter(|t| !t.is_empty()).map(LabelSelector::parse) {
            Some(Ok(selector)) => selector,
            Some(Err(error)) => {
                observation.scale = Ok(wire::scale(&scale, Selection::Invalid { error }));
                return Ok(observation);
            }
            None => {
                observation.scale = Ok(wire::scale(&scale, Selection::Missing));
                return Ok(observation);
            }
        };
        observation.scale = Ok(wire::scale(&scale, self.selection(object, text)));
        let picks = |d: &Document| selector.matches(&d.value["metadata"]["labels"]);
        let (own, others): (Vec<_>, Vec<_>) = pods.into_iter().partition(|(d, _)| picks(d));
        let strangers: HashSet<String> = others.iter().map(|(d, _)| d.name().to_owned()).collect();
        let own: Vec<Pod> = own.into_iter().map(|(_, pod)| pod).collect();
        observation.pods = own.iter().map(wire::pod).map(Arc::new).collect();
        if observation.pods_problem.is_some() {
            observation.pods.clear();
        }
        observation.resource_metrics = match &self.unavailable.resource_metrics {
            Some(error) => Err(error.clone()),
            None => Ok(metrics
                .iter()
                .filter(|(d, _)| picks(d))
                .map(|(_, m)| Arc::new(hpa::PodMetrics::from(m)))
                .collect()),
        };
        let asked = Asked {
            namespace: self.namespace,
            unavailable: self.unavailable,
            strangers: &strangers,
        };
        let specs = object.spec.metrics.as_deref().unwrap_or_default();
        let readings = specs.iter().enumerate();
        observation.readings = readings
            .map(|(index, metric)| lists.reading(index, metric, asked))
            .collect();
        if observation.pods_problem.is_none() {
            let left_out = ownership::left_out(self.documents, object, &scale, &own)?;
            observation.leave_out(left_out);
        }
        Ok(observation)
    }

    /// Upstream: validateAndParseSelector, which refuses pods that several autoscalers control.
    fn selection(&self, object: &HorizontalPodAutoscaler, selector: Option<&str>) -> Selection {
        // Differs from upstream, and only where it is asked for: what is owned is not shared.
        if self.others.is_empty() || ownership::is_asked_for(object) {
            return Selection::Valid;
        }
        let own = object.metadata.name.as_deref().unwrap_or_default();
        let mut autoscalers = self.others.to_vec();
        autoscalers.push(format!("{}/{own}", self.namespace));
        autoscalers.sort();
        autoscalers.dedup();
        Selection::Ambiguous {
            selector: selector.unwrap_or_default().to_owned(),
            autoscalers,
        }
    }

    /// All pods of the namespace.
    fn pods(&self) -> Result<Vec<(&'a Document, Pod)>, Error> {
        let mut pods = Vec::new();
        for document in self.of("", "Pod")? {
            check(document, &POD_QUANTITIES, Form::Quantity)?;
            pods.push((document, typed::read(document)?));
        }
        Ok(pods)
    }

    fn pod_metrics(&self) -> Result<Vec<(&'a Document, wire::PodMetrics)>, Error> {
        let mut metrics = Vec::new();
        for document in self.of("metrics.k8s.io", "PodMetrics")? {
            check(document, &["containers[].usage.*"], Form::Quantity)?;
            check(document, &["window"], Form::Duration)?;
            metrics.push((document, typed::read(document)?));
        }
        Ok(metrics)
    }

    /// The namespace's objects of a kind, each with a name of its own.
    fn of(&self, group: &str, kind: &str) -> Result<Vec<&'a Document>, Error> {
        let mut names = HashSet::new();
        let mut found = Vec::new();
        let all = self.documents.list.iter();
        for document in all.filter(|d| d.kind() == kind && d.group() == group) {
            if !document.is_in(self.namespace) {
                continue;
            }
            if document.name().is_empty() {
                return Err(document.error("metadata.name", "missing"));
            }
            if !names.insert(document.name()) {
                let problem = format!("this {kind} is there twice: keep one");
                return Err(document.error("metadata.name", problem));
            }
            found.push(document);
        }
        Ok(found)
    }

    /// What is there and says nothing, in one line.
    fn unused(&self, object: &HorizontalPodAutoscaler) -> Vec<String> {
        let reference = &object.spec.scale_target_ref;
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        let mut warnings = Vec::new();
        for document in &self.documents.list {
            let (group, kind) = (document.group(), document.kind());
            if kind == reference.kind && document.name() == reference.name {
                if !target::is_known(group, kind) {
                    warnings.push(format!(
                        "{}: the scale of a {kind} cannot be derived from it: add its scale subresource",
                        document.place("")
                    ));
                }
            } else if !says_something(group, kind) {
                *kinds.entry(kind).or_default() += 1;
            }
        }
        if !kinds.is_empty() {
            let list: Vec<String> = kinds.iter().map(|(k, n)| format!("{n} {k}")).collect();
            let what = list.join(", ");
            warnings.push(format!(
                "left out, as they say nothing to an autoscaler: {what}"
            ));
        }
        warnings
    }
}

/// Whether objects of a kind are looked at, if not for this autoscaler then for another.
pub(crate) fn says_something(group: &str, kind: &str) -> bool {
    target::is_known(group, kind)
        || matches!(
            (group, kind),
            ("autoscaling", "HorizontalPodAutoscaler" | "Scale")
                | ("", "Pod")
                | ("metrics.k8s.io", "PodMetrics")
                | ("custom.metrics.k8s.io", "MetricValueList")
                | ("external.metrics.k8s.io", "ExternalMetricValueList")
                | ("evenkeel.dev", context::KIND | "HorizontalPodAutoscaler")
        )
}

#[cfg(test)]
mod tests;
