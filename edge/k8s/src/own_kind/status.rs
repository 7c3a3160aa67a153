//! The status of ours, from that of the autoscaling/v2 object that it is in memory.

use super::{ANOTHER, HANDOVER, INVALID};
use crate::autoscaling::{history, targets, time};
use k8s_openapi::api::autoscaling::v2::{
    HorizontalPodAutoscaler, HorizontalPodAutoscalerCondition, HorizontalPodAutoscalerStatus,
};
use serde_json::{Value, json};
use units::Timestamp;

const ABLE: &str = "AbleToScale";

/// What is written as the status of ours, for an object whose status and memory are new.
pub fn status(object: &HorizontalPodAutoscaler) -> Value {
    let whole = json!(object);
    let mut status = match &whole["status"] {
        Value::Null => json!({}),
        status => status.clone(),
    };
    let target = &object.spec.scale_target_ref;
    status["reference"] = format!("{}/{}", target.kind, target.name).into();
    status["targets"] = targets(&whole).into();
    if let Some(generation) = object.metadata.generation {
        status["observedGeneration"] = generation.into();
    }
    for (field, name) in [("history", history::ANNOTATION), ("handover", HANDOVER)] {
        let annotations = object.metadata.annotations.as_ref();
        if let Some(text) = annotations.and_then(|all| all.get(name)) {
            status[field] = text.as_str().into();
        }
    }
    status
}

/// Why ours may not act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Autoscalers of autoscaling/v2, by name, have the same target.
    Another(Vec<String>),
    /// What is wrong with the specification.
    Invalid(Vec<String>),
}

impl Problem {
    /// The condition's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Another(_) => ANOTHER,
            Self::Invalid(_) => INVALID,
        }
    }

    /// The condition's message.
    pub fn message(&self) -> String {
        match self {
            Self::Another(names) => format!(
                "the target is scaled by autoscaling/v2 HorizontalPodAutoscaler {}: delete it, or move it over with evenkeel adopt",
                names.join(", ")
            ),
            Self::Invalid(problems) => {
                format!("the specification is invalid: {}", problems.join("; "))
            }
        }
    }
}

/// The status while ours may not act. What was found and decided before stays, but for the conditions.
pub fn stand_by(
    now: Timestamp,
    object: &HorizontalPodAutoscaler,
    problem: &Problem,
) -> HorizontalPodAutoscalerStatus {
    let old = object.status.clone().unwrap_or_default();
    let before = old.conditions.iter().flatten().find(|c| c.type_ == ABLE);
    let since = before
        .filter(|c| c.status == "False")
        .and_then(|c| c.last_transition_time.clone());
    let condition = HorizontalPodAutoscalerCondition {
        type_: ABLE.to_owned(),
        status: "False".to_owned(),
        reason: Some(problem.reason().to_owned()),
        message: Some(problem.message()),
        last_transition_time: since.or_else(|| time(now)),
    };
    HorizontalPodAutoscalerStatus {
        conditions: Some(vec![condition]),
        ..old
    }
}

/// The reason of the condition that says whether an autoscaler can scale.
pub fn able(object: &Value) -> Option<&str> {
    let conditions = object["status"]["conditions"].as_array()?;
    let able = conditions.iter().find(|c| c["type"] == ABLE)?;
    able["reason"].as_str()
}
