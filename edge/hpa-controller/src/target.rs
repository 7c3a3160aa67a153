//! The target's scale: read and changed through its scale subresource, whatever it is.
//!
//! Upstream: horizontal.go, scaleForResourceMappings and the update in reconcileAutoscaler.

use crate::errors::{Error, request};
use crate::mapping::Mapping;
use crate::observe::Observer;
use crate::world::World;
use hpa::{ScaleProblem, ScaleStep};
use http::Request;
use k8s::autoscaling::scale::Known;
use k8s_openapi::api::autoscaling::v1::Scale;
use k8s_openapi::api::autoscaling::v2::CrossVersionObjectReference;
use kube::Client;
use std::time::Duration;

/// Upstream: retry.DefaultRetry.
const UPDATE_TRIES: u32 = 5;
const UPDATE_PAUSE: Duration = Duration::from_millis(10);

/// A target with a scale.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    path: String,
    pub(crate) scale: Scale,
    /// Whose objects may be watched, and then are seen before they are asked for.
    known: Option<Known>,
}

/// Reads the scale of what an autoscaler points at.
pub(crate) async fn read(
    observer: Observer<'_>,
    namespace: &str,
    reference: &CrossVersionObjectReference,
) -> Result<Target, ScaleProblem> {
    let group =
        group_of(reference.api_version.as_deref().unwrap_or_default()).map_err(|error| {
            ScaleProblem {
                error,
                context: ScaleStep::ApiVersion,
            }
        })?;
    let known = Known::of(group, &reference.kind);
    if let (Some(kind), Some(world)) = (known, observer.world)
        && let Some(scale) = world.targets.scale(kind, namespace, &reference.name)
    {
        let path = kind.scale_path(namespace, &reference.name);
        return Ok(Target { path, scale, known });
    }
    let mappings = observer
        .mapper
        .mappings(observer.client, group, &reference.kind)
        .await
        .map_err(|error| ScaleProblem {
            error,
            context: ScaleStep::Mapping,
        })?;
    let found = first_that_answers(observer.client, namespace, &reference.name, &mappings).await;
    let (path, scale) = found.map_err(|error| ScaleProblem {
        error,
        context: ScaleStep::Get,
    })?;
    Ok(Target { path, scale, known })
}

/// Upstream: schema.ParseGroupVersion.
fn group_of(api_version: &str) -> Result<&str, String> {
    match api_version.split_once('/') {
        None => Ok(""),
        Some((group, version)) if !version.contains('/') => Ok(group),
        Some(_) => Err(format!("unexpected GroupVersion string: {api_version}")),
    }
}

/// Of several resources the first that has a scale; of several errors the first.
async fn first_that_answers(
    client: &Client,
    namespace: &str,
    name: &str,
    mappings: &[Mapping],
) -> Result<(String, Scale), String> {
    let mut first_error = None;
    for mapping in mappings {
        let path = format!("{}/scale", mapping.path(namespace, name));
        match get(client, &path).await {
            Ok(scale) => return Ok((path, scale)),
            Err(error) => {
                first_error.get_or_insert(error.to_string());
            }
        }
    }
    Err(first_error.unwrap_or_else(|| "unrecognized resource".to_owned()))
}

async fn get(client: &Client, path: &str) -> Result<Scale, Error> {
    request("get scale", async {
        let ask = Request::get(path)
            .body(Vec::new())
            .map_err(kube::Error::HttpError)?;
        client.request(ask).await
    })
    .await
}

async fn put(client: &Client, path: &str, scale: &Scale) -> Result<Scale, Error> {
    request("put scale", async {
        let body = serde_json::to_vec(scale).map_err(kube::Error::SerdeError)?;
        let ask = Request::put(path)
            .header("content-type", "application/json")
            .body(body)
            .map_err(kube::Error::HttpError)?;
        client.request(ask).await
    })
    .await
}

/// Sets the number of replicas; tries again where somebody else was quicker.
pub(crate) async fn update(
    client: &Client,
    world: &World,
    target: &Target,
    replicas: i32,
) -> Result<(), Error> {
    let mut scale = target.scale.clone();
    let mut tries = 0;
    loop {
        scale.spec.get_or_insert_default().replicas = Some(replicas);
        let error = match put(client, &target.path, &scale).await {
            Ok(written) => {
                if let Some(kind) = target.known {
                    world.targets.written(kind, written);
                }
                return Ok(());
            }
            Err(error) => error,
        };
        tries += 1;
        if error.code() != Some(409) || tries >= UPDATE_TRIES {
            target.distrust(world);
            return Err(error);
        }
        if let Ok(latest) = get(client, &target.path).await {
            scale = latest;
        }
        tokio::time::sleep(UPDATE_PAUSE).await;
    }
}

impl Target {
    /// What was seen may be old: the next look asks.
    fn distrust(&self, world: &World) {
        let metadata = &self.scale.metadata;
        if let (Some(kind), Some(namespace), Some(name)) =
            (self.known, &metadata.namespace, &metadata.name)
        {
            world.targets.distrust(kind, namespace, name);
        }
    }
}
