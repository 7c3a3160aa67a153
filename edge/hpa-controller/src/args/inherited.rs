//! kube-controller-manager's flags that are not about one of its controllers, and mean nothing here.
//!
//! Not --master nor --controllers: who gives these expects what they say.

use runtime::inherited::Upstream;

/// kube-controller-manager's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ControllerManager;

impl Upstream for ControllerManager {
    const VALUES: &'static [&'static str] = &[
        "allow-metric-labels",
        "allow-metric-labels-manifest",
        "controller-start-interval",
        "disabled-metrics",
        "emulated-version",
        "http2-max-streams-per-connection",
        "kube-api-burst",
        "kube-api-content-type",
        "kube-api-qps",
        "log-flush-frequency",
        "log-json-info-buffer-size",
        "log-text-info-buffer-size",
        "min-resync-period",
        "show-hidden-metrics-for-version",
        "tls-cipher-suites",
        "tls-min-version",
        "tls-sni-cert-key",
        "vmodule",
    ];
    const SWITCHES: &'static [&'static str] = &[
        "authentication-tolerate-lookup-failure",
        "contention-profiling",
        "disable-http2-serving",
        "log-json-split-stream",
        "log-text-split-stream",
        "permit-address-sharing",
        "permit-port-sharing",
        "profiling",
        "use-service-account-credentials",
    ];
}

/// Those that were given.
pub(super) type Inherited = runtime::inherited::Inherited<ControllerManager>;
