//! The last step of an answer: JSON becomes YAML or many lines where that was asked for, and what is
//! long is compressed.
//!
//! Upstream: apiserver/pkg/endpoints/handlers/responsewriters/writers.go, SerializeObject (v1.36).

use super::negotiate::{self, Agreed, Media};
use super::{Body, Reply, plain, yaml};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::StatusCode;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue, VARY};
use http::request::Parts;
use std::io::Write;

/// Shorter answers are not worth the time. Upstream: defaultGzipThresholdBytes.
const WORTH_COMPRESSING: usize = 128 * 1024;
/// The same of documents. Upstream: gziphandler's DefaultMinSize.
const WORTH_A_PACKET: usize = 1400;

/// `body` is JSON, or protocol buffers where those were agreed upon.
pub(super) fn reply(head: &Parts, code: StatusCode, agreed: Agreed, body: Vec<u8>) -> Reply {
    let body = match agreed.media {
        Media::Yaml => yaml::from_json(&body),
        Media::Json if agreed.pretty => indented(&body),
        Media::Json | Media::Protobuf => body,
    };
    let kind = agreed.media.content_type();
    if body.len() <= WORTH_COMPRESSING || !gzip_accepted(head) {
        return plain(code, kind, body);
    }
    match compressed(&body) {
        Ok(short) => {
            let mut reply = plain(code, kind, short);
            let headers = reply.headers_mut();
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
            reply
        }
        Err(error) => {
            tracing::debug!(%error, "cannot compress an answer");
            plain(code, kind, body)
        }
    }
}

/// The same answer, compressed if it is worth that and the client can read it. Upstream: gziphandler, whose
/// answers say by themselves what they vary by.
pub(super) fn gzipped(head: &Parts, reply: Reply) -> Reply {
    compressed_beyond(WORTH_A_PACKET, head, reply)
}

/// The same answer, compressed whatever its length if the client can read it. Upstream: promhttp.
pub(super) fn always_gzipped(head: &Parts, reply: Reply) -> Reply {
    compressed_beyond(0, head, reply)
}

fn compressed_beyond(length: usize, head: &Parts, reply: Reply) -> Reply {
    let (mut parts, body) = reply.into_parts();
    let short = match &body {
        Body::Whole(Some(whole)) if whole.len() >= length && gzip_accepted(head) => {
            compressed(whole).ok()
        }
        _ => None,
    };
    let Some(short) = short else {
        return Reply::from_parts(parts, body);
    };
    let gzip = HeaderValue::from_static("gzip");
    parts.headers.insert(CONTENT_ENCODING, gzip);
    Reply::from_parts(parts, Body::whole(short.into()))
}

/// Differs from upstream for objects, whose responseContentEncodingSupported sends gzip to who refuses it with `q=0` too.
fn gzip_accepted(head: &Parts) -> bool {
    let accepted = head.headers.get(ACCEPT_ENCODING);
    let accepted = accepted
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    negotiate::accepts(accepted, "gzip")
}

fn compressed(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::new(1));
    encoder.write_all(body)?;
    encoder.finish()
}

/// JSON with a line a field, indented by two blanks, without the last line's end: Go's MarshalIndent.
pub(super) fn indented(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.resize(out.len() + 2 * depth, b' ');
    };
    for (at, &byte) in json.iter().enumerate() {
        if quoted {
            out.push(byte);
            quoted = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'{' | b'[' => {
                out.push(byte);
                depth += 1;
                if !matches!(json.get(at + 1), Some(b'}' | b']')) {
                    line(&mut out, depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if !matches!(
                    at.checked_sub(1).and_then(|b| json.get(b)),
                    Some(b'{' | b'[')
                ) {
                    line(&mut out, depth);
                }
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                line(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            b'\n' => {}
            _ => {
                quoted = byte == b'"';
                out.push(byte);
            }
        }
    }
    out
}

/// JSON without blanks between its parts.
pub(super) fn compact(json: &[u8]) -> Vec<u8> {
    let (mut quoted, mut escaped) = (false, false);
    let mut kept = |byte: &u8| {
        let blank = !quoted && byte.is_ascii_whitespace();
        if !escaped && *byte == b'"' {
            quoted = !quoted;
        }
        escaped = !escaped && *byte == b'\\';
        !blank
    };
    json.iter().copied().filter(|byte| kept(byte)).collect()
}
