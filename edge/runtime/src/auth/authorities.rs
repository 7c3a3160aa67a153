//! Whose certificates are believed: the client CA, and the front proxy's.

use super::{RequestHeader, User};
use crate::certs;
use anyhow::Context;
use k8s_openapi::api::core::v1::ConfigMap;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use std::sync::Arc;
use std::time::Duration;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Verifies chains against one set of roots.
pub(super) type Verifier = Arc<dyn ClientCertVerifier>;

/// The authorities that requests are authenticated with.
#[derive(Debug, Clone, Default)]
pub struct Authorities {
    /// For client certificates: subject CN is the user, O the groups.
    client_ca: Option<Verifier>,
    /// For the API server's aggregation layer.
    pub(super) request_header: Option<Arc<RequestHeader>>,
}

impl Authorities {
    /// Believes client certificates that chain to `roots`.
    pub fn with_client_ca(mut self, roots: &[CertificateDer<'static>]) -> anyhow::Result<Self> {
        self.client_ca = Some(verifier(roots)?);
        Ok(self)
    }

    /// Believes the front proxy that `header` describes.
    #[must_use]
    pub fn with_request_header(mut self, header: RequestHeader) -> Self {
        self.request_header = Some(Arc::new(header));
        self
    }

    /// These, completed by `other` where they say nothing.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            client_ca: self.client_ca.or(other.client_ca),
            request_header: self.request_header.or(other.request_header),
        }
    }

    /// The user of a client certificate, when the client CA vouches for it.
    /// Upstream: x509.CommonNameUserConversion.
    pub(super) fn certificate_user(
        &self,
        certificates: &[CertificateDer<'_>],
        now: jiff::Timestamp,
    ) -> Option<User> {
        let (leaf, rest) = certificates.split_first()?;
        vouched(self.client_ca.as_ref()?, leaf, rest, now).then_some(())?;
        let (name, groups) = subject(leaf)?;
        Some(User {
            name,
            groups,
            ..User::default()
        })
    }
}

/// The authorities that the API server publishes for extension API servers.
pub(super) fn published(map: ConfigMap) -> anyhow::Result<Authorities> {
    let data = map.data.unwrap_or_default();
    let mut authorities = Authorities::default();
    if let Some(pem) = data
        .get("client-ca-file")
        .filter(|pem| !pem.trim().is_empty())
    {
        let roots = certs::parse_chain(pem.as_bytes()).context("in client-ca-file")?;
        authorities = authorities.with_client_ca(&roots)?;
    }
    if let Some(header) = RequestHeader::from_config_map(&data)? {
        authorities = authorities.with_request_header(header);
    }
    Ok(authorities)
}

pub(super) fn verifier(roots: &[CertificateDer<'static>]) -> anyhow::Result<Verifier> {
    let store = certs::roots(roots)?;
    WebPkiClientVerifier::builder_with_provider(Arc::new(store), certs::provider())
        .build()
        .context("cannot verify client certificates against these authorities")
}

/// Whether an authority of `verifier` vouches for `leaf` as a client, now.
pub(super) fn vouched(
    verifier: &Verifier,
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    now: jiff::Timestamp,
) -> bool {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    verifier
        .verify_client_cert(leaf, intermediates, now)
        .is_ok()
}

/// The common name and the organizations of a certificate's subject.
pub(super) fn subject(leaf: &CertificateDer<'_>) -> Option<(String, Vec<String>)> {
    let (_, parsed) = X509Certificate::from_der(leaf).ok()?;
    let subject = parsed.subject();
    let name = subject.iter_common_name().next()?.as_str().ok()?.to_owned();
    let groups = subject
        .iter_organization()
        .filter_map(|organization| organization.as_str().ok())
        .map(str::to_owned)
        .collect();
    Some((name, groups))
}
