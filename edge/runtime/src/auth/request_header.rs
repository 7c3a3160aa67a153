//! The front proxy: the API server's aggregation layer says who asked, in headers.
//!
//! Upstream: apiserver/pkg/authentication/request/headerrequest (v1.36).

use super::User;
use super::authorities::{Verifier, subject, verifier, vouched};
use crate::certs;
use anyhow::Context;
use http::HeaderMap;
use rustls::pki_types::CertificateDer;
use std::collections::BTreeMap;

/// Which client certificates may speak for others, and in which headers.
#[derive(Debug, Clone)]
pub struct RequestHeader {
    authority: Verifier,
    allowed_names: Vec<String>,
    username: Vec<String>,
    uid: Vec<String>,
    group: Vec<String>,
    extra_prefix: Vec<String>,
}

impl RequestHeader {
    /// Believes `X-Remote-User` and its like from certificates that chain to `roots` and whose
    /// common name is among `allowed_names` (any name when that is empty).
    pub fn new(
        roots: &[CertificateDer<'static>],
        allowed_names: Vec<String>,
    ) -> anyhow::Result<Self> {
        let one = |name: &str| vec![name.to_owned()];
        Ok(Self {
            authority: verifier(roots)?,
            allowed_names,
            username: one("x-remote-user"),
            uid: Vec::new(),
            group: one("x-remote-group"),
            extra_prefix: one("x-remote-extra-"),
        })
    }

    /// Reads what kube-system/extension-apiserver-authentication says; none when it has no CA.
    pub(super) fn from_config_map(data: &BTreeMap<String, String>) -> anyhow::Result<Option<Self>> {
        let Some(pem) = data
            .get("requestheader-client-ca-file")
            .filter(|pem| !pem.trim().is_empty())
        else {
            return Ok(None);
        };
        let list = |key: &str| -> anyhow::Result<Vec<String>> {
            let text = data.get(key).map_or("", |text| text.trim());
            if text.is_empty() {
                return Ok(Vec::new());
            }
            serde_json::from_str(text).with_context(|| format!("{key} is no JSON list of strings"))
        };
        let roots =
            certs::parse_chain(pem.as_bytes()).context("in requestheader-client-ca-file")?;
        let mut header = Self::new(&roots, list("requestheader-allowed-names")?)?;
        header.set_headers(
            list("requestheader-username-headers")?,
            list("requestheader-uid-headers")?,
            list("requestheader-group-headers")?,
            list("requestheader-extra-headers-prefix")?,
        );
        Ok(Some(header))
    }

    /// Replaces the header names; an empty list keeps the default.
    pub fn set_headers(
        &mut self,
        username: Vec<String>,
        uid: Vec<String>,
        group: Vec<String>,
        extra_prefix: Vec<String>,
    ) {
        let replace = |field: &mut Vec<String>, new: Vec<String>| {
            if !new.is_empty() {
                *field = new.iter().map(|name| name.to_ascii_lowercase()).collect();
            }
        };
        replace(&mut self.username, username);
        replace(&mut self.uid, uid);
        replace(&mut self.group, group);
        replace(&mut self.extra_prefix, extra_prefix);
    }

    /// The user that a believed front proxy names.
    pub(super) fn user(
        &self,
        headers: &HeaderMap,
        certificates: &[CertificateDer<'_>],
        now: jiff::Timestamp,
    ) -> Option<User> {
        let (leaf, rest) = certificates.split_first()?;
        let name = first(headers, &self.username)?;
        vouched(&self.authority, leaf, rest, now).then_some(())?;
        if !self.allowed_names.is_empty() {
            let (common_name, _) = subject(leaf)?;
            self.allowed_names.contains(&common_name).then_some(())?;
        }
        Some(User {
            name,
            uid: first(headers, &self.uid).unwrap_or_default(),
            groups: self
                .group
                .iter()
                .flat_map(|header| values(headers, header))
                .collect(),
            extra: self.extra(headers),
        })
    }

    fn extra(&self, headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
        let mut extra: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for header in headers.keys() {
            let prefix = self
                .extra_prefix
                .iter()
                .find(|p| header.as_str().starts_with(p.as_str()));
            if let Some(key) = prefix.and_then(|p| header.as_str().strip_prefix(p.as_str())) {
                let values = values(headers, header.as_str());
                extra
                    .entry(percent_decoded(key))
                    .or_default()
                    .extend(values);
            }
        }
        extra
    }
}

fn first(headers: &HeaderMap, names: &[String]) -> Option<String> {
    names
        .iter()
        .flat_map(|name| values(headers, name))
        .find(|value| !value.is_empty())
}

fn values(headers: &HeaderMap, name: &str) -> Vec<String> {
    let found = headers.get_all(name).iter();
    found
        .filter_map(|value| value.to_str().ok())
        .map(str::to_owned)
        .collect()
}

/// Keys of extra headers are percent-encoded where a header name could not hold them.
pub(super) fn percent_decoded(key: &str) -> String {
    let bytes = key.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%')
            .then(|| key.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).unwrap_or_else(|_| key.to_owned())
}
