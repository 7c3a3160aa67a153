//! Client certificates: which are accepted, and whom they name.

use super::PkiError;
use super::certificate::{certificates, provider, roots, tls};
use crate::user::User;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::{CertificateDer, UnixTime};
use std::sync::Arc;
use std::time::Duration;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Whom a verified client certificate stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The client itself.
    User(User),
    /// A front proxy: the user is in the `X-Remote-*` headers. Holds the certificate's common name.
    FrontProxy(String),
}

/// The CAs whose client certificates a server accepts.
#[derive(Debug, Clone)]
pub struct ClientAuthority {
    clients: Arc<dyn ClientCertVerifier>,
    front_proxies: Option<Arc<dyn ClientCertVerifier>>,
    either: Arc<dyn ClientCertVerifier>,
}

impl ClientAuthority {
    /// `client_ca_pem` vouches for users, `request_header_ca_pem` for front proxies.
    ///
    /// Both may hold several certificates, as `--client-ca-file` and `--requestheader-client-ca-file` may.
    pub fn new(client_ca_pem: &str, request_header_ca_pem: Option<&str>) -> Result<Self, PkiError> {
        let mut all = vec![client_ca_pem];
        all.extend(request_header_ca_pem);
        Ok(Self {
            clients: verifier(&[client_ca_pem])?,
            front_proxies: request_header_ca_pem
                .map(|pem| verifier(&[pem]))
                .transpose()?,
            either: verifier(&all)?,
        })
    }

    /// What rustls needs: a certificate is checked if there is one, and none is fine (a token may follow).
    pub fn verifier(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::clone(&self.either)
    }

    /// Whom the certificates of a finished handshake name; `None` when no CA here vouches for them.
    ///
    /// The chain is verified again, once per connection, to learn which of the CAs it leads to.
    pub fn identify(&self, now: jiff::Timestamp, chain: &[CertificateDer<'_>]) -> Option<Identity> {
        let (leaf, intermediates) = chain.split_first()?;
        let seconds = u64::try_from(now.as_second()).ok()?;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let accepts = |ca: &Arc<dyn ClientCertVerifier>| {
            ca.verify_client_cert(leaf, intermediates, now).is_ok()
        };
        if self.front_proxies.as_ref().is_some_and(accepts) {
            return user_from_certificate(leaf).map(|user| Identity::FrontProxy(user.name));
        }
        if accepts(&self.clients) {
            return user_from_certificate(leaf).map(|user| Identity::User(user.authenticated()));
        }
        None
    }
}

fn verifier(pems: &[&str]) -> Result<Arc<dyn ClientCertVerifier>, PkiError> {
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots(pems)?), provider())
        .allow_unauthenticated()
        .build()
        .map_err(tls)
}

/// The user of a certificate: the common name is the name, the organizations are the groups.
///
/// Upstream: apiserver/pkg/authentication/request/x509, CommonNameUserConversion (v1.36). Nothing is verified
/// here. `None` for something that is no certificate, or names nobody.
pub fn user_from_certificate(der: &[u8]) -> Option<User> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let subject = certificate.subject();
    let name = subject.iter_common_name().next()?.as_str().ok()?;
    if name.is_empty() {
        return None;
    }
    let groups = subject
        .iter_organization()
        .filter_map(|o| o.as_str().ok())
        .map(str::to_owned)
        .collect();
    Some(User {
        name: name.to_owned(),
        groups,
        ..User::default()
    })
}

/// When a PEM certificate ends; used to see whether a saved CA is still good.
pub(super) fn expires_at(pem: &str) -> Result<jiff::Timestamp, String> {
    let chain = certificates(pem).map_err(|error| error.to_string())?;
    let leaf = chain.first().ok_or("empty")?;
    let (_, certificate) = X509Certificate::from_der(leaf).map_err(|error| error.to_string())?;
    let seconds = certificate.validity().not_after.timestamp();
    jiff::Timestamp::from_second(seconds).map_err(|error| error.to_string())
}
