//! What a token says, and whom it makes of its bearer.

use super::{ISSUER, TokenError};
use crate::user::{User, service_account_name};
use jiff::Timestamp;
use k8s::quote::quoted_list;
use serde_json::{Value, json};

/// An object's name and UID.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reference {
    /// The name.
    pub name: String,
    /// The UID; another object with the same name is another object.
    pub uid: String,
}

impl Reference {
    /// A reference.
    pub fn new(name: impl Into<String>, uid: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            uid: uid.into(),
        }
    }

    fn to_json(&self) -> Value {
        json!({"name": self.name, "uid": self.uid})
    }

    fn from_json(value: &Value) -> Option<Self> {
        Some(Self::new(
            value["name"].as_str()?,
            value["uid"].as_str().unwrap_or_default(),
        ))
    }
}

/// The objects that a token lives and dies with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bound {
    /// The service account's namespace.
    pub namespace: String,
    /// The service account.
    pub service_account: Reference,
    /// The pod that it was made for.
    pub pod: Option<Reference>,
    /// The node of that pod.
    pub node: Option<Reference>,
    /// The Secret that it was made for.
    pub secret: Option<Reference>,
}

/// A kind of object a token can be bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoundObject {
    /// core/v1 ServiceAccount.
    ServiceAccount,
    /// core/v1 Pod.
    Pod,
    /// core/v1 Node.
    Node,
    /// core/v1 Secret.
    Secret,
}

/// The claims of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claims {
    audiences: Vec<String>,
    pub(super) expires: i64,
    issued: i64,
    pub(super) not_before: i64,
    id: String,
    bound: Bound,
}

impl Claims {
    pub(super) fn new(now: Timestamp, bound: &Bound, audiences: &[String], seconds: i64) -> Self {
        let now = now.as_second();
        let audiences = if audiences.is_empty() {
            vec![ISSUER.to_owned()]
        } else {
            audiences.to_vec()
        };
        Self {
            audiences,
            expires: now.saturating_add(seconds),
            issued: now,
            not_before: now,
            id: uuid::Uuid::new_v4().to_string(),
            bound: bound.clone(),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let bound = &self.bound;
        let mut kubernetes = json!({
            "namespace": bound.namespace, "serviceaccount": bound.service_account.to_json(),
        });
        for (field, reference) in [
            ("pod", &bound.pod),
            ("node", &bound.node),
            ("secret", &bound.secret),
        ] {
            if let Some(reference) = reference {
                kubernetes[field] = reference.to_json();
            }
        }
        json!({
            "aud": self.audiences, "exp": self.expires, "iat": self.issued, "iss": ISSUER, "jti": self.id,
            "kubernetes.io": kubernetes, "nbf": self.not_before,
            "sub": service_account_name(&bound.namespace, &bound.service_account.name),
        })
    }

    /// `None` when something is missing or the issuer and subject are not as they should be.
    pub(super) fn from_json(value: &Value) -> Option<Self> {
        let kubernetes = &value["kubernetes.io"];
        let bound = Bound {
            namespace: kubernetes["namespace"].as_str()?.to_owned(),
            service_account: Reference::from_json(&kubernetes["serviceaccount"])?,
            pod: Reference::from_json(&kubernetes["pod"]),
            node: Reference::from_json(&kubernetes["node"]),
            secret: Reference::from_json(&kubernetes["secret"]),
        };
        let subject = service_account_name(&bound.namespace, &bound.service_account.name);
        if value["iss"] != ISSUER || value["sub"] != subject {
            return None;
        }
        Some(Self {
            audiences: audiences(&value["aud"])?,
            expires: value["exp"].as_i64()?,
            issued: value["iat"].as_i64()?,
            not_before: value["nbf"].as_i64()?,
            id: value["jti"].as_str().unwrap_or_default().to_owned(),
            bound,
        })
    }
}

/// One audience may be written without a list.
fn audiences(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(many) => many
            .iter()
            .map(|one| one.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    }
}

/// A token that is good, as far as the token itself can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Whom the bearer is.
    pub user: User,
    /// The audiences that both sides named.
    pub audiences: Vec<String>,
    /// What it is bound to; see [`Self::check_bound`].
    pub bound: Bound,
    /// When it ends, in seconds since 1970.
    pub expires: i64,
}

impl Verified {
    pub(super) fn for_audiences(claims: &Claims, wanted: &[String]) -> Result<Self, TokenError> {
        let audiences: Vec<String> = claims
            .audiences
            .iter()
            .filter(|a| wanted.contains(a))
            .cloned()
            .collect();
        if audiences.is_empty() {
            return Err(TokenError::Audience {
                have: quoted_list(&claims.audiences),
                want: quoted_list(wanted),
            });
        }
        Ok(Self {
            user: user_of(claims),
            audiences,
            bound: claims.bound.clone(),
            expires: claims.expires,
        })
    }

    /// Checks that the objects the token is bound to are still there.
    ///
    /// `uid_of(kind, namespace, name)` gives the UID of a live object (one that is not being deleted, or `None`).
    /// Upstream: pkg/serviceaccount/claims.go, validator.Validate.
    pub fn check_bound(
        &self,
        mut uid_of: impl FnMut(BoundObject, &str, &str) -> Option<String>,
    ) -> Result<(), TokenError> {
        let bound = &self.bound;
        let (namespace, account) = (bound.namespace.as_str(), &bound.service_account);
        match uid_of(BoundObject::ServiceAccount, namespace, &account.name) {
            None => {
                let name = &account.name;
                return Err(TokenError::Unbound(format!(
                    "serviceaccounts \"{name}\" not found"
                )));
            }
            Some(uid) if uid != account.uid => {
                return Err(TokenError::Unbound(format!(
                    "service account UID ({uid}) does not match claim ({})",
                    account.uid
                )));
            }
            Some(_) => {}
        }
        for (kind, word, place, reference) in [
            (BoundObject::Secret, "secret", namespace, &bound.secret),
            (BoundObject::Pod, "pod", namespace, &bound.pod),
            // A pod's node may go before the pod does; only tokens bound to a node alone end with it.
            (
                BoundObject::Node,
                "node",
                "",
                if bound.pod.is_some() {
                    &None
                } else {
                    &bound.node
                },
            ),
        ] {
            let Some(reference) = reference else { continue };
            match uid_of(kind, place, &reference.name) {
                Some(uid) if uid == reference.uid => {}
                Some(uid) => {
                    return Err(TokenError::Unbound(format!(
                        "{word} UID ({uid}) does not match service account {word} ref claim ({})",
                        reference.uid
                    )));
                }
                None => {
                    return Err(TokenError::Unbound(
                        "service account token has been invalidated".to_owned(),
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Upstream: apiserver/pkg/authentication/serviceaccount/util.go, ServiceAccountInfo.UserInfo.
fn user_of(claims: &Claims) -> User {
    let bound = &claims.bound;
    let account = &bound.service_account;
    let mut user = User::service_account(&bound.namespace, &account.name, &account.uid);
    let mut add = |key: &str, value: String| {
        user.extra
            .insert(format!("authentication.kubernetes.io/{key}"), vec![value]);
    };
    if let Some(pod) = &bound.pod {
        add("pod-name", pod.name.clone());
        add("pod-uid", pod.uid.clone());
    }
    if let Some(node) = &bound.node {
        add("node-name", node.name.clone());
        add("node-uid", node.uid.clone());
    }
    if !claims.id.is_empty() {
        add("credential-id", format!("JTI={}", claims.id));
    }
    user
}
