//! A certificate with its key, as PEM for files and as rustls wants it.

use super::PkiError;
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::sync::Arc;

/// A certificate chain and the key of its first certificate.
pub struct Certificate {
    /// The chain, PEM.
    pub certificate_pem: String,
    /// The key, PKCS#8 PEM.
    pub key_pem: String,
    /// The chain, leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("certificate_pem", &self.certificate_pem)
            .finish_non_exhaustive()
    }
}

impl Clone for Certificate {
    fn clone(&self) -> Self {
        Self {
            certificate_pem: self.certificate_pem.clone(),
            key_pem: self.key_pem.clone(),
            chain: self.chain.clone(),
            key: self.key.clone_key(),
        }
    }
}

impl Certificate {
    /// Reads a chain and its key, such as a program's `--tls-cert-file` and `--tls-private-key-file`.
    pub fn from_pem(certificate_pem: String, key_pem: String) -> Result<Self, PkiError> {
        let chain = certificates(&certificate_pem)?;
        let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes())
            .map_err(|error| PkiError::Tls(format!("the private key: {error}")))?;
        Ok(Self {
            certificate_pem,
            key_pem,
            chain,
            key,
        })
    }

    /// The key, as rustls wants it.
    pub fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }

    /// A TLS server with this certificate that speaks HTTP/2 and HTTP/1.1.
    pub fn server_config(
        &self,
        clients: Arc<dyn ClientCertVerifier>,
    ) -> Result<ServerConfig, PkiError> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(tls)?
            .with_client_cert_verifier(clients)
            .with_single_cert(self.chain.clone(), self.key())
            .map_err(tls)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    /// The same for a server that asks its clients for no certificate.
    pub fn server_config_without_clients(&self) -> Result<ServerConfig, PkiError> {
        self.server_config(WebPkiClientVerifier::no_client_auth())
    }

    /// A TLS client that shows this certificate and trusts `ca_pem`.
    pub fn client_config(&self, ca_pem: &str) -> Result<rustls::ClientConfig, PkiError> {
        rustls::ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(tls)?
            .with_root_certificates(roots(&[ca_pem])?)
            .with_client_auth_cert(self.chain.clone(), self.key())
            .map_err(tls)
    }
}

/// The one cryptography provider. It is always named, so no process-wide default is needed.
pub(super) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

pub(super) fn tls(error: impl fmt::Display) -> PkiError {
    PkiError::Tls(error.to_string())
}

/// All certificates of a PEM text; at least one.
pub(super) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, PkiError> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| PkiError::Tls(format!("the certificate: {error}")))?;
    if all.is_empty() {
        return Err(PkiError::Tls(
            "no certificate found in the PEM text".to_owned(),
        ));
    }
    Ok(all)
}

/// A root store of all certificates of some PEM texts.
pub(super) fn roots(pems: &[&str]) -> Result<rustls::RootCertStore, PkiError> {
    let mut store = rustls::RootCertStore::empty();
    for pem in pems {
        for certificate in certificates(pem)? {
            store.add(certificate).map_err(tls)?;
        }
    }
    Ok(store)
}
