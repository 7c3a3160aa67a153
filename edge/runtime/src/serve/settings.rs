//! The flags about TLS: the least version, the suites, and whether HTTP/2 is spoken.
//!
//! Upstream: component-base/cli/flag/ciphersuites_flag.go (v1.36). Go's programs can do more than is wise: versions
//! below 1.2 and suites with CBC, RC4 or without forward secrecy are known here, and not spoken.

use crate::certs::provider;
use anyhow::bail;
use rustls::crypto::CryptoProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{ProtocolVersion, SupportedProtocolVersion};
use std::sync::Arc;

/// Go's names of suites that there are none of here.
const KNOWN: [&str; 18] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
];

static BOTH: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
static LATEST: &[&SupportedProtocolVersion] = &[&TLS13];

/// How TLS is spoken.
#[derive(Debug, Clone)]
pub struct TlsSettings {
    versions: &'static [&'static SupportedProtocolVersion],
    provider: Arc<CryptoProvider>,
    pub(super) http2: bool,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            versions: BOTH,
            provider: provider(),
            http2: true,
        }
    }
}

impl TlsSettings {
    /// At least the version that Go calls `name`; the default where it is empty.
    pub fn with_min_version(mut self, name: &str) -> anyhow::Result<Self> {
        match name {
            "" | "VersionTLS12" => {}
            "VersionTLS13" => self.versions = LATEST,
            "VersionTLS10" | "VersionTLS11" => {
                tracing::warn!("--tls-min-version={name}: less than TLS 1.2 is not spoken here");
            }
            other => bail!("unknown tls version {other:?}"),
        }
        Ok(self)
    }

    /// Whether HTTP/2 is offered.
    #[must_use]
    pub fn with_http2(mut self, http2: bool) -> Self {
        self.http2 = http2;
        self
    }

    /// Of TLS 1.2 only the suites of these names, where there are any; those of 1.3 are not chosen among, as in Go.
    pub fn with_suites(mut self, names: &[String]) -> anyhow::Result<Self> {
        if names.is_empty() {
            return Ok(self);
        }
        let mut provider = CryptoProvider::clone(&self.provider);
        let all: Vec<String> = provider.cipher_suites.iter().map(go_name).collect();
        for name in names {
            let known = all.contains(name) || all.contains(&format!("{name}_SHA256"));
            if known {
                continue;
            }
            if !KNOWN.contains(&name.as_str()) {
                bail!("Cipher suite {name} not supported or doesn't exist");
            }
            tracing::warn!("--tls-cipher-suites: {name} is not spoken here");
        }
        let given = |suite: &str| {
            names
                .iter()
                .any(|name| suite == name || suite == format!("{name}_SHA256"))
        };
        provider.cipher_suites.retain(|suite| {
            suite.version().version == ProtocolVersion::TLSv1_3 || given(&go_name(suite))
        });
        self.provider = Arc::new(provider);
        Ok(self)
    }

    pub(super) fn provider(&self) -> Arc<CryptoProvider> {
        Arc::clone(&self.provider)
    }

    pub(super) fn versions(&self) -> &'static [&'static SupportedProtocolVersion] {
        self.versions
    }
}

/// Go leaves out the digit of TLS 1.3's suites.
fn go_name(suite: &rustls::SupportedCipherSuite) -> String {
    format!("{:?}", suite.suite()).replace("TLS13_", "TLS_")
}

#[cfg(test)]
mod tests;
