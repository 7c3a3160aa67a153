//! One autoscaler, once: observe, decide, carry out.

use crate::config::Config;
use crate::errors::request;
use crate::mapping::Mapper;
use crate::member::Occasion;
use crate::memory::{self, Keep};
use crate::monitor::Look;
use crate::observe::{Observer, selector_problem};
use crate::plan::{Effect, plan, refused};
use crate::report::DecisionRecord;
use crate::selectors::Selectors;
use crate::target::{self, Target};
use crate::world::World;
use hpa::{Decision, Event, EventKind, History, Observation, Spec};
use k8s::autoscaling::observe as wire;
use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus};
use kube::api::PostParams;
use kube::{Api, Client};
use runtime::events::Recorder;
use std::sync::Arc;
use tokio::time::Instant;
use tracing::{info, warn};
use units::Timestamp;

/// What all reconciles share.
pub(crate) struct Controller {
    pub(crate) client: Client,
    pub(crate) config: Config,
    pub(crate) mapper: Mapper,
    pub(crate) selectors: Selectors,
    pub(crate) world: Arc<World>,
    pub(crate) recorder: Recorder,
}

/// What is decided on.
#[derive(Clone, Copy)]
struct Case<'a> {
    object: &'a Arc<HorizontalPodAutoscaler>,
    spec: &'a Spec,
    target: Option<&'a Target>,
    occasion: Occasion,
}

/// What the next look needs to know of this one.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// The pods that count.
    pub(crate) pods: Vec<Box<str>>,
    /// The newest sample when it began.
    pub(crate) stamp: u64,
    /// The autoscaler as it was written.
    pub(crate) written: Option<Arc<HorizontalPodAutoscaler>>,
}

/// What became of a decision.
struct Carried {
    history: History,
    rescaled: bool,
    refused: bool,
    written: Option<Arc<HorizontalPodAutoscaler>>,
}

impl Controller {
    /// Decides on one autoscaler and carries the decision out; gives what to remember for the next time.
    /// Nothing is remembered before the first time, nor while the target cannot be found.
    pub(crate) async fn reconcile(
        &self,
        object: &Arc<HorizontalPodAutoscaler>,
        remembered: Option<&History>,
        occasion: Occasion,
    ) -> (Option<History>, Looked) {
        let begun = Instant::now();
        let stamp = self.world.samples.stamp();
        let observer = Observer {
            client: &self.client,
            mapper: &self.mapper,
            selectors: &self.selectors,
            world: Some(&self.world),
        };
        let seen = observer.observe(object).await;
        // The clock is read once, after everything was seen.
        let now = (self.config.clock)();
        let spec = wire::spec(object, self.config.flags.decisions(), &selector_problem);
        let history = match remembered {
            Some(history) => Some(history.clone()),
            None => memory::restore(object, &spec, &seen.observation, now),
        };
        let known = history.is_some();
        let decision = hpa::decide(now, &spec, &seen.observation, &history.unwrap_or_default());
        let deciding = begun.elapsed();
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
            pods: names_of(&seen.observation),
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
            return Carried::as_if(decision);
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
    async fn write_status(
        &self,
        object: &Arc<HorizontalPodAutoscaler>,
        status: HorizontalPodAutoscalerStatus,
        keep: Keep,
    ) -> Result<Option<HorizontalPodAutoscaler>, ()> {
        let (namespace, name) = names(object);
        let api: Api<HorizontalPodAutoscaler> = Api::namespaced(self.client.clone(), namespace);
        let mut changed = (**object).clone();
        changed.status = Some(status);
        keep.apply(&mut changed);
        let params = PostParams::default();
        let put = api.replace_status(name, &params, &changed);
        match request("put horizontalpodautoscalers.autoscaling", put).await {
            Ok(mut written) => {
                written.metadata.managed_fields = None;
                Ok(Some(written))
            }
            // The autoscaler is gone, or about to be: nobody waits for its status.
            Err(error) if error.code() == Some(404) => Ok(None),
            Err(error) => {
                warn!(namespace, name, %error, "could not write the status");
                let reason = "FailedUpdateStatus";
                self.recorder.warning(&**object, reason, error.to_string());
                Err(())
            }
        }
    }

    fn emit(&self, object: &HorizontalPodAutoscaler, event: Event) {
        match event.kind {
            EventKind::Normal => self.recorder.normal(object, event.reason, event.message),
            EventKind::Warning => self.recorder.warning(object, event.reason, event.message),
        }
    }
}

impl Carried {
    /// Of a decision that another controller carries out.
    fn as_if(decision: &Decision) -> Self {
        Self {
            history: decision.outcome.history.clone(),
            rescaled: false,
            refused: false,
            written: None,
        }
    }
}

/// The pods that an observation has, if their metrics are the controller's to hear of.
fn names_of(seen: &Observation) -> Vec<Box<str>> {
    seen.pods
        .iter()
        .map(|pod| pod.name.as_str().into())
        .collect()
}

/// Namespace and name.
pub(crate) fn names(object: &HorizontalPodAutoscaler) -> (&str, &str) {
    let metadata = &object.metadata;
    (
        metadata.namespace.as_deref().unwrap_or_default(),
        metadata.name.as_deref().unwrap_or_default(),
    )
}
