//! All autoscalers: watched, each with a loop of its own that beats at the sync period.
//!
//! Upstream: NewHorizontalController and Run; NewDefaultHPARateLimiter, whose interval is fixed.

use crate::config::Config;
use crate::mapping::Mapper;
use crate::ownership::Families;
use crate::pace::Pace;
use crate::reconcile::{Controller, names};
use futures::StreamExt;
use hpa::History;
use k8s::selector::LabelSelector;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{EventSource, Pod};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use runtime::events::Recorder;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

/// Where an autoscaler is: namespace and name.
type Key = (String, String);

/// One look at an autoscaler takes no longer than this.
const RECONCILE_TIMEOUT: Duration = Duration::from_secs(120);

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
        families: Families::default(),
        recorder,
    });
    info!(period = %period, "the horizontal pod autoscaler controller runs");
    let mut fleet = Fleet {
        controller,
        permits,
        tasks: tasks.clone(),
        shutdown: shutdown.clone(),
        members: HashMap::new(),
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
struct Member {
    latest: watch::Sender<Arc<HorizontalPodAutoscaler>>,
    stop: CancellationToken,
}

struct Fleet {
    controller: Arc<Controller>,
    permits: Arc<Semaphore>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
    members: HashMap<Key, Member>,
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

    fn apply(&mut self, object: HorizontalPodAutoscaler) {
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
        self.tasks.spawn(beat(
            self.controller.clone(),
            self.permits.clone(),
            object,
            stop.clone(),
        ));
        self.controller.config.monitor.knows(&key.0, &key.1);
        self.members.insert(key, Member { latest, stop });
    }

    fn forget(&mut self, key: &Key) {
        if let Some(member) = self.members.remove(key) {
            member.stop.cancel();
            self.controller.selectors.remove(key);
            self.controller.config.monitor.forget(&key.0, &key.1);
        }
    }
}

fn key(object: &HorizontalPodAutoscaler) -> Key {
    let (namespace, name) = names(object);
    (namespace.to_owned(), name.to_owned())
}

/// Looks at one autoscaler every sync period: the flag's, or its own.
///
/// Differs from upstream: a new autoscaler is looked at at once, not after a whole period (as 1.37 will).
async fn beat(
    controller: Arc<Controller>,
    permits: Arc<Semaphore>,
    object: watch::Receiver<Arc<HorizontalPodAutoscaler>>,
    stop: CancellationToken,
) {
    let mut pace = Pace::new(controller.config.flags.sync_period);
    let mut history: Option<History> = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = pace.tick() => {}
        }
        let permit = tokio::select! {
            () = stop.cancelled() => return,
            permit = permits.acquire() => permit,
        };
        if permit.is_err() {
            return;
        }
        let latest = object.borrow().clone();
        pace.follow(&latest);
        let look = tokio::time::timeout(
            RECONCILE_TIMEOUT,
            controller.reconcile(&latest, history.as_ref()),
        );
        tokio::select! {
            () = stop.cancelled() => return,
            next = look => match next {
                Ok(next) => history = next,
                Err(_) => {
                    let (namespace, name) = names(&latest);
                    warn!(namespace, name, "gave up on a look that took too long");
                }
            },
        }
    }
}

/// What every autoscaler's target selects, to find pods that several of them claim.
#[derive(Debug, Default)]
pub(crate) struct Selectors(Mutex<BTreeMap<Key, LabelSelector>>);

impl Selectors {
    /// Remembers what an autoscaler's target selects.
    pub(crate) fn put(&self, object: &HorizontalPodAutoscaler, selector: LabelSelector) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key(object), selector);
    }

    fn remove(&self, key: &Key) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }

    /// The autoscalers whose targets select any of these pods, as `namespace/name`, sorted.
    pub(crate) fn picking(&self, namespace: &str, pods: &[Pod]) -> Vec<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .iter()
            .filter(|((there, _), selector)| {
                there == namespace && pods.iter().any(|pod| picks(selector, pod))
            })
            .map(|((namespace, name), _)| format!("{namespace}/{name}"))
            .collect()
    }
}

fn picks(selector: &LabelSelector, pod: &Pod) -> bool {
    let labels = pod.metadata.labels.as_ref();
    selector.matches_by(|key| labels.and_then(|l| l.get(key)).map(String::as_str))
}
