//! The lab's certificates: who is a server, who is a client, and who may speak for others.
//!
//! One [`Authority`] holds what a kubeadm cluster keeps in /etc/kubernetes/pki: the cluster CA, the front-proxy
//! CA and the service-account key. Keys are ECDSA P-256: they take well under a millisecond to make.

mod authority;
mod certificate;
mod client;
mod files;
mod kubeconfig;
mod request;

pub use authority::Authority;
pub use certificate::Certificate;
pub use client::{ClientAuthority, Identity, user_from_certificate};
pub use files::{private_directory, write_private};
pub use kubeconfig::Kubeconfig;
pub use request::Request;

use std::path::PathBuf;

/// What went wrong with a key, a certificate or its file.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}; check the directory's owner and free space", path.display())]
    File {
        /// Read, write, create.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file's content is not what it should be.
    #[error("{} is not a usable key or certificate: {why}; remove the directory to have new ones made", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Some of the files of a set are there and others are missing.
    #[error("{} is missing while its companions exist; restore it or remove the directory", path.display())]
    Incomplete {
        /// Which file.
        path: PathBuf,
    },
    /// A certificate could not be made.
    #[error("cannot make a certificate for {subject}: {why}")]
    Issue {
        /// For whom.
        subject: String,
        /// Why.
        why: String,
    },
    /// TLS does not accept the keys.
    #[error("cannot set up tls: {0}")]
    Tls(String),
}

#[cfg(test)]
mod tests;
