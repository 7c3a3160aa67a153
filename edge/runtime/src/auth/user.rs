//! Users, what they ask for, and the sentence that refuses it.

use k8s::status::{ApiError, GroupResource};
use std::collections::BTreeMap;

/// An authenticated user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// `system:serviceaccount:kube-system:metrics-server`, for example.
    pub name: String,
    /// Distinguishes users of one name over time; may be empty.
    pub uid: String,
    /// Their groups.
    pub groups: Vec<String>,
    /// Whatever else the authenticator knows.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// Nobody in particular.
    pub fn anonymous() -> Self {
        Self {
            name: "system:anonymous".to_owned(),
            groups: vec!["system:unauthenticated".to_owned()],
            ..Self::default()
        }
    }

    /// Adds the group of everybody who is somebody. Upstream: group.NewAuthenticatedGroupAdder.
    #[must_use]
    pub(super) fn authenticated(mut self) -> Self {
        const AUTHENTICATED: &str = "system:authenticated";
        let known = [AUTHENTICATED, "system:unauthenticated"];
        if !self
            .groups
            .iter()
            .any(|group| known.contains(&group.as_str()))
        {
            self.groups.push(AUTHENTICATED.to_owned());
        }
        self
    }
}

/// What a request asks for: a resource, or (when `resource` is empty) a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Attributes<'a> {
    /// `get`, `list`, …; for paths the HTTP method in lower case.
    pub verb: &'a str,
    /// The request's path.
    pub path: &'a str,
    /// API group.
    pub group: &'a str,
    /// API version.
    pub version: &'a str,
    /// Plural resource; empty when the request is for a path.
    pub resource: &'a str,
    /// Subresource, or empty.
    pub subresource: &'a str,
    /// Namespace, or empty for all of them and for cluster-wide resources.
    pub namespace: &'a str,
    /// Object name, or empty.
    pub name: &'a str,
}

impl Attributes<'_> {
    /// The 403. Upstream: responsewriters.ForbiddenStatusError.
    pub(super) fn forbidden(&self, user: &User, reason: &str) -> ApiError {
        let of = GroupResource {
            group: self.group,
            resource: self.resource,
        };
        let mut why = self.sentence(&user.name);
        if !reason.is_empty() {
            why = format!("{why}: {reason}");
        }
        ApiError::forbidden(of, self.name, &why)
    }

    /// Upstream: responsewriters.forbiddenMessage.
    fn sentence(&self, user: &str) -> String {
        let Self {
            verb,
            path,
            group,
            resource,
            subresource,
            namespace,
            ..
        } = self;
        if resource.is_empty() {
            return format!("User {user:?} cannot {verb} path {path:?}");
        }
        let resource = if subresource.is_empty() {
            (*resource).to_owned()
        } else {
            format!("{resource}/{subresource}")
        };
        let place = if namespace.is_empty() {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace {namespace:?}")
        };
        format!("User {user:?} cannot {verb} resource {resource:?} in API group {group:?} {place}")
    }
}
