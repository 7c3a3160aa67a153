//! Carrying out the plan's steps.

use super::start::{self, Failure, Order};
use super::stop::{self, Stop};
use super::{Message, PREPARE_RETRY, Worker, prepare};
use crate::backoff::{Backoff, go_seconds};
use crate::events::Kind;
use crate::facts::{Ended, Role, State};
use crate::instance::Instance;
use crate::probe::{self, Purpose, Target};
use jiff::{SignedDuration, Timestamp};
use std::net::IpAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// How soon a container whose Secret or ConfigMap is missing is tried again.
const CONFIG_RETRY: SignedDuration = SignedDuration::from_secs(1);
/// How often events say so. Upstream: backOffPeriod (pod_workers.go).
const CONFIG_TOLD_EVERY: SignedDuration = SignedDuration::from_secs(10);

impl Worker {
    /// Prepares the pod if that has not been done; whether it is ready for containers.
    async fn ready_to_start(&mut self) -> bool {
        if self.prepared.is_some() {
            return true;
        }
        let now = runtime::clock::now();
        if self.prepare_again.is_some_and(|at| now < at) {
            return false;
        }
        let Some(address) = self.address.or_else(|| self.host.addresses.take(None)) else {
            let message = "Failed to create pod sandbox: the node has no pod address left";
            self.event(None, Kind::Warning, "FailedCreatePodSandBox", message);
            self.prepare_again = now.saturating_add(PREPARE_RETRY).ok();
            return false;
        };
        self.address = Some(address);
        let mut pod = self.pod().clone();
        let status = pod.status.get_or_insert_default();
        status.pod_ip = Some(address.to_string());
        status.host_ip = Some(self.host.address().to_string());
        match prepare::prepare(&self.host, &pod, address).await {
            Ok(prepared) => {
                self.prepared = Some(prepared);
                self.prepare_again = None;
                true
            }
            Err((volume, why)) => {
                let message = match volume {
                    Some(name) => format!("MountVolume.SetUp failed for volume {name:?} : {why}"),
                    None => format!("MountVolume.SetUp failed: {why}"),
                };
                self.event(None, Kind::Warning, "FailedMount", &message);
                self.prepare_again = now.saturating_add(PREPARE_RETRY).ok();
                false
            }
        }
    }

    /// Starts a container; whether anything changed.
    pub(super) async fn start(&mut self, index: usize) -> bool {
        if !self.ready_to_start().await {
            return false;
        }
        let Some(prepared) = self.prepared.clone() else {
            return false;
        };
        let Some(container) = self.containers.get(index).cloned() else {
            return false;
        };
        self.count_restart(index);
        let restarts = self.facts.get(index).map_or(0, |f| f.restarts);
        let image = container.image.clone().unwrap_or_default();
        let mut pod = self.pod().clone();
        let status = pod.status.get_or_insert_default();
        status.pod_ip = Some(prepared.address.to_string());
        status.host_ip = Some(self.host.address().to_string());
        let host = Arc::clone(&self.host);
        let order = Order {
            pod: &pod,
            prepared: &prepared,
            container: &container,
            restarts,
        };
        match start::start(&host, order).await {
            Ok(instance) => self.started(index, instance, &image),
            Err(failure) => self.not_started(index, failure, &image),
        }
        true
    }

    fn count_restart(&mut self, index: usize) {
        let now = runtime::clock::now();
        let Some(facts) = self.facts.get_mut(index) else {
            return;
        };
        let Some(ended) = facts.latest_end().cloned() else {
            return;
        };
        // A container whose image or configuration is missing has not been started again yet.
        if facts.start_failed_at.is_none() || matches!(facts.state, State::Ended(_)) {
            facts.restarts += 1;
            facts.restart_backoff.grow(ended.finished_at, now);
        }
        facts.last = Some(ended);
    }

    fn started(&mut self, index: usize, instance: Arc<Instance>, image: &str) {
        self.pulled(index, image);
        self.event(Some(index), Kind::Normal, "Created", "Container created");
        self.event(Some(index), Kind::Normal, "Started", "Container started");
        let Some(container) = self.containers.get(index).cloned() else {
            return;
        };
        if let Some(facts) = self.facts.get_mut(index) {
            facts.state = State::Running {
                since: instance.started_at,
            };
            facts.id.clone_from(&instance.id);
            facts.image_known = true;
            facts.start_failed_at = None;
            facts.stopping = false;
            facts.doomed = None;
            facts.started = container.startup_probe.is_none();
            facts.ready = facts.started && container.readiness_probe.is_none();
        }
        let log = instance.log.path().to_owned();
        self.entry.update(&container.name, |entry| {
            entry.previous_log = entry.log.replace(log);
            entry.current = Some(Arc::clone(&instance));
        });
        self.watch_end(index, &instance);
        self.run_post_start(index, &instance);
        if let Some(place) = self.instances.get_mut(index) {
            *place = Some(instance);
        }
        self.begin_probes(index);
    }

    fn watch_end(&self, index: usize, instance: &Arc<Instance>) {
        let (ended, messages) = (instance.running.wait(), self.messages.clone());
        let id = instance.id.clone();
        tokio::spawn(async move {
            let exit = ended.await;
            drop(messages.send(Message::Ended { index, id, exit }).await);
        });
    }

    fn run_post_start(&self, index: usize, instance: &Arc<Instance>) {
        let Some(container) = self.containers.get(index).cloned() else {
            return;
        };
        let Some(hook) = container
            .lifecycle
            .as_ref()
            .and_then(|l| l.post_start.clone())
        else {
            return;
        };
        let (instance, messages) = (Arc::clone(instance), self.messages.clone());
        let address = self.pod_address();
        tokio::spawn(async move {
            if let Err(why) = stop::run_hook(&hook, &container, &instance, address).await {
                tracing::debug!(container = container.name, why, "postStart hook failed");
                let id = instance.id.clone();
                drop(messages.send(Message::HookFailed { index, id }).await);
            }
        });
    }

    fn pod_address(&self) -> IpAddr {
        let prepared = self.prepared.as_ref().map(|p| p.address);
        prepared
            .or(self.address)
            .unwrap_or(std::net::Ipv4Addr::LOCALHOST)
            .into()
    }

    /// Begins the probes that are due: the startup probe first, the others after it.
    pub(super) fn begin_probes(&mut self, index: usize) {
        let (Some(container), Some(Some(instance)), Some(facts)) = (
            self.containers.get(index),
            self.instances.get(index),
            self.facts.get_mut(index),
        ) else {
            return;
        };
        let due: Vec<_> = if facts.started {
            facts.ready = container.readiness_probe.is_none();
            vec![
                (Purpose::Readiness, container.readiness_probe.clone()),
                (Purpose::Liveness, container.liveness_probe.clone()),
            ]
        } else {
            vec![(Purpose::Startup, container.startup_probe.clone())]
        };
        let stop = CancellationToken::new();
        for (purpose, probe) in due.into_iter().filter_map(|(p, probe)| Some((p, probe?))) {
            let target = Target {
                address: self
                    .prepared
                    .as_ref()
                    .map_or(IpAddr::from([127, 0, 0, 1]), |p| p.address.into()),
                container: Arc::clone(container),
                instance: Arc::clone(instance),
            };
            let (messages, id, stop) = (self.messages.clone(), instance.id.clone(), stop.clone());
            tokio::spawn(async move {
                let (tell, mut told) = tokio::sync::mpsc::channel(4);
                let probing = probe::run(purpose, probe, target, move |verdict| {
                    tell.try_send(verdict).is_ok()
                });
                let passing = async {
                    while let Some(verdict) = told.recv().await {
                        let id = id.clone();
                        let message = Message::Probed {
                            index,
                            id,
                            purpose,
                            verdict,
                        };
                        if messages.send(message).await.is_err() {
                            return;
                        }
                    }
                };
                tokio::select! {
                    () = stop.cancelled() => {}
                    ((), ()) = async { tokio::join!(probing, passing) } => {}
                }
            });
        }
        if let Some(place) = self.probes.get_mut(index) {
            *place = Some(stop.drop_guard());
        }
    }

    fn not_started(&mut self, index: usize, failure: Failure, image: &str) {
        let now = runtime::clock::now();
        match failure {
            Failure::Image(why) => self.image_missing(index, image, &why, now),
            Failure::Config(why) => self.config_missing(index, image, why, now),
            Failure::Run(why) => {
                self.pulled(index, image);
                self.event(Some(index), Kind::Normal, "Created", "Container created");
                self.event(
                    Some(index),
                    Kind::Warning,
                    "Failed",
                    &format!("Error: {why}"),
                );
                let Some(facts) = self.facts.get_mut(index) else {
                    return;
                };
                facts.image_known = true;
                facts.last = Some(Ended {
                    code: 128,
                    signal: None,
                    reason: "StartError".to_owned(),
                    message: Some(why.clone()),
                    started_at: None,
                    finished_at: now,
                    id: facts.id.clone(),
                });
                let reason = "RunContainerError".to_owned();
                facts.state = State::Waiting {
                    reason,
                    message: Some(why),
                };
                if facts.role == Role::Init || self.policy() == Some("Never") {
                    self.end_of_never(index);
                }
            }
        }
    }

    /// A program that does not start is an end like any other: with `Never` it is the last.
    fn end_of_never(&mut self, index: usize) {
        let policy = self.policy().map(str::to_owned);
        let Some(facts) = self.facts.get_mut(index) else {
            return;
        };
        let Some(ended) = facts.last.clone() else {
            return;
        };
        if !crate::facts::restarts(facts.role, policy.as_deref(), ended.code) {
            facts.last = None;
            facts.state = State::Ended(ended);
        }
    }

    /// Images need no pulling here. Upstream: image_manager.go (imagePullPrecheck).
    fn pulled(&self, index: usize, image: &str) {
        let message = format!(
            "Container image {image:?} already present on machine and can be accessed by the pod"
        );
        self.event(Some(index), Kind::Normal, "Pulled", &message);
    }

    /// Differs from upstream: what is missing is looked for every second, so that a Secret that comes
    /// late is found soon; events say so as seldom as the kubelet tries, every ten seconds.
    fn config_missing(&mut self, index: usize, image: &str, why: String, now: Timestamp) {
        let told = self.facts.get(index).and_then(|facts| facts.told_at);
        if told.is_none_or(|at| now.duration_since(at) >= CONFIG_TOLD_EVERY) {
            self.pulled(index, image);
            let message = format!("Error: {why}");
            self.event(Some(index), Kind::Warning, "Failed", &message);
            if let Some(facts) = self.facts.get_mut(index) {
                facts.told_at = Some(now);
            }
        }
        if let Some(facts) = self.facts.get_mut(index) {
            facts.pull_backoff = Backoff::steady(CONFIG_RETRY, now);
        }
        self.wait_again(index, "CreateContainerConfigError", why, now);
    }

    fn image_missing(&mut self, index: usize, image: &str, why: &str, now: Timestamp) {
        self.event(
            Some(index),
            Kind::Normal,
            "Pulling",
            &format!("Pulling image {image:?}"),
        );
        let failed = format!("Failed to pull image {image:?}: {why}");
        self.event(Some(index), Kind::Warning, "Failed", &failed);
        self.event(Some(index), Kind::Warning, "Failed", "Error: ErrImagePull");
        if let Some(facts) = self.facts.get_mut(index) {
            facts.pull_backoff.grow(now, now);
        }
        self.wait_again(index, "ErrImagePull", why.to_owned(), now);
    }

    fn wait_again(&mut self, index: usize, reason: &str, why: String, now: Timestamp) {
        let Some(facts) = self.facts.get_mut(index) else {
            return;
        };
        facts.start_failed_at = Some(now);
        facts.state = State::Waiting {
            reason: reason.to_owned(),
            message: Some(why),
        };
    }

    /// Tells that a container waits before it is started again; whether that is news.
    pub(super) fn back_off(&mut self, index: usize, now: Timestamp) -> bool {
        let pod = self.full_name();
        let Some(facts) = self.facts.get_mut(index) else {
            return false;
        };
        let waits_for_image = facts
            .start_failed_at
            .is_some_and(|failed| facts.pull_backoff.until(failed, now).is_some());
        let name = facts.name.clone();
        if waits_for_image {
            let State::Waiting { reason, message } = &facts.state else {
                return false;
            };
            if reason != "ErrImagePull" {
                return false;
            }
            let image = facts.image.clone();
            let why = message.clone().unwrap_or_default();
            let backing_off = format!("Back-off pulling image {image:?}");
            facts.state = State::Waiting {
                reason: "ImagePullBackOff".to_owned(),
                message: Some(format!("{backing_off}: ErrImagePull: {why}")),
            };
            self.event(Some(index), Kind::Normal, "BackOff", &backing_off);
            self.event(
                Some(index),
                Kind::Warning,
                "Failed",
                "Error: ImagePullBackOff",
            );
            return true;
        }
        if matches!(&facts.state, State::Waiting { reason, .. } if reason == "CrashLoopBackOff") {
            return false;
        }
        let pause = go_seconds(facts.restart_backoff.pause());
        if let State::Ended(ended) = &facts.state {
            facts.last = Some(ended.clone());
        }
        facts.state = State::Waiting {
            reason: "CrashLoopBackOff".to_owned(),
            message: Some(format!(
                "back-off {pause} restarting failed container={name} pod={pod}"
            )),
        };
        let message = format!("Back-off restarting failed container {name} in pod {pod}");
        self.event(Some(index), Kind::Warning, "BackOff", &message);
        true
    }

    /// Upstream: format.Pod.
    fn full_name(&self) -> String {
        let meta = &self.pod().metadata;
        let own = |text: &Option<String>| text.clone().unwrap_or_default();
        format!(
            "{}_{}({})",
            own(&meta.name),
            own(&meta.namespace),
            own(&meta.uid)
        )
    }

    /// Begins to stop a container; whether anything changed.
    pub(super) fn kill(&mut self, index: usize, why: &str) -> bool {
        let (Some(Some(instance)), Some(container)) = (
            self.instances.get(index).cloned(),
            self.containers.get(index).cloned(),
        ) else {
            return false;
        };
        self.event(Some(index), Kind::Normal, "Killing", why);
        if let Some(facts) = self.facts.get_mut(index) {
            facts.stopping = true;
            facts.doomed = None;
        }
        let order = Stop {
            instance,
            container,
            address: self.pod_address(),
            grace: self.grace.subscribe(),
        };
        let (host, pod) = (Arc::clone(&self.host), Arc::clone(&self.update.pod));
        tokio::spawn(async move {
            if stop::stop(order).await.is_err() {
                let what = (Kind::Warning, "FailedPreStopHook");
                host.events.pod(&pod, None, what, "PreStopHook failed");
            }
        });
        true
    }
}
