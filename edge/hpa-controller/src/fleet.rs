//! All autoscalers: watched, each with a life of its own.
//!
//! Upstream: NewHorizontalController and Run.

use crate::bells::Bells;
use crate::claims::{Changed, Claims, Scaled};
use crate::config::Config;
use crate::kinds::{self, Autoscaler, Key, Kind};
use crate::mapping::Mapper;
use crate::member::Member;
use crate::ownership::Families;
use crate::reconcile::Controller;
use crate::selectors::Selectors;
use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll, select_all};
use k8s_openapi::api::core::v1::EventSource;
use kube::Client;
use kube::runtime::watcher::{self, Event};
use runtime::events::Recorder;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

/// Upstream: NewRecorder's component.
const COMPONENT: &str = "horizontal-pod-autoscaler";

/// Runs the controller until `shutdown`. It never gives up: what fails is logged and tried again.
pub async fn run(client: Client, config: Config, shutdown: CancellationToken) {
    let source = EventSource {
        component: Some(COMPONENT.to_owned()),
        host: None,
    };
    for warning in k8s::features::warnings(&config.flags.feature_gates) {
        warn!("{warning}");
    }
    let _work = config.monitor.work();
    let (recorder, scribe) = Recorder::new(client.clone(), source);
    let tasks = TaskTracker::new();
    tasks.spawn(shutdown.clone().run_until_cancelled_owned(scribe.run()));
    let permits = Arc::new(Semaphore::new(config.flags.concurrent_syncs.max(1)));
    let period = config.flags.sync_period;
    let mut events = watches(&client, &config);
    let controller = Arc::new(Controller {
        client: client.clone(),
        decisions: config.flags.decisions(),
        config,
        mapper: Mapper::default(),
        selectors: Selectors::default(),
        world: Arc::default(),
        families: Families::default(),
        claims: Claims::default(),
        recorder,
    });
    let bells = Arc::new(Bells::default());
    let wake = controller.config.decide_on_samples;
    let wake = wake.then(|| bells.ringer(&controller));
    let world = Arc::clone(&controller.world);
    tasks.spawn(world.keep(client, wake, shutdown.clone()));
    info!(period = %period, "the horizontal pod autoscaler controller runs");
    let mut fleet = Fleet {
        controller,
        permits,
        tasks: tasks.clone(),
        shutdown: shutdown.clone(),
        members: HashMap::new(),
        bells,
        listed: HashMap::new(),
        missing: HashSet::new(),
    };
    loop {
        let event = tokio::select! {
            () = shutdown.cancelled() => break,
            event = events.next() => event,
        };
        match event {
            Some((kind, Ok(event))) => fleet.hear(kind, event),
            Some((kind, Err(error))) => fleet.miss(kind, &error),
            None => break,
        }
    }
    tasks.close();
    tasks.wait().await;
}

/// All kinds that are served; and upstream's where ours is, which must know what the others have.
fn watches(client: &Client, config: &Config) -> SelectAll<BoxStream<'static, kinds::Heard>> {
    let zero_allowed = config.flags.gates().scale_to_zero;
    let own = config.serve.contains(&Kind::Evenkeel);
    let wanted = |kind: &Kind| config.serve.contains(kind) || own;
    let kinds = [Kind::Autoscaling, Kind::Evenkeel]
        .into_iter()
        .filter(wanted);
    select_all(kinds.map(|kind| kinds::watch(client.clone(), kind, zero_allowed)))
}

/// An autoscaler with its loop.
struct Known {
    latest: watch::Sender<Arc<Autoscaler>>,
    stop: CancellationToken,
    /// It is to be looked at before its time.
    wake: Arc<Notify>,
}

struct Fleet {
    controller: Arc<Controller>,
    permits: Arc<Semaphore>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
    members: HashMap<Key, Known>,
    bells: Arc<Bells>,
    /// Who was seen in the list that is being read, of each kind.
    listed: HashMap<Kind, HashSet<Key>>,
    /// Kinds that the cluster has not, as was said already.
    missing: HashSet<Kind>,
}

impl Fleet {
    fn hear(&mut self, kind: Kind, event: Event<Autoscaler>) {
        if kind == Kind::Autoscaling {
            match self.controller.claims.hear(&event) {
                Changed::Some(targets) if targets.is_empty() => {}
                Changed::Some(targets) => self.wake(|object| targets.contains(&Scaled::of(object))),
                Changed::All => self.wake(|_| true),
            }
            if !self.controller.config.serve.contains(&kind) {
                return;
            }
        }
        match event {
            Event::Init => drop(self.listed.insert(kind, HashSet::new())),
            Event::InitApply(object) => {
                if let Some(listed) = self.listed.get_mut(&kind) {
                    listed.insert(object.key());
                }
                self.apply(object);
            }
            Event::InitDone => {
                let listed = self.listed.remove(&kind).unwrap_or_default();
                self.keep(kind, &listed);
                if self.missing.remove(&kind) {
                    info!(kind = kind.resource(), "the kind is there now");
                }
            }
            Event::Apply(object) => self.apply(object),
            Event::Delete(object) => self.forget(&object.key()),
        }
    }

    /// Something stands between us and the autoscalers of a kind.
    fn miss(&mut self, kind: Kind, error: &watcher::Error) {
        let what = kind.resource();
        if !kinds::is_missing(error) {
            warn!(kind = what, %error, "cannot watch horizontal pod autoscalers; trying again");
            return;
        }
        // What the cluster does not know it has none of.
        self.keep(kind, &HashSet::new());
        if self.missing.insert(kind) {
            warn!(
                kind = what,
                "the cluster does not know this kind, which --serve names: apply its CustomResourceDefinition (deploy/crds); looking again from time to time"
            );
        }
    }

    /// Ours whose targets satisfy this are looked at at once.
    fn wake(&self, whose: impl Fn(&Autoscaler) -> bool) {
        let own = self
            .members
            .iter()
            .filter(|(key, _)| key.0 == Kind::Evenkeel);
        for (_, member) in own {
            if whose(&member.latest.borrow()) {
                member.wake.notify_one();
            }
        }
    }

    fn apply(&mut self, object: Autoscaler) {
        let key = object.key();
        let object = Arc::new(object);
        if let Some(member) = self.members.get(&key) {
            let same = member.latest.borrow().metadata.uid == object.metadata.uid;
            if same {
                let stale = object.stale;
                member.latest.send_replace(object);
                // A changed specification of ours, or a question to us.
                if stale {
                    member.wake.notify_one();
                }
                return;
            }
            // Deleted and made anew while nobody looked: what the old one remembered is not its own.
            self.forget(&key);
        }
        let (latest, object) = watch::channel(object);
        let stop = self.shutdown.child_token();
        let wake = Arc::<Notify>::default();
        let member = Member {
            controller: self.controller.clone(),
            permits: self.permits.clone(),
            object,
            bell: self.bells.hang(&key),
            wake: wake.clone(),
        };
        self.tasks.spawn(member.live(stop.clone()));
        self.controller.config.monitor.knows(&key);
        self.members.insert(key, Known { latest, stop, wake });
    }

    /// Forgets those of a kind that were not listed.
    fn keep(&mut self, kind: Kind, listed: &HashSet<Key>) {
        let known = self.members.keys().filter(|key| key.0 == kind);
        let gone: Vec<Key> = known.filter(|k| !listed.contains(*k)).cloned().collect();
        gone.iter().for_each(|key| self.forget(key));
    }

    fn forget(&mut self, key: &Key) {
        if let Some(member) = self.members.remove(key) {
            member.stop.cancel();
            self.controller.selectors.remove(key);
            self.bells.remove(key);
            self.controller.claims.acts(key);
            self.controller.config.monitor.forget(key);
        }
    }
}
