//! One autoscaler, once: observe, decide, carry out.

use crate::claims::Claims;
use crate::config::Config;
use crate::errors::request;
use crate::kinds::{Autoscaler, put_status};
use crate::mapping::Mapper;
use crate::member::Occasion;
use crate::memory::{self, Keep};
use crate::monitor::Look;
use crate::observe::{Observer, selector_problem};
use crate::ownership::Families;
use crate::plan::{Effect, plan, refused};
use crate::report::DecisionRecord;
use crate::selectors::Selectors;
use crate::standby::acknowledge;
use crate::target::{self, Target};
use crate::world::World;
use hpa::{Decision, Event, EventKind, History, Pod, Spec};
use k8s::autoscaling::observe as wire;
use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus};
use kube::Client;
use runtime::events::{Kind, Recorder};
use std::sync::Arc;
use tokio::time::Instant;
use tracing::{info, warn};
use units::Timestamp;

/// What all reconciles share.
pub(crate) struct Controller {
    pub(crate) client: Client,
    pub(crate) config: Config,
    /// What of the flags concerns decisions.
    pub(crate) decisions: hpa::Config,
    pub(crate) mapper: Mapper,
    pub(crate) selectors: Selectors,
    pub(crate) world: Arc<World>,
    pub(crate) families: Families,
    /// What autoscalers of autoscaling/v2 have, so that ours leave it alone.
    pub(crate) claims: Claims,
    pub(crate) recorder: Recorder,
}

/// What is decided on.
#[derive(Clone, Copy)]
struct Case<'a> {
    object: &'a Arc<Autoscaler>,
    spec: &'a Spec,
    target: Option<&'a Target>,
    occasion: Occasion,
}

/// What the next look needs to know of this one.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// The pods that count.
    pub(crate) pods: Vec<Arc<Pod>>,
    /// How many the target was to have.
    pub(crate) replicas: Option<i32>,
    /// The newest sample when it began.
    pub(crate) stamp: u64,
    /// The autoscaler as it was written.
    pub(crate) written: Option<Arc<Autoscaler>>,
}

/// What became of a decision.
struct Carried {
    history: History,
    rescaled: bool,
    refused: bool,
    written: Option<Arc<Autoscaler>>,
}

impl Controller {
    /// Decides on one autoscaler and carries the decision out; gives what to remember for the next time.
    /// Nothing is remembered before the first time, nor while the target cannot be found.
    pub(crate) async fn reconcile(
        &self,
        object: &Arc<Autoscaler>,
        (remembered, before): (Option<&History>, Option<i32>),
        occasion: Occasion,
    ) -> (Option<History>, Looked) {
        let begun = Instant::now();
        let stamp = self.world.samples.stamp();
        let Some(object) = &self.admitted(object).await else {
            return (None, Looked::default());
        };
        let observer = Observer {
            kind: object.kind,
            client: &self.client,
            mapper: &self.mapper,
            selectors: &self.selectors,
            world: Some(&self.world),
            families: &self.families,
        };
        let seen = observer.observe(object).await;
        // The clock is read once, after everything was seen.
        let now = (self.config.clock)();
        let spec = wire::spec(object, self.decisions, &selector_problem);
        let replicas = seen
            .observation
            .scale
            .as_ref()
            .map(|s| s.spec_replicas)
            .ok();
        let mut history = match remembered {
            Some(history) => Some(history.clone()),
            None => memory::restore(object, &spec, &seen.observation, now),
        };
        // Beside another controller, changes are what is seen of its work.
        if self.config.shadow
            && let (Some(history), Some(from), Some(to)) = (&mut history, before, replicas)
        {
            hpa::remember::observed(history, now, &spec, from, to);
        }
        let known = history.is_some();
        let decision = hpa::decide(now, &spec, &seen.observation, &history.unwrap_or_default());
        let deciding = begun.elapsed();
        if self.yields(object) {
            return (None, Looked::default());
        }
        self.tell(object, now, &decision);
        let case = Case {
            object,
            spec: &spec,
            target: seen.target.as_ref(),
            occasion,
        };
        let carried = self.carry_out(case, &decision, now).await;
        self.config.monitor.looked(&Look {
            object,
            at: now,
            decision: &decision,
            deciding,
            took: begun.elapsed(),
            rescaled: carried.rescaled,
            refused: carried.refused,
        });
        let looked = Looked {
            pods: seen.observation.pods,
            replicas,
            stamp,
            written: carried.written,
        };
        (known.then_some(carried.history), looked)
    }

    fn tell(&self, object: &HorizontalPodAutoscaler, now: Timestamp, decision: &Decision) {
        let (namespace, name) = names(object);
        if let Some(failure) = &decision.failure {
            warn!(
                namespace,
                name,
                error = failure.text,
                "could not decide on every metric"
            );
        }
        if let Some(tell) = &self.config.on_decision {
            tell(&DecisionRecord::of(namespace, name, now, decision));
        }
    }

    async fn carry_out(&self, case: Case<'_>, decision: &Decision, now: Timestamp) -> Carried {
        let Case {
            object,
            spec,
            target,
            occasion,
        } = case;
        let (namespace, name) = names(object);
        if self.config.shadow {
            return Carried::by_others(decision, now);
        }
        let plan = plan((object, spec), decision, now, occasion);
        let mut history = &decision.outcome.history;
        let mut then = plan.then;
        let refusal;
        let (mut rescaled, mut refused_any) = (false, false);
        if let (Some(rescale), Some(target)) = (&plan.rescale, target) {
            match target::update(&self.client, &self.world, target, rescale.to).await {
                Ok(()) => {
                    let (from, to, reason) = (rescale.from, rescale.to, rescale.reason.as_str());
                    info!(namespace, name, from, to, reason, "rescaled");
                    rescaled = true;
                }
                Err(error) => {
                    warn!(namespace, name, to = rescale.to, %error, "could not rescale");
                    refused_any = true;
                    let error = error.to_string();
                    then = refused(object, spec, decision, now, &error);
                    refusal = decision.refused(now, &error);
                    history = &refusal.history;
                }
            }
        }
        let mut written = None;
        acknowledge(object, &mut then);
        for effect in then {
            match effect {
                Effect::Emit(event) => self.emit(object, event),
                Effect::WriteStatus(status, keep) => {
                    match self.write_status(object, *status, keep).await {
                        Ok(new) => written = new.map(Arc::new),
                        Err(()) => refused_any = true,
                    }
                }
            }
        }
        Carried {
            history: history.clone(),
            rescaled,
            refused: refused_any,
            written,
        }
    }

    /// Gives what was written; nothing where nobody waits for it.
    pub(crate) async fn write_status(
        &self,
        object: &Arc<Autoscaler>,
        status: HorizontalPodAutoscalerStatus,
        keep: Keep,
    ) -> Result<Option<Autoscaler>, ()> {
        let (namespace, name) = names(object);
        let mut changed = HorizontalPodAutoscaler::clone(object);
        changed.status = Some(status);
        keep.apply(&mut changed);
        let zero_allowed = self.config.flags.gates().scale_to_zero;
        let put = put_status(&self.client, object.kind, &changed, zero_allowed);
        match request(format!("put {}", object.kind.resource()), put).await {
            Ok(written) => Ok(Some(written)),
            // The autoscaler is gone, or about to be: nobody waits for its status.
            Err(error) if error.code() == Some(404) => Ok(None),
            Err(error) => {
                warn!(namespace, name, %error, "could not write the status");
                let reason = "FailedUpdateStatus";
                self.recorder
                    .record(object.about(), Kind::Warning, reason, error.to_string());
                Err(())
            }
        }
    }

    fn emit(&self, object: &Autoscaler, event: Event) {
        let kind = match event.kind {
            EventKind::Normal => Kind::Normal,
            EventKind::Warning => Kind::Warning,
        };
        self.recorder
            .record(object.about(), kind, event.reason, event.message);
    }
}

impl Carried {
    /// Of a decision that another controller carries out, or does not.
    fn by_others(decision: &Decision, now: Timestamp) -> Self {
        Self {
            history: decision.refused(now, "").history,
            rescaled: false,
            refused: false,
            written: None,
        }
    }
}

/// Namespace and name.
pub(crate) fn names(object: &HorizontalPodAutoscaler) -> (&str, &str) {
    let metadata = &object.metadata;
    (
        metadata.namespace.as_deref().unwrap_or_default(),
        metadata.name.as_deref().unwrap_or_default(),
    )
}
