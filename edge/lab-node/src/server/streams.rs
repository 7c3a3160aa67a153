//! `/exec`, `/attach` and `/portForward`: containers' streams over an upgraded connection.
//!
//! Upstream: pkg/kubelet/server/server.go (getExec, getAttach, getPortForward), kubelet_pods.go
//! (GetExec, GetAttach, GetPortForward).

mod attach;
mod copying;
mod exec;
mod port_forward;

use super::{Body, refusal};
use crate::host::Host;
use crate::instance::Instance;
use http::Response;
use http_body_util::{BodyExt, Empty};
use k8s::status::ApiError;
use std::sync::Arc;

pub(super) use attach::attach;
pub(super) use exec::exec;
pub(super) use port_forward::port_forward;

/// Namespace, pod, container.
type Name<'a> = (&'a str, &'a str, &'a str);

/// The answer after which the connection is no longer HTTP.
fn switching(response: Response<()>) -> Response<Body> {
    response.map(|()| Empty::new().boxed_unsync())
}

/// The container that is meant, if it runs.
fn running(host: &Host, (namespace, pod, container): Name<'_>) -> Result<Arc<Instance>, ApiError> {
    let entry = host.pods.get(namespace, pod);
    let entry = entry.ok_or_else(refusal::no_pod_to_stream)?;
    let current = entry.container(container).and_then(|c| c.current);
    current
        .filter(|instance| instance.running.exit().is_none())
        .ok_or_else(|| refusal::not_running(container))
}
