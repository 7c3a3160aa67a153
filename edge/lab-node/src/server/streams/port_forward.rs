//! Connections to ports of a pod.

use super::switching;
use crate::host::Host;
use crate::server::{Body, refusal};
use http::{Request, Response};
use hyper::body::Incoming;
use k8s::status::ApiError;
use std::net::{IpAddr, SocketAddr};
use streaming::Limits;
use streaming::port_forward::negotiate;
use tokio::net::TcpStream;

/// Connects a client to a pod's address: in the lab that is where its programs listen, on loopback
/// like everything.
pub(crate) fn port_forward(
    host: &Host,
    (namespace, name): (&str, &str),
    request: &mut Request<Incoming>,
) -> Result<Response<Body>, ApiError> {
    let entry = host.pods.get(namespace, name);
    let pod = entry.ok_or_else(refusal::no_pod_to_stream)?.pod();
    let status = pod.status.as_ref();
    let ip: Option<IpAddr> = status.and_then(|status| status.pod_ip.as_ref()?.parse().ok());
    let ip = ip.ok_or_else(|| ApiError::internal(format!("pod {name:?} has no address yet")))?;
    let negotiated = negotiate(request)?;
    let (pending, pod) = (negotiated.pending, format!("{name}_{namespace}"));
    tokio::spawn(async move {
        let connect = move |port| TcpStream::connect(SocketAddr::new(ip, port));
        if let Err(error) = pending.serve(&pod, connect, Limits::default()).await {
            tracing::debug!(%error, "port-forward ended");
        }
    });
    Ok(switching(negotiated.response))
}
