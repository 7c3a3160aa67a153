//! A container's own streams.

use super::copying::{resizing, typing};
use super::exec::beside;
use super::{Name, running, switching};
use crate::host::Host;
use crate::instance::Instance;
use crate::logs::Stream;
use crate::server::Body;
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use k8s::status::ApiError;
use k8s_openapi::api::core::v1::Pod;
use streaming::remote_command::{ExitStatus, Options, Session, negotiate};
use streaming::{Limits, Output};
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::sync::{broadcast, watch};

/// Joins a container's streams with the client's. Whether there is a terminal is the container's to
/// say, not the client's.
pub(crate) fn attach(
    host: &Host,
    name: Name<'_>,
    request: &mut Request<Incoming>,
) -> Result<Response<Body>, ApiError> {
    let instance = running(host, name)?;
    let mut options = Options::from_query(request.uri().query().unwrap_or_default());
    options.tty = instance.terminal.is_some();
    let entry = host.pods.get(name.0, name.1);
    let once = entry.is_some_and(|entry| closes_stdin(&entry.pod(), name.2));
    let negotiated = negotiate(request, options)?;
    let pending = negotiated.pending;
    // From here on nothing is missed, even before the client is ready.
    let output = instance.output.subscribe();
    tokio::spawn(async move {
        match pending.open(Limits::default()).await {
            Ok(mut session) => {
                join(&instance, output, &mut session, once).await;
                session.finish(ExitStatus::Exited(0)).await;
            }
            Err(error) => tracing::debug!(%error, "attach did not begin"),
        }
    });
    Ok(switching(negotiated.response))
}

/// `stdinOnce`: the input ends with the first client's.
fn closes_stdin(pod: &Pod, container: &str) -> bool {
    let containers = pod.spec.iter().flat_map(|spec| spec.containers.iter());
    let mut named = containers.filter(|c| c.name == container);
    named.any(|c| c.stdin_once == Some(true))
}

async fn join(
    instance: &Instance,
    output: broadcast::Receiver<(Stream, Bytes)>,
    session: &mut Session,
    once: bool,
) {
    let (out, err) = (session.stdout.take(), session.stderr.take());
    let outputs = copy_output(output, instance.log.watch(), out, err);
    let (input, sizes) = (session.stdin.take(), &mut session.resize);
    let feed = async {
        match &instance.terminal {
            Some(terminal) => {
                tokio::join!(typing(terminal, input), resizing(terminal, sizes));
            }
            None => feed_pipe(instance, input, once).await,
        }
    };
    let closed = session.closed.clone();
    tokio::select! {
        () = beside(outputs, feed) => {}
        () = closed.cancelled() => {}
    }
}

async fn feed_pipe(instance: &Instance, input: Option<DuplexStream>, once: bool) {
    let Some(mut input) = input else { return };
    let mut stdin = instance.stdin.lock().await;
    if let Some(pipe) = stdin.as_mut() {
        drop(tokio::io::copy(&mut input, pipe).await);
        if once {
            *stdin = None;
        }
    }
}

/// Copies what comes until the container's log is finished, which is after its last output.
async fn copy_output(
    mut output: broadcast::Receiver<(Stream, Bytes)>,
    mut log: watch::Receiver<Option<u64>>,
    mut out: Option<Output>,
    mut err: Option<Output>,
) {
    loop {
        let received = tokio::select! {
            biased;
            received = output.recv() => received,
            _ = log.wait_for(Option::is_none) => return,
        };
        let (stream, bytes) = match received {
            Ok(received) => received,
            // A client that is too slow misses some.
            Err(broadcast::error::RecvError::Lagged(_)) => continue,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        let to = match stream {
            Stream::Stdout => &mut out,
            Stream::Stderr => &mut err,
        };
        if let Some(to) = to
            && to.write_all(&bytes).await.is_err()
        {
            return;
        }
    }
}
