//! Acting as somebody else: `kubectl --as`.
//!
//! Upstream: apiserver/pkg/endpoints/filters/impersonation.

use crate::path::decode;
use crate::server::Inner;
use http::HeaderMap;
use k8s::status::ApiError;
use lab_auth::user::{UNAUTHENTICATED, split_service_account};
use lab_auth::{Attributes, User};
use std::sync::Arc;

const EXTRA: &str = "impersonate-extra-";

/// The user that the headers ask for, if `user` may act as them.
pub(crate) fn apply(inner: &Arc<Inner>, user: User, headers: &HeaderMap) -> Result<User, ApiError> {
    let all = |name: &str| -> Vec<String> {
        let values = headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok());
        values.map(str::to_owned).collect()
    };
    let name = all("impersonate-user")
        .into_iter()
        .next()
        .unwrap_or_default();
    let uid = all("impersonate-uid")
        .into_iter()
        .next()
        .unwrap_or_default();
    let groups = all("impersonate-group");
    let mut extra = std::collections::BTreeMap::<String, Vec<String>>::new();
    for (key, value) in headers {
        if let (Some(key), Ok(value)) = (key.as_str().strip_prefix(EXTRA), value.to_str()) {
            extra.entry(decode(key)).or_default().push(value.to_owned());
        }
    }
    if name.is_empty() {
        let alone = !groups.is_empty() || !uid.is_empty() || !extra.is_empty();
        return if alone {
            Err(ApiError::internal("requested without impersonating a user"))
        } else {
            Ok(user)
        };
    }
    let account = split_service_account(&name);
    let check = |group: &str, resource: &str, sub: &str, namespace: &str, name: &str| {
        let attributes = Attributes::resource(&user, "impersonate", group, resource)
            .on_subresource(sub)
            .in_namespace(namespace)
            .named(name);
        inner.access.authorize(&inner.backend, &attributes)
    };
    match account {
        Some((namespace, name)) => check("", "serviceaccounts", "", namespace, name)?,
        None => check("", "users", "", "", &name)?,
    }
    for group in &groups {
        check("", "groups", "", "", group)?;
    }
    let authentication = "authentication.k8s.io";
    for (key, values) in &extra {
        for value in values {
            check(authentication, "userextras", key, "", value)?;
        }
    }
    if !uid.is_empty() {
        check(authentication, "uids", "", "", &uid)?;
    }
    Ok(impersonated(name, uid, groups, extra))
}

fn impersonated(
    name: String,
    uid: String,
    groups: Vec<String>,
    extra: std::collections::BTreeMap<String, Vec<String>>,
) -> User {
    if let (Some((namespace, account)), true) = (split_service_account(&name), groups.is_empty()) {
        return User {
            uid,
            extra,
            ..User::service_account(namespace, account, "")
        };
    }
    let mut user = User {
        name,
        uid,
        groups,
        extra,
    };
    if user.is_anonymous() && !user.in_group(UNAUTHENTICATED) {
        user.groups.push(UNAUTHENTICATED.to_owned());
    }
    user.authenticated()
}
