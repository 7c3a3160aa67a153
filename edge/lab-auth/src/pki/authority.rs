//! The CAs and the service-account key: made in memory, or kept in a directory.

use super::client::expires_at;
use super::files::{private_directory, read_optional, write_private};
use super::{Certificate, ClientAuthority, Kubeconfig, PkiError};
use crate::tokens::Tokens;
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

/// Ten years, as kubeadm's CAs.
const CA_LIFE: Duration = Duration::from_secs(10 * 365 * 86_400);
/// A year, as kubeadm's leaves; the lab makes new ones at every start.
const LEAF_LIFE: Duration = Duration::from_secs(365 * 86_400);
/// Certificates begin a little early, so that a clock that is set back does not refuse them.
const EARLY: Duration = Duration::from_secs(3_600);

/// A CA: its certificate, and what signs with it.
struct Ca {
    pem: String,
    key_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// Everything that signs in a lab.
pub struct Authority {
    cluster: Ca,
    front_proxy: Ca,
    service_account_key: KeyPair,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// New keys that live as long as the process.
    pub fn in_memory(now: Timestamp) -> Result<Self, PkiError> {
        Ok(Self {
            cluster: Ca::create(now, "kubernetes")?,
            front_proxy: Ca::create(now, "front-proxy-ca")?,
            service_account_key: new_key("the service-account key")?,
        })
    }

    /// The keys of a directory; makes and saves those of a directory without any.
    ///
    /// File names are kubeadm's: `ca.crt`, `ca.key`, `front-proxy-ca.crt`, `front-proxy-ca.key`, `sa.key`, `sa.pub`.
    pub fn load_or_create(now: Timestamp, directory: &Path) -> Result<Self, PkiError> {
        private_directory(directory)?;
        Ok(Self {
            cluster: Ca::load_or_create(now, directory, "ca", "kubernetes")?,
            front_proxy: Ca::load_or_create(now, directory, "front-proxy-ca", "front-proxy-ca")?,
            service_account_key: load_or_create_key(directory)?,
        })
    }

    /// The cluster CA's certificate, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.cluster.pem
    }

    /// The front-proxy CA's certificate, PEM.
    pub fn request_header_ca_pem(&self) -> &str {
        &self.front_proxy.pem
    }

    /// A server's certificate for names and addresses; `common_name` is what people see first.
    pub fn serving_certificate(
        &self,
        now: Timestamp,
        common_name: &str,
        names: &[&str],
        addresses: &[IpAddr],
    ) -> Result<Certificate, PkiError> {
        let mut params = leaf(now, common_name, &[], ExtendedKeyUsagePurpose::ServerAuth)?;
        for name in names {
            let dns = (*name).try_into().map_err(|error| issue(name, error))?;
            params.subject_alt_names.push(SanType::DnsName(dns));
        }
        params
            .subject_alt_names
            .extend(addresses.iter().map(|&a| SanType::IpAddress(a)));
        self.cluster.issue(params, common_name)
    }

    /// A user's certificate; at most two groups fit.
    pub fn client_certificate(
        &self,
        now: Timestamp,
        user: &str,
        groups: &[&str],
    ) -> Result<Certificate, PkiError> {
        let params = leaf(now, user, groups, ExtendedKeyUsagePurpose::ClientAuth)?;
        self.cluster.issue(params, user)
    }

    /// The certificate with which the API server speaks for others to extension servers.
    pub fn front_proxy_client_certificate(&self, now: Timestamp) -> Result<Certificate, PkiError> {
        let name = FRONT_PROXY_CLIENT;
        let params = leaf(now, name, &[], ExtendedKeyUsagePurpose::ClientAuth)?;
        self.front_proxy.issue(params, name)
    }

    /// The client certificates that a server of this lab accepts.
    pub fn client_authority(&self) -> Result<ClientAuthority, PkiError> {
        ClientAuthority::new(self.ca_pem(), Some(self.request_header_ca_pem()))
    }

    /// What signs and verifies service-account tokens.
    pub fn tokens(&self) -> Result<Tokens, PkiError> {
        Tokens::from_key(&self.service_account_key)
            .map_err(|why| issue("the service-account key", why))
    }

    /// A kubeconfig with a new certificate for `user`, a member of `groups`.
    pub fn kubeconfig(
        &self,
        now: Timestamp,
        server: &str,
        user: &str,
        groups: &[&str],
        namespace: &str,
    ) -> Result<String, PkiError> {
        let certificate = self.client_certificate(now, user, groups)?;
        let config = Kubeconfig {
            server,
            ca_pem: self.ca_pem(),
            cluster: "evenkeel",
            user,
            certificate: &certificate,
            namespace,
        };
        Ok(config.to_yaml())
    }
}

/// The common name of the front-proxy client, as kubeadm has it (`--requestheader-allowed-names`).
pub(super) const FRONT_PROXY_CLIENT: &str = "front-proxy-client";

impl Ca {
    fn create(now: Timestamp, name: &str) -> Result<Self, PkiError> {
        let key = new_key(name)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        set_validity(&mut params, now, CA_LIFE);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyEncipherment,
            KeyUsagePurpose::KeyCertSign,
        ];
        let certificate = params
            .self_signed(&key)
            .map_err(|error| issue(name, error))?;
        Self::from_pem(certificate.pem(), key).map_err(|error| issue(name, error))
    }

    fn from_pem(pem: String, key: KeyPair) -> Result<Self, rcgen::Error> {
        let key_pem = key.serialize_pem();
        let issuer = Issuer::from_ca_cert_pem(&pem, key)?;
        Ok(Self {
            pem,
            key_pem,
            issuer,
        })
    }

    fn load_or_create(
        now: Timestamp,
        directory: &Path,
        file: &str,
        name: &str,
    ) -> Result<Self, PkiError> {
        let certificate_file = directory.join(format!("{file}.crt"));
        let key_file = directory.join(format!("{file}.key"));
        match (read_optional(&certificate_file)?, read_optional(&key_file)?) {
            (Some(pem), Some(key_pem)) => {
                let bad = |why: String| PkiError::Content {
                    path: certificate_file.clone(),
                    why,
                };
                let key = KeyPair::from_pem(&key_pem).map_err(|error| PkiError::Content {
                    path: key_file.clone(),
                    why: error.to_string(),
                })?;
                if expires_at(&pem).map_err(bad)? <= now {
                    return Err(bad("the certificate has expired".to_owned()));
                }
                Self::from_pem(pem, key).map_err(|error| bad(error.to_string()))
            }
            // The key is written first: a lone key is an interrupted start, and nothing is signed with it yet.
            (None, _) => {
                let ca = Self::create(now, name)?;
                write_private(&key_file, ca.key_pem.as_bytes())?;
                write_private(&certificate_file, ca.pem.as_bytes())?;
                Ok(ca)
            }
            (Some(_), None) => Err(PkiError::Incomplete { path: key_file }),
        }
    }

    fn issue(&self, params: CertificateParams, subject: &str) -> Result<Certificate, PkiError> {
        let key = new_key(subject)?;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(|error| issue(subject, error))?;
        Certificate::from_pem(certificate.pem(), key.serialize_pem())
    }
}

fn leaf(
    now: Timestamp,
    name: &str,
    groups: &[&str],
    purpose: ExtendedKeyUsagePurpose,
) -> Result<CertificateParams, PkiError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject(name, groups)?;
    set_validity(&mut params, now, LEAF_LIFE);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// rcgen keeps one value per attribute type; the organization's OID, spelled out, counts as a second type.
pub(super) fn subject(name: &str, groups: &[&str]) -> Result<DistinguishedName, PkiError> {
    let mut subject = DistinguishedName::new();
    let organizations = [
        DnType::OrganizationName,
        DnType::CustomDnType(vec![2, 5, 4, 10]),
    ];
    if groups.len() > organizations.len() {
        let why = format!(
            "{} groups asked for, and at most {} fit",
            groups.len(),
            organizations.len()
        );
        return Err(issue(name, why));
    }
    for (kind, group) in organizations.into_iter().zip(groups) {
        subject.push(kind, *group);
    }
    subject.push(DnType::CommonName, name);
    Ok(subject)
}

/// Sets when a certificate begins and ends.
fn set_validity(params: &mut CertificateParams, now: Timestamp, life: Duration) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let since = Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default());
    params.not_before = epoch + since.saturating_sub(EARLY);
    params.not_after = epoch + since + life;
}

fn load_or_create_key(directory: &Path) -> Result<KeyPair, PkiError> {
    let path = directory.join("sa.key");
    if let Some(pem) = read_optional(&path)? {
        return KeyPair::from_pem(&pem).map_err(|error| PkiError::Content {
            path,
            why: error.to_string(),
        });
    }
    let key = new_key("the service-account key")?;
    write_private(&path, key.serialize_pem().as_bytes())?;
    write_private(&directory.join("sa.pub"), key.public_key_pem().as_bytes())?;
    Ok(key)
}

pub(super) fn new_key(subject: &str) -> Result<KeyPair, PkiError> {
    KeyPair::generate().map_err(|error| issue(subject, error))
}

pub(super) fn issue(subject: &str, why: impl fmt::Display) -> PkiError {
    PkiError::Issue {
        subject: subject.to_owned(),
        why: why.to_string(),
    }
}
