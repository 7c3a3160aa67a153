//! Flags that upstream inherits from its API-server library and that mean nothing here.

use runtime::inherited::Upstream;

/// metrics-server's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MetricsServer;

impl Upstream for MetricsServer {
    const VALUES: &'static [&'static str] = &[
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
        "cors-allowed-origins",
        "debug-socket-path",
        "emulated-version",
        "feature-gates",
        "log-flush-frequency",
        "log-json-info-buffer-size",
        "log-text-info-buffer-size",
        "min-compatibility-version",
        "tls-curve-preferences",
        "tls-sni-cert-key",
        "vmodule",
    ];
    const SWITCHES: &'static [&'static str] = &[
        "audit-log-batch-throttle-enable",
        "audit-log-compress",
        "audit-log-truncate-enabled",
        "audit-webhook-batch-throttle-enable",
        "audit-webhook-truncate-enabled",
        "authentication-tolerate-lookup-failure",
        "contention-profiling",
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
}

/// Those that were given.
pub(super) type Inherited = runtime::inherited::Inherited<MetricsServer>;
