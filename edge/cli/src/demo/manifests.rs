//! The exercise's manifests, and sending them to the API as `kubectl create` would.

use anyhow::{Context, Result, bail};
use kube::Client;
use serde_json::Value;

/// What the demo creates, in order; the files are those that README tells people to apply.
const FILES: [(&str, &str); 5] = [
    (
        "components.yaml",
        include_str!("../../../../examples/eks-hpa/components.yaml"),
    ),
    (
        "secret.yaml",
        include_str!("../../../../examples/eks-hpa/secret.yaml"),
    ),
    (
        "deployment.yaml",
        include_str!("../../../../examples/eks-hpa/deployment.yaml"),
    ),
    (
        "service.yaml",
        include_str!("../../../../examples/eks-hpa/service.yaml"),
    ),
    (
        "horizontal-pod-autoscaler.yaml",
        include_str!("../../../../examples/eks-hpa/horizontal-pod-autoscaler.yaml"),
    ),
];

/// The namespace of the exercise.
pub(crate) const NAMESPACE: &str = "eks-work";
/// The name of its Deployment and of its HPA.
pub(crate) const APP: &str = "backend-app";
/// The name of its Service.
pub(crate) const SERVICE: &str = "backend-app-service";

/// Creates what `examples/eks-hpa/components.yaml` holds, unless it is there already.
pub(crate) async fn create_metrics_server(client: &Client) -> Result<()> {
    for object in documents(FILES[0].1)? {
        match create(client, &object).await {
            Err(error) if is_already_there(&error) => {}
            other => drop(other?),
        }
    }
    Ok(())
}

fn is_already_there(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(kube::Error::Api(status)) if status.code == 409)
}

/// Creates the namespace and everything in it; returns `kind/name created` lines.
pub(crate) async fn create_all(client: &Client) -> Result<Vec<String>> {
    let namespace = serde_json::json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE},
    });
    let mut lines = vec![create(client, &namespace).await?];
    for (file, text) in FILES {
        for object in documents(text).with_context(|| format!("examples/eks-hpa/{file}"))? {
            let line = create(client, &object).await;
            lines.push(line.with_context(|| format!("examples/eks-hpa/{file}"))?);
        }
    }
    Ok(lines)
}

/// The objects of a YAML stream.
fn documents(text: &str) -> Result<Vec<Value>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text)?;
    Ok(documents.into_iter().filter(|d| !d.is_null()).collect())
}

async fn create(client: &Client, object: &Value) -> Result<String> {
    let (path, name) = collection_path(object)?;
    let request = http::Request::post(path)
        .header("content-type", "application/json")
        .body(serde_json::to_vec(object)?)?;
    client
        .request::<Value>(request)
        .await
        .with_context(|| format!("cannot create {name}"))?;
    Ok(format!("{name} created"))
}

/// Where objects like this one are created, and the object's name as kubectl prints it.
fn collection_path(object: &Value) -> Result<(String, String)> {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
    let resource = lab_kinds::resources::find_kind(group, version, &kind)
        .with_context(|| format!("{api_version} {kind} is not served"))?;
    let name = text(&object["metadata"]["name"]);
    if name.is_empty() {
        bail!("a {kind} has no metadata.name");
    }
    let root = if group.is_empty() {
        "/api/v1".to_owned()
    } else {
        format!("/apis/{api_version}")
    };
    let plural = &resource.resource;
    let path = match object["metadata"]["namespace"].as_str() {
        Some(namespace) if resource.namespaced => format!("{root}/namespaces/{namespace}/{plural}"),
        _ => format!("{root}/{plural}"),
    };
    let suffix = if group.is_empty() {
        String::new()
    } else {
        format!(".{group}")
    };
    Ok((path, format!("{}{suffix}/{name}", kind.to_lowercase())))
}
