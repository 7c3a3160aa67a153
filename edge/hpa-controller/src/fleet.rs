//! All autoscalers: watched, each with a life of its own.
//!
//! Upstream: NewHorizontalController and Run.

use crate::bells::Bells;
use crate::config::Config;
use crate::mapping::Mapper;
use crate::member::Member;
use crate::ownership::Families;
use crate::reconcile::{Controller, names};
use crate::selectors::{Key, Selectors};
use futures::StreamExt;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::EventSource;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use runtime::events::Recorder;
use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};
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
    let controller = Arc::new(Controller {
        client: client.clone(),
        config,
        mapper: Mapper::default(),
        selectors: Selectors::default(),
        world: Arc::default(),
        families: Families::default(),
        recorder,
    });
    let bells = Arc::new(Bells::default());
    let wake = controller.config.decide_on_samples;
    let wake = wake.then(|| bells.ringer(&controller));
    let world = Arc::clone(&controller.world);
    tasks.spawn(world.keep(client.clone(), wake, shutdown.clone()));
    info!(period = %period, "the horizontal pod autoscaler controller runs");
    let mut fleet = Fleet {
        controller,
        permits,
        tasks: tasks.clone(),
        shutdown: shutdown.clone(),
        members: HashMap::new(),
        bells,
        listed: None,
    };
    let api: Api<HorizontalPodAutoscaler> = Api::all(client);
    let mut events = pin!(watcher::watcher(api, watcher::Config::default()).default_backoff());
    loop {
        let event = tokio::select! {
            () = shutdown.cancelled() => break,
            event = events.next() => event,
        };
        match event {
            Some(Ok(event)) => fleet.hear(event),
            Some(Err(error)) => {
                warn!(%error, "cannot watch horizontal pod autoscalers; trying again");
            }
            None => break,
        }
    }
    tasks.close();
    tasks.wait().await;
}

/// An autoscaler with its loop.
struct Known {
    latest: watch::Sender<Arc<HorizontalPodAutoscaler>>,
    stop: CancellationToken,
}

struct Fleet {
    controller: Arc<Controller>,
    permits: Arc<Semaphore>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
    members: HashMap<Key, Known>,
    bells: Arc<Bells>,
    /// Who was seen in the list that is being read.
    listed: Option<HashSet<Key>>,
}

impl Fleet {
    fn hear(&mut self, event: Event<HorizontalPodAutoscaler>) {
        match event {
            Event::Init => self.listed = Some(HashSet::new()),
            Event::InitApply(object) => {
                if let Some(listed) = &mut self.listed {
                    listed.insert(key(&object));
                }
                self.apply(object);
            }
            Event::InitDone => {
                let listed = self.listed.take().unwrap_or_default();
                let gone: Vec<Key> = self
                    .members
                    .keys()
                    .filter(|k| !listed.contains(*k))
                    .cloned()
                    .collect();
                gone.iter().for_each(|key| self.forget(key));
            }
            Event::Apply(object) => self.apply(object),
            Event::Delete(object) => self.forget(&key(&object)),
        }
    }

    fn apply(&mut self, mut object: HorizontalPodAutoscaler) {
        // Nobody reads these, and a write without them leaves them as they are.
        object.metadata.managed_fields = None;
        let key = key(&object);
        let object = Arc::new(object);
        if let Some(member) = self.members.get(&key) {
            let same = member.latest.borrow().metadata.uid == object.metadata.uid;
            if same {
                member.latest.send_replace(object);
                return;
            }
            // Deleted and made anew while nobody looked: what the old one remembered is not its own.
            self.forget(&key);
        }
        let (latest, object) = watch::channel(object);
        let stop = self.shutdown.child_token();
        let member = Member {
            controller: self.controller.clone(),
            permits: self.permits.clone(),
            object,
            bell: self.bells.hang(&key),
        };
        self.tasks.spawn(member.live(stop.clone()));
        self.controller.config.monitor.knows(&key.0, &key.1);
        self.members.insert(key, Known { latest, stop });
    }

    fn forget(&mut self, key: &Key) {
        if let Some(member) = self.members.remove(key) {
            member.stop.cancel();
            self.controller.selectors.remove(key);
            self.bells.remove(key);
            self.controller.config.monitor.forget(&key.0, &key.1);
        }
    }
}

fn key(object: &HorizontalPodAutoscaler) -> Key {
    let (namespace, name) = names(object);
    (namespace.to_owned(), name.to_owned())
}
