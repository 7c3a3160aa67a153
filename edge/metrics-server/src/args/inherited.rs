//! Flags that upstream inherits from its API-server library and that mean nothing here: accepted, so
//! that every manifest works, with one warning.

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, Error, FromArgMatches};

/// Flags that take a value.
const VALUES: &[&str] = &[
    "advertise-address",
    "audit-log-batch-buffer-size",
    "audit-log-batch-max-size",
    "audit-log-batch-max-wait",
    "audit-log-batch-throttle-burst",
    "audit-log-batch-throttle-qps",
    "audit-log-format",
    "audit-log-maxage",
    "audit-log-maxbackup",
    "audit-log-maxsize",
    "audit-log-mode",
    "audit-log-path",
    "audit-log-truncate-max-batch-size",
    "audit-log-truncate-max-event-size",
    "audit-log-version",
    "audit-policy-file",
    "audit-webhook-batch-buffer-size",
    "audit-webhook-batch-max-size",
    "audit-webhook-batch-max-wait",
    "audit-webhook-batch-throttle-burst",
    "audit-webhook-batch-throttle-qps",
    "audit-webhook-config-file",
    "audit-webhook-initial-backoff",
    "audit-webhook-mode",
    "audit-webhook-truncate-max-batch-size",
    "audit-webhook-truncate-max-event-size",
    "audit-webhook-version",
    "authentication-kubeconfig",
    "authorization-kubeconfig",
    "cors-allowed-origins",
    "debug-socket-path",
    "emulated-version",
    "external-hostname",
    "feature-gates",
    "goaway-chance",
    "livez-grace-period",
    "log-flush-frequency",
    "log-json-info-buffer-size",
    "log-text-info-buffer-size",
    "max-mutating-requests-inflight",
    "max-requests-inflight",
    "min-compatibility-version",
    "min-request-timeout",
    "request-timeout",
    "shutdown-delay-duration",
    "shutdown-watch-termination-grace-period",
    "storage-initialization-timeout",
    "strict-transport-security-directives",
    "tls-cipher-suites",
    "tls-curve-preferences",
    "tls-min-version",
    "tls-sni-cert-key",
    "vmodule",
];

/// Flags that are on or off.
const SWITCHES: &[&str] = &[
    "audit-log-batch-throttle-enable",
    "audit-log-compress",
    "audit-log-truncate-enabled",
    "audit-webhook-batch-throttle-enable",
    "audit-webhook-truncate-enabled",
    "authentication-tolerate-lookup-failure",
    "contention-profiling",
    "disable-http2-serving",
    "emulation-forward-compatible",
    "enable-priority-and-fairness",
    "log-json-split-stream",
    "log-text-split-stream",
    "permit-address-sharing",
    "permit-port-sharing",
    "profiling",
    "runtime-config-emulation-forward-compatible",
    "shutdown-send-retry-after",
];

/// The inherited flags that were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inherited {
    given: Vec<&'static str>,
}

impl Inherited {
    /// Says once that these flags do nothing.
    pub fn warn(&self) {
        if !self.given.is_empty() {
            let flags: Vec<String> = self.given.iter().map(|name| format!("--{name}")).collect();
            tracing::warn!(flags = flags.join(" "), "these flags have no effect here");
        }
    }

    /// Their names.
    pub fn given(&self) -> &[&'static str] {
        &self.given
    }
}

impl FromArgMatches for Inherited {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = VALUES
            .iter()
            .chain(SWITCHES)
            .filter(|name| matches.value_source(name) == Some(ValueSource::CommandLine))
            .copied()
            .collect();
        Ok(Self { given })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for Inherited {
    fn augment_args(command: Command) -> Command {
        let flag = |name: &&'static str| {
            Arg::new(*name)
                .long(*name)
                .hide(true)
                .action(ArgAction::Append)
        };
        let switch = |name| {
            flag(name)
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
        };
        command
            .args(VALUES.iter().map(flag))
            .args(SWITCHES.iter().map(switch))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
