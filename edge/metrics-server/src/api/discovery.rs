//! What we serve, said in every way in which Kubernetes asks: discovery, version, paths.

use super::{Reply, encode, negotiate, reply, status};
use http::header::ACCEPT;
use http::request::Parts;
use http::{HeaderMap, StatusCode};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

const GROUPS: &str = r#"{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"metrics.k8s.io","versions":[{"groupVersion":"metrics.k8s.io/v1beta1","version":"v1beta1"}],"preferredVersion":{"groupVersion":"metrics.k8s.io/v1beta1","version":"v1beta1"}}]}"#;
const GROUP: &str = r#"{"kind":"APIGroup","apiVersion":"v1","name":"metrics.k8s.io","versions":[{"groupVersion":"metrics.k8s.io/v1beta1","version":"v1beta1"}],"preferredVersion":{"groupVersion":"metrics.k8s.io/v1beta1","version":"v1beta1"}}"#;
const RESOURCES: &str = r#"{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"metrics.k8s.io/v1beta1","resources":[{"name":"nodes","singularName":"","namespaced":false,"kind":"NodeMetrics","verbs":["get","list"]},{"name":"pods","singularName":"","namespaced":true,"kind":"PodMetrics","verbs":["get","list"]}]}"#;
const AGGREGATED_GROUPS: &str = r#"{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[{"metadata":{"name":"metrics.k8s.io","creationTimestamp":null},"versions":[{"version":"v1beta1","resources":[{"resource":"nodes","responseKind":{"group":"","version":"","kind":"NodeMetrics"},"scope":"Cluster","singularResource":"","verbs":["get","list"]},{"resource":"pods","responseKind":{"group":"","version":"","kind":"PodMetrics"},"scope":"Namespaced","singularResource":"","verbs":["get","list"]}],"freshness":"Current"}]}]}"#;
const NO_API: &str = r#"{"kind":"APIVersions","versions":[],"serverAddressByClientCIDRs":[]}"#;
const PATHS: &str = r#"{"paths":["/apis","/apis/metrics.k8s.io","/apis/metrics.k8s.io/v1beta1","/healthz","/livez","/metrics","/openapi/v2","/openapi/v3","/openapi/v3/apis/metrics.k8s.io/v1beta1","/readyz","/version"]}"#;

/// Answers `path` if it is one of these.
pub(super) fn answer(path: &str, head: &Parts) -> Option<Reply> {
    let trimmed = match path.trim_end_matches('/') {
        "" => "/",
        trimmed => trimmed,
    };
    let body = match trimmed {
        "/" => PATHS.to_owned(),
        "/apis" if aggregated(&head.headers) => {
            return Some(reply(StatusCode::OK, AGGREGATED, AGGREGATED_GROUPS));
        }
        "/apis" => GROUPS.to_owned(),
        "/api" => NO_API.to_owned(),
        "/apis/metrics.k8s.io" => GROUP.to_owned(),
        "/apis/metrics.k8s.io/v1beta1" => RESOURCES.to_owned(),
        "/version" => crate::version::document(),
        _ => return None,
    };
    Some(match negotiate::document(head) {
        Ok(agreed) => encode::reply(head, StatusCode::OK, agreed, (body + "\n").into_bytes()),
        Err(error) => status::reply(head, &error),
    })
}

/// Whether the client wants everything at once (and can read version 2 of that answer).
fn aggregated(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|accept| {
            accept.split(',').any(|clause| {
                clause.contains("as=APIGroupDiscoveryList")
                    && clause.split(';').any(|p| p.trim() == "v=v2")
            })
        })
}
