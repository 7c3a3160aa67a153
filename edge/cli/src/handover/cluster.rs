//! Requests about one autoscaler in its two kinds, each with an end and with an error that says what to do.

use super::plan::{OWN, PLAIN, Scene, target};
use anyhow::{Context, Result, bail};
use k8s::own_kind;
use kube::api::{
    DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, Preconditions,
};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client};
use serde_json::Value;
use std::time::Duration;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How many autoscalers of a namespace are asked for their target.
const AUTOSCALERS_MAX: u32 = 5_000;
/// Who is said to have made the objects.
const MANAGER: &str = "evenkeel";

/// An autoscaler's place.
pub(super) struct Cluster {
    plain: Api<DynamicObject>,
    own: Api<DynamicObject>,
    pub(super) name: String,
}

/// Which of the two kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Plain,
    Own,
}

/// Whether something was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deleted {
    Yes,
    /// It is not as it was.
    Changed,
}

impl Which {
    fn label(self) -> &'static str {
        match self {
            Self::Plain => PLAIN,
            Self::Own => OWN,
        }
    }
}

impl Cluster {
    pub(super) fn new(client: Client, namespace: &str, name: &str) -> Self {
        let api = |group: &str, version: &str| {
            let kind = GroupVersionKind::gvk(group, version, own_kind::KIND);
            let resource = ApiResource::from_gvk_with_plural(&kind, own_kind::PLURAL);
            Api::namespaced_with(client.clone(), namespace, &resource)
        };
        Self {
            plain: api("autoscaling", "v2"),
            own: api(own_kind::GROUP, own_kind::VERSION),
            name: name.to_owned(),
        }
    }

    fn api(&self, which: Which) -> &Api<DynamicObject> {
        match which {
            Which::Plain => &self.plain,
            Which::Own => &self.own,
        }
    }

    /// What there is.
    pub(super) async fn scene(&self) -> Result<Scene> {
        Ok(Scene {
            plain: self.get(Which::Plain).await?,
            own: self.get(Which::Own).await?,
        })
    }

    async fn get(&self, which: Which) -> Result<Option<Value>> {
        let what = format!("cannot get {}/{}", which.label(), self.name);
        let found = in_time(self.api(which).get(&self.name)).await;
        match found.with_context(|| what.clone())? {
            Ok(object) => Ok(Some(serde_json::to_value(object)?)),
            // By the code alone: where the kind is not there at all, a real API server's answer says no more.
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(error).context(what),
        }
    }

    /// Other autoscalers of the same target; why there cannot be any, if our kind is not there at all.
    pub(super) async fn rivals(&self, object: &Value) -> Result<Result<Vec<String>, String>> {
        let mut rivals = Vec::new();
        for which in [Which::Own, Which::Plain] {
            let params = ListParams::default().limit(AUTOSCALERS_MAX);
            let listed = match in_time(self.api(which).list(&params)).await? {
                Ok(listed) => listed.items,
                Err(kube::Error::Api(status)) if status.code == 404 && which == Which::Own => {
                    return Ok(Err("the cluster does not know horizontalpodautoscalers.evenkeel.dev: apply its CustomResourceDefinition first (kubectl apply -f deploy/crds)".to_owned()));
                }
                Err(error) => return Err(error).context("cannot list the namespace's autoscalers"),
            };
            for other in listed {
                let other = serde_json::to_value(other)?;
                let name = other["metadata"]["name"].as_str().unwrap_or_default();
                if name != self.name && target(&other) == target(object) {
                    rivals.push(format!("{}/{name}", which.label()));
                }
            }
        }
        Ok(Ok(rivals))
    }

    /// Creates an object and gives it as it then is, or would be.
    pub(super) async fn create(
        &self,
        which: Which,
        object: &Value,
        dry_run: bool,
    ) -> Result<Value> {
        let object: DynamicObject = serde_json::from_value(object.clone())?;
        let params = PostParams {
            dry_run,
            field_manager: Some(MANAGER.to_owned()),
        };
        let what = format!("cannot create {}/{}", which.label(), self.name);
        let made = in_time(self.api(which).create(&params, &object)).await;
        let made = made.and_then(|made| Ok(made?)).context(what)?;
        Ok(serde_json::to_value(made)?)
    }

    /// Changes ours.
    pub(super) async fn change(&self, change: &Value) -> Result<()> {
        let (params, patch) = (PatchParams::default(), Patch::Merge(change));
        let done = in_time(self.own.patch(&self.name, &params, &patch)).await;
        let done = done.and_then(|done| Ok(done?));
        done.map(drop)
            .with_context(|| format!("cannot change {OWN}/{}", self.name))
    }

    /// Changes the status of ours.
    pub(super) async fn change_status(&self, change: &Value) -> Result<()> {
        let (params, patch) = (PatchParams::default(), Patch::Merge(change));
        let done = in_time(self.own.patch_status(&self.name, &params, &patch)).await;
        let done = done.and_then(|done| Ok(done?));
        done.map(drop)
            .with_context(|| format!("cannot change the status of {OWN}/{}", self.name))
    }

    /// Deletes an object if it is the one that was seen: this one (`uid`), and as it was where that is `exact`.
    pub(super) async fn delete(&self, which: Which, seen: &Value, exact: bool) -> Result<Deleted> {
        let text = |key: &str| seen["metadata"][key].as_str().map(str::to_owned);
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: text("uid"),
                resource_version: text("resourceVersion").filter(|_| exact),
            }),
            ..DeleteParams::background()
        };
        match in_time(self.api(which).delete(&self.name, &params)).await? {
            Ok(_) => Ok(Deleted::Yes),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(Deleted::Yes),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(Deleted::Changed),
            Err(error) => {
                Err(error).with_context(|| format!("cannot delete {}/{}", which.label(), self.name))
            }
        }
    }
}

async fn in_time<T>(asked: impl Future<Output = T>) -> Result<T> {
    match tokio::time::timeout(TIMEOUT, asked).await {
        Ok(answer) => Ok(answer),
        Err(_) => bail!("the cluster did not answer within 15s"),
    }
}
