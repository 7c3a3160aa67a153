//! The flags of servers that delegate authentication and authorization.
//!
//! Upstream: apiserver/pkg/server/options/{authentication,authorization}.go (v1.36).

use super::{Authorities, Delegated, Options, RequestHeader};
use crate::certs::read_chain;
use crate::client::{Observer, config, connect};
use anyhow::Context;
use kube::Client;
use std::path::PathBuf;
use units::Duration;

/// Whom to believe and how long.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Authentication and authorization flags")]
pub struct AuthArgs {
    /// The kubeconfig for reviews of tokens and for the authorities; the program's own without it.
    #[arg(long, value_name = "FILE")]
    pub authentication_kubeconfig: Option<PathBuf>,
    /// The kubeconfig for reviews of what users may do; the program's own without it.
    #[arg(long, value_name = "FILE")]
    pub authorization_kubeconfig: Option<PathBuf>,
    /// Do not read kube-system/extension-apiserver-authentication.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = clap::ArgAction::Set)]
    pub authentication_skip_lookup: bool,
    /// How long a TokenReview's answer holds.
    #[arg(long, default_value = "10s", value_name = "DURATION")]
    pub authentication_token_webhook_cache_ttl: Duration,
    /// An authority of client certificates.
    #[arg(long, value_name = "FILE")]
    pub client_ca_file: Option<PathBuf>,
    /// The authority of the front proxy's certificate.
    #[arg(long, value_name = "FILE")]
    pub requestheader_client_ca_file: Option<PathBuf>,
    /// Common names that the front proxy's certificate may have; any without it.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub requestheader_allowed_names: Vec<String>,
    /// Headers with the user's name.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "x-remote-user",
        value_name = "HEADERS"
    )]
    pub requestheader_username_headers: Vec<String>,
    /// Headers with the user's id.
    #[arg(long, value_delimiter = ',', value_name = "HEADERS")]
    pub requestheader_uid_headers: Vec<String>,
    /// Headers with the user's groups.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "x-remote-group",
        value_name = "HEADERS"
    )]
    pub requestheader_group_headers: Vec<String>,
    /// Prefixes of headers with more about the user.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "x-remote-extra-",
        value_name = "PREFIXES"
    )]
    pub requestheader_extra_headers_prefix: Vec<String>,
    /// Paths that anybody may get.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "/healthz,/readyz,/livez",
        value_name = "PATHS"
    )]
    pub authorization_always_allow_paths: Vec<String>,
    /// How long an allowing SubjectAccessReview holds.
    #[arg(long, default_value = "10s", value_name = "DURATION")]
    pub authorization_webhook_cache_authorized_ttl: Duration,
    /// How long a denying one holds.
    #[arg(long, default_value = "10s", value_name = "DURATION")]
    pub authorization_webhook_cache_unauthorized_ttl: Duration,
}

impl AuthArgs {
    /// Authenticates and authorizes as they say, asking `client` where they name no kubeconfig. Files are read.
    /// Other clients than `client` tell the observer of what they ask, if there is one.
    pub async fn delegated(
        &self,
        client: &Client,
        observer: Option<&Observer>,
    ) -> anyhow::Result<Delegated> {
        let of = async |file: &Option<PathBuf>, flag| match (file, observer) {
            (Some(file), Some(observer)) => {
                let config = config(Some(file)).await.context(flag)?;
                observer.client(config).context(flag)
            }
            (Some(file), None) => connect(Some(file)).await.context(flag),
            (None, _) => Ok(client.clone()),
        };
        let tokens = of(
            &self.authentication_kubeconfig,
            "--authentication-kubeconfig",
        )
        .await?;
        let access = of(&self.authorization_kubeconfig, "--authorization-kubeconfig").await?;
        Ok(Delegated::new(tokens, self.options()?)
            .asking_access_of(access)
            .following(self.clone()))
    }

    /// The authorities that files hold.
    pub fn authorities(&self) -> anyhow::Result<Authorities> {
        let mut authorities = Authorities::default();
        if let Some(file) = &self.client_ca_file {
            authorities =
                authorities.with_client_ca(&read_chain(file).context("--client-ca-file")?)?;
        }
        if let Some(file) = &self.requestheader_client_ca_file {
            let roots = read_chain(file).context("--requestheader-client-ca-file")?;
            let mut header = RequestHeader::new(&roots, self.requestheader_allowed_names.clone())?;
            header.set_headers(
                self.requestheader_username_headers.clone(),
                self.requestheader_uid_headers.clone(),
                self.requestheader_group_headers.clone(),
                self.requestheader_extra_headers_prefix.clone(),
            );
            authorities = authorities.with_request_header(header);
        }
        Ok(authorities)
    }

    fn options(&self) -> anyhow::Result<Options> {
        Ok(Options {
            anonymous: true,
            authorities: self.authorities()?,
            lookup: !self.authentication_skip_lookup,
            always_allow: self.authorization_always_allow_paths.clone(),
            token_ttl: self.authentication_token_webhook_cache_ttl.to_std(),
            allowed_ttl: self.authorization_webhook_cache_authorized_ttl.to_std(),
            denied_ttl: self.authorization_webhook_cache_unauthorized_ttl.to_std(),
        })
    }
}
