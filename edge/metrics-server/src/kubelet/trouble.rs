//! What can go wrong with a kubelet, and what to do about it.

use http::StatusCode;
use rustls::CertificateError;
use std::fmt;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a node gave no answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// None of these address types is in the node's status.
    NoAddress(Vec<String>),
    /// No TCP connection.
    Connect(std::io::Error),
    /// No TLS session: the error, and the remedy where there is a usual one.
    Tls(std::io::Error, Option<String>),
    /// The connection ended in the middle.
    Broken(hyper::Error),
    /// Another status than 200.
    Refused { code: StatusCode, text: String },
    /// The answer could not be read or is too large.
    Body(BoxError),
    /// The answer could not be understood.
    Text(BoxError),
    /// Our own configuration.
    Ours(anyhow::Error),
    /// It took too long.
    Timeout(std::time::Duration),
}

impl std::error::Error for Trouble {}

impl Trouble {
    pub(super) fn broken(error: hyper::Error) -> Self {
        Self::Broken(error)
    }

    pub(super) fn tls(error: std::io::Error, host: &str) -> Self {
        let inner = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let remedy = match inner {
            Some(rustls::Error::InvalidCertificate(why)) => remedy(why, host),
            _ => None,
        };
        Self::Tls(error, remedy)
    }
}

/// The classic failures of kubelets' certificates. Upstream: KNOWN_ISSUES.md.
fn remedy(why: &CertificateError, host: &str) -> Option<String> {
    match why {
        CertificateError::UnknownIssuer => Some(
            "the kubelet's certificate is signed by an unknown authority: name it with \
             --kubelet-certificate-authority, let the cluster sign kubelet certificates \
             (serverTLSBootstrap: true in the kubelet's configuration), or for tests only use \
             --kubelet-insecure-tls"
                .to_owned(),
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Some(format!(
                "the kubelet's certificate does not name {host}: sign it with that address (no IP \
                 SANs is usual for self-signed ones; serverTLSBootstrap: true adds them), choose \
                 another address with --kubelet-preferred-address-types, or for tests only use \
                 --kubelet-insecure-tls"
            ))
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Some(
            "the kubelet's certificate has expired: renew it, and check both clocks".to_owned(),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Some("the kubelet's certificate is not valid yet: check both clocks".to_owned())
        }
        _ => None,
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Upstream: pkg/utils/address_resolver.go.
            Self::NoAddress(types) => write!(f, "no address matched types [{}]", types.join(" ")),
            Self::Connect(error) => write!(f, "cannot connect: {error}"),
            Self::Tls(error, None) => write!(f, "no TLS session: {error}"),
            Self::Tls(error, Some(remedy)) => write!(f, "no TLS session: {error}; {remedy}"),
            Self::Broken(error) => write!(f, "the connection broke: {error}"),
            Self::Refused {
                code: StatusCode::UNAUTHORIZED,
                ..
            } => f.write_str(
                "the kubelet answered 401 Unauthorized: let it accept tokens \
                 (authentication.webhook.enabled: true), or give a client certificate",
            ),
            Self::Refused { code, text } if text.is_empty() => {
                write!(f, "request failed, status: \"{code}\"")
            }
            Self::Refused { code, text } => {
                write!(f, "request failed, status: \"{code}\": {text}")
            }
            Self::Body(error) => write!(f, "cannot read the answer: {error}"),
            Self::Text(error) => write!(f, "cannot understand the answer: {error}"),
            Self::Ours(error) => write!(f, "{error:#}"),
            Self::Timeout(limit) => write!(f, "no answer within {limit:?}"),
        }
    }
}

#[cfg(test)]
mod tests;
