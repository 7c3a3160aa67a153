//! Who asks, and may they? Delegated to the Kubernetes API, as extension API servers and kubelets do.
//!
//! Upstream: apiserver/pkg/authentication/authenticatorfactory/delegating.go and
//! apiserver/pkg/authorization/authorizerfactory/delegating.go (v1.36).

mod args;
mod authorities;
mod cache;
mod impersonation;
mod keep;
mod request_header;
mod reviews;
mod user;

pub use args::AuthArgs;
pub use authorities::Authorities;
pub use request_header::RequestHeader;
pub use user::{Attributes, User};

use crate::serve::Peer;
use cache::Cache;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use k8s::status::ApiError;
use kube::Client;
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

/// How long one review may take.
const REVIEW_TIMEOUT: Duration = Duration::from_secs(10);

/// What may differ between servers that delegate.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether a request without credentials is `system:anonymous` rather than refused.
    pub anonymous: bool,
    /// Authorities given by flags: they add to those of the ConfigMap.
    pub authorities: Authorities,
    /// Whether to read kube-system/extension-apiserver-authentication.
    pub lookup: bool,
    /// Paths that anybody may get; a trailing `*` matches the rest.
    pub always_allow: Vec<String>,
    /// How long a TokenReview's answer holds.
    pub token_ttl: Duration,
    /// How long an allowing SubjectAccessReview's answer holds.
    pub allowed_ttl: Duration,
    /// How long a denying one's holds.
    pub denied_ttl: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let ttl = Duration::from_secs(10);
        Self {
            anonymous: true,
            authorities: Authorities::default(),
            lookup: true,
            always_allow: ["/healthz", "/readyz", "/livez"]
                .map(str::to_owned)
                .to_vec(),
            token_ttl: ttl,
            allowed_ttl: ttl,
            denied_ttl: ttl,
        }
    }
}

/// Authenticates and authorizes requests by asking the Kubernetes API, with caches.
pub struct Delegated {
    client: Client,
    /// Is asked what users may do.
    access_client: Client,
    options: Options,
    /// Where authorities were given as files, which may change.
    files: Option<AuthArgs>,
    given: RwLock<Authorities>,
    published: RwLock<Authorities>,
    /// Both of these together.
    authorities: RwLock<Arc<Authorities>>,
    tokens: Cache<Option<User>>,
    decisions: Cache<reviews::Decision>,
    /// A certificate came that no authority vouches for: they may have changed.
    doubted: Notify,
}

impl std::fmt::Debug for Delegated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delegated")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Delegated {
    /// Asks `client`. Keep [`Self::keep_authorities`] running beside serving.
    pub fn new(client: Client, options: Options) -> Self {
        Self {
            access_client: client.clone(),
            client,
            authorities: RwLock::new(Arc::new(options.authorities.clone())),
            given: RwLock::new(options.authorities.clone()),
            published: RwLock::default(),
            files: None,
            options,
            tokens: Cache::default(),
            decisions: Cache::default(),
            doubted: Notify::new(),
        }
    }

    /// Asks another client what users may do.
    #[must_use]
    pub fn asking_access_of(self, client: Client) -> Self {
        Self {
            access_client: client,
            ..self
        }
    }

    /// Reads the authorities that `args` name again as their files change.
    #[must_use]
    pub fn following(self, args: AuthArgs) -> Self {
        Self {
            files: Some(args),
            ..self
        }
    }

    /// Whether the authorities of the front proxy are known.
    pub fn knows_front_proxy(&self) -> bool {
        self.current().request_header.is_some()
    }

    fn current(&self) -> Arc<Authorities> {
        Arc::clone(
            &self
                .authorities
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }

    /// Who sent `headers`: the front proxy's user, the client certificate's, or the token's.
    pub async fn authenticate(
        &self,
        headers: &HeaderMap,
        peer: Option<&Peer>,
        now: jiff::Timestamp,
    ) -> Result<User, ApiError> {
        let authorities = self.current();
        let certificates = peer.map_or(&[][..], |peer| &peer.certificates);
        if let Some(front) = &authorities.request_header
            && let Some(user) = front.user(headers, certificates, now)
        {
            return Ok(user.authenticated());
        }
        if let Some(user) = authorities.certificate_user(certificates, now) {
            return Ok(user.authenticated());
        }
        if !certificates.is_empty() {
            self.doubted.notify_one();
        }
        match bearer_token(headers) {
            Some(token) => self
                .token_user(token)
                .await?
                .ok_or_else(ApiError::unauthorized),
            // Upstream: credentials of another kind are as good as none.
            None if self.options.anonymous => Ok(User::anonymous()),
            None => Err(ApiError::unauthorized()),
        }
    }

    async fn token_user(&self, token: &str) -> Result<Option<User>, ApiError> {
        let key = cache::digest(&[token]);
        if let Some(known) = self.tokens.get(&key, Instant::now()) {
            return Ok(known);
        }
        let answer = timeout(REVIEW_TIMEOUT, reviews::token(&self.client, token)).await;
        let user = match answer {
            Ok(Ok(user)) => user,
            Ok(Err(error)) => {
                tracing::warn!(%error, "cannot review a token");
                return Err(ApiError::unauthorized());
            }
            Err(_) => {
                tracing::warn!("reviewing a token took longer than {REVIEW_TIMEOUT:?}");
                return Err(ApiError::unauthorized());
            }
        };
        self.tokens
            .put(key, user.clone(), Instant::now() + self.options.token_ttl);
        Ok(user)
    }

    /// Whether `user` may do what `attributes` say; the error is the 403 to answer.
    pub async fn authorize(
        &self,
        user: &User,
        attributes: &Attributes<'_>,
    ) -> Result<(), ApiError> {
        // Upstream: authorizerfactory adds the privileged group and the always-allow paths in front.
        if user.groups.iter().any(|group| group == "system:masters")
            || self.always_allowed(attributes)
        {
            return Ok(());
        }
        let decision = self.decision(user, attributes).await?;
        if decision.allowed {
            return Ok(());
        }
        Err(attributes.forbidden(user, &decision.reason))
    }

    fn always_allowed(&self, attributes: &Attributes<'_>) -> bool {
        attributes.resource.is_empty()
            && self
                .options
                .always_allow
                .iter()
                .any(|allowed| match allowed.strip_suffix('*') {
                    Some(prefix) => attributes.path.starts_with(prefix),
                    None => attributes.path == allowed,
                })
    }

    async fn decision(
        &self,
        user: &User,
        attributes: &Attributes<'_>,
    ) -> Result<reviews::Decision, ApiError> {
        let key = reviews::key(user, attributes);
        if let Some(known) = self.decisions.get(&key, Instant::now()) {
            return Ok(known);
        }
        let review = reviews::access(&self.access_client, user, attributes);
        let decision = match timeout(REVIEW_TIMEOUT, review).await {
            Ok(Ok(decision)) => decision,
            Ok(Err(error)) => return Err(ApiError::internal(error)),
            Err(_) => {
                return Err(ApiError::internal(format!(
                    "the SubjectAccessReview took longer than {REVIEW_TIMEOUT:?}"
                )));
            }
        };
        let ttl = if decision.allowed {
            self.options.allowed_ttl
        } else {
            self.options.denied_ttl
        };
        self.decisions
            .put(key, decision.clone(), Instant::now() + ttl);
        Ok(decision)
    }
}

/// Whether a request says at all who sends it.
pub fn has_credentials(headers: &HeaderMap, peer: Option<&Peer>) -> bool {
    bearer_token(headers).is_some() || peer.is_some_and(|peer| !peer.certificates.is_empty())
}

/// The token of an `Authorization: Bearer` header. Upstream: bearertoken.AuthenticateRequest.
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let mut words = header.trim().split(' ');
    let is_bearer = words.next()?.eq_ignore_ascii_case("bearer");
    let token = words.next().filter(|token| !token.is_empty())?;
    is_bearer.then_some(token)
}

#[cfg(test)]
mod tests;
