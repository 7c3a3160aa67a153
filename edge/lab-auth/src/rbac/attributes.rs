//! What a request wants to do, and the answer.

use crate::user::User;
use k8s::quote::quoted;
use k8s::status::{ApiError, GroupResource};

/// A request as authorizers see it. Upstream: apiserver/pkg/authorization/authorizer, Attributes.
#[derive(Debug, Clone, Copy)]
pub struct Attributes<'a> {
    /// Who asks.
    pub user: &'a User,
    /// `get`, `list`, … or, for a path, the lower-case HTTP method.
    pub verb: &'a str,
    /// The API group; empty for the core group.
    pub group: &'a str,
    /// The API version; RBAC does not look at it.
    pub version: &'a str,
    /// The resource.
    pub resource: &'a str,
    /// The subresource; empty for none.
    pub subresource: &'a str,
    /// The object's name; empty for none.
    pub name: &'a str,
    /// The namespace; empty for the whole cluster.
    pub namespace: &'a str,
    /// The URL path, for requests that are not about resources.
    pub path: &'a str,
    /// Whether the request is about a resource.
    pub is_resource: bool,
}

impl<'a> Attributes<'a> {
    /// A request about a resource; set the remaining fields with `..`.
    pub fn resource(user: &'a User, verb: &'a str, group: &'a str, resource: &'a str) -> Self {
        Self {
            user,
            verb,
            group,
            version: "*",
            resource,
            subresource: "",
            name: "",
            namespace: "",
            path: "",
            is_resource: true,
        }
    }

    /// A request about a path, such as `/healthz`.
    pub fn path(user: &'a User, verb: &'a str, path: &'a str) -> Self {
        Self {
            path,
            is_resource: false,
            ..Self::resource(user, verb, "", "")
        }
    }

    /// In a namespace.
    #[must_use]
    pub fn in_namespace(self, namespace: &'a str) -> Self {
        Self { namespace, ..self }
    }

    /// About one object.
    #[must_use]
    pub fn named(self, name: &'a str) -> Self {
        Self { name, ..self }
    }

    /// About a subresource.
    #[must_use]
    pub fn on_subresource(self, subresource: &'a str) -> Self {
        Self {
            subresource,
            ..self
        }
    }

    /// The 403 for a request that was not allowed.
    ///
    /// Upstream: apiserver/pkg/endpoints/handlers/responsewriters/errors.go, ForbiddenStatusError.
    pub fn forbidden(&self, reason: &str) -> ApiError {
        let what = self
            .denial()
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let why = if reason.is_empty() {
            what
        } else {
            format!("{what}: {reason}")
        };
        let of = GroupResource {
            group: self.group,
            resource: self.resource,
        };
        ApiError::forbidden(of, self.name, &why)
    }

    fn denial(&self) -> String {
        let (user, verb) = (quoted(&self.user.name), self.verb);
        if !self.is_resource {
            return format!("User {user} cannot {verb} path {}", quoted(self.path));
        }
        let resource = match self.subresource {
            "" => self.resource.to_owned(),
            sub => format!("{}/{sub}", self.resource),
        };
        let scope = match self.namespace {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace {}", quoted(namespace)),
        };
        let (resource, group) = (quoted(&resource), quoted(self.group));
        format!("User {user} cannot {verb} resource {resource} in API group {group} {scope}")
    }
}

/// The authorizers' answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// Whether the request may go on.
    pub allowed: bool,
    /// Why, in upstream's words; empty when there is nothing to say.
    pub reason: String,
}
