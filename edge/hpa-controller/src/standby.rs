//! When one of ours may not act: another autoscaler has its target, or its specification is none.
//!
//! The rule: while any autoscaler of autoscaling/v2 has the same target (namespace, group, kind and name), ours
//! stands by, whoever serves the other one. So there are never two masters: creating the other one takes the target
//! away from ours, deleting it gives it back. Ours is looked at at once when that changes.
//! What it remembered is in its status, so that it goes on from there. Not here: two of ours with one target, which
//! are ambiguous as two of autoscaling/v2 are.

use crate::errors::request;
use crate::kinds::{Autoscaler, Kind, dynamic, own_api};
use crate::memory::Keep;
use crate::plan::Effect;
use crate::reconcile::{Controller, names};
use k8s::own_kind::{ANOTHER, Problem, stand_by};
use runtime::events::Kind as EventKind;
use std::sync::Arc;
use tracing::{info, warn};

impl Controller {
    /// The autoscaler to decide on; none if it may not act, which is then said.
    pub(crate) async fn admitted(&self, object: &Arc<Autoscaler>) -> Option<Arc<Autoscaler>> {
        if object.kind == Kind::Autoscaling {
            return Some(Arc::clone(object));
        }
        if let Some(problem) = self.problem(object)? {
            self.stand_by(object, &problem).await;
            return None;
        }
        if !self.stood_by(object) {
            return Some(Arc::clone(object));
        }
        // What the other one's deletion followed may not have been heard yet.
        let fresh = self.fresh(object).await?;
        let problem = self.problem(&fresh)?;
        if let Some(problem) = &problem {
            self.stand_by(&fresh, problem).await;
            return None;
        }
        let (namespace, name) = names(&fresh);
        info!(
            namespace,
            name, "no other autoscaler has the target any more"
        );
        self.claims.acts(&fresh.key());
        Some(fresh)
    }

    /// Whether another autoscaler took the target over meanwhile.
    pub(crate) fn yields(&self, object: &Autoscaler) -> bool {
        object.kind == Kind::Evenkeel
            && self
                .claims
                .holders(object)
                .is_none_or(|names| !names.is_empty())
    }

    /// Why it may not act; nothing at all while that is not known.
    fn problem(&self, object: &Autoscaler) -> Option<Option<Problem>> {
        if !object.problems.is_empty() {
            return Some(Some(Problem::Invalid(object.problems.clone())));
        }
        let holders = self.claims.holders(object)?;
        Some((!holders.is_empty()).then_some(Problem::Another(holders)))
    }

    fn stood_by(&self, object: &Autoscaler) -> bool {
        let conditions = object
            .status
            .iter()
            .flat_map(|s| s.conditions.iter().flatten());
        let mut reasons = conditions.filter_map(|c| c.reason.as_deref());
        self.claims.stood_by(&object.key()) || reasons.any(|reason| reason == ANOTHER)
    }

    async fn fresh(&self, object: &Autoscaler) -> Option<Arc<Autoscaler>> {
        let (namespace, name) = names(object);
        let api = own_api(&self.client, namespace);
        let what = format!("get {}", object.kind.resource());
        match request(what, api.get(name)).await {
            Ok(found) => {
                let zero_allowed = self.config.flags.gates().scale_to_zero;
                let fresh = dynamic(&found, zero_allowed);
                let same = fresh.metadata.uid == object.metadata.uid;
                same.then(|| Arc::new(fresh))
            }
            Err(error) if error.code() == Some(404) => None,
            Err(error) => {
                warn!(namespace, name, %error, "could not read the autoscaler; it stands by");
                None
            }
        }
    }

    async fn stand_by(&self, object: &Arc<Autoscaler>, problem: &Problem) {
        let key = object.key();
        self.selectors.remove(&key);
        self.config.monitor.stands_by(&key);
        self.claims.stands_by(key);
        let status = stand_by((self.config.clock)(), object, problem);
        let old = object.status.as_ref().and_then(|s| s.conditions.as_ref());
        let known = old == status.conditions.as_ref();
        if (known && !object.stale) || self.config.shadow {
            return;
        }
        if !known {
            let (namespace, name) = names(object);
            let message = problem.message();
            info!(namespace, name, message, "stands by");
            let about = object.about();
            self.recorder
                .record(about, EventKind::Warning, problem.reason(), message);
        }
        // What went wrong was said; the next look tries again.
        drop(self.write_status(object, status, Keep::AsItIs).await);
    }
}

/// Says of one of ours that it was looked at as it is now, even where nothing else is to be written.
pub(crate) fn acknowledge(object: &Autoscaler, then: &mut Vec<Effect>) {
    let written = then.iter().any(|e| matches!(e, Effect::WriteStatus(..)));
    if object.stale && !written {
        let status = object.status.clone().unwrap_or_default();
        then.push(Effect::WriteStatus(Box::new(status), Keep::AsItIs));
    }
}
