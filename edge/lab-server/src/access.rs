//! Who asks, and may they.

use crate::backend::Backend;
use anyhow::Context;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use k8s::status::ApiError;
use lab_auth::pki::{Authority, ClientAuthority, Identity};
use lab_auth::tokens::Tokens;
use lab_auth::{Attributes, RbacIndex, User};
use objects::ListQuery;
use rustls::pki_types::CertificateDer;
use std::sync::{Arc, PoisonError, RwLock};

/// The collections that the index is made of, with the kinds it knows them by.
const RULES: [(&str, &str); 4] = [
    ("rbac.authorization.k8s.io/clusterroles", "ClusterRole"),
    (
        "rbac.authorization.k8s.io/clusterrolebindings",
        "ClusterRoleBinding",
    ),
    ("rbac.authorization.k8s.io/roles", "Role"),
    ("rbac.authorization.k8s.io/rolebindings", "RoleBinding"),
];

/// Authentication and authorization.
#[derive(Debug)]
pub(crate) struct Access {
    clients: ClientAuthority,
    pub(crate) tokens: Tokens,
    /// The index, and up to which revision it has followed the store.
    index: RwLock<(Option<u64>, Arc<RbacIndex>)>,
}

impl Access {
    pub(crate) fn new(authority: &Authority) -> anyhow::Result<Self> {
        Ok(Self {
            clients: authority.client_authority().context("the CAs of clients")?,
            tokens: authority
                .tokens()
                .context("the key of service-account tokens")?,
            index: RwLock::new((None, Arc::default())),
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
        if let Some(Identity::User(user)) = self.clients.identify(now, certificates) {
            return Ok(user);
        }
        let header = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let Some((scheme, token)) = header.and_then(|value| value.split_once(' ')) else {
            return Ok(User::anonymous());
        };
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Ok(User::anonymous());
        }
        match crate::tokens::verify(&self.tokens, backend, now, token.trim(), &[]) {
            Ok((user, _)) => Ok(user.authenticated()),
            Err(why) => {
                tracing::debug!(%why, "a bearer token is not good");
                Err(ApiError::unauthorized())
            }
        }
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
        let latest = {
            let state = backend.read();
            RULES
                .iter()
                .map(|(collection, _)| state.store.changed_at(collection))
                .max()
        };
        {
            let known = self.index.read().unwrap_or_else(PoisonError::into_inner);
            if known.0.is_some() && known.0 >= latest {
                return known.1.clone();
            }
        }
        let (stamp, index) = build(backend);
        let index = Arc::new(index);
        let mut known = self.index.write().unwrap_or_else(PoisonError::into_inner);
        if known.0 < Some(stamp) {
            *known = (Some(stamp), index.clone());
        }
        index
    }
}

/// Reads all roles and bindings; they change seldom.
fn build(backend: &Backend) -> (u64, RbacIndex) {
    let mut index = RbacIndex::default();
    let state = backend.read();
    for (collection, kind) in RULES {
        let query = ListQuery {
            collection,
            prefix: "",
            after: None,
            at: None,
        };
        let Ok(page) = state.store.list(query, None, |_| true) else {
            continue;
        };
        for item in page.items {
            index.apply(kind, &item.payload.value());
        }
    }
    (state.store.revision(), index)
}
