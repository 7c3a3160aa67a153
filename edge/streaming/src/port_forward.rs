//! Port-forward: each connection that kubectl accepts becomes a pair of SPDY streams, for data and for errors.
//!
//! Upstream: kubelet/pkg/cri/streaming/portforward/httpstream.go (v1.36).

mod pairs;

use crate::limits::Limits;
use crate::spdy::{Connection, Stream};
use crate::tunnel::Tunnel;
use crate::upgrade::{self, Offer, StreamError, Transport};
use http::{Request, Response};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use k8s::status::ApiError;
use pairs::{Pair, Pairs};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy_bidirectional, join};
use tokio::task::JoinSet;
use tokio::time::interval;

const OFFER: Offer = Offer {
    websocket: &["SPDY/3.1+portforward.k8s.io"],
    spdy: &["portforward.k8s.io"],
    unnamed: false,
};

/// A request that can be served: answer with `response`, and serve `pending`.
#[derive(Debug)]
pub struct Negotiated {
    /// 101 Switching Protocols.
    pub response: Response<()>,
    /// The connection to come.
    pub pending: Pending,
}

/// A connection that comes into being once the response is sent.
#[derive(Debug)]
pub struct Pending {
    transport: Transport,
    upgrade: OnUpgrade,
}

/// Agrees with the client on transport and protocol, or says what to answer.
pub fn negotiate<B>(request: &mut Request<B>) -> Result<Negotiated, ApiError> {
    let agreed = upgrade::negotiate(request, &OFFER)?;
    let pending = Pending {
        transport: agreed.transport,
        upgrade: agreed.upgrade,
    };
    Ok(Negotiated {
        response: agreed.response,
        pending,
    })
}

impl Pending {
    /// Forwards until the client closes. `connect` opens a connection to a port of the pod; `pod` names the pod
    /// in errors. Dropping the future cuts everything.
    pub async fn serve<C, F, S>(
        self,
        pod: &str,
        connect: C,
        limits: Limits,
    ) -> Result<(), StreamError>
    where
        C: Fn(u16) -> F,
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let io = TokioIo::new(self.upgrade.await?);
        let connection = match self.transport {
            Transport::WebSocket => Connection::serve(Tunnel::server(io).await, limits)?,
            Transport::Spdy => Connection::serve(io, limits)?,
        };
        forward_all(connection, pod, connect, limits).await;
        Ok(())
    }
}

async fn forward_all<C, F, S>(mut connection: Connection, pod: &str, connect: C, limits: Limits)
where
    C: Fn(u16) -> F,
    F: Future<Output = io::Result<S>> + Send + 'static,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut pairs = Pairs::default();
    // Dropped with this function, and with it all that is being forwarded.
    let mut tasks = JoinSet::new();
    let mut overdue = interval(limits.creation);
    loop {
        let stream = tokio::select! {
            stream = connection.accept() => stream,
            _ = overdue.tick() => {
                pairs.drop_older_than(limits.creation);
                continue;
            }
            Some(_) = tasks.join_next() => continue,
        };
        let Some(stream) = stream else { return };
        match pairs.add(stream) {
            Ok(None) => {}
            Ok(Some(pair)) => {
                let target = connect(pair.port);
                tasks.spawn(forward(pair, target, pod.to_owned()));
            }
            Err((stream, why)) => {
                tracing::debug!(why, "refusing a port-forward stream");
                connection.refuse(&stream).await;
            }
        }
    }
}

async fn forward<F, S>(pair: Pair, target: F, pod: String)
where
    F: Future<Output = io::Result<S>>,
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Pair {
        port,
        data,
        mut error,
    } = pair;
    let Stream {
        input,
        mut output,
        reset,
        ..
    } = data;
    let result = tokio::select! {
        result = async {
            let mut target = target.await?;
            let mut client = join(input, &mut output);
            copy_bidirectional(&mut client, &mut target).await
        } => result.map(drop),
        // The client gave this connection up; so does the target's side.
        () = reset.cancelled() => Ok(()),
    };
    if let Err(why) = result {
        let text = format!("error forwarding port {port} to pod {pod}: {why}");
        tracing::debug!("{text}");
        // The client may be gone, and then nobody is there to tell.
        let _ = error.output.write_all(text.as_bytes()).await;
    }
    let _ = output.shutdown().await;
    let _ = error.output.shutdown().await;
}
