//! One autoscaler, once: observe, decide, carry out.

use crate::config::Config;
use crate::errors::request;
use crate::fleet::Selectors;
use crate::mapping::Mapper;
use crate::observe::{Observer, selector_problem};
use crate::plan::{Effect, plan, refused};
use crate::report::DecisionRecord;
use crate::target::{self, Target};
use hpa::{Decision, Event, EventKind, History};
use k8s::autoscaling::observe as wire;
use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus};
use kube::api::PostParams;
use kube::{Api, Client};
use runtime::events::Recorder;
use std::sync::Arc;
use tracing::{info, warn};
use units::Timestamp;

/// What all reconciles share.
pub(crate) struct Controller {
    pub(crate) client: Client,
    pub(crate) config: Config,
    pub(crate) mapper: Mapper,
    pub(crate) selectors: Selectors,
    pub(crate) recorder: Recorder,
}

impl Controller {
    /// Decides on one autoscaler and carries the decision out; gives what to remember for the next time.
    pub(crate) async fn reconcile(
        &self,
        object: &Arc<HorizontalPodAutoscaler>,
        history: &History,
    ) -> History {
        let observer = Observer {
            client: &self.client,
            mapper: &self.mapper,
            selectors: &self.selectors,
        };
        let seen = observer.observe(object).await;
        // The clock is read once, after everything was seen.
        let now = Timestamp::from_nanos(runtime::clock::now().as_nanosecond());
        let spec = wire::spec(object, self.config.flags.decisions(), &selector_problem);
        let decision = hpa::decide(now, &spec, &seen.observation, history);
        self.tell(object, now, &decision);
        self.carry_out(object, &decision, seen.target.as_ref(), now)
            .await
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

    async fn carry_out(
        &self,
        object: &Arc<HorizontalPodAutoscaler>,
        decision: &Decision,
        target: Option<&Target>,
        now: Timestamp,
    ) -> History {
        let (namespace, name) = names(object);
        let plan = plan(object, decision, now);
        let mut history = &decision.outcome.history;
        let mut then = plan.then;
        let refusal;
        if let (Some(rescale), Some(target)) = (&plan.rescale, target) {
            match target::update(&self.client, target, rescale.to).await {
                Ok(()) => {
                    let (from, to, reason) = (rescale.from, rescale.to, rescale.reason.as_str());
                    info!(namespace, name, from, to, reason, "rescaled");
                }
                Err(error) => {
                    warn!(namespace, name, to = rescale.to, %error, "could not rescale");
                    let error = error.to_string();
                    then = refused(object, decision, now, &error);
                    refusal = decision.refused(now, &error);
                    history = &refusal.history;
                }
            }
        }
        for effect in then {
            match effect {
                Effect::Emit(event) => self.emit(object, event),
                Effect::WriteStatus(status) => self.write_status(object, *status).await,
            }
        }
        history.clone()
    }

    async fn write_status(
        &self,
        object: &Arc<HorizontalPodAutoscaler>,
        status: HorizontalPodAutoscalerStatus,
    ) {
        let (namespace, name) = names(object);
        let api: Api<HorizontalPodAutoscaler> = Api::namespaced(self.client.clone(), namespace);
        let mut changed = (**object).clone();
        changed.status = Some(status);
        let params = PostParams::default();
        let put = api.replace_status(name, &params, &changed);
        if let Err(error) = request("put horizontalpodautoscalers.autoscaling", put).await {
            // The autoscaler is gone, or about to be: nobody waits for its status.
            if error.code() == Some(404) {
                return;
            }
            warn!(namespace, name, %error, "could not write the status");
            let reason = "FailedUpdateStatus";
            self.recorder.warning(&**object, reason, error.to_string());
        }
    }

    fn emit(&self, object: &HorizontalPodAutoscaler, event: Event) {
        match event.kind {
            EventKind::Normal => self.recorder.normal(object, event.reason, event.message),
            EventKind::Warning => self.recorder.warning(object, event.reason, event.message),
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
