//! `/containerLogs`: a container's log, from a file that may still grow.
//!
//! Upstream: getContainerLogs (pkg/kubelet/server/server.go), GetKubeletContainerLogs (kubelet_pods.go).

use super::query::{is_on, value};
use super::{Body, refusal, text};
use crate::host::{ContainerEntry, Host};
use crate::logs::{LogOptions, Reader};
use bytes::Bytes;
use futures::stream;
use http::{Response, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use jiff::{SignedDuration, Timestamp};
use k8s::status::ApiError;
use k8s_openapi::api::core::v1::Pod;
use std::convert::Infallible;
use tokio::sync::watch;

/// Answers with a container's log.
pub(super) fn logs(
    host: &Host,
    (namespace, pod, container): (&str, &str, &str),
    query: &str,
    now: Timestamp,
) -> Result<Response<Body>, ApiError> {
    let options = options(query, now)?;
    let previous = is_on(query, "previous");
    let entry = host
        .pods
        .get(namespace, pod)
        .ok_or_else(|| refusal::no_pod(pod))?;
    let whole = entry.pod();
    if !has_container(&whole, container) {
        return Err(refusal::no_such_container(container, pod));
    }
    let known = entry.container(container).unwrap_or_default();
    let path = if previous {
        &known.previous_log
    } else {
        &known.log
    };
    let path = path
        .clone()
        .or_else(|| left_behind(host, &whole, container, previous));
    let Some(path) = path else {
        return Err(ApiError::bad_request(missing(&whole, container, previous)));
    };
    let follow = options.follow && !previous;
    let changes = follow.then(|| watch(&known)).flatten();
    let reader = Reader::open(&path, options)
        .map_err(|e| ApiError::internal(format!("cannot read {}: {e}", path.display())))?;
    let frames = stream::unfold((reader, changes), |(mut reader, mut changes)| async move {
        loop {
            let bytes = reader.read()?;
            if !bytes.is_empty() {
                let frame = Ok::<_, Infallible>(Frame::data(Bytes::from(bytes)));
                return Some((frame, (reader, changes)));
            }
            let watch = changes.as_mut()?;
            if watch.borrow_and_update().is_none() {
                // The end was written before it was told: look once more, then stop.
                changes = None;
                continue;
            }
            if watch.changed().await.is_err() {
                changes = None;
            }
        }
    });
    let mut response = text("text/plain", "");
    *response.body_mut() = StreamBody::new(frames).boxed_unsync();
    let headers = response.headers_mut();
    headers.insert(
        header::TRANSFER_ENCODING,
        header::HeaderValue::from_static("chunked"),
    );
    Ok(response)
}

fn watch(known: &ContainerEntry) -> Option<watch::Receiver<Option<u64>>> {
    let mut receiver = known.current.as_ref()?.log.watch();
    receiver.mark_changed();
    Some(receiver)
}

fn options(query: &str, now: Timestamp) -> Result<LogOptions, ApiError> {
    let number = |name: &str| match value(query, name).filter(|v| !v.is_empty()) {
        None => Ok(None),
        Some(text) => text
            .parse::<u64>()
            .map(Some)
            .map_err(|_| refusal::invalid(&format!("{name} must be a number, not {text:?}"))),
    };
    let since_seconds = number("sinceSeconds")?.and_then(|s| i64::try_from(s).ok());
    let since_time = value(query, "sinceTime").filter(|v| !v.is_empty());
    let since =
        match (since_seconds, since_time) {
            (Some(seconds), _) => now.saturating_sub(SignedDuration::from_secs(seconds)).ok(),
            (None, Some(text)) => Some(text.parse().map_err(|_| {
                refusal::invalid(&format!("sinceTime must be a time, not {text:?}"))
            })?),
            (None, None) => None,
        };
    Ok(LogOptions {
        follow: is_on(query, "follow"),
        timestamps: is_on(query, "timestamps"),
        tail_lines: number("tailLines")?.and_then(|n| usize::try_from(n).ok()),
        since,
        limit_bytes: number("limitBytes")?,
        stream: value(query, "stream").filter(|v| !v.is_empty()),
    })
}

fn has_container(pod: &Pod, name: &str) -> bool {
    pod.spec.as_ref().is_some_and(|s| {
        s.containers
            .iter()
            .chain(s.init_containers.iter().flatten())
            .any(|c| c.name == name)
    })
}

/// After a restart of the lab, the logs of the last instances are still there.
fn left_behind(
    host: &Host,
    pod: &Pod,
    container: &str,
    previous: bool,
) -> Option<std::path::PathBuf> {
    let status = pod.status.as_ref()?;
    let statuses = status
        .container_statuses
        .iter()
        .chain(status.init_container_statuses.iter())
        .flatten();
    let count = statuses
        .into_iter()
        .find(|s| s.name == container)?
        .restart_count;
    let number = if previous {
        count.checked_sub(1).filter(|n| *n >= 0)?
    } else {
        count
    };
    let directory = host.pod_directory(pod.metadata.uid.as_deref()?);
    let path = directory
        .join("logs")
        .join(container)
        .join(format!("{number}.log"));
    path.is_file().then_some(path)
}

/// Upstream: validateContainerLogStatus.
fn missing(pod: &Pod, container: &str, previous: bool) -> String {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    if previous {
        return format!("previous terminated container {container:?} in pod {name:?} not found");
    }
    let status = pod.status.as_ref();
    let statuses = status
        .into_iter()
        .flat_map(|s| [&s.container_statuses, &s.init_container_statuses])
        .flatten()
        .flatten();
    let waiting = statuses
        .filter(|s| s.name == container)
        .find_map(|s| s.state.as_ref()?.waiting.as_ref()?.reason.clone());
    match waiting.as_deref() {
        Some(reason @ ("ErrImagePull" | "ImagePullBackOff")) => {
            let why = if reason == "ErrImagePull" {
                "image can't be pulled"
            } else {
                "trying and failing to pull image"
            };
            format!("container {container:?} in pod {name:?} is waiting to start: {why}")
        }
        Some(reason) => {
            format!("container {container:?} in pod {name:?} is waiting to start: {reason}")
        }
        None => format!("container {container:?} in pod {name:?} is not available"),
    }
}
