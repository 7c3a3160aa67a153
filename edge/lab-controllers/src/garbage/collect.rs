//! What is done about one object of the graph.
//!
//! Upstream: pkg/controller/garbagecollector/garbagecollector.go (v1.36).

use super::Shared;
use super::graph::{FOREGROUND, Item, ORPHAN, Owner, Standing, State, Verdict, verdict};
use super::watches::Overseer;
use crate::discovery::Served;
use crate::engine::cache::ObjectKey;
use crate::engine::{Error, Next, Reconciler, found};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions, PropagationPolicy};
use kube::core::{DynamicObject, ObjectMeta, PartialObjectMeta};
use kube::{Api, Client};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) struct Controller {
    client: Client,
    shared: Arc<Shared>,
    overseer: Arc<Overseer>,
}

impl Reconciler for Controller {
    const NAME: &'static str = "garbage-collector";
    const WORKERS: usize = 16;

    async fn reconcile(&self, key: &ObjectKey, _now: Timestamp) -> Result<Next, Error> {
        self.overseer.ready().await;
        let item = self.shared.graph().get(&key.name).cloned();
        let Some(item) = item else {
            return Ok(Next::Done);
        };
        match item.state {
            State::Alive => self.judge(&item).await?,
            State::Foreground => self.await_dependents(&item).await?,
            State::Orphaning => self.orphan_dependents(&item).await?,
            State::Deleting => {}
        }
        Ok(Next::Done)
    }
}

impl Controller {
    pub(super) fn new(client: Client, shared: Arc<Shared>, overseer: Arc<Overseer>) -> Self {
        Self {
            client,
            shared,
            overseer,
        }
    }

    fn dependents(&self, uid: &str) -> Vec<Item> {
        self.shared.graph().dependents(uid).cloned().collect()
    }

    /// Keeps, releases or deletes an item, by the standing of its owners.
    async fn judge(&self, item: &Item) -> Result<(), Error> {
        let mut owners = Vec::new();
        for owner in &item.owners {
            let Some(standing) = self.standing(item, owner).await? else {
                return Ok(());
            };
            owners.push((owner.uid.clone(), standing));
        }
        let has_dependents = !self.dependents(&item.uid).is_empty();
        match verdict(&owners, has_dependents) {
            Verdict::Keep => Ok(()),
            Verdict::Release(loose) => self.release(item, &loose).await,
            Verdict::Delete { foreground } => self.delete(item, foreground).await,
        }
    }

    /// What `owner` is; `None` if the reference makes no sense, which protects the item.
    async fn standing(&self, item: &Item, owner: &Owner) -> Result<Option<Standing>, Error> {
        let known = self
            .shared
            .graph()
            .get(&owner.uid)
            .map(|held| (held.namespace.clone(), held.state));
        if let Some((namespace, state)) = known {
            if !namespace.is_empty() && namespace != item.namespace {
                return Ok(None);
            }
            let waiting = state == State::Foreground;
            return Ok(Some(if waiting {
                Standing::Waiting
            } else {
                Standing::Solid
            }));
        }
        let served = self.served(&owner.group, &owner.kind)?;
        if served.namespaced && item.namespace.is_empty() {
            return Ok(None);
        }
        let namespace = if served.namespaced {
            item.namespace.as_str()
        } else {
            ""
        };
        let there = found(self.read(&served, namespace, &owner.name).await)?;
        let there = there.filter(|meta| meta.uid.as_deref() == Some(owner.uid.as_str()));
        Ok(Some(if there.is_some() {
            Standing::Solid
        } else {
            Standing::Absent
        }))
    }

    fn served(&self, group: &str, kind: &str) -> Result<Served, Error> {
        self.overseer.served(group, kind).ok_or_else(|| {
            Error::NotYet(format!(
                "no kind {kind:?} in group {group:?} is served (yet)"
            ))
        })
    }

    fn api(&self, served: &Served, namespace: &str) -> Api<PartialObjectMeta<DynamicObject>> {
        if served.namespaced {
            Api::namespaced_with(self.client.clone(), namespace, &served.resource)
        } else {
            Api::all_with(self.client.clone(), &served.resource)
        }
    }

    async fn read(
        &self,
        served: &Served,
        namespace: &str,
        name: &str,
    ) -> Result<ObjectMeta, Error> {
        Ok(self.api(served, namespace).get(name).await?.metadata)
    }

    /// The item as it is now, if it still is the same object.
    async fn fresh(&self, item: &Item) -> Result<Option<(Served, ObjectMeta)>, Error> {
        let served = self.served(&item.group, &item.kind)?;
        let meta = found(self.read(&served, &item.namespace, &item.name).await)?;
        let meta = meta.filter(|meta| meta.uid.as_deref() == Some(item.uid.as_str()));
        if meta.is_none() {
            // A watch that has not told yet.
            self.shared.remove(&item.uid);
        }
        Ok(meta.map(|meta| (served, meta)))
    }

    async fn delete(&self, item: &Item, foreground: bool) -> Result<(), Error> {
        let Some((served, meta)) = self.fresh(item).await? else {
            return Ok(());
        };
        let seen = Item::new(&item.group, &item.kind, &meta);
        if seen.is_none_or(|seen| seen.owners != item.owners || seen.state != State::Alive) {
            return Ok(());
        }
        let has = |wanted: &str| meta.finalizers.iter().flatten().any(|held| held == wanted);
        let policy = if foreground || has(FOREGROUND) {
            PropagationPolicy::Foreground
        } else if has(ORPHAN) {
            PropagationPolicy::Orphan
        } else {
            PropagationPolicy::Background
        };
        let params = DeleteParams {
            propagation_policy: Some(policy),
            preconditions: Some(Preconditions {
                uid: meta.uid.clone(),
                resource_version: meta.resource_version.clone(),
            }),
            ..DeleteParams::default()
        };
        let deletion = self
            .api(&served, &item.namespace)
            .delete(&item.name, &params)
            .await;
        found(deletion.map(|_| ()).map_err(Error::from))?;
        Ok(())
    }

    async fn patch(&self, served: &Served, item: &Item, patch: &Value) -> Result<(), Error> {
        let api = self.api(served, &item.namespace);
        let patch = Patch::Merge(patch);
        let patched = api.patch(&item.name, &PatchParams::default(), &patch).await;
        found(patched.map(|_| ()).map_err(Error::from))?;
        Ok(())
    }

    /// Takes owners out of the item's references.
    async fn release(&self, item: &Item, owners: &[String]) -> Result<(), Error> {
        let Some((served, meta)) = self.fresh(item).await? else {
            return Ok(());
        };
        let kept: Vec<&OwnerReference> = meta
            .owner_references
            .iter()
            .flatten()
            .filter(|reference| !owners.contains(&reference.uid))
            .collect();
        let patch = json!({"metadata": {
            "ownerReferences": kept, "uid": meta.uid, "resourceVersion": meta.resource_version,
        }});
        self.patch(&served, item, &patch).await
    }

    async fn drop_finalizer(&self, item: &Item, finalizer: &str) -> Result<(), Error> {
        let Some((served, meta)) = self.fresh(item).await? else {
            return Ok(());
        };
        let kept: Vec<&String> = meta
            .finalizers
            .iter()
            .flatten()
            .filter(|held| *held != finalizer)
            .collect();
        let patch = json!({"metadata": {
            "finalizers": kept, "uid": meta.uid, "resourceVersion": meta.resource_version,
        }});
        self.patch(&served, item, &patch).await
    }

    /// An item that is deleted in the foreground goes when no dependent blocks it.
    async fn await_dependents(&self, item: &Item) -> Result<(), Error> {
        let dependents = self.dependents(&item.uid);
        let blocked = dependents.iter().any(|dependent| {
            dependent
                .owners
                .iter()
                .any(|owner| owner.uid == item.uid && owner.blocks)
        });
        if !blocked {
            return self.drop_finalizer(item, FOREGROUND).await;
        }
        self.shared
            .queue(dependents.into_iter().map(|dependent| dependent.uid));
        Ok(())
    }

    async fn orphan_dependents(&self, item: &Item) -> Result<(), Error> {
        for dependent in self.dependents(&item.uid) {
            self.release(&dependent, std::slice::from_ref(&item.uid))
                .await?;
        }
        self.drop_finalizer(item, ORPHAN).await
    }
}
