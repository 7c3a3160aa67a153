//! The flags that every API server of upstream's library has, as far as they mean something here, or may be wrong.
//!
//! Upstream: apiserver/pkg/server/options/server_run_options.go (v1.36).

use std::net::IpAddr;
use units::Duration;

/// How requests are treated.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Generic flags")]
pub struct GenericArgs {
    /// Requests at a time, watches apart; more are answered with 429. 0 is no limit.
    #[arg(long, default_value_t = 400, value_name = "N")]
    pub max_requests_inflight: i64,
    /// How long a request may take, watches apart.
    #[arg(long, default_value = "1m0s", value_name = "DURATION")]
    pub request_timeout: Duration,
    /// How long to go on serving, without being ready, when told to stop.
    #[arg(long, default_value = "0s", value_name = "DURATION")]
    pub shutdown_delay_duration: Duration,
    /// What the header Strict-Transport-Security says; none without it.
    #[arg(long, value_delimiter = ',', value_name = "DIRECTIVES")]
    pub strict_transport_security_directives: Vec<String>,
    /// The name, or name and port, where clients are told to find the server; --advertise-address without it.
    #[arg(long, default_value = "", value_name = "HOST")]
    pub external_hostname: String,
    /// The address where clients are told to find the server.
    #[arg(long, value_name = "ADDRESS")]
    pub advertise_address: Option<IpAddr>,
    #[arg(long, hide = true)]
    livez_grace_period: Option<Duration>,
    #[arg(long, hide = true)]
    max_mutating_requests_inflight: Option<i64>,
    #[arg(long, hide = true)]
    goaway_chance: Option<f64>,
    #[arg(long, hide = true)]
    min_request_timeout: Option<i64>,
    #[arg(long, hide = true)]
    storage_initialization_timeout: Option<Duration>,
    #[arg(long, hide = true)]
    shutdown_watch_termination_grace_period: Option<Duration>,
}

impl GenericArgs {
    /// Where clients are told to find the server that listens on `port`. Upstream: Config.Complete (server/config.go).
    pub(crate) fn external_address(&self, port: u16) -> String {
        let address = self.advertise_address.map(|address| address.to_string());
        let host = match self.external_hostname.as_str() {
            "" => address.unwrap_or_default(),
            name => name.to_owned(),
        };
        match host.matches(':').count() {
            0 => format!("{host}:{port}"),
            1 => host,
            _ if host.starts_with('[') => host,
            _ => format!("[{host}]:{port}"),
        }
    }

    /// Those that were given and do nothing.
    pub(crate) fn idle(&self) -> Vec<&'static str> {
        let given = [
            (self.livez_grace_period.is_some(), "livez-grace-period"),
            (
                self.max_mutating_requests_inflight.is_some(),
                "max-mutating-requests-inflight",
            ),
            (self.goaway_chance.is_some(), "goaway-chance"),
            (self.min_request_timeout.is_some(), "min-request-timeout"),
            (
                self.storage_initialization_timeout.is_some(),
                "storage-initialization-timeout",
            ),
            (
                self.shutdown_watch_termination_grace_period.is_some(),
                "shutdown-watch-termination-grace-period",
            ),
        ];
        let given = given.iter().filter(|(given, _)| *given);
        given.map(|(_, name)| *name).collect()
    }

    /// What is wrong with them, in upstream's order and words.
    pub(super) fn errors(&self) -> Vec<String> {
        let below = |value: Option<Duration>| value.is_some_and(|value| value < Duration::ZERO);
        let less = |value: Option<i64>| value.is_some_and(|value| value < 0);
        let chance = self.goaway_chance.unwrap_or_default();
        let negative = |flag: &str| format!("--{flag} can not be negative value");
        let rules = [
            (
                below(self.livez_grace_period),
                "--livez-grace-period can not be a negative value".to_owned(),
            ),
            (
                self.max_requests_inflight < 0,
                negative("max-requests-inflight"),
            ),
            (
                less(self.max_mutating_requests_inflight),
                negative("max-mutating-requests-inflight"),
            ),
            (
                self.request_timeout < Duration::ZERO,
                negative("request-timeout"),
            ),
            (
                !(0.0..=0.02).contains(&chance),
                "--goaway-chance can not be less than 0 or greater than 0.02".to_owned(),
            ),
            (
                less(self.min_request_timeout),
                negative("min-request-timeout"),
            ),
            (
                below(self.storage_initialization_timeout),
                negative("storage-initialization-timeout"),
            ),
            (
                self.shutdown_delay_duration < Duration::ZERO,
                negative("shutdown-delay-duration"),
            ),
            (
                below(self.shutdown_watch_termination_grace_period),
                "shutdown-watch-termination-grace-period, if provided, can not be a negative value"
                    .to_owned(),
            ),
        ];
        let broken = rules.into_iter().filter(|(broken, _)| *broken);
        broken
            .map(|(_, text)| text)
            .chain(self.directive_errors())
            .collect()
    }

    /// Upstream: validateHSTSDirectives.
    fn directive_errors(&self) -> Option<String> {
        let errors: Vec<&str> = self
            .strict_transport_security_directives
            .iter()
            .filter_map(|directive| match directive.as_str() {
                empty if empty.trim().is_empty() => {
                    Some("empty value in strict-transport-security-directives")
                }
                "includeSubDomains" | "preload" => None,
                other if is_max_age(other) => None,
                _ => Some(
                    "--strict-transport-security-directives invalid, allowed values: max-age=expireTime, \
                     includeSubDomains, preload. see https://tools.ietf.org/html/rfc6797#section-6.1 for \
                     more information",
                ),
            })
            .collect();
        match errors.as_slice() {
            [] => None,
            [one] => Some((*one).to_owned()),
            // Upstream's aggregate says each once.
            [first, rest @ ..] if rest.iter().all(|other| other == first) => {
                Some((*first).to_owned())
            }
            many => Some(format!("[{}]", many.join(", "))),
        }
    }
}

fn is_max_age(directive: &str) -> bool {
    let mut parts = directive.split('=');
    parts.next() == Some("max-age") && parts.next().is_some() && parts.next().is_none()
}
