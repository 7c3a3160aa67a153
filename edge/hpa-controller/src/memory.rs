//! What a controller remembers of one autoscaler, beyond its own life: an annotation of the autoscaler.
//!
//! It is written with the status, in one request: that needs no more rights than upstream's role grants,
//! it is there if and only if the decision that it follows from is, and it goes with the object.
//! What is worth writing is decided by [`hpa::remember`].

use hpa::remember::{essence, resume, same};
use hpa::{CurrentMetrics, History, Observation, Outcome, Spec};
use k8s::autoscaling::history::{ANNOTATION, decode, encode};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use tracing::warn;
use units::Timestamp;

/// What becomes of the annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// It stays as it is.
    AsItIs,
    /// It goes.
    Nothing,
    /// It becomes this.
    Text(String),
}

impl Keep {
    /// Carries it out.
    pub(crate) fn apply(self, object: &mut HorizontalPodAutoscaler) {
        let annotations = &mut object.metadata.annotations;
        match self {
            Self::AsItIs => return,
            Self::Text(text) => {
                annotations
                    .get_or_insert_default()
                    .insert(ANNOTATION.to_owned(), text);
            }
            Self::Nothing => {
                if let Some(annotations) = annotations {
                    annotations.remove(ANNOTATION);
                }
            }
        }
        if annotations.as_ref().is_some_and(|a| a.is_empty()) {
            *annotations = None;
        }
    }
}

/// What becomes of the annotation after `outcome`, and whether that is worth a write of its own: only when
/// a controller that starts with what is there would decide differently, or when it can be cleared away.
pub(crate) fn keep(
    object: &HorizontalPodAutoscaler,
    spec: &Spec,
    outcome: &Outcome,
    now: Timestamp,
) -> (Keep, bool) {
    // Without a scale nothing was recommended, and it may not even be known yet what was.
    if outcome.current_metrics == CurrentMetrics::Kept {
        return (Keep::AsItIs, false);
    }
    let replicas = if outcome.scaled_now {
        outcome.desired_replicas
    } else {
        outcome.current_replicas
    };
    let wanted = essence(now, spec, replicas, &outcome.history);
    let Some(text) = text(object) else {
        return match wanted {
            None => (Keep::AsItIs, false),
            Some(wanted) => (Keep::Text(encode(now, &wanted)), true),
        };
    };
    let Some(wanted) = wanted else {
        return (Keep::Nothing, true);
    };
    let there = decode(now, text)
        .ok()
        .and_then(|there| essence(now, spec, replicas, &there));
    let differs = !same(spec, there.as_ref(), Some(&wanted));
    (Keep::Text(encode(now, &wanted)), differs)
}

/// What another controller remembered, for one that sees the autoscaler for the first time.
/// `None` while the target's scale is not known: then nothing can be said yet.
pub(crate) fn restore(
    object: &HorizontalPodAutoscaler,
    spec: &Spec,
    seen: &Observation,
    now: Timestamp,
) -> Option<History> {
    let replicas = seen.scale.as_ref().ok()?.spec_replicas;
    // After a dry run the target is where it was, whatever the status calls desired.
    let expected = if spec.options.dry_run {
        seen.status.current_replicas
    } else {
        seen.status.desired_replicas
    };
    let Some(text) = text(object) else {
        return Some(History::default());
    };
    match decode(now, text) {
        Ok(stored) => Some(resume(now, spec, replicas, expected, &stored)),
        Err(problem) => {
            let (namespace, name) = crate::reconcile::names(object);
            warn!(namespace, name, %problem, "ignored the annotation {ANNOTATION}; remembering anew");
            Some(History::default())
        }
    }
}

fn text(object: &HorizontalPodAutoscaler) -> Option<&str> {
    let annotations = object.metadata.annotations.as_ref()?;
    annotations.get(ANNOTATION).map(String::as_str)
}
