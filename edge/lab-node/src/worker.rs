//! One pod's life: an actor that follows the plan and writes the status.
//!
//! Everything that happens to the pod arrives here, one after the other; nothing else changes its
//! facts.

mod change;
mod prepare;
mod publish;
mod restore;
mod start;
mod steps;
mod stop;

use crate::cluster::ClusterView;
use crate::facts::{self, Doom, Ended, Facts, Role, State};
use crate::host::{Host, PodEntry, lock};
use crate::hosts;
use crate::instance::Instance;
use crate::plan::{self, Plan, Step, Wish};
use crate::probe::{Purpose, Verdict};
use crate::process::Exit;
use crate::status::Circumstances;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Container, Pod, PodStatus};
use prepare::Prepared;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Messages of probes and processes that may wait.
const QUEUE: usize = 64;
/// How long a pod that cannot be prepared waits before it is tried again.
const PREPARE_RETRY: SignedDuration = SignedDuration::from_secs(2);
/// Tokens are renewed after four fifths of their hour.
const TOKEN_RENEWAL: Duration = Duration::from_secs(48 * 60);
/// How long killed processes may take to go.
const KILL_TIMEOUT: Duration = Duration::from_secs(3);
/// Without `terminationGracePeriodSeconds`. Upstream: DefaultTerminationGracePeriodSeconds.
const GRACE: i64 = 30;

/// What the node knows of the pod's object.
#[derive(Debug, Clone)]
pub(crate) struct Update {
    /// The object as it was last seen.
    pub pod: Arc<Pod>,
    /// It is no longer there.
    pub gone: bool,
}

/// What happens to a pod.
#[derive(Debug)]
enum Message {
    /// An instance ended.
    Ended {
        index: usize,
        id: String,
        exit: Exit,
    },
    /// A probe has something to say.
    Probed {
        index: usize,
        id: String,
        purpose: Purpose,
        verdict: Verdict,
    },
    /// A postStart hook failed.
    HookFailed { index: usize, id: String },
}

struct Worker {
    host: Arc<Host>,
    entry: Arc<PodEntry>,
    update: Update,
    facts: Vec<Facts>,
    containers: Vec<Arc<Container>>,
    instances: Vec<Option<Arc<Instance>>>,
    /// Dropping one ends an instance's probes.
    probes: Vec<Option<DropGuard>>,
    prepared: Option<Prepared>,
    prepare_again: Option<Timestamp>,
    address: Option<Ipv4Addr>,
    grace: watch::Sender<Duration>,
    messages: mpsc::Sender<Message>,
    started_at: Timestamp,
    failed: Option<(String, String)>,
    status: PodStatus,
    status_written: bool,
}

/// Runs a pod until its object is gone and nothing of it is left, or until `shutdown`.
pub(crate) async fn run(
    host: Arc<Host>,
    mut updates: watch::Receiver<Update>,
    shutdown: CancellationToken,
) {
    let (messages, mut inbox) = mpsc::channel(QUEUE);
    let first = updates.borrow_and_update().clone();
    let mut cluster = host.cluster.clone();
    let mut worker = Worker::new(host, first, messages);
    let mut renewal =
        tokio::time::interval_at(tokio::time::Instant::now() + TOKEN_RENEWAL, TOKEN_RENEWAL);
    loop {
        let plan = worker.sync().await;
        if worker.is_finished(&plan) {
            break;
        }
        let wake = worker.sleep(&plan);
        tokio::select! {
            changed = updates.changed() => match changed {
                Ok(()) => worker.take(updates.borrow_and_update().clone()),
                Err(_) => break,
            },
            Some(message) = inbox.recv() => worker.hear(message),
            Ok(()) = cluster.changed() => worker.rewrite_hosts(&cluster.borrow_and_update().clone()),
            _ = renewal.tick() => worker.renew().await,
            () = wake => {}
            () = shutdown.cancelled() => break,
        }
    }
    worker.clean_up(shutdown.is_cancelled()).await;
}

impl Worker {
    fn new(host: Arc<Host>, update: Update, messages: mpsc::Sender<Message>) -> Self {
        let pod = &update.pod;
        let spec = pod.spec.clone().unwrap_or_default();
        let mut facts = facts::beginning(&spec);
        let now = runtime::clock::now();
        let status = pod.status.clone().unwrap_or_default();
        restore::restore(&mut facts, &status, now);
        let inits = spec.init_containers.into_iter().flatten();
        let containers: Vec<_> = inits.chain(spec.containers).map(Arc::new).collect();
        let wanted = status
            .pod_ip
            .as_ref()
            .and_then(|ip| ip.parse::<IpAddr>().ok());
        let over = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
        let address = if over {
            None
        } else {
            host.addresses.take(wanted)
        };
        let entry = host.pods.add(Arc::clone(pod));
        let (grace, _) = watch::channel(grace(&update));
        Self {
            entry,
            instances: vec![None; containers.len()],
            probes: containers.iter().map(|_| None).collect(),
            containers,
            facts,
            prepared: None,
            prepare_again: None,
            address,
            grace,
            messages,
            started_at: status.start_time.as_ref().map_or(now, |t| t.0),
            failed: None,
            status,
            status_written: false,
            host,
            update,
        }
    }

    fn pod(&self) -> &Pod {
        &self.update.pod
    }

    fn policy(&self) -> Option<&str> {
        self.pod()
            .spec
            .as_ref()
            .and_then(|s| s.restart_policy.as_deref())
    }

    fn is_deleted(&self) -> bool {
        self.update.gone || self.pod().metadata.deletion_timestamp.is_some()
    }

    /// Takes steps until there is nothing to do but wait; writes the status.
    async fn sync(&mut self) -> Plan {
        loop {
            let now = runtime::clock::now();
            self.check_deadline(now);
            let ending = self.is_deleted() || self.failed.is_some();
            let wish = if ending { Wish::End } else { Wish::Run };
            let plan = plan::plan(now, self.policy(), &self.facts, wish);
            let mut acted = false;
            for step in &plan.steps {
                acted |= match step {
                    Step::Start(index) => self.start(*index).await,
                    Step::BackOff(index) => self.back_off(*index, now),
                    Step::Kill(index, why) => self.kill(*index, why),
                };
            }
            self.publish(plan.over).await;
            if !acted {
                return plan;
            }
        }
    }

    fn check_deadline(&mut self, now: Timestamp) {
        let over = matches!(self.status.phase.as_deref(), Some("Succeeded" | "Failed"));
        if let Some(deadline) = self.deadline()
            && now >= deadline
            && self.failed.is_none()
            && !over
        {
            let message = "Pod was active on the node longer than the specified deadline";
            self.failed = Some(("DeadlineExceeded".to_owned(), message.to_owned()));
            self.event(
                None,
                crate::events::Kind::Normal,
                "DeadlineExceeded",
                message,
            );
        }
    }

    fn deadline(&self) -> Option<Timestamp> {
        let seconds = self.pod().spec.as_ref()?.active_deadline_seconds?;
        self.started_at
            .saturating_add(SignedDuration::from_secs(seconds))
            .ok()
    }

    /// Until when nothing happens by itself.
    fn sleep(&self, plan: &Plan) -> impl Future<Output = ()> + use<> {
        let deadline = self
            .deadline()
            .filter(|_| self.failed.is_none() && !plan.over);
        let again = self.prepare_again.filter(|_| !plan.over);
        let retry = (!self.status_written).then(|| {
            let second = SignedDuration::from_secs(1);
            runtime::clock::now()
                .saturating_add(second)
                .unwrap_or(Timestamp::MAX)
        });
        let next = [plan.wake, deadline, again, retry]
            .into_iter()
            .flatten()
            .min();
        let pause = next.map(|at| {
            Duration::try_from(at.duration_since(runtime::clock::now())).unwrap_or_default()
        });
        async move {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        }
    }

    fn is_finished(&self, plan: &Plan) -> bool {
        plan.over && self.is_deleted() && (self.update.gone || self.status_written)
    }

    fn take(&mut self, update: Update) {
        self.update = update;
        let grace = grace(&self.update);
        self.grace.send_if_modified(|now| {
            // A grace period may only become shorter.
            let shorter = grace < *now;
            *now = grace.min(*now);
            shorter
        });
        self.keep_foreign_conditions();
        if !self.is_deleted() {
            self.take_images();
        }
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Ended { index, id, exit } => self.ended(index, &id, exit),
            Message::Probed {
                index,
                id,
                purpose,
                verdict,
            } => {
                if self.is_current(index, &id) {
                    self.probed(index, purpose, verdict);
                }
            }
            Message::HookFailed { index, id } => {
                if self.is_current(index, &id) {
                    let message = "PostStartHook failed";
                    self.event(
                        Some(index),
                        crate::events::Kind::Warning,
                        "FailedPostStartHook",
                        message,
                    );
                    self.kill(index, "FailedPostStartHook");
                }
            }
        }
    }

    fn is_current(&self, index: usize, id: &str) -> bool {
        self.instances
            .get(index)
            .and_then(Option::as_ref)
            .is_some_and(|i| i.id == id)
    }

    fn ended(&mut self, index: usize, id: &str, exit: Exit) {
        let Some(instance) = self.instances.get(index).cloned().flatten() else {
            return;
        };
        if instance.id != id {
            return;
        }
        if let Some(probes) = self.probes.get_mut(index) {
            *probes = None;
        }
        let reason = match exit.code {
            0 => "Completed",
            _ if instance.out_of_memory() => "OOMKilled",
            _ => "Error",
        };
        instance.clean_up();
        let Some(facts) = self.facts.get_mut(index) else {
            return;
        };
        facts.state = State::Ended(Ended {
            code: exit.code,
            signal: exit.signal,
            reason: reason.to_owned(),
            message: None,
            started_at: Some(instance.started_at),
            finished_at: runtime::clock::now(),
            id: instance.id.clone(),
        });
        facts.ready = false;
        facts.started = false;
        facts.stopping = false;
        facts.doomed = None;
    }

    fn probed(&mut self, index: usize, purpose: Purpose, verdict: Verdict) {
        let said = match &verdict {
            Verdict::Tried(said) => Some(said.clone()),
            Verdict::Decided(_) => None,
        };
        if let Some(said) = said {
            // A pod on its way out is expected to stop answering.
            if !self.is_deleted() {
                self.event(
                    Some(index),
                    crate::events::Kind::Warning,
                    "Unhealthy",
                    &said,
                );
            }
            return;
        }
        let healthy = verdict == Verdict::Decided(true);
        let Some(facts) = self.facts.get_mut(index) else {
            return;
        };
        match purpose {
            Purpose::Readiness => facts.ready = healthy,
            Purpose::Liveness if healthy => {}
            Purpose::Liveness => facts.doomed = Some(Doom::Liveness),
            Purpose::Startup if healthy => {
                facts.started = true;
                self.begin_probes(index);
            }
            Purpose::Startup => facts.doomed = Some(Doom::Startup),
        }
    }

    fn rewrite_hosts(&mut self, view: &Option<ClusterView>) {
        let (Some(prepared), Some(view)) = (&self.prepared, view) else {
            return;
        };
        if let Err(error) = hosts::write(&prepared.hosts, &hosts::text(&prepared.owner, view)) {
            tracing::warn!(%error, file = %prepared.hosts.display(), "cannot rewrite a hosts file");
        }
    }

    async fn renew(&mut self) {
        let Some(prepared) = &self.prepared else {
            return;
        };
        if self.is_deleted() {
            return;
        }
        if let Err((_, error)) = prepare::renew_tokens(&self.host, self.pod(), prepared).await {
            tracing::warn!(%error, "cannot renew a pod's tokens");
        }
    }

    /// Removes what the pod leaves behind. On shutdown its files stay for the next start.
    async fn clean_up(&mut self, shutdown: bool) {
        if let Some(address) = self.address.take() {
            self.host.addresses.free(address);
        }
        for instance in self.instances.iter().flatten() {
            instance.running.kill();
        }
        for instance in self.instances.iter().flatten() {
            drop(tokio::time::timeout(KILL_TIMEOUT, instance.running.wait()).await);
            instance.clean_up();
        }
        if shutdown {
            return;
        }
        self.host.pods.remove(&self.entry);
        let uid = self.pod().metadata.uid.clone().unwrap_or_default();
        if !uid.is_empty() {
            drop(std::fs::remove_dir_all(self.host.pod_directory(&uid)));
        }
    }

    fn event(
        &self,
        index: Option<usize>,
        kind: crate::events::Kind,
        reason: &'static str,
        message: &str,
    ) {
        let path = index.and_then(|i| self.facts.get(i)).map(|f| match f.role {
            Role::App => format!("spec.containers{{{}}}", f.name),
            Role::Init | Role::Sidecar => format!("spec.initContainers{{{}}}", f.name),
        });
        self.host
            .events
            .pod(self.pod(), path.as_deref(), (kind, reason), message);
    }

    fn circumstances(&self, over: bool) -> Circumstances {
        Circumstances {
            host_ip: self.host.address().to_string(),
            pod_ip: self.address.map(|a| a.to_string()),
            started_at: Some(self.started_at),
            failed: self.failed.clone(),
            over,
        }
    }

    fn remember(&self, pod: Pod) {
        *lock(&self.entry.pod) = Arc::new(pod);
    }
}

fn grace(update: &Update) -> Duration {
    if update.gone {
        return Duration::ZERO;
    }
    let meta = &update.pod.metadata;
    let spec = update.pod.spec.as_ref();
    let seconds = meta
        .deletion_grace_period_seconds
        .or_else(|| spec.and_then(|s| s.termination_grace_period_seconds))
        .unwrap_or(GRACE);
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}
