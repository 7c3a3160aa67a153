//! Which certificate to serve: one that was given, or one that is made.

use super::{Rotating, TlsSettings, rotating_tls, tls_with};
use crate::certs::Identity;
use rustls::ServerConfig;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What the flags say of it. Upstream: SecureServingOptions.
#[derive(Debug, Clone, Copy)]
pub struct CertificateFiles<'a> {
    /// Where a pair is kept that was made; without one it lives in memory.
    pub dir: Option<&'a Path>,
    /// What that pair's files are called.
    pub pair: &'a str,
    /// A certificate and its key.
    pub given: Option<(&'a Path, &'a Path)>,
    /// Where it is served.
    pub address: IpAddr,
}

impl CertificateFiles<'_> {
    /// TLS settings, and the certificate to [`follow`] when it comes from files.
    pub fn tls(
        &self,
        settings: &TlsSettings,
    ) -> anyhow::Result<(Arc<ServerConfig>, Option<Arc<Rotating>>)> {
        if let Some((certificate, key)) = self.given {
            return rotating(settings, certificate, key);
        }
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let address = self.address;
        if !address.is_unspecified() && !names.contains(&address.to_string()) {
            names.push(address.to_string());
        }
        let Some(dir) = self.dir else {
            return Ok((tls_with(settings, Identity::self_signed(names)?)?, None));
        };
        let made = Identity::load_or_create(dir, self.pair, names)?;
        let file = |extension| dir.join(format!("{}.{extension}", self.pair));
        // Kept in memory where the directory cannot be used: then there is nothing to follow.
        match rotating(settings, &file("crt"), &file("key")) {
            Ok(followed) => Ok(followed),
            Err(_) => Ok((tls_with(settings, made)?, None)),
        }
    }
}

fn rotating(
    settings: &TlsSettings,
    certificate: &Path,
    key: &Path,
) -> anyhow::Result<(Arc<ServerConfig>, Option<Arc<Rotating>>)> {
    let rotating = Arc::new(Rotating::new(certificate.into(), key.into())?);
    Ok((
        rotating_tls(settings, Arc::clone(&rotating))?,
        Some(rotating),
    ))
}

/// Reads the files again as they change, until `shutdown`.
pub async fn follow(certificate: Option<Arc<Rotating>>, shutdown: CancellationToken) {
    if let Some(certificate) = certificate {
        certificate.keep(shutdown).await;
    }
}

#[cfg(test)]
mod tests;
