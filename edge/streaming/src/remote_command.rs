//! Exec and attach: a process's standard streams, its terminal's size and its exit code, over one connection.
//!
//! ```text
//! let negotiated = negotiate(&mut request, options)?;       // an error is the HTTP answer
//! tokio::spawn(async move {
//!     let mut session = negotiated.pending.open(Limits::default()).await?;
//!     // copy session.stdin to the process, its output to session.stdout and session.stderr, then:
//!     session.finish(ExitStatus::Exited(0)).await;
//! });
//! return negotiated.response;                               // 101
//! ```
//!
//! Upstream: kubelet/pkg/cri/streaming/remotecommand (v1.36).

mod options;
mod session;
mod spdy;
mod status;
mod websocket;

pub use options::Options;
pub use session::{Resizes, Session, Size};
pub use status::ExitStatus;

use crate::limits::Limits;
use crate::upgrade::{self, Offer, StreamError, Transport};
use http::{Request, Response};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use k8s::status::ApiError;

const OFFER: Offer = Offer {
    websocket: &["v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io"],
    spdy: &["v4.channel.k8s.io"],
    // Upstream treats a WebSocket without a protocol as channel.k8s.io; SPDY's v1 is long gone.
    unnamed: false,
};

/// A request that can be served: answer with `response`, and open `pending`.
#[derive(Debug)]
pub struct Negotiated {
    /// 101 Switching Protocols.
    pub response: Response<()>,
    /// The streams to come.
    pub pending: Pending,
}

/// Streams that come into being once the response is sent.
#[derive(Debug)]
pub struct Pending {
    options: Options,
    transport: Transport,
    protocol: &'static str,
    upgrade: OnUpgrade,
}

/// Agrees with the client on transport and protocol, or says what to answer.
pub fn negotiate<B>(request: &mut Request<B>, options: Options) -> Result<Negotiated, ApiError> {
    let options = options.checked()?;
    let agreed = upgrade::negotiate(request, &OFFER)?;
    let pending = Pending {
        options,
        transport: agreed.transport,
        protocol: agreed.protocol,
        upgrade: agreed.upgrade,
    };
    Ok(Negotiated {
        response: agreed.response,
        pending,
    })
}

impl Pending {
    /// Waits for the connection and for the client's streams. The response must be on its way.
    pub async fn open(self, limits: Limits) -> Result<Session, StreamError> {
        let io = TokioIo::new(self.upgrade.await?);
        match self.transport {
            Transport::WebSocket => {
                let protocol = websocket::Protocol::named(self.protocol);
                Ok(websocket::open(io, self.options, protocol, limits).await)
            }
            Transport::Spdy => spdy::open(io, self.options, limits).await,
        }
    }
}

#[cfg(test)]
mod tests;
