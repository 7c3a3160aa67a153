//! What a request to the kubelet asks for, in RBAC's terms.
//!
//! Upstream: GetRequestAttributes (pkg/kubelet/server/auth.go), with KubeletFineGrainedAuthz.

use http::Method;
use k8s::status::ApiError;
use runtime::auth::{Attributes, User};

#[cfg(test)]
mod tests;

/// Paths with a subresource of their own, which `nodes/proxy` does not include.
const APART: [(&str, &str); 4] = [
    ("/stats", "stats"),
    ("/metrics", "metrics"),
    ("/logs", "log"),
    ("/checkpoint", "checkpoint"),
];
/// Paths that have one besides `nodes/proxy`.
const FINE: [(&str, &str); 5] = [
    ("/pods", "pods"),
    ("/runningpods", "pods"),
    ("/healthz", "healthz"),
    ("/configz", "configz"),
    ("/statusz", "statusz"),
];

/// The node's subresources that a request is for: to be allowed one of them is enough.
pub(crate) fn attributes<'a>(method: &Method, path: &'a str, node: &'a str) -> Vec<Attributes<'a>> {
    let verb = match *method {
        Method::POST => "create",
        Method::GET => "get",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "",
    };
    let of = |subresource| Attributes {
        verb,
        path,
        version: "v1",
        resource: "nodes",
        subresource,
        name: node,
        ..Attributes::default()
    };
    let find = |table: &[(&str, &'static str)]| {
        let found = table.iter().find(|(prefix, _)| is_under(path, prefix));
        found.map(|(_, subresource)| *subresource)
    };
    let last = find(&APART).unwrap_or("proxy");
    find(&FINE).into_iter().chain([last]).map(of).collect()
}

fn is_under(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The kubelet's sentence for a user who is allowed none of `wanted`.
pub(crate) fn forbidden(user: &User, wanted: &[Attributes<'_>]) -> ApiError {
    let first = wanted.first().copied().unwrap_or_default();
    let subresources: Vec<&str> = wanted.iter().map(|wanted| wanted.subresource).collect();
    ApiError {
        code: 403,
        reason: "Forbidden",
        message: format!(
            "Forbidden (user={}, verb={}, resource={}, subresource(s)=[{}])\n",
            user.name,
            first.verb,
            first.resource,
            subresources.join(" ")
        ),
        details: None,
    }
}
