//! What we serve, said in every way in which Kubernetes asks: groups, resources, version, paths. Which of these a
//! path is, is decided in [`super::services`].
//!
//! Upstream: apiserver/pkg/endpoints/discovery/{root,group,version}.go and discovery/aggregated/{handler,etag}.go,
//! routes/{version,index}.go (v1.36). Their order of fields is Go's.

use super::negotiate::{self, Agreed, Form, Media};
use super::{GROUP, Reply, VERSION, bare, encode, openapi, plain, status, wire};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, VARY};
use http::request::Parts;
use serde_json::json;
use std::sync::LazyLock;

const GROUP_VERSION: &str = "metrics.k8s.io/v1beta1";
/// What upstream says of the address where a client finds the server, whoever asks.
const EVERYBODY: &str = "0.0.0.0/0";
const VERBS: [&str; 2] = ["get", "list"];

/// Name, kind, whether it is in namespaces.
const RESOURCES: [(&str, &str, bool); 2] = [
    ("nodes", "NodeMetrics", false),
    ("pods", "PodMetrics", true),
];

const VERSIONS: &str = r#""name":"metrics.k8s.io","versions":[{"groupVersion":"metrics.k8s.io/v1beta1","version":"v1beta1"}],"preferredVersion":{"groupVersion":"metrics.k8s.io/v1beta1","version":"v1beta1"}"#;
const RESOURCE_LIST: &str = r#"{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"metrics.k8s.io/v1beta1","resources":[{"name":"nodes","singularName":"","namespaced":false,"kind":"NodeMetrics","verbs":["get","list"]},{"name":"pods","singularName":"","namespaced":true,"kind":"PodMetrics","verbs":["get","list"]}]}"#;
const AGGREGATED: &str = r#"{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[{"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v1beta1","resources":[{"resource":"nodes","responseKind":{"group":"","version":"","kind":"NodeMetrics"},"scope":"Cluster","singularResource":"","verbs":["get","list"]},{"resource":"pods","responseKind":{"group":"","version":"","kind":"PodMetrics"},"scope":"Namespaced","singularResource":"","verbs":["get","list"]}],"freshness":"Current"}]}]}"#;

/// All paths, in order. Differs from upstream: without `/statusz`, which is about Go.
const PATHS: [&str; 30] = [
    "/apis",
    "/apis/metrics.k8s.io",
    "/apis/metrics.k8s.io/v1beta1",
    "/healthz",
    "/healthz/log",
    "/healthz/metadata-informer-sync",
    "/healthz/ping",
    "/healthz/poststarthook/max-in-flight-filter",
    "/healthz/poststarthook/storage-object-count-tracker-hook",
    "/livez",
    "/livez/log",
    "/livez/metadata-informer-sync",
    "/livez/metric-collection-timely",
    "/livez/ping",
    "/livez/poststarthook/max-in-flight-filter",
    "/livez/poststarthook/storage-object-count-tracker-hook",
    "/metrics",
    "/openapi/v2",
    "/openapi/v3",
    "/openapi/v3/",
    "/readyz",
    "/readyz/log",
    "/readyz/metadata-informer-sync",
    "/readyz/metric-informer-sync",
    "/readyz/metric-storage-ready",
    "/readyz/ping",
    "/readyz/poststarthook/max-in-flight-filter",
    "/readyz/poststarthook/storage-object-count-tracker-hook",
    "/readyz/shutdown",
    "/version",
];

/// All paths there are: the answer to `/`, and, as not found, to a path that is not there.
pub(super) fn paths(code: StatusCode) -> Reply {
    let list = json!({"paths": PATHS}).to_string();
    plain(
        code,
        Media::Json.content_type(),
        encode::indented(list.as_bytes()),
    )
}

/// What runs here; always for people. Upstream: WriteRawJSON.
pub(super) fn version() -> Reply {
    let text = encode::indented(crate::version::document().as_bytes());
    plain(StatusCode::OK, Media::Json.content_type(), text)
}

/// The groups, or, for who prefers that, everything at once.
pub(super) fn groups(head: &Parts, address: &str) -> Reply {
    let agreed = match negotiate::discovery(head) {
        Ok(agreed) => agreed,
        Err(error) => return status::reply(head, &error),
    };
    if agreed.form == Form::Discovery {
        return aggregated(head, agreed);
    }
    let body = match agreed.media {
        Media::Protobuf => {
            let mut list = Vec::new();
            wire::message(&mut list, 1, |out| {
                group_fields(out);
                wire::message(out, 4, |out| {
                    wire::text(out, 1, EVERYBODY);
                    wire::text(out, 2, address);
                });
            });
            // Upstream says no version here, in any form.
            wire::enveloped("", "APIGroupList", &list)
        }
        Media::Json | Media::Yaml => format!(
            "{{\"kind\":\"APIGroupList\",\"groups\":[{{{VERSIONS},\"serverAddressByClientCIDRs\":\
             [{{\"clientCIDR\":\"{EVERYBODY}\",\"serverAddress\":{}}}]}}]}}\n",
            serde_json::Value::from(address)
        )
        .into_bytes(),
    };
    encode::reply(head, StatusCode::OK, agreed, body)
}

/// Our group.
pub(super) fn group(head: &Parts) -> Reply {
    document(head, |media| match media {
        Media::Protobuf => {
            let mut group = Vec::new();
            group_fields(&mut group);
            wire::enveloped("v1", "APIGroup", &group)
        }
        Media::Json | Media::Yaml => {
            format!("{{\"kind\":\"APIGroup\",\"apiVersion\":\"v1\",{VERSIONS}}}\n").into_bytes()
        }
    })
}

/// Our group's resources.
pub(super) fn resources(head: &Parts) -> Reply {
    document(head, |media| match media {
        Media::Protobuf => wire::enveloped("v1", "APIResourceList", &resource_list()),
        Media::Json | Media::Yaml => format!("{RESOURCE_LIST}\n").into_bytes(),
    })
}

fn document(head: &Parts, body: impl FnOnce(Media) -> Vec<u8>) -> Reply {
    match negotiate::document(head) {
        Ok(agreed) => encode::reply(head, StatusCode::OK, agreed, body(agreed.media)),
        Err(error) => status::reply(head, &error),
    }
}

/// Everything at once, which clients keep until its tag changes.
fn aggregated(head: &Parts, agreed: Agreed) -> Reply {
    static TAG: LazyLock<String> = LazyLock::new(|| format!("\"{}\"", openapi::digest(AGGREGATED)));
    let mut reply = if openapi::known(&head.headers, &TAG) {
        bare(StatusCode::NOT_MODIFIED)
    } else {
        let body = match agreed.media {
            Media::Protobuf => wire::enveloped(
                "apidiscovery.k8s.io/v2",
                "APIGroupDiscoveryList",
                &aggregated_list(),
            ),
            Media::Json | Media::Yaml => format!("{AGGREGATED}\n").into_bytes(),
        };
        let mut whole = encode::reply(head, StatusCode::OK, agreed, body);
        let kind = format!(
            "{};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
            agreed.media.content_type()
        );
        openapi::put(whole.headers_mut(), CONTENT_TYPE, &kind);
        whole
    };
    let headers = reply.headers_mut();
    openapi::put(headers, ETAG, &TAG);
    headers.append(VARY, HeaderValue::from_static("Accept"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public"));
    reply
}

/// `metav1.APIGroup`, as far as it is the same everywhere.
fn group_fields(out: &mut Vec<u8>) {
    wire::text(out, 1, GROUP);
    for field in [2, 3] {
        wire::message(out, field, |out| {
            wire::text(out, 1, GROUP_VERSION);
            wire::text(out, 2, VERSION);
        });
    }
}

/// `metav1.APIResourceList`.
fn resource_list() -> Vec<u8> {
    let mut list = Vec::new();
    wire::text(&mut list, 1, GROUP_VERSION);
    for (name, kind, namespaced) in RESOURCES {
        wire::message(&mut list, 2, |out| {
            wire::text(out, 1, name);
            wire::number(out, 2, i64::from(namespaced));
            wire::text(out, 3, kind);
            wire::message(out, 4, |out| {
                VERBS.iter().for_each(|verb| wire::text(out, 1, verb));
            });
            // Singular, group, version and the stored version's hash: none.
            for field in [6, 8, 9, 10] {
                wire::text(out, field, "");
            }
        });
    }
    list
}

/// `apidiscovery.APIGroupDiscoveryList`.
fn aggregated_list() -> Vec<u8> {
    let mut list = Vec::new();
    wire::empty_list_meta(&mut list);
    wire::message(&mut list, 2, |out| {
        wire::message(out, 1, |out| {
            wire::text(out, 1, GROUP);
            (2..=6).for_each(|field| wire::text(out, field, ""));
            wire::number(out, 7, 0);
            wire::message(out, 8, |_| {});
        });
        wire::message(out, 2, |out| {
            wire::text(out, 1, VERSION);
            for (name, kind, namespaced) in RESOURCES {
                wire::message(out, 2, |out| discovered(out, name, kind, namespaced));
            }
            wire::text(out, 3, "Current");
        });
    });
    list
}

/// `apidiscovery.APIResourceDiscovery`.
fn discovered(out: &mut Vec<u8>, name: &str, kind: &str, namespaced: bool) {
    wire::text(out, 1, name);
    wire::message(out, 2, |out| {
        wire::text(out, 1, "");
        wire::text(out, 2, "");
        wire::text(out, 3, kind);
    });
    wire::text(out, 3, if namespaced { "Namespaced" } else { "Cluster" });
    wire::text(out, 4, "");
    VERBS.iter().for_each(|verb| wire::text(out, 5, verb));
}
