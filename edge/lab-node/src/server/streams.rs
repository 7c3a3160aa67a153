//! `/exec`, `/attach` and `/portForward`: containers' streams over an upgraded connection.
//!
//! Upstream: pkg/kubelet/server/server.go (getExec, getAttach, getPortForward).

use super::Body;
use super::query::values;
use crate::host::Host;
use crate::instance::Instance;
use crate::logs::Stream;
use crate::process::{Running, Streams};
use crate::terminal::Terminal;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use k8s::status::ApiError;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use streaming::remote_command::{self, ExitStatus, Options, Session};
use streaming::{Limits, Output, port_forward as forward};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::TcpStream;
use tokio::sync::broadcast;

/// How long output may still come after a command has ended.
const DRAIN: Duration = Duration::from_millis(500);

type Name<'a> = (&'a str, &'a str, &'a str);

/// Starts a command in a container.
pub(super) fn exec(
    host: &Host,
    name: Name<'_>,
    request: &mut Request<Incoming>,
) -> Result<Response<Body>, ApiError> {
    let instance = running(host, name)?;
    let query = request.uri().query().unwrap_or_default().to_owned();
    let options = Options::from_query(&query);
    let command: Vec<String> = values(&query, "command").collect();
    let negotiated = remote_command::negotiate(request, options)?;
    let pending = negotiated.pending;
    tokio::spawn(async move {
        let Ok(mut session) = pending.open(Limits::default()).await else {
            return;
        };
        let status = match instance.exec(&command, options.tty, options.stdin).await {
            Ok(started) => run(started, &mut session).await,
            Err(why) => failed(&command, &why, &mut session).await,
        };
        session.finish(status).await;
    });
    Ok(negotiated.response.map(|()| Empty::new().boxed_unsync()))
}

/// A command that cannot be started: its message is what container runtimes print.
async fn failed(command: &[String], why: &str, session: &mut Session) -> ExitStatus {
    let _ = (command, &session.closed);
    ExitStatus::Failed(ApiError::internal(format!(
        "error executing command in container: failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: unable to start container process: {why}"
    )))
}

async fn run((running, streams): (Running, Streams), session: &mut Session) -> ExitStatus {
    let ended = running.wait();
    let exit = match streams {
        Streams::Pipes {
            stdin,
            stdout,
            stderr,
        } => {
            let (input, out, err) = (
                session.stdin.take(),
                session.stdout.take(),
                session.stderr.take(),
            );
            let feed = async {
                if let (Some(mut input), Some(mut stdin)) = (input, stdin) {
                    drop(copy(&mut input, &mut stdin).await);
                }
                std::future::pending::<()>().await;
            };
            let outputs = async { tokio::join!(pass(stdout, out), pass(stderr, err)) };
            finish(ended, feed, outputs, session).await
        }
        Streams::Terminal(terminal) => {
            let (input, out) = (session.stdin.take(), session.stdout.take());
            let outputs = pass_terminal(terminal.clone(), out);
            let resize = &mut session.resize;
            let feed = async {
                let resizing = async {
                    while let Some(size) = resize.next().await {
                        terminal.resize(size.width, size.height);
                    }
                };
                tokio::join!(type_into(&terminal, input), resizing);
                std::future::pending::<()>().await;
            };
            let closed = session.closed.clone();
            tokio::select! {
                exit = until_end(ended, feed, outputs) => Some(exit),
                () = closed.cancelled() => None,
            }
        }
    };
    // Dropping the handle kills what is left.
    drop(running);
    exit.map_or(ExitStatus::Exited(137), |e| ExitStatus::Exited(e.code))
}

async fn finish(
    ended: impl Future<Output = crate::process::Exit>,
    feed: impl Future<Output = ()>,
    outputs: impl Future,
    session: &Session,
) -> Option<crate::process::Exit> {
    let closed = session.closed.clone();
    tokio::select! {
        exit = until_end(ended, feed, outputs) => Some(exit),
        () = closed.cancelled() => None,
    }
}

/// Waits for the end and for the rest of the output.
async fn until_end<T>(
    ended: impl Future<Output = T>,
    feed: impl Future<Output = ()>,
    outputs: impl Future,
) -> T {
    let both = async {
        let mut outputs = std::pin::pin!(outputs);
        let mut ended = std::pin::pin!(ended);
        tokio::select! {
            exit = &mut ended => {
                drop(tokio::time::timeout(DRAIN, outputs).await);
                exit
            }
            _ = &mut outputs => ended.await,
        }
    };
    tokio::select! {
        exit = both => exit,
        () = feed => unreachable_feed().await,
    }
}

/// Feeding never ends by itself.
async fn unreachable_feed<T>() -> T {
    std::future::pending().await
}

async fn pass(mut from: impl AsyncRead + Unpin, to: Option<Output>) {
    match to {
        Some(mut to) => drop(copy(&mut from, &mut to).await),
        None => drop(copy(&mut from, &mut tokio::io::sink()).await),
    }
}

async fn pass_terminal(terminal: Terminal, mut to: Option<Output>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read) = terminal.read(&mut buffer).await {
        if read == 0 {
            return;
        }
        if let Some(to) = &mut to
            && to
                .write_all(buffer.get(..read).unwrap_or_default())
                .await
                .is_err()
        {
            return;
        }
    }
}

async fn type_into(terminal: &Terminal, input: Option<tokio::io::DuplexStream>) {
    let Some(mut input) = input else { return };
    let mut buffer = vec![0; 4 * 1024];
    while let Ok(read) = input.read(&mut buffer).await {
        let typed = buffer.get(..read).unwrap_or_default();
        if read == 0 || terminal.write_all(typed).await.is_err() {
            return;
        }
    }
}

/// Joins a container's own streams.
pub(super) fn attach(
    host: &Host,
    name: Name<'_>,
    request: &mut Request<Incoming>,
) -> Result<Response<Body>, ApiError> {
    let instance = running(host, name)?;
    let query = request.uri().query().unwrap_or_default().to_owned();
    let mut options = Options::from_query(&query);
    options.tty = instance.terminal.is_some();
    let entry = host.pods.get(name.0, name.1);
    let once = entry.is_some_and(|e| closes_stdin(&e.pod(), name.2));
    let negotiated = remote_command::negotiate(request, options)?;
    let pending = negotiated.pending;
    let output = instance.output.subscribe();
    tokio::spawn(async move {
        let Ok(mut session) = pending.open(Limits::default()).await else {
            return;
        };
        let status = join(&instance, output, &mut session, once).await;
        session.finish(status).await;
    });
    Ok(negotiated.response.map(|()| Empty::new().boxed_unsync()))
}

/// `stdinOnce`: the input ends with the first client's.
fn closes_stdin(pod: &k8s_openapi::api::core::v1::Pod, container: &str) -> bool {
    let containers = pod.spec.iter().flat_map(|s| s.containers.iter());
    containers
        .filter(|c| c.name == container)
        .any(|c| c.stdin_once == Some(true))
}

async fn join(
    instance: &Arc<Instance>,
    output: broadcast::Receiver<(Stream, Bytes)>,
    session: &mut Session,
    once: bool,
) -> ExitStatus {
    let (input, out, err) = (
        session.stdin.take(),
        session.stdout.take(),
        session.stderr.take(),
    );
    let resize = &mut session.resize;
    let feed = async {
        let resizing = async {
            while let (Some(terminal), Some(size)) = (&instance.terminal, resize.next().await) {
                terminal.resize(size.width, size.height);
            }
        };
        tokio::join!(feed(instance, input, once), resizing);
        std::future::pending::<()>().await;
    };
    let outputs = copy_output(output, instance.log.watch(), out, err);
    let closed = session.closed.clone();
    tokio::select! {
        _ = until_end(instance.running.wait(), feed, outputs) => ExitStatus::Exited(0),
        () = closed.cancelled() => ExitStatus::Exited(0),
    }
}

async fn feed(instance: &Instance, input: Option<tokio::io::DuplexStream>, once: bool) {
    if let Some(terminal) = &instance.terminal {
        return type_into(terminal, input).await;
    }
    let Some(mut input) = input else { return };
    let mut stdin = instance.stdin.lock().await;
    if let Some(pipe) = stdin.as_mut() {
        drop(copy(&mut input, pipe).await);
        if once {
            *stdin = None;
        }
    }
}

async fn copy_output(
    mut output: broadcast::Receiver<(Stream, Bytes)>,
    mut log: tokio::sync::watch::Receiver<Option<u64>>,
    mut out: Option<Output>,
    mut err: Option<Output>,
) {
    loop {
        let received = tokio::select! {
            biased;
            received = output.recv() => received,
            // The log is finished after the last output was sent.
            _ = log.wait_for(Option::is_none) => return,
        };
        let (stream, bytes) = match received {
            Ok(received) => received,
            // A client that is too slow misses some.
            Err(broadcast::error::RecvError::Lagged(_)) => continue,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        let to = if stream == Stream::Stdout {
            &mut out
        } else {
            &mut err
        };
        if let Some(to) = to
            && to.write_all(&bytes).await.is_err()
        {
            return;
        }
    }
}

/// Connects a client to ports of a pod.
pub(super) fn port_forward(
    host: &Host,
    (namespace, name): (&str, &str),
    request: &mut Request<Incoming>,
) -> Result<Response<Body>, ApiError> {
    let entry = host
        .pods
        .get(namespace, name)
        .ok_or_else(|| ApiError::bad_request(format!("pod {name:?} does not exist")))?;
    let ip = entry
        .pod()
        .status
        .as_ref()
        .and_then(|s| s.pod_ip.as_ref()?.parse::<IpAddr>().ok());
    let ip = ip.ok_or_else(|| ApiError::bad_request(format!("pod {name:?} has no address yet")))?;
    let negotiated = forward::negotiate(request)?;
    let (pending, pod) = (negotiated.pending, format!("{name}_{namespace}"));
    tokio::spawn(async move {
        let connect = move |port| TcpStream::connect(SocketAddr::new(ip, port));
        if let Err(error) = pending.serve(&pod, connect, Limits::default()).await {
            tracing::debug!(%error, "port-forward ended");
        }
    });
    Ok(negotiated.response.map(|()| Empty::new().boxed_unsync()))
}

fn running(host: &Host, (namespace, pod, container): Name<'_>) -> Result<Arc<Instance>, ApiError> {
    let entry = host
        .pods
        .get(namespace, pod)
        .ok_or_else(|| ApiError::bad_request(format!("pod {pod:?} does not exist")))?;
    let current = entry.container(container).and_then(|c| c.current);
    current
        .filter(|i| i.running.exit().is_none())
        .ok_or_else(|| ApiError::bad_request(format!("container not found ({container:?})")))
}
