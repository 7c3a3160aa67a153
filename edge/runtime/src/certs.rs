//! Certificates and keys: read, made when none is given, and turned into TLS settings.

mod any_server;

pub use any_server::AnyServer;

use anyhow::{Context, bail};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

/// The cryptography that every TLS endpoint of ours uses.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A certificate chain, leaf first, and its private key.
#[derive(Debug)]
pub struct Identity {
    /// Leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The leaf's key.
    pub key: PrivateKeyDer<'static>,
}

/// All certificates of a PEM file; at least one.
pub fn read_chain(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let text = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    parse_chain(&text).with_context(|| format!("in {}", file.display()))
}

/// All certificates of a PEM text; at least one.
pub fn parse_chain(pem: &[u8]) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let chain = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .context("a certificate is not readable PEM")?;
    if chain.is_empty() {
        bail!("no PEM block \"CERTIFICATE\" found");
    }
    Ok(chain)
}

/// The authorities of `certificates` as a store to verify against.
pub fn roots(certificates: &[CertificateDer<'static>]) -> anyhow::Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    for certificate in certificates {
        store
            .add(certificate.clone())
            .context("a certificate cannot be an authority")?;
    }
    Ok(store)
}

impl Identity {
    /// Reads a certificate and its key from PEM files.
    pub fn read(certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            chain: read_chain(certificate)?,
            key: PrivateKeyDer::from_pem_file(key)
                .with_context(|| format!("cannot read the private key {}", key.display()))?,
        })
    }

    /// A new one that lives in memory.
    pub fn self_signed(names: Vec<String>) -> anyhow::Result<Self> {
        Ok(self_signed(names)?.0)
    }

    /// Reads `{dir}/{pair}.crt` and `.key`, or makes a self-signed pair for `names` and saves it.
    ///
    /// A directory that cannot be written is no reason not to serve: the pair then lives in memory.
    /// Upstream: MaybeDefaultWithSelfSignedCerts (apiserver/pkg/server/options/serving.go).
    pub fn load_or_create(dir: &Path, pair: &str, names: Vec<String>) -> anyhow::Result<Self> {
        let certificate = dir.join(format!("{pair}.crt"));
        let key = dir.join(format!("{pair}.key"));
        let known = certificate.is_file() && key.is_file();
        if known {
            match Self::read(&certificate, &key) {
                Ok(identity) => return Ok(identity),
                // Somebody else's, in a shared directory such as /tmp: left alone.
                Err(error) => tracing::warn!(
                    error = format!("{error:#}"),
                    "cannot use the certificate that is there, making one in memory"
                ),
            }
        }
        let (identity, certificate_pem, key_pem) =
            self_signed(names).context("error creating self-signed certificates")?;
        if known {
            return Ok(identity);
        }
        let saved = std::fs::create_dir_all(dir)
            .and_then(|()| write_private(&key, &key_pem))
            .and_then(|()| write_private(&certificate, &certificate_pem));
        match saved {
            Ok(()) => {
                tracing::info!(certificate = %certificate.display(), "made a self-signed certificate");
            }
            Err(error) => tracing::warn!(
                dir = %dir.display(), %error,
                "cannot save the self-signed certificate, it will differ after a restart"
            ),
        }
        Ok(identity)
    }
}

/// Writes a file that only its owner can read, replacing what was there in one step.
///
/// A new file is renamed onto the old one: a symbolic link that somebody planted is replaced, not followed.
pub fn write_private(file: &Path, content: &str) -> std::io::Result<()> {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    let fresh = Path::new(&name);
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(fresh)
        .and_then(|mut open| open.write_all(content.as_bytes()))
        .and_then(|()| std::fs::rename(fresh, file));
    if written.is_err() {
        // The first error is the one to tell; there may be nothing to remove.
        let _ = std::fs::remove_file(fresh);
    }
    written
}

/// A certificate for `names` (the first is its common name), with its PEM texts.
fn self_signed(names: Vec<String>) -> anyhow::Result<(Identity, String, String)> {
    let common_name = names
        .first()
        .cloned()
        .unwrap_or_else(|| "localhost".to_owned());
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let identity = Identity {
        chain: vec![certificate.der().clone()],
        key: PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?,
    };
    Ok((identity, certificate.pem(), key.serialize_pem()))
}

#[cfg(test)]
mod tests;
