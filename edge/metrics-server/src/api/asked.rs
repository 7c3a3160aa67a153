//! Which requests are counted in `apiserver_request_total` and its like, and as what. Those that never reach a
//! handler, as nobody may ask so or in that form, are not; nor are `/metrics`, `/version`, OpenAPI documents, and of
//! discovery anything but all at once.
//!
//! Upstream: apiserver/pkg/endpoints/metrics/metrics.go, MonitorRequest; endpoints/installer.go, discovery/root.go
//! and server/healthz/healthz.go say what is monitored (v1.36).

use super::render::Kind;
use super::{GROUP, VERSION, Wanted, resources, services};
use crate::telemetry::Asked;
use http::Method;
use http::request::Parts;

/// What a request counts as, `verb` being what authorization was asked about.
pub(super) fn asked(head: &Parts, wanted: &Wanted<'_>, verb: &str) -> Option<Asked> {
    let path = head.uri.path();
    match path {
        "/healthz" | "/livez" | "/readyz" => probe(path, &head.method),
        "/apis" | "/apis/" => services::is_aggregated(head).then(|| Asked {
            component: "apiserver",
            subresource: "apis",
            verb: "GET",
            ..Asked::default()
        }),
        _ if wanted.resource.is_empty() || head.method != Method::GET => None,
        _ => resource(head, wanted, verb),
    }
}

fn probe(path: &str, method: &Method) -> Option<Asked> {
    let paths = ["/healthz", "/livez", "/readyz"];
    let verbs = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    // One that only wants the head counts as one that gets. Others count as upstream counts what it does not know.
    let method = if method == Method::HEAD {
        "GET"
    } else {
        method.as_str()
    };
    let verb = verbs.into_iter().find(|verb| *verb == method);
    Some(Asked {
        subresource: paths.into_iter().find(|known| *known == path)?,
        verb: verb.unwrap_or("other"),
        ..Asked::default()
    })
}

fn resource(head: &Parts, wanted: &Wanted<'_>, verb: &str) -> Option<Asked> {
    let single = !wanted.name.is_empty();
    let kind = wanted.kind()?;
    resources::acceptable(head, single).ok()?;
    let scope = match (single, wanted.namespace.is_empty()) {
        (true, _) => "resource",
        (false, true) => "cluster",
        (false, false) => "namespace",
    };
    Some(Asked {
        component: "apiserver",
        group: GROUP,
        resource: match kind {
            Kind::Node => "nodes",
            Kind::Pod => "pods",
        },
        scope,
        subresource: "",
        verb: match verb {
            "list" => "LIST",
            "watch" => "WATCH",
            _ => "GET",
        },
        version: VERSION,
    })
}
