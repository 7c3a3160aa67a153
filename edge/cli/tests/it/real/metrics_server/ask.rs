//! One request over a connection of its own, as whoever asks.

use super::scene::{Scene, Server};
use super::table::{Request, Who};
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

/// Longer than any answer takes.
const LIMIT: Duration = Duration::from_secs(30);

/// What came.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What the server answers; `tag` is what it calls what the client has already.
pub(super) fn ask(scene: &Scene, server: &Server, request: &Request, tag: Option<&str>) -> Answer {
    let asked = http::Request::builder()
        .method(request.method.as_str())
        .uri(&request.path)
        .header("host", "localhost");
    let asked = request
        .headers(tag)
        .fold(asked, |asked, (name, value)| asked.header(name, value));
    let token = match request.who {
        Who::Admin | Who::Anonymous => None,
        Who::Viewer => Some(scene.viewer.as_str()),
        Who::Wrong => Some("nobody-gave-this-out"),
    };
    let asked = match token {
        Some(token) => asked.header(AUTHORIZATION, format!("Bearer {token}")),
        None => asked,
    };
    let connector = match request.who {
        Who::Admin => &scene.admin,
        Who::Viewer | Who::Wrong | Who::Anonymous => &scene.nobody,
    };
    let asked = asked.body(Full::default()).unwrap();
    let exchange = exchange(connector, server.address, asked);
    let answer = async { tokio::time::timeout(LIMIT, exchange).await };
    let answer = scene.runtime.block_on(answer);
    let answer = answer.unwrap_or_else(|_| Err(anyhow::anyhow!("no answer in time")));
    let failed = answer.as_ref().err().map(|error| format!("{error:#}"));
    assert_eq!(failed, None, "{}: {request}", server.name);
    answer.unwrap()
}

/// The code of an answer to anybody, or none while nobody listens.
pub(super) fn probe(scene: &Scene, server: &Server, path: &str) -> Option<u16> {
    let asked = http::Request::get(path).header("host", "localhost");
    let asked = asked.body(Full::default()).unwrap();
    let exchange = exchange(&scene.nobody, server.address, asked);
    let answer = async { tokio::time::timeout(LIMIT, exchange).await };
    let answer = scene.runtime.block_on(answer).ok()?;
    Some(answer.ok()?.status)
}

async fn exchange(
    connector: &TlsConnector,
    address: SocketAddr,
    asked: http::Request<Full<Bytes>>,
) -> anyhow::Result<Answer> {
    let tcp = TcpStream::connect(address).await?;
    let stream = connector.connect("localhost".try_into()?, tcp).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
    let (head, body) = sender.send_request(asked).await?.into_parts();
    Ok(Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: body.collect().await?.to_bytes(),
    })
}
