//! One connection: finds an endpoint that answers, and copies both ways.

use super::backends::Backends;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// How long an endpoint may take to accept.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Passes a connection on until both sides have ended it.
pub(super) async fn forward(mut client: TcpStream, peer: SocketAddr, backends: &Backends) {
    let Some(mut server) = connect(peer, backends).await else {
        return reset(client);
    };
    // Small writes are a program's own choice here as anywhere; a socket that cannot is already dead.
    drop((client.set_nodelay(true), server.set_nodelay(true)));
    // An end of input is passed on, and the other direction goes on until its own.
    drop(copy_bidirectional(&mut client, &mut server).await);
}

/// Closes at once, in a way that the client cannot take for an empty answer.
pub(super) fn reset(client: TcpStream) {
    drop(client.set_zero_linger());
}

async fn connect(peer: SocketAddr, backends: &Backends) -> Option<TcpStream> {
    for endpoint in backends.choose(peer.ip(), Instant::now()) {
        match timeout(CONNECT_TIMEOUT, TcpStream::connect(endpoint)).await {
            Ok(Ok(stream)) => {
                backends.connected(peer.ip(), endpoint, Instant::now());
                return Some(stream);
            }
            Ok(Err(error)) => tracing::debug!(%endpoint, %error, "an endpoint does not answer"),
            Err(_) => tracing::debug!(%endpoint, "an endpoint does not answer in time"),
        }
    }
    None
}
