//! Reads what a request wants its connection to become, and answers.

use http::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    UPGRADE,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use hyper::upgrade::OnUpgrade;
use k8s::status::ApiError;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Where SPDY clients list the protocols that they speak, and servers name the chosen one.
pub(crate) const PROTOCOL_HEADER: HeaderName = HeaderName::from_static("x-stream-protocol-version");

/// Why streaming ended before it began, or badly.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The connection broke or never changed.
    #[error("the connection was not upgraded: {0}")]
    Upgrade(#[from] hyper::Error),
    /// The client broke SPDY's rules.
    #[error(transparent)]
    Spdy(#[from] crate::spdy::SpdyError),
    /// The client did not open the streams that it asked for.
    #[error("timed out waiting for client to create streams")]
    Creation,
    /// The client went away.
    #[error("the client closed the connection before all streams were open")]
    Gone,
}

/// What a connection becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    WebSocket,
    Spdy,
}

/// The protocols that a server speaks on each transport, best first.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) websocket: &'static [&'static str],
    pub(crate) spdy: &'static [&'static str],
    /// Whether a client that names no protocol is served.
    pub(crate) unnamed: bool,
}

/// An agreement: send `response`, then `upgrade` resolves.
#[derive(Debug)]
pub(crate) struct Upgrade {
    pub(crate) transport: Transport,
    /// Empty when the client named none.
    pub(crate) protocol: &'static str,
    pub(crate) response: Response<()>,
    pub(crate) upgrade: OnUpgrade,
}

/// Finds transport and protocol, or the error to answer with.
///
/// Upstream: apimachinery/pkg/util/httpstream (Handshake, negotiateProtocol) and apiserver's wsstream.
pub(crate) fn negotiate<B>(request: &mut Request<B>, offer: &Offer) -> Result<Upgrade, ApiError> {
    let headers = request.headers();
    let transport =
        transport(headers).ok_or_else(|| ApiError::bad_request("Upgrade request required"))?;
    let mut response = switching(transport);
    let (header, served) = match transport {
        Transport::WebSocket => (SEC_WEBSOCKET_PROTOCOL, offer.websocket),
        Transport::Spdy => (PROTOCOL_HEADER, offer.spdy),
    };
    let asked: Vec<&str> = tokens(headers, &header).collect();
    let chosen = asked
        .iter()
        .find_map(|a| served.iter().find(|s| a.eq_ignore_ascii_case(s)));
    let protocol = match chosen {
        Some(protocol) => *protocol,
        None if asked.is_empty() && offer.unnamed => "",
        None => return Err(no_common_protocol(&asked, served)),
    };
    if !protocol.is_empty() {
        response
            .headers_mut()
            .insert(header, HeaderValue::from_static(protocol));
    }
    if transport == Transport::WebSocket {
        let key = headers.get(SEC_WEBSOCKET_KEY);
        let key =
            key.ok_or_else(|| ApiError::bad_request("the header Sec-WebSocket-Key is missing"))?;
        let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()));
        let accept = accept
            .map_err(|_| ApiError::bad_request("the header Sec-WebSocket-Key is not usable"))?;
        response.headers_mut().insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    Ok(Upgrade {
        transport,
        protocol,
        response,
        upgrade: hyper::upgrade::on(request),
    })
}

fn transport(headers: &HeaderMap) -> Option<Transport> {
    if !tokens(headers, &CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade")) {
        return None;
    }
    tokens(headers, &UPGRADE).find_map(|token| match token.to_ascii_lowercase().as_str() {
        "websocket" => Some(Transport::WebSocket),
        "spdy/3.1" => Some(Transport::Spdy),
        _ => None,
    })
}

/// All values of a header that holds comma-separated lists.
fn tokens<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

fn switching(transport: Transport) -> Response<()> {
    let upgrade = match transport {
        Transport::WebSocket => "websocket",
        Transport::Spdy => "SPDY/3.1",
    };
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static(upgrade));
    response
}

fn no_common_protocol(asked: &[&str], served: &[&str]) -> ApiError {
    let list = |all: &[&str]| format!("[{}]", all.join(" "));
    ApiError {
        code: 403,
        reason: "Forbidden",
        message: format!(
            "unable to upgrade: unable to negotiate protocol: client supports {}, server accepts {}",
            list(asked),
            list(served)
        ),
        details: None,
    }
}

#[cfg(test)]
mod tests;
