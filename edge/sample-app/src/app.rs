//! `sample-app`: an HTTP server whose every answer costs a set CPU time.

use crate::burn::{burn, parse_cost};
use anyhow::Context;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[cfg(test)]
mod tests;

/// How long requests in flight may take after SIGTERM.
const DRAIN: Duration = Duration::from_secs(5);
/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Flags of `evenkeel sample-app`.
#[derive(Debug, Clone, clap::Args)]
pub struct AppArgs {
    /// Port to serve on
    #[arg(long, env = "PORT", default_value_t = 8080)]
    pub port: u16,
    /// CPU time that each request burns, such as 5ms
    #[arg(long, env = "CPU_PER_REQUEST", default_value = "5ms", value_parser = parse_cost)]
    pub cpu_per_request: Duration,
    /// Address to serve on; in the lab, the pod's own
    #[arg(long, env = "EVENKEEL_POD_IP", default_value_t = IpAddr::V4(Ipv4Addr::UNSPECIFIED))]
    pub address: IpAddr,
}

/// Serves until SIGTERM or SIGINT, then lets requests in flight finish.
pub fn run(args: &AppArgs) -> anyhow::Result<()> {
    // One thread: a pod of the exercise has a fraction of a core, and its memory is on display.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stop = async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        };
        let address = SocketAddr::new(args.address, args.port);
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot serve on {address}"))?;
        say(&format!(
            "listening on {address}; each request burns {:?}",
            args.cpu_per_request
        ));
        serve(listener, args.cpu_per_request, stop).await;
        say("stopped");
        Ok(())
    })
}

/// The program's own log is its standard output; a broken pipe is no reason to stop serving.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{line}").and_then(|()| out.flush());
    drop(written);
}

async fn serve(listener: TcpListener, cost: Duration, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let stream = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Out of descriptors, or the peer has gone: neither is worth dying for.
                Err(_) => { tokio::time::sleep(Duration::from_millis(10)).await; continue }
            },
        };
        let service = service_fn(move |request| answer(request, cost));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move { drop(connection.await) });
    }
    drop(listener);
    drop(tokio::time::timeout(DRAIN, graceful.shutdown()).await);
}

async fn answer(
    request: Request<Incoming>,
    cost: Duration,
) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(respond(request.method(), request.uri().path(), cost))
}

fn respond(method: &Method, path: &str, cost: Duration) -> Response<Full<Bytes>> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return page(
            StatusCode::METHOD_NOT_ALLOWED,
            "text/plain",
            "only GET is served\n",
        );
    }
    let (kind, body) = match path {
        "/health" => ("application/json", r#"{"status":"OK"}"#),
        "/" => (
            "text/plain; charset=utf-8",
            "evenkeel sample-app: every request burns some CPU\n",
        ),
        _ => {
            return page(
                StatusCode::NOT_FOUND,
                "text/plain",
                "not found: try / or /health\n",
            );
        }
    };
    burn(cost);
    page(StatusCode::OK, kind, body)
}

fn page(status: StatusCode, kind: &'static str, body: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
