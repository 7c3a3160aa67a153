//! Which HorizontalPodAutoscaler is asked about, and how an API server would have stored it.

use crate::check::{Form, check};
use crate::documents::{Document, Documents};
use crate::error::{Error, Place};
use crate::typed;
use k8s::autoscaling::{default_v1, default_v2, v1_to_v2, validate};
use k8s::own_kind;
use k8s::status::{FieldError, FieldErrorKind};
use k8s_openapi::api::autoscaling::v1;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use serde_json::Value;

const KIND: &str = "HorizontalPodAutoscaler";
/// Where namespace is not said.
const DEFAULT_NAMESPACE: &str = "default";
/// Fields of version 2 that hold quantities.
const QUANTITIES: [&str; 11] = [
    "spec.metrics[].*.target.value",
    "spec.metrics[].*.target.averageValue",
    "spec.behavior.*.tolerance",
    "status.currentMetrics[].resource.current.value",
    "status.currentMetrics[].resource.current.averageValue",
    "status.currentMetrics[].containerResource.current.averageValue",
    "status.currentMetrics[].pods.current.averageValue",
    "status.currentMetrics[].object.current.value",
    "status.currentMetrics[].object.current.averageValue",
    "status.currentMetrics[].external.current.value",
    "status.currentMetrics[].external.current.averageValue",
];

/// The autoscaler, as version 2 and defaulted.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) object: HorizontalPodAutoscaler,
    /// What an API server would refuse, but the controller has an answer to.
    pub(crate) warnings: Vec<String>,
}

/// `namespace/name` of an autoscaler.
pub(crate) fn full_name(document: &Document) -> String {
    let namespace = Some(document.namespace()).filter(|n| !n.is_empty());
    format!(
        "{}/{}",
        namespace.unwrap_or(DEFAULT_NAMESPACE),
        document.name()
    )
}

/// All autoscalers.
pub(crate) fn all(documents: &Documents) -> impl Iterator<Item = &Document> {
    let groups = ["autoscaling", own_kind::GROUP];
    let autoscaling = move |d: &&Document| d.kind() == KIND && groups.contains(&d.group());
    documents.list.iter().filter(autoscaling)
}

/// The only autoscaler, or the one that is named as `NAMESPACE/NAME` (or by its name alone).
pub(crate) fn find<'a>(
    documents: &'a Documents,
    wanted: Option<&str>,
) -> Result<&'a Document, Error> {
    let found: Vec<&Document> = all(documents).collect();
    let names: Vec<String> = found.iter().map(|d| full_name(d)).collect();
    let is_it = |name: &String| {
        wanted.is_none_or(|wanted| {
            name == wanted || name.split_once('/').is_some_and(|(_, name)| name == wanted)
        })
    };
    let fitting: Vec<&Document> = found
        .iter()
        .zip(&names)
        .filter(|(_, name)| is_it(name))
        .map(|(document, _)| *document)
        .collect();
    match (fitting.as_slice(), wanted) {
        ([one], _) => Ok(one),
        ([], None) => Err(whole(
            documents,
            "holds no HorizontalPodAutoscaler: add the output of kubectl get hpa -o yaml"
                .to_owned(),
        )),
        ([], Some(wanted)) => {
            let there = listed(&names, "none");
            Err(whole(
                documents,
                format!("holds no HorizontalPodAutoscaler {wanted}; there is {there}"),
            ))
        }
        ([_, second, ..], _) => {
            let same = fitting.iter().all(|d| full_name(d) == full_name(second));
            if same {
                return Err(second.error("metadata.name", "this autoscaler is there twice"));
            }
            let there = listed(&names, "none");
            let problem = format!("several autoscalers: say which with --hpa ({there})");
            Err(second.error("", problem))
        }
    }
}

fn listed(names: &[String], none: &str) -> String {
    const SHOWN: usize = 5;
    match names.len() {
        0 => none.to_owned(),
        count if count > SHOWN => {
            format!("{} and {} more", names[..SHOWN].join(", "), count - SHOWN)
        }
        _ => names.join(", "),
    }
}

/// An error about all inputs: there may be several.
fn whole(documents: &Documents, problem: String) -> Error {
    let mut files: Vec<String> = documents.list.iter().map(|d| d.place("").file).collect();
    files.dedup();
    Error::new(
        Place {
            file: files.join(", "),
            ..Place::default()
        },
        problem,
    )
}

/// Reads an autoscaler of either version as an API server would have stored it.
pub(crate) fn read(document: &Document, zero_allowed: bool) -> Result<Chosen, Error> {
    if document.name().is_empty() {
        return Err(document.error("metadata.name", "missing"));
    }
    let mut value = document.value.clone();
    match value["apiVersion"].as_str().unwrap_or_default() {
        "autoscaling/v1" => {
            // Checked as what it is first: its fields are then named as they were written.
            typed::read::<v1::HorizontalPodAutoscaler>(document)?;
            default_v1(&mut value);
            value = v1_to_v2(value).map_err(|e| document.error("", e.message))?;
        }
        "autoscaling/v2" => {}
        own_kind::API_VERSION => value = own_kind::to_plain(&value),
        other => {
            let problem = format!(
                "{other} is not known; autoscaling/v1, autoscaling/v2 and evenkeel.dev/v1 are"
            );
            return Err(document.error("apiVersion", problem));
        }
    }
    check(document, &QUANTITIES, Form::Quantity)?;
    default_v2(&mut value);
    if value["metadata"]["namespace"]
        .as_str()
        .unwrap_or_default()
        .is_empty()
    {
        value["metadata"]["namespace"] = DEFAULT_NAMESPACE.into();
    }
    let object = typed::part(document, &value, "")?;
    let mut warnings = judge(document, &value, zero_allowed)?;
    warnings.extend(standing_by(document));
    Ok(Chosen { object, warnings })
}

/// What one of ours would decide is not done while another autoscaler has its target.
fn standing_by(document: &Document) -> Option<String> {
    let stands_by = own_kind::able(&document.value) == Some(own_kind::ANOTHER);
    let place = document.place("");
    stands_by.then(|| format!("{place}: it stands by, as another autoscaler has its target"))
}

/// What an API server would say: an error, unless such an object can come to be stored all the same
/// (by a newer server, or before a gate was closed) and the controller answers to it.
fn judge(document: &Document, value: &Value, zero_allowed: bool) -> Result<Vec<String>, Error> {
    let refused = validate(value, zero_allowed);
    let (stored, wrong): (Vec<&FieldError>, Vec<&FieldError>) =
        refused.iter().partition(|e| may_be_stored(value, e));
    if let Some(first) = wrong.first() {
        let more = match wrong.len() - 1 {
            0 => String::new(),
            count => format!(" (and {count} more)"),
        };
        return Err(document.error(&first.field, format!("{}{more}", first.body())));
    }
    let place = document.place("");
    Ok(stored
        .iter()
        .map(|e| format!("{place}: an API server would refuse this: {e}"))
        .collect())
}

fn may_be_stored(value: &Value, error: &FieldError) -> bool {
    let zero = value["spec"]["minReplicas"] == 0;
    match error.field.as_str() {
        "spec.minReplicas" | "spec.metrics" => zero,
        "spec.scaleTargetRef.apiVersion" => true,
        field if field.starts_with("spec.metrics[") => {
            let nothing = error.kind == FieldErrorKind::Required || error.value == "\"\"";
            nothing && field.contains(".target") || field.ends_with("].type")
        }
        _ => false,
    }
}

/// Why an API server would refuse an autoscaler (version 2, defaulted), if it would.
pub(crate) fn refusal(value: &Value, zero_allowed: bool) -> Option<String> {
    let refused = validate(value, zero_allowed);
    refused.first().map(ToString::to_string)
}
