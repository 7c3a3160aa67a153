//! Writes through the API whose answers go into the cache at once.

use super::Error;
use super::cache::{Cache, Object, ObjectKey};
use k8s_openapi::NamespaceResourceScope;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy};
use kube::core::Status;
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// A namespaced kind as one controller writes it.
pub(crate) struct Writer<K> {
    client: Client,
    pub(crate) cache: Arc<Cache<K>>,
}

impl<K> Writer<K>
where
    K: Object + Serialize + Resource<Scope = NamespaceResourceScope>,
{
    pub(crate) fn new(client: Client, cache: Arc<Cache<K>>) -> Self {
        Self { client, cache }
    }

    fn api(&self, namespace: &str) -> Api<K> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// Creates `object` in its namespace.
    pub(crate) async fn create(&self, object: &K) -> Result<Arc<K>, Error> {
        let namespace = object.namespace().unwrap_or_default();
        let made = self
            .api(&namespace)
            .create(&PostParams::default(), object)
            .await?;
        Ok(self.cache.wrote(made))
    }

    /// Reads the object past the cache, for instance to learn who made what is in the way.
    pub(crate) async fn get(&self, key: &ObjectKey) -> Result<Option<K>, Error> {
        Ok(self.api(&key.namespace).get_opt(&key.name).await?)
    }

    /// Replaces the object, on condition of its resource version.
    pub(crate) async fn update(&self, object: &K) -> Result<Arc<K>, Error> {
        let key = ObjectKey::of(object);
        let api = self.api(&key.namespace);
        let made = api
            .replace(&key.name, &PostParams::default(), object)
            .await?;
        Ok(self.cache.wrote(made))
    }

    /// Replaces the object's status, on condition of its resource version.
    pub(crate) async fn update_status(&self, object: &K) -> Result<Arc<K>, Error> {
        let key = ObjectKey::of(object);
        let api = self.api(&key.namespace);
        let made = api
            .replace_status(&key.name, &PostParams::default(), object)
            .await?;
        Ok(self.cache.wrote(made))
    }

    /// Patches with strategic merge.
    pub(crate) async fn patch(&self, key: &ObjectKey, patch: &Value) -> Result<Arc<K>, Error> {
        let api = self.api(&key.namespace);
        let made = api
            .patch(&key.name, &PatchParams::default(), &Patch::Strategic(patch))
            .await?;
        Ok(self.cache.wrote(made))
    }

    /// Patches the status with strategic merge.
    pub(crate) async fn patch_status(&self, key: &ObjectKey, patch: &Value) -> Result<(), Error> {
        let api = self.api(&key.namespace);
        let patch = Patch::Strategic(patch);
        let made = api
            .patch_status(&key.name, &PatchParams::default(), &patch)
            .await?;
        self.cache.wrote(made);
        Ok(())
    }

    /// Deletes the very object that `object` is a copy of; one that is gone already is no error.
    pub(crate) async fn delete(&self, object: &K) -> Result<(), Error> {
        self.delete_with(object, DeleteParams::background()).await
    }

    /// Deletes with a grace period of zero.
    pub(crate) async fn delete_now(&self, object: &K) -> Result<(), Error> {
        self.delete_with(object, DeleteParams::background().grace_period(0))
            .await
    }

    async fn delete_with(&self, object: &K, params: DeleteParams) -> Result<(), Error> {
        let key = ObjectKey::of(object);
        let uid = object.uid();
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: uid.clone(),
                resource_version: None,
            }),
            propagation_policy: Some(PropagationPolicy::Background),
            ..params
        };
        match self.api(&key.namespace).delete(&key.name, &params).await {
            Ok(answer) => {
                self.note_deletion(&key, uid.as_deref(), answer.left());
                Ok(())
            }
            Err(kube::Error::Api(status)) if is_gone(&status) => {
                self.cache.deleted(&key, uid.as_deref());
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn note_deletion(&self, key: &ObjectKey, uid: Option<&str>, left: Option<K>) {
        match left {
            Some(object) if object.meta().deletion_timestamp.is_some() => {
                self.cache.wrote(object);
            }
            Some(_) => {}
            None => self.cache.deleted(key, uid),
        }
    }
}

fn is_gone(status: &Status) -> bool {
    status.code == 404
}
