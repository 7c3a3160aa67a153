//! Errors as the client reads them: `metav1.Status`, in the form it accepts.
//!
//! Upstream: apiserver/pkg/endpoints/handlers/responsewriters/writers.go, ErrorNegotiated (v1.36).

use super::encode;
use super::negotiate::{self, Agreed, Form, Media};
use super::{Reply, wire};
use http::StatusCode;
use http::request::Parts;
use k8s::status::ApiError;
use serde::Serialize;
use serde_json::Value;

/// In the order in which Go writes it.
#[derive(Serialize)]
struct Status<'a> {
    kind: &'static str,
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    metadata: Metadata,
    status: &'static str,
    message: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'a>>,
    code: u16,
}

#[derive(Serialize)]
struct Metadata {}

#[derive(Serialize)]
struct Details<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    group: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<Cause<'a>>,
}

#[derive(Serialize)]
struct Cause<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    field: &'a str,
}

/// The answer that says `error`.
pub(super) fn reply(head: &Parts, error: &ApiError) -> Reply {
    let code = StatusCode::from_u16(error.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let status = Status::of(error);
    // Nothing acceptable: the error is told all the same, in JSON for people.
    let agreed = negotiate::error(head).unwrap_or(Agreed {
        form: Form::Objects,
        of_list: None,
        media: Media::Json,
        pretty: true,
    });
    let body = match agreed.media {
        Media::Protobuf => wire::enveloped("v1", "Status", &status.protobuf()),
        Media::Json | Media::Yaml => status.json(),
    };
    encode::reply(head, code, agreed, body)
}

impl<'a> Status<'a> {
    fn of(error: &'a ApiError) -> Self {
        Self {
            kind: "Status",
            api_version: "v1",
            metadata: Metadata {},
            status: "Failure",
            message: &error.message,
            reason: error.reason,
            details: error.details.as_ref().map(Details::of),
            code: error.code,
        }
    }

    fn json(&self) -> Vec<u8> {
        let text = serde_json::to_string(self).unwrap_or_default();
        // As Go's JSON guards against being read as HTML; outside of texts these do not occur.
        let guarded = text
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026");
        (guarded + "\n").into_bytes()
    }

    fn protobuf(&self) -> Vec<u8> {
        let mut out = Vec::new();
        wire::empty_list_meta(&mut out);
        wire::text(&mut out, 2, self.status);
        wire::text(&mut out, 3, self.message);
        wire::text(&mut out, 4, self.reason);
        if let Some(details) = &self.details {
            wire::message(&mut out, 5, |out| details.protobuf(out));
        }
        wire::number(&mut out, 6, i64::from(self.code));
        out
    }
}

impl<'a> Details<'a> {
    fn of(details: &'a Value) -> Self {
        let causes = details["causes"].as_array().map_or(&[][..], Vec::as_slice);
        let cause = |cause: &'a Value| Cause {
            reason: text(cause, "reason"),
            message: text(cause, "message"),
            field: text(cause, "field"),
        };
        Self {
            name: text(details, "name"),
            group: text(details, "group"),
            kind: text(details, "kind"),
            causes: causes.iter().map(cause).collect(),
        }
    }

    fn protobuf(&self, out: &mut Vec<u8>) {
        wire::text(out, 1, self.name);
        wire::text(out, 2, self.group);
        wire::text(out, 3, self.kind);
        for cause in &self.causes {
            wire::message(out, 4, |out| {
                wire::text(out, 1, cause.reason);
                wire::text(out, 2, cause.message);
                wire::text(out, 3, cause.field);
            });
        }
        wire::number(out, 5, 0);
        wire::text(out, 6, "");
    }
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}
