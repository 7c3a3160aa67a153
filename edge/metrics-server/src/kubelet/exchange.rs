//! One request and its answer over a connection that outlives them.
//!
//! Most of the time a kubelet's connection is idle, and there are thousands. So HTTP's state (buffers,
//! queues, a task: 28 KB of it) is made for an exchange and dropped after it; only the stream is kept.

use super::Trouble;
use super::body::{Held, Room};
use super::connect::Wire;
use bytes::Bytes;
use http::header::{CONNECTION, HeaderMap};
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Parts, SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::pin::pin;

/// How much is read of an answer that is not 200, for the reason.
const REASON_MAX: usize = 4096;

/// A body, and its share of the memory for bodies.
pub(super) type Taken = (Bytes, Held);

/// Where an answer is put.
#[derive(Debug, Clone, Copy)]
pub(super) struct Space<'a> {
    pub(super) room: &'a Room,
    /// How much of it the answer probably takes.
    pub(super) usual: usize,
}

/// Asks, and gives the answer with the connection where it can be used again.
///
/// The connection is driven by this very future: when the caller gives up, it is closed.
pub(super) async fn exchange(
    wire: Wire,
    request: Request<Empty<Bytes>>,
    space: Space<'_>,
) -> Result<(Taken, Option<Wire>), Trouble> {
    let (sender, connection) = handshake(TokioIo::new(wire))
        .await
        .map_err(Trouble::broken)?;
    let mut talk = pin!(talk(sender, request, space));
    let mut drive = pin!(connection.without_shutdown());
    tokio::select! {
        biased;
        told = &mut talk => {
            let (taken, stays) = told?;
            // The sender is gone and the body was read to its end, so this ends at once.
            let ended = drive.await;
            Ok((taken, ended.ok().filter(|_| stays).and_then(idle)))
        }
        // What the end of the connection means is for the one who reads to say.
        _ = &mut drive => talk.await.map(|(taken, _)| (taken, None)),
    }
}

/// The answer, and whether the kubelet lets the connection stay open.
async fn talk(
    mut sender: SendRequest<Empty<Bytes>>,
    request: Request<Empty<Bytes>>,
    Space { room, usual }: Space<'_>,
) -> Result<(Taken, bool), Trouble> {
    let response = sender
        .send_request(request)
        .await
        .map_err(Trouble::broken)?;
    let code = response.status();
    if code != StatusCode::OK {
        let text = reason(response.into_body()).await;
        return Err(Trouble::Refused { code, text });
    }
    let stays = stays_open(&response);
    let taken = room.read(response.into_body(), usual).await?;
    Ok((taken, stays))
}

async fn reason(body: Incoming) -> String {
    let body = Limited::new(body, REASON_MAX).collect().await;
    body.map(|body| String::from_utf8_lossy(&body.to_bytes()).trim().to_owned())
        .unwrap_or_default()
}

/// HTTP/1.1 keeps connections unless told otherwise (RFC 9112, section 9.3).
fn stays_open(response: &Response<Incoming>) -> bool {
    response.version() >= Version::HTTP_11 && !says_close(response.headers())
}

fn says_close(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|option| option.trim().eq_ignore_ascii_case("close"))
}

/// The stream, unless something was sent that nobody asked for.
fn idle(parts: Parts<TokioIo<Wire>>) -> Option<Wire> {
    parts.read_buf.is_empty().then(|| parts.io.into_inner())
}
