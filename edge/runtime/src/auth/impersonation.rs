//! Asking as somebody else: `Impersonate-*` headers, for who may do that.
//!
//! Upstream: apiserver/pkg/endpoints/filters/impersonation/{constrained_impersonation,mode}.go (v1.36).
//! Differs from upstream: the mode associated-node, for service accounts of DaemonSets, is not tried.

use super::request_header::percent_decoded;
use super::{Attributes, Delegated, User};
use http::HeaderMap;
use k8s::names::{label_problems, subdomain_problems};
use k8s::status::ApiError;
use std::fmt::Write;

const USER: &str = "impersonate-user";
const UID: &str = "impersonate-uid";
const GROUP: &str = "impersonate-group";
const EXTRA: &str = "impersonate-extra-";

/// In which way somebody may be somebody else, the narrowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    ArbitraryNode,
    ServiceAccount,
    UserInfo,
    /// Whatever is asked, with one right.
    Legacy,
}

const MODES: [Mode; 4] = [
    Mode::ArbitraryNode,
    Mode::ServiceAccount,
    Mode::UserInfo,
    Mode::Legacy,
];

impl Mode {
    /// None for the mode that needs no right on what is asked.
    fn name(self) -> Option<&'static str> {
        match self {
            Self::ArbitraryNode => Some("arbitrary-node"),
            Self::ServiceAccount => Some("serviceaccount"),
            Self::UserInfo => Some("user-info"),
            Self::Legacy => None,
        }
    }

    fn applies(self, wanted: &User) -> bool {
        let node = node_name(&wanted.name).is_some();
        let account = service_account(&wanted.name).is_some();
        let alone = wanted.uid.is_empty() && wanted.groups.is_empty() && wanted.extra.is_empty();
        match self {
            Self::ArbitraryNode => node && alone,
            Self::ServiceAccount => account && alone,
            Self::UserInfo => !node && !account,
            Self::Legacy => true,
        }
    }

    fn verb(self) -> String {
        match self.name() {
            Some(mode) => format!("impersonate:{mode}"),
            None => "impersonate".to_owned(),
        }
    }
}

impl Delegated {
    /// Who `requestor` is for the rest of the request that `attributes` describe: another, if `headers` say so and
    /// that is allowed.
    pub async fn impersonate(
        &self,
        requestor: User,
        headers: &HeaderMap,
        attributes: &Attributes<'_>,
    ) -> Result<User, ApiError> {
        let Some(wanted) = wanted(headers)? else {
            return Ok(requestor);
        };
        let mut refused = None;
        for mode in MODES.into_iter().filter(|mode| mode.applies(&wanted)) {
            match self.become_in(mode, &requestor, &wanted, attributes).await {
                Ok(user) => return Ok(user),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        Err(refused.unwrap_or_else(|| ApiError::internal("all impersonation modes failed")))
    }

    async fn become_in(
        &self,
        mode: Mode,
        requestor: &User,
        wanted: &User,
        attributes: &Attributes<'_>,
    ) -> Result<User, ApiError> {
        if let Some(name) = mode.name() {
            let verb = format!("impersonate-on:{name}:{}", attributes.verb);
            let on = Attributes {
                verb: &verb,
                ..*attributes
            };
            self.authorize(requestor, &on).await?;
        }
        let verb = mode.verb();
        let parts = Parts {
            verb: &verb,
            constrained: mode != Mode::Legacy,
        };
        for part in parts.of(wanted) {
            parts.sane(&part, requestor)?;
            self.authorize(requestor, &part).await?;
        }
        Ok(completed(mode, wanted.clone()))
    }
}

/// What has to be allowed for one to be another.
struct Parts<'a> {
    verb: &'a str,
    constrained: bool,
}

impl<'a> Parts<'a> {
    fn of(&self, wanted: &'a User) -> Vec<Attributes<'a>> {
        let mut parts = vec![self.name(&wanted.name)];
        if !wanted.uid.is_empty() {
            parts.push(self.part("authentication.k8s.io", "uids", &wanted.uid));
        }
        let groups = wanted.groups.iter();
        parts.extend(groups.map(|group| self.part(self.group(), "groups", group)));
        for (key, values) in &wanted.extra {
            parts.extend(values.iter().map(|value| Attributes {
                subresource: key,
                ..self.part("authentication.k8s.io", "userextras", value)
            }));
        }
        parts
    }

    /// Of users and groups.
    fn group(&self) -> &'static str {
        match self.constrained {
            true => "authentication.k8s.io",
            false => "",
        }
    }

    fn name(&self, name: &'a str) -> Attributes<'a> {
        if let Some(node) = node_name(name).filter(|_| self.constrained) {
            return self.part(self.group(), "nodes", node);
        }
        match service_account(name) {
            Some((namespace, account)) => Attributes {
                namespace,
                ..self.part(self.group(), "serviceaccounts", account)
            },
            None => self.part(self.group(), "users", name),
        }
    }

    fn part(&self, group: &'a str, resource: &'a str, name: &'a str) -> Attributes<'a> {
        Attributes {
            verb: self.verb,
            group,
            version: "v1",
            resource,
            name,
            ..Attributes::default()
        }
    }

    /// What no right allows in the narrower modes.
    fn sane(&self, part: &Attributes<'_>, requestor: &User) -> Result<(), ApiError> {
        let why = match (part.resource, part.name) {
            ("groups", "") => "impersonating the empty string group is not allowed",
            ("groups", "system:masters") => "impersonating the system:masters group is not allowed",
            ("userextras", "") => "impersonating the empty string value in extra is not allowed",
            _ => return Ok(()),
        };
        match self.constrained {
            true => Err(part.forbidden(requestor, why)),
            false => Ok(()),
        }
    }
}

/// With the groups that go with a name.
fn completed(mode: Mode, mut user: User) -> User {
    let had_none = user.groups.is_empty();
    if mode == Mode::ArbitraryNode {
        user.groups = vec!["system:nodes".to_owned()];
    }
    if let Some((namespace, _)) = service_account(&user.name).filter(|_| had_none) {
        let of_namespace = format!("system:serviceaccounts:{namespace}");
        user.groups = vec!["system:serviceaccounts".to_owned(), of_namespace];
    }
    if user.name != "system:anonymous" {
        return user.authenticated();
    }
    let unauthenticated = "system:unauthenticated".to_owned();
    if !user.groups.contains(&unauthenticated) {
        user.groups.push(unauthenticated);
    }
    user
}

fn node_name(user: &str) -> Option<&str> {
    user.strip_prefix("system:node:")
        .filter(|name| !name.is_empty())
}

/// Namespace and name. Upstream: serviceaccount.SplitUsername.
fn service_account(user: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user
        .strip_prefix("system:serviceaccount:")?
        .split_once(':')?;
    (label_problems(namespace).is_empty() && subdomain_problems(name).is_empty())
        .then_some((namespace, name))
}

/// The user that `headers` ask to be; none where they do not.
fn wanted(headers: &HeaderMap) -> Result<Option<User>, ApiError> {
    let texts = |name: &str| {
        let values = headers.get_all(name).iter();
        let texts = values.filter_map(|value| value.to_str().ok());
        texts.map(str::to_owned).collect::<Vec<_>>()
    };
    let first = |name: &str| texts(name).into_iter().next().unwrap_or_default();
    let mut user = User {
        name: first(USER),
        uid: first(UID),
        groups: texts(GROUP),
        ..User::default()
    };
    for header in headers.keys() {
        if let Some(key) = header.as_str().strip_prefix(EXTRA) {
            let values = user.extra.entry(percent_decoded(key)).or_default();
            values.extend(texts(header.as_str()));
        }
    }
    if !user.name.is_empty() {
        return Ok(Some(user));
    }
    if user == User::default() {
        return Ok(None);
    }
    Err(ApiError::bad_request(format!(
        "requested {} without impersonating a user name",
        go_syntax(&user)
    )))
}

/// As Go's `%#v` prints it.
fn go_syntax(user: &User) -> String {
    let list = |items: &[String]| {
        let quoted: Vec<String> = items.iter().map(|item| format!("{item:?}")).collect();
        format!("[]string{{{}}}", quoted.join(", "))
    };
    let groups = match user.groups.as_slice() {
        [] => "[]string(nil)".to_owned(),
        groups => list(groups),
    };
    let mut extra = "map[string][]string".to_owned();
    if user.extra.is_empty() {
        extra += "(nil)";
    } else {
        let pairs = user.extra.iter();
        let pairs: Vec<String> = pairs.map(|(k, v)| format!("{k:?}:{}", list(v))).collect();
        // Writing to a string does not fail.
        let _ = write!(extra, "{{{}}}", pairs.join(", "));
    }
    let (name, uid) = (&user.name, &user.uid);
    format!("&user.DefaultInfo{{Name:{name:?}, UID:{uid:?}, Groups:{groups}, Extra:{extra}}}")
}

#[cfg(test)]
mod tests;
