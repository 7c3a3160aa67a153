//! Which resources are served, built in or defined by users.

mod dynamic;

pub(crate) use dynamic::{CUSTOM_GROUP, CUSTOM_VERSION, Dynamic};

use crate::aggregate::Remote;
use crate::crd::Custom;
use k8s::status::GroupResource;
use lab_kinds::resources::{self, Resource};
use lab_kinds::versions;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

/// One resource in one version, and where its objects are.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    api: Resource,
    /// The resource in the version in which objects are stored.
    pub(crate) storage: Resource,
    /// The store's collection; versions of one resource share it.
    pub(crate) collection: Arc<str>,
    /// What its definition says, if users defined it.
    pub(crate) custom: Option<Arc<Custom>>,
}

impl Deref for Served {
    type Target = Resource;

    fn deref(&self) -> &Resource {
        &self.api
    }
}

impl Served {
    /// A resource in its own collection.
    pub(crate) fn new(api: Resource) -> Self {
        let storage = versions::storage_version(&api.group, &api.resource)
            .and_then(|(group, version)| resources::find(group, version, &api.resource))
            .unwrap_or(&api)
            .clone();
        let collection = format!("{}/{}", storage.group, storage.resource).into();
        Self {
            api,
            storage,
            collection,
            custom: None,
        }
    }

    /// A version of a custom resource whose objects are stored in version `storage`.
    pub(crate) fn of_definition(api: Resource, storage: &str, custom: Arc<Custom>) -> Self {
        let collection = format!("{}/{}", api.group, api.resource).into();
        let storage = Resource {
            version: storage.to_owned(),
            ..api.clone()
        };
        Self {
            api,
            storage,
            collection,
            custom: Some(custom),
        }
    }

    /// Waits until the resource is no longer served so; for ever, if it is built in.
    pub(crate) async fn ended(&self) {
        match &self.custom {
            Some(custom) => custom.ended.cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// As error texts name it.
    pub(crate) fn named(&self) -> GroupResource<'_> {
        GroupResource {
            group: &self.group,
            resource: &self.resource,
        }
    }
}

/// Every resource served at one time.
#[derive(Debug, Default, Clone)]
pub(crate) struct Registry {
    by_path: BTreeMap<(String, String, String), Arc<Served>>,
    /// In the order of discovery.
    ordered: Vec<Arc<Served>>,
    /// Groups in the order of discovery, with their versions, the preferred one first.
    groups: Vec<(String, Vec<String>)>,
    /// Groups and versions that other servers answer.
    remotes: BTreeMap<(String, String), Arc<Remote>>,
}

impl Registry {
    /// The built-in resources.
    pub(crate) fn builtin() -> Self {
        let mut registry = Self::default();
        for resource in resources::all() {
            registry.add(Served::new(resource.clone()));
        }
        registry
    }

    /// Whether a group is built in.
    fn is_builtin(group: &str) -> bool {
        resources::all().iter().any(|known| known.group == group)
    }

    /// Adds a resource.
    pub(crate) fn add(&mut self, served: Served) {
        let (group, version) = (served.group.clone(), served.version.clone());
        self.add_version(&group, &version);
        let served = Arc::new(served);
        self.ordered.push(served.clone());
        self.by_path
            .insert((group, version, served.resource.clone()), served);
    }

    /// Adds a custom resource, unless a built-in one has its place.
    fn add_custom(&mut self, served: Served) {
        if self
            .find(&served.group, &served.version, &served.resource)
            .is_none()
        {
            self.add(served);
        }
    }

    /// Adds a group and version of another server; what is served here stays here.
    fn add_remote(&mut self, remote: Remote) {
        let (group, version) = (remote.group.clone(), remote.version.clone());
        if self.of(&group, &version).next().is_none() {
            self.add_version(&group, &version);
            self.remotes.insert((group, version), Arc::new(remote));
        }
    }

    /// The server that answers for a group and version, if it is not this one.
    pub(crate) fn remote(&self, group: &str, version: &str) -> Option<&Arc<Remote>> {
        if self.remotes.is_empty() {
            return None;
        }
        self.remotes.get(&(group.to_owned(), version.to_owned()))
    }

    /// All groups and versions of other servers.
    pub(crate) fn remotes(&self) -> impl Iterator<Item = &Arc<Remote>> {
        self.remotes.values()
    }

    fn add_version(&mut self, group: &str, version: &str) {
        match self.groups.iter_mut().find(|(name, _)| name == group) {
            Some((_, versions)) if versions.iter().any(|known| known == version) => {}
            Some((_, versions)) => versions.push(version.to_owned()),
            None => self
                .groups
                .push((group.to_owned(), vec![version.to_owned()])),
        }
    }

    /// The resource at a path.
    pub(crate) fn find(&self, group: &str, version: &str, resource: &str) -> Option<Arc<Served>> {
        self.by_path
            .get(&(group.to_owned(), version.to_owned(), resource.to_owned()))
            .cloned()
    }

    /// All resources.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Served>> {
        self.ordered.iter()
    }

    /// The resources of a group in a version, in the order of discovery.
    pub(crate) fn of<'a>(
        &'a self,
        group: &'a str,
        version: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Served>> {
        self.ordered
            .iter()
            .filter(move |s| s.group == group && s.version == version)
    }

    /// The groups in the order of discovery, with their versions, the preferred one first.
    pub(crate) fn groups(&self) -> &[(String, Vec<String>)] {
        &self.groups
    }
}

/// How early a group comes in discovery. Upstream: pkg/controlplane/apiserver/aggregator.go.
pub(crate) fn priority(group: &str) -> i64 {
    match group {
        "extensions" => 17_900,
        "apiregistration.k8s.io" => 17_850,
        "apps" => 17_800,
        "events.k8s.io" => 17_750,
        "authentication.k8s.io" => 17_700,
        "authorization.k8s.io" => 17_600,
        "autoscaling" => 17_500,
        "batch" => 17_400,
        "certificates.k8s.io" => 17_300,
        "networking.k8s.io" => 17_200,
        "policy" => 17_100,
        "rbac.authorization.k8s.io" => 17_000,
        "storage.k8s.io" => 16_800,
        "apiextensions.k8s.io" | "admissionregistration.k8s.io" => 16_700,
        "scheduling.k8s.io" => 16_600,
        "coordination.k8s.io" => 16_500,
        "node.k8s.io" => 16_300,
        "discovery.k8s.io" => 16_200,
        "flowcontrol.apiserver.k8s.io" => 16_100,
        _ => 15_000,
    }
}
