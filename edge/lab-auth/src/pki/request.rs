//! Asking another authority for a certificate.

use super::PkiError;
use super::authority::{issue, new_key, subject};
use rcgen::{CertificateParams, SanType};
use std::fmt;
use std::net::IpAddr;

/// A certificate signing request, and the key that it is for.
pub struct Request {
    /// The request, PEM.
    pub request_pem: String,
    /// The key, PKCS#8 PEM.
    pub key_pem: String,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("request_pem", &self.request_pem)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// What the kubelet of `node` asks the signer `kubernetes.io/kubelet-serving` for; several names and
    /// addresses share a certificate.
    ///
    /// Upstream: pkg/kubelet/certificate/kubelet.go, newGetTemplateFn (v1.36).
    pub fn kubelet_serving(
        node: &str,
        names: &[String],
        addresses: &[IpAddr],
    ) -> Result<Self, PkiError> {
        let user = format!("system:node:{node}");
        let mut params = CertificateParams::default();
        params.distinguished_name = subject(&user, &["system:nodes"])?;
        for name in names {
            let dns = name.as_str().try_into();
            let dns = dns.map_err(|error| issue(name, error))?;
            params.subject_alt_names.push(SanType::DnsName(dns));
        }
        let addresses = addresses.iter().map(|&address| SanType::IpAddress(address));
        params.subject_alt_names.extend(addresses);
        let key = new_key(&user)?;
        let request = params
            .serialize_request(&key)
            .and_then(|request| request.pem())
            .map_err(|error| issue(&user, error))?;
        Ok(Self {
            request_pem: request,
            key_pem: key.serialize_pem(),
        })
    }
}

#[cfg(test)]
mod tests;
