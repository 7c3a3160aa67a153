//! One cache a kind, shared by all controllers, and the wiring between caches and queues.

use crate::engine::cache::{Cache, Handlers, Object, ObjectKey};
use crate::engine::queue::Queue;
use crate::engine::{self, Reconciler};
use k8s_openapi::Resource as _;
use k8s_openapi::api::apps::v1::{
    ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet,
};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{
    ConfigMap, Endpoints, EventSource, Namespace, Node, Pod, Service, ServiceAccount,
};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::core::ObjectMeta;
use kube::{Client, Resource};
use runtime::events::Recorder;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The identity that may watch everything. Upstream shares its informers among controllers too.
const WATCHER: &str = "system:kube-controller-manager";

/// Writes the hub, its listeners, and what starts and awaits them, from one list of kinds.
macro_rules! kinds {
    ($($field:ident: $kind:ty = $fields:literal),* $(,)?) => {
        /// The shared caches.
        #[derive(Default)]
        pub(crate) struct Hub {
            $(pub(crate) $field: Arc<Cache<$kind>>,)*
        }

        /// What to call on changes, by kind.
        #[derive(Default)]
        pub(crate) struct Listeners {
            $(pub(crate) $field: Handlers<$kind>,)*
        }

        impl Listeners {
            /// Calls `handler` with the metadata of every object of every kind that is held
            /// whole, before and after each change; returns the groups and kinds of these.
            pub(crate) fn every_kind(
                &mut self,
                handler: impl Fn(&str, &str, Option<&ObjectMeta>, Option<&ObjectMeta>)
                    + Clone + Send + Sync + 'static,
            ) -> Vec<(&'static str, &'static str)> {
                let mut kinds = Vec::new();
                $(
                    if $fields.is_empty() {
                        let (group, kind) = (<$kind>::GROUP, <$kind>::KIND);
                        let handler = handler.clone();
                        self.$field.on(move |change| {
                            let old = change.old.map(|object| &object.metadata);
                            let new = change.new.map(|object| &object.metadata);
                            handler(group, kind, old, new);
                        });
                        kinds.push((group, kind));
                    }
                )*
                kinds
            }
        }

        impl Hub {
            /// Follows every kind, or those of which somebody wants to hear.
            fn follow(
                &self,
                (listeners, every): (Listeners, bool),
                client: &Client,
                tasks: &mut JoinSet<()>,
            ) {
                $(
                    if every || !listeners.$field.is_empty() {
                        self.$field.listen(listeners.$field);
                        spawn_watch(&self.$field, $fields, client, tasks);
                    } else {
                        self.$field.stays_empty();
                    }
                )*
            }

            /// Waits until every cache has its first list.
            pub(crate) async fn synced(&self) {
                $(self.$field.synced().await;)*
            }
        }
    };
}

// Each with a field selector: where only some objects matter, only those are held.
kinds! {
    pods: Pod = "",
    nodes: Node = "",
    namespaces: Namespace = "",
    services: Service = "",
    endpoints: Endpoints = "",
    endpoint_slices: EndpointSlice = "",
    service_accounts: ServiceAccount = "",
    config_maps: ConfigMap = "metadata.name=kube-root-ca.crt",
    replica_sets: ReplicaSet = "",
    deployments: Deployment = "",
    stateful_sets: StatefulSet = "",
    daemon_sets: DaemonSet = "",
    controller_revisions: ControllerRevision = "",
    jobs: Job = "",
    cron_jobs: CronJob = "",
    leases: Lease = "",
    cluster_roles: ClusterRole = "",
}

fn spawn_watch<K: Object>(
    cache: &Arc<Cache<K>>,
    fields: &'static str,
    client: &Client,
    tasks: &mut JoinSet<()>,
) {
    let (cache, client) = (cache.clone(), client.clone());
    tasks.spawn(async move { cache.follow(client, fields).await });
}

/// Collects controllers before anything runs.
pub(crate) struct Setup<'a> {
    pub(crate) hub: Arc<Hub>,
    pub(crate) on: Listeners,
    pub(crate) shutdown: CancellationToken,
    clients: &'a (dyn Fn(&str) -> Client + Send + Sync),
    tasks: JoinSet<()>,
}

impl<'a> Setup<'a> {
    pub(crate) fn new(
        clients: &'a (dyn Fn(&str) -> Client + Send + Sync),
        shutdown: &CancellationToken,
    ) -> Self {
        Self {
            hub: Arc::new(Hub::default()),
            on: Listeners::default(),
            shutdown: shutdown.clone(),
            clients,
            tasks: JoinSet::new(),
        }
    }

    /// The client of the service account `name` in kube-system.
    pub(crate) fn client(&self, name: &str) -> Client {
        (self.clients)(&format!("system:serviceaccount:kube-system:{name}"))
    }

    /// The client of a user.
    pub(crate) fn user(&self, name: &str) -> Client {
        (self.clients)(name)
    }

    /// A recorder of events that come from `component`.
    pub(crate) fn recorder(&mut self, component: &'static str, client: Client) -> Recorder {
        let source = EventSource {
            component: Some(component.to_owned()),
            host: None,
        };
        let (recorder, scribe) = Recorder::new(client, source);
        self.tasks.spawn(scribe.run());
        recorder
    }

    /// Starts `controller` once the caches are filled.
    pub(crate) fn controller<R: Reconciler>(&mut self, controller: R, queue: &Arc<Queue>) {
        engine::spawn(
            &mut self.tasks,
            Arc::new(controller),
            queue.clone(),
            self.hub.clone(),
        );
    }

    /// Starts a task of another shape.
    pub(crate) fn task(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Follows the watches and works until the shutdown.
    pub(crate) async fn run(self) {
        self.work(true).await;
    }

    /// The same for a few controllers, which read no kind that they do not listen to.
    pub(crate) async fn run_few(self) {
        self.work(false).await;
    }

    async fn work(mut self, every: bool) {
        let client = (self.clients)(WATCHER);
        self.hub.follow((self.on, every), &client, &mut self.tasks);
        self.shutdown.cancelled().await;
        self.tasks.shutdown().await;
    }
}

/// Queues the object itself on each change.
pub(crate) fn queue_itself<K: Object>(handlers: &mut Handlers<K>, queue: &Arc<Queue>) {
    let queue = queue.clone();
    handlers.on(move |change| {
        if let Some(object) = change.any() {
            queue.add(ObjectKey::of(&**object));
        }
    });
}

/// Queues the controlling owner of kind `owner`, before and after each change.
pub(crate) fn queue_owner<K: Object>(
    handlers: &mut Handlers<K>,
    queue: &Arc<Queue>,
    owner: &'static str,
) {
    let queue = queue.clone();
    handlers.on(move |change| {
        for object in change.both() {
            if let Some(key) = owner_key(&**object, owner) {
                queue.add(key);
            }
        }
    });
}

/// The key of the controlling owner, if its kind is `kind`.
pub(crate) fn owner_key<K: Resource>(object: &K, kind: &str) -> Option<ObjectKey> {
    let meta = object.meta();
    let owner = crate::meta::controller_of(object).filter(|owner| owner.kind == kind)?;
    Some(ObjectKey::new(
        meta.namespace.clone().unwrap_or_default(),
        owner.name.clone(),
    ))
}
