//! What a request to the kubelet asks for, in RBAC's terms.
//!
//! Upstream: GetRequestAttributes (pkg/kubelet/server/auth.go), without fine-grained authorization.

use http::Method;
use runtime::auth::Attributes;

/// A request is for a subresource of the node.
pub(super) fn attributes<'a>(method: &Method, path: &'a str, node: &'a str) -> Attributes<'a> {
    let verb = match *method {
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "get",
    };
    let under = |prefix: &str| {
        path == prefix
            || path
                .strip_prefix(prefix)
                .is_some_and(|r| r.starts_with('/'))
    };
    let subresource = if under("/stats") {
        "stats"
    } else if under("/metrics") {
        "metrics"
    } else if under("/logs") {
        "log"
    } else {
        "proxy"
    };
    Attributes {
        verb,
        path,
        version: "v1",
        resource: "nodes",
        subresource,
        name: node,
        ..Attributes::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_subresources_of_the_node() {
        for (method, path, expected) in [
            (Method::GET, "/metrics/resource", "get metrics"),
            (Method::GET, "/stats/summary", "get stats"),
            (Method::GET, "/containerLogs/ns/pod/c", "get proxy"),
            (Method::POST, "/exec/ns/pod/c", "create proxy"),
            (Method::GET, "/metricsfoo", "get proxy"),
            (Method::GET, "/healthz", "get proxy"),
        ] {
            let got = attributes(&method, path, "node-1");
            assert_eq!(
                format!("{} {}", got.verb, got.subresource),
                expected,
                "{path}"
            );
        }
    }
}
