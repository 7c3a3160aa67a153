//! Passing a request on to a backend, in the caller's name.
//!
//! Upstream: kube-aggregator/pkg/apiserver/handler_proxy.go, apimachinery/pkg/util/proxy,
//! client-go/transport/round_trippers.go (SetAuthProxyHeaders).

use super::remote::Remote;
use super::{connect, endpoint};
use crate::body::{Body, Reply, boxed, text};
use crate::server::Inner;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode, Uri, Version};
use k8s::status::ApiError;
use lab_auth::User;

/// What one connection says to the next hop only, and who the caller claims to be.
const DROPPED: [&str; 11] = [
    "authorization",
    "connection",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Passes a request on and the answer back.
pub(super) async fn forward(
    inner: &Inner,
    user: &User,
    remote: &Remote,
    request: Request<Body>,
) -> Reply {
    if !remote.available {
        return Ok(unavailable("service unavailable"));
    }
    let service = (remote.namespace.as_str(), remote.service.as_str());
    let addresses = match endpoint::resolve(&inner.backend, service, remote.port) {
        Ok(addresses) => addresses,
        Err(why) => {
            tracing::debug!(why, apiservice = remote.name, "no backend");
            return Ok(unavailable("service unavailable"));
        }
    };
    let address = addresses[inner.aggregator.turn() % addresses.len()];
    let client = match inner.aggregator.client(remote) {
        Ok(client) => client,
        Err(error) => {
            let words = format!("{error:#}\n");
            return Ok(text(StatusCode::INTERNAL_SERVER_ERROR, words));
        }
    };
    if request.headers().contains_key("upgrade") {
        return Err(ApiError::bad_request(
            "connections to aggregated API servers cannot be upgraded in this lab",
        ));
    }
    let request = outgoing(user, &address.to_string(), request)?;
    match client.request(request).await {
        Ok(response) => Ok(incoming(response)),
        Err(error) => Ok(unavailable(&format!(
            "error trying to reach service: {}",
            connect::words(&error)
        ))),
    }
}

/// Upstream: http.Error.
fn unavailable(words: &str) -> Response<Body> {
    let mut response = text(StatusCode::SERVICE_UNAVAILABLE, format!("{words}\n"));
    let no_sniff = HeaderValue::from_static("nosniff");
    response
        .headers_mut()
        .insert("x-content-type-options", no_sniff);
    response
}

fn outgoing(
    user: &User,
    authority: &str,
    request: Request<Body>,
) -> Result<Request<Body>, ApiError> {
    let (mut parts, body) = request.into_parts();
    let path = parts
        .uri
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    parts.uri = Uri::builder()
        .scheme("https")
        .authority(authority)
        .path_and_query(path)
        .build()
        .map_err(ApiError::internal)?;
    parts.version = Version::HTTP_11;
    // Extensions are this server's own notes about the caller.
    parts.extensions = http::Extensions::new();
    clean(&mut parts.headers);
    speak_for(user, &mut parts.headers);
    Ok(Request::from_parts(parts, body))
}

/// Takes away what does not go on.
fn clean(headers: &mut HeaderMap) {
    let of_caller = |name: &str| {
        DROPPED.contains(&name) || name.starts_with("x-remote-") || name.starts_with("impersonate-")
    };
    let names: Vec<HeaderName> = headers
        .keys()
        .filter(|name| of_caller(name.as_str()))
        .cloned()
        .collect();
    for name in names {
        headers.remove(name);
    }
}

/// Says in whose name the request comes; the front proxy's certificate makes it credible.
pub(super) fn speak_for(user: &User, headers: &mut HeaderMap) {
    let mut add = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.append(name, value);
        }
    };
    add(HeaderName::from_static("x-remote-user"), &user.name);
    if !user.uid.is_empty() {
        add(HeaderName::from_static("x-remote-uid"), &user.uid);
    }
    for group in &user.groups {
        add(HeaderName::from_static("x-remote-group"), group);
    }
    for (key, values) in &user.extra {
        let name = format!("x-remote-extra-{}", escape(key));
        let Ok(name) = HeaderName::try_from(name) else {
            continue;
        };
        for value in values {
            add(name.clone(), value);
        }
    }
}

/// A key as part of a header's name. Upstream: headerKeyEscape.
fn escape(key: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte);
    key.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn incoming(response: Response<hyper::body::Incoming>) -> Response<Body> {
    let mut response = response.map(boxed);
    for name in DROPPED {
        response.headers_mut().remove(name);
    }
    response
}
