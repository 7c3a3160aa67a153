//! Bodies of requests and responses.

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, stream};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use k8s::status::ApiError;
use serde_json::Value;

/// The body of every response, and of every request once it is inside.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;
/// What may go wrong while a body is read.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Reply = Result<Response<Body>, ApiError>;

/// The largest request body. Upstream: DefaultLegacyMaxRequestBodyBytes (3 MiB).
const BODY_MAX: usize = 3 << 20;
/// How much of a list is encoded at once.
const CHUNK: usize = 64 << 10;
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Wraps any body.
pub(crate) fn boxed<B>(body: B) -> Body
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    body.map_err(Into::into).boxed_unsync()
}

/// A body that is all there.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    boxed(Full::new(bytes.into()))
}

/// A body that comes in pieces.
pub(crate) fn streamed(pieces: impl Stream<Item = Bytes> + Send + 'static) -> Body {
    boxed(StreamBody::new(
        pieces.map(|piece| Ok::<_, BoxError>(Frame::data(piece))),
    ))
}

/// A response with a type.
pub(crate) fn typed(code: StatusCode, kind: HeaderValue, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// A response with JSON that is already encoded.
pub(crate) fn json_bytes(code: StatusCode, bytes: impl Into<Bytes>) -> Response<Body> {
    typed(code, JSON, full(bytes))
}

/// A response with JSON.
pub(crate) fn json(code: StatusCode, value: &Value) -> Response<Body> {
    json_bytes(code, value.to_string())
}

/// A response in plain text.
pub(crate) fn text(code: StatusCode, words: impl Into<Bytes>) -> Response<Body> {
    typed(
        code,
        HeaderValue::from_static("text/plain; charset=utf-8"),
        full(words),
    )
}

/// The response of an error.
pub(crate) fn failure(error: &ApiError) -> Response<Body> {
    let code = StatusCode::from_u16(error.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(code, &error.to_status());
    if error.code == 429 {
        response
            .headers_mut()
            .insert("retry-after", HeaderValue::from_static("1"));
    }
    response
}

/// A JSON document that is encoded piece by piece while it is sent.
pub(crate) fn pieces<I>(head: String, items: I, tail: &'static str) -> Body
where
    I: Iterator<Item = Bytes> + Send + 'static,
{
    let mut items = items.peekable();
    let mut head = Some(head);
    let mut first = true;
    let chunks = std::iter::from_fn(move || {
        let begin = head.take();
        if begin.is_none() && items.peek().is_none() {
            return None;
        }
        let mut chunk = BytesMut::new();
        chunk.extend_from_slice(begin.unwrap_or_default().as_bytes());
        while chunk.len() < CHUNK {
            let Some(item) = items.next() else { break };
            if !std::mem::take(&mut first) {
                chunk.extend_from_slice(b",");
            }
            chunk.extend_from_slice(&item);
        }
        if items.peek().is_none() {
            chunk.extend_from_slice(tail.as_bytes());
        }
        Some(chunk.freeze())
    });
    streamed(stream::iter(chunks))
}

/// Reads a request's body, up to its limit.
pub(crate) async fn read(mut body: Body) -> Result<Bytes, ApiError> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|error| ApiError::bad_request(format!("reading the body: {error}")))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > BODY_MAX {
            return Err(ApiError::too_large(format!("limit is {BODY_MAX}")));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}
