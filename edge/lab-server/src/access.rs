//! Who asks, and may they.

use crate::backend::Backend;
use crate::derived::{self, Derived};
use anyhow::Context;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::{SignedDuration, Timestamp};
use k8s::status::ApiError;
use lab_auth::pki::{Authority, ClientAuthority, Identity};
use lab_auth::tokens::Tokens;
use lab_auth::{Attributes, RbacIndex, User};
use rustls::pki_types::CertificateDer;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

#[cfg(test)]
mod tests;

/// The collections that the index is made of, with the kinds it knows them by.
const KINDS: [(&str, &str); 4] = [
    (RULES[0], "ClusterRole"),
    (RULES[1], "ClusterRoleBinding"),
    (RULES[2], "Role"),
    (RULES[3], "RoleBinding"),
];
const RULES: &[&str] = &[
    "rbac.authorization.k8s.io/clusterroles",
    "rbac.authorization.k8s.io/clusterrolebindings",
    "rbac.authorization.k8s.io/roles",
    "rbac.authorization.k8s.io/rolebindings",
];
/// How many clients' certificates are remembered, and for how long.
const CLIENTS: usize = 256;
const CLIENT_LIFE: SignedDuration = SignedDuration::from_secs(60);

/// Without credentials a caller is anonymous; with a certificate that is not good, nobody is served.
///
/// Upstream: authentication/authenticator (NewFailOnError).
fn nobody(certificates: &[CertificateDer<'static>]) -> Result<User, ApiError> {
    if certificates.is_empty() {
        Ok(User::anonymous())
    } else {
        tracing::debug!("a client's certificate is not good");
        Err(ApiError::unauthorized())
    }
}

/// Authentication and authorization.
#[derive(Debug)]
pub(crate) struct Access {
    clients: ClientAuthority,
    pub(crate) tokens: Tokens,
    index: Derived<RbacIndex>,
    /// Certificates verified lately: a client asks often, and a signature costs as much as a small request.
    seen: Mutex<HashMap<CertificateDer<'static>, (Timestamp, User)>>,
}

impl Access {
    pub(crate) fn new(authority: &Authority) -> anyhow::Result<Self> {
        Ok(Self {
            clients: authority.client_authority().context("the CAs of clients")?,
            tokens: authority
                .tokens()
                .context("the key of service-account tokens")?,
            index: Derived::new(RULES),
            seen: Mutex::default(),
        })
    }

    /// The user of a request that came over TLS.
    pub(crate) fn authenticate(
        &self,
        backend: &Backend,
        now: Timestamp,
        certificates: &[CertificateDer<'static>],
        headers: &HeaderMap,
    ) -> Result<User, ApiError> {
        if let Some(user) = self.certified(now, certificates) {
            return Ok(user);
        }
        let header = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = header
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let Some((_, token)) = token else {
            return nobody(certificates);
        };
        match crate::tokens::verify(&self.tokens, backend, now, token.trim(), &[]) {
            Ok((user, _)) => Ok(user.authenticated()),
            Err(why) => {
                tracing::debug!(%why, "a bearer token is not good");
                Err(ApiError::unauthorized())
            }
        }
    }

    /// Whom client certificates name.
    fn certified(&self, now: Timestamp, chain: &[CertificateDer<'static>]) -> Option<User> {
        let leaf = chain.first()?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, user)) = seen.get(leaf)
            && now.duration_since(*at) < CLIENT_LIFE
        {
            return Some(user.clone());
        }
        let Some(Identity::User(user)) = self.clients.identify(now, chain) else {
            return None;
        };
        if seen.len() >= CLIENTS {
            seen.clear();
        }
        seen.insert(leaf.clone(), (now, user.clone()));
        Some(user)
    }

    /// Allows a request or says 403.
    pub(crate) fn authorize(
        &self,
        backend: &Backend,
        request: &Attributes<'_>,
    ) -> Result<(), ApiError> {
        let decision = self.index(backend).authorize(request);
        if decision.allowed {
            Ok(())
        } else {
            Err(request.forbidden(&decision.reason))
        }
    }

    /// The roles and bindings as they are now.
    pub(crate) fn index(&self, backend: &Backend) -> Arc<RbacIndex> {
        self.index.get(backend, |store| {
            let mut index = RbacIndex::default();
            for (collection, kind) in KINDS {
                for stored in derived::all(store, collection) {
                    index.apply(kind, &stored.value());
                }
            }
            index
        })
    }
}
