//! Service-account tokens: ES256 JWTs with upstream's claims.
//!
//! Upstream: pkg/serviceaccount/{claims,jwt}.go (v1.36). Whether the objects that a token is bound to still
//! exist is asked of the caller, see [`Verified::check_bound`].

mod claims;
mod keys;

pub use claims::{Bound, BoundObject, Reference, Verified};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claims::Claims;
use jiff::Timestamp;
use keys::Keys;
use rcgen::KeyPair;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Who issues the tokens, and their audience when none is asked for. Upstream: kubeadm's `--service-account-issuer`.
pub const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
/// Clocks may differ by this much. Upstream: go-jose's DefaultLeeway.
const LEEWAY_SECONDS: i64 = 60;
/// A token is a few hundred bytes; much longer ones are not worth a look.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// Signatures that were good are remembered, so that a busy client pays for its token once.
const REMEMBERED: usize = 1024;

/// Why a token is not good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token of this issuer: malformed, forged, or signed with another key.
    #[error("invalid bearer token")]
    Invalid,
    /// Too old.
    #[error("service account token has expired")]
    Expired,
    /// From the future.
    #[error("service account token is not valid yet")]
    NotYetValid,
    /// For somebody else.
    #[error("token audiences {have} is invalid for the target audiences {want}")]
    Audience {
        /// The token's.
        have: String,
        /// The verifier's.
        want: String,
    },
    /// An object it is bound to is gone or was replaced; upstream's sentence.
    #[error("{0}")]
    Unbound(String),
}

/// Signs and verifies tokens.
pub struct Tokens {
    keys: Keys,
    good: Mutex<HashMap<String, Arc<Claims>>>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("kid", &self.keys.kid)
            .finish_non_exhaustive()
    }
}

impl Tokens {
    /// Signs with a P-256 key.
    pub(crate) fn from_key(key: &KeyPair) -> Result<Self, String> {
        Ok(Self {
            keys: Keys::new(key)?,
            good: Mutex::default(),
        })
    }

    /// A token for a service account. `audiences` empty means the API server itself.
    pub fn mint(
        &self,
        now: Timestamp,
        bound: &Bound,
        audiences: &[String],
        seconds: i64,
    ) -> Result<String, TokenError> {
        let claims = Claims::new(now, bound, audiences, seconds);
        let header = json!({"alg": "ES256", "kid": self.keys.kid});
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims.to_json()));
        let signature = self
            .keys
            .sign(signed.as_bytes())
            .ok_or(TokenError::Invalid)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Whom a token stands for, if it is good now for one of `audiences` (empty: the API server itself).
    pub fn verify(
        &self,
        now: Timestamp,
        token: &str,
        audiences: &[String],
    ) -> Result<Verified, TokenError> {
        let claims = self.signed_claims(token)?;
        let now = now.as_second();
        if now > claims.expires.saturating_add(LEEWAY_SECONDS) {
            self.forget(token);
            return Err(TokenError::Expired);
        }
        if now < claims.not_before.saturating_sub(LEEWAY_SECONDS) {
            return Err(TokenError::NotYetValid);
        }
        let own = [ISSUER.to_owned()];
        let wanted = if audiences.is_empty() {
            &own
        } else {
            audiences
        };
        Verified::for_audiences(&claims, wanted)
    }

    /// The public key as a JSON Web Key Set, for `/openid/v1/jwks`.
    pub fn jwks(&self) -> Value {
        json!({"keys": [self.keys.jwk()]})
    }

    /// The document for `/.well-known/openid-configuration`. Upstream: pkg/serviceaccount/openidmetadata.go.
    pub fn discovery(server: &str) -> Value {
        json!({
            "issuer": ISSUER,
            "jwks_uri": format!("{server}/openid/v1/jwks"),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        })
    }

    /// The claims of a token whose signature is good, now or when it was last seen.
    fn signed_claims(&self, token: &str) -> Result<Arc<Claims>, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid);
        }
        if let Some(claims) = self
            .good
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(token)
        {
            return Ok(Arc::clone(claims));
        }
        let claims = Arc::new(self.check_signature(token).ok_or(TokenError::Invalid)?);
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if good.len() >= REMEMBERED {
            good.clear();
        }
        good.insert(token.to_owned(), Arc::clone(&claims));
        Ok(claims)
    }

    fn check_signature(&self, token: &str) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        // The algorithm is ours or none: a token does not choose how it is verified.
        if header["alg"] != "ES256" || header["kid"] != self.keys.kid.as_str() {
            return None;
        }
        if !self
            .keys
            .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?)
        {
            return None;
        }
        let payload: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        Claims::from_json(&payload)
    }

    fn forget(&self, token: &str) {
        self.good
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(token);
    }
}

#[cfg(test)]
mod tests;
