//! Deletion of namespaces: first all that is in them, then they themselves.
//!
//! Upstream: pkg/controller/namespace/deletion/namespaced_resources_deleter.go (v1.36).

mod conditions;

use crate::discovery::{self, Served};
use crate::engine::cache::{Change, ObjectKey};
use crate::engine::queue::Queue;
use crate::engine::{Error, Next, Reconciler, found};
use crate::hub::{self, Hub, Setup};
use crate::meta;
use conditions::Remains;
use futures::future::join_all;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::core::{DynamicObject, PartialObjectMeta};
use kube::{Api, Client};
use std::sync::Arc;
use std::time::Duration;

/// How often a namespace is looked at whose last objects wait for finalizers; the end of a pod is
/// noticed at once.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const FINALIZER: &str = "kubernetes";

struct Controller {
    hub: Arc<Hub>,
    client: Client,
}

pub(crate) fn start(setup: &mut Setup<'_>) {
    let hub = setup.hub.clone();
    let queue = Arc::new(Queue::default());
    hub::queue_itself(&mut setup.on.namespaces, &queue);
    let (namespaces, pods) = (hub.namespaces.clone(), queue.clone());
    setup.on.pods.on(move |change: &Change<'_, _>| {
        let Some(gone) = change.old.filter(|_| change.new.is_none()) else {
            return;
        };
        let key = ObjectKey::new("", meta::namespace(&**gone));
        if namespaces
            .get(&key)
            .is_some_and(|namespace| meta::is_deleted(&*namespace))
        {
            pods.add(key);
        }
    });
    let client = setup.client("namespace-controller");
    setup.controller(Controller { hub, client }, &queue);
}

impl Reconciler for Controller {
    const NAME: &'static str = "namespace";
    const WORKERS: usize = 10;

    async fn reconcile(&self, key: &ObjectKey, now: Timestamp) -> Result<Next, Error> {
        let Some(namespace) = self.hub.namespaces.get(key) else {
            return Ok(Next::Done);
        };
        if !meta::is_deleted(&*namespace) {
            return Ok(Next::Done);
        }
        let spec = namespace.spec.clone().unwrap_or_default();
        if !spec
            .finalizers
            .iter()
            .flatten()
            .any(|finalizer| finalizer == FINALIZER)
        {
            return Ok(Next::Done);
        }
        let remains = self.empty(&key.name).await?;
        let namespace = self.tell(&namespace, &remains, now).await?;
        let Some(namespace) = namespace else {
            return Ok(Next::Done);
        };
        if !remains.is_empty() {
            return Ok(Next::After(LOOK_AGAIN));
        }
        self.finalize(namespace).await?;
        Ok(Next::Done)
    }
}

impl Controller {
    /// Deletes everything in the namespace; says what is still there.
    async fn empty(&self, namespace: &str) -> Result<Remains, Error> {
        let discovery = discovery::discover(&self.client).await?;
        let kinds = discovery
            .kinds
            .iter()
            .filter(|kind| kind.namespaced && kind.can("delete"));
        let emptied = join_all(kinds.map(|kind| self.empty_kind(kind, namespace))).await;
        let mut remains = Remains::default();
        remains.undiscovered = discovery.failures;
        for result in emptied {
            match result {
                Ok(None) => {}
                Ok(Some((kind, left))) => remains.add(&kind, &left),
                Err(error) => remains.failures.push(error.text()),
            }
        }
        Ok(remains)
    }

    async fn empty_kind(
        &self,
        kind: &Served,
        namespace: &str,
    ) -> Result<Option<(Served, Vec<PartialObjectMeta>)>, Error> {
        let api: Api<PartialObjectMeta<DynamicObject>> =
            Api::namespaced_with(self.client.clone(), namespace, &kind.resource);
        if !kind.can("list") {
            return Ok(None);
        }
        let all = ListParams::default();
        // Most kinds have nothing there: a list is cheaper than a deletion.
        let there = found(api.list(&all).await.map_err(Error::from))?;
        let there = there.map(|list| list.items).unwrap_or_default();
        if there.is_empty() {
            return Ok(None);
        }
        if kind.can("deletecollection") {
            found(self.delete_all(kind, namespace).await)?;
        } else {
            for object in there
                .iter()
                .filter(|object| object.metadata.deletion_timestamp.is_none())
            {
                let name = object.metadata.name.as_deref().unwrap_or_default();
                let gone = api.delete(name, &DeleteParams::background()).await;
                found(gone.map_err(Error::from))?;
            }
        }
        let left = found(api.list(&all).await.map_err(Error::from))?;
        let left = left.map(|list| list.items).unwrap_or_default();
        Ok((!left.is_empty()).then(|| (kind.clone(), left)))
    }

    async fn delete_all(&self, kind: &Served, namespace: &str) -> Result<(), Error> {
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), namespace, &kind.resource);
        api.delete_collection(&DeleteParams::background(), &ListParams::default())
            .await?;
        Ok(())
    }

    /// Writes the conditions; `None` if the namespace has gone meanwhile.
    async fn tell(
        &self,
        namespace: &Namespace,
        remains: &Remains,
        now: Timestamp,
    ) -> Result<Option<Namespace>, Error> {
        let status = conditions::status(namespace, remains, now);
        if namespace.status.as_ref() == Some(&status) {
            return Ok(Some(namespace.clone()));
        }
        let changed = Namespace {
            status: Some(status),
            ..namespace.clone()
        };
        let api: Api<Namespace> = Api::all(self.client.clone());
        let name = meta::name(namespace);
        let written = api
            .replace_status(name, &PostParams::default(), &changed)
            .await;
        found(written.map_err(Error::from)).map(|written| self.note(written))
    }

    fn note(&self, written: Option<Namespace>) -> Option<Namespace> {
        let written = written?;
        self.hub.namespaces.wrote(written.clone());
        Some(written)
    }

    async fn finalize(&self, mut namespace: Namespace) -> Result<(), Error> {
        let spec = namespace.spec.get_or_insert_default();
        if let Some(finalizers) = &mut spec.finalizers {
            finalizers.retain(|finalizer| finalizer != FINALIZER);
        }
        let name = meta::name(&namespace).to_owned();
        let api: Api<Namespace> = Api::all(self.client.clone());
        let params = PostParams::default();
        let done = api
            .replace_subresource("finalize", &name, &params, &namespace)
            .await;
        found(done.map_err(Error::from)).map(|_: Option<Namespace>| ())
    }
}

#[cfg(test)]
mod tests;
