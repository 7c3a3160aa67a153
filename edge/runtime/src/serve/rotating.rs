//! A serving certificate whose files may be replaced while it serves.
//!
//! Upstream: apiserver/pkg/server/dynamiccertificates/dynamic_serving_content.go (v1.36): the files
//! are read again every minute, and a pair that does not fit together is not taken.

use crate::certs::{Identity, provider};
use anyhow::Context;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const REFRESH: Duration = Duration::from_secs(60);

/// The certificate of two files, as they are now.
#[derive(Debug)]
pub struct Rotating {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Rotating {
    /// Reads both files.
    pub fn new(certificate: PathBuf, key: PathBuf) -> anyhow::Result<Self> {
        let current = RwLock::new(Arc::new(certified(Identity::read(&certificate, &key)?)?));
        Ok(Self {
            certificate,
            key,
            current,
        })
    }

    /// Reads both files again; whether they had changed.
    pub fn refresh(&self) -> anyhow::Result<bool> {
        let read = certified(Identity::read(&self.certificate, &self.key)?)?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let changed = current.cert != read.cert;
        if changed {
            *current = Arc::new(read);
        }
        Ok(changed)
    }

    /// Follows the files until `shutdown`.
    pub async fn keep(&self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(REFRESH) => {}
                () = shutdown.cancelled() => return,
            }
            let file = self.certificate.display();
            match self.refresh() {
                Ok(true) => tracing::info!(%file, "serving with the new certificate"),
                Ok(false) => {}
                Err(error) => tracing::warn!(
                    error = format!("{error:#}"),
                    "cannot use the serving certificate as it is now, keeping the old one"
                ),
            }
        }
    }
}

impl ResolvesServerCert for Rotating {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(
            &self.current.read().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

/// The pair, if the key is the certificate's.
fn certified(identity: Identity) -> anyhow::Result<CertifiedKey> {
    CertifiedKey::from_der(identity.chain, identity.key, &provider())
        .context("the serving certificate does not fit its key")
}

#[cfg(test)]
mod tests;
