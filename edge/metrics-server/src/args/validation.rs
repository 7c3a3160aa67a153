//! What upstream refuses at the start: the first mistake, in its order and words.
//!
//! Upstream: Options.Validate and runCommand (cmd/metrics-server/app).

use super::{Args, KubeletArgs, RESOLUTION, RESOLUTION_VARIABLE};
use anyhow::bail;
use units::Duration;

impl Args {
    /// The first mistake.
    pub fn validate(&self) -> anyhow::Result<()> {
        let errors = self
            .kubelet
            .errors()
            .into_iter()
            .chain(self.resolution_errors())
            .chain(self.logging_error())
            .chain(self.generic.errors())
            .chain(self.pair_error());
        match errors.into_iter().next() {
            Some(first) => bail!("{first}"),
            None => Ok(()),
        }
    }

    /// The environment may ask for more haste than the flag: the lab does.
    fn resolution_errors(&self) -> Vec<String> {
        let hasty =
            self.metric_resolution.is_none() && std::env::var_os(RESOLUTION_VARIABLE).is_some();
        if hasty {
            return Vec::new();
        }
        let resolution = self.metric_resolution.unwrap_or(RESOLUTION);
        let timeout = self.kubelet.kubelet_request_timeout;
        let mut errors = Vec::new();
        if resolution < Duration::from_seconds(10) {
            errors.push(format!(
                "metric-resolution should be a time duration at least 10s, but value {resolution} provided"
            ));
        }
        // As Go multiplies: what is too long wraps.
        if resolution.nanos().wrapping_mul(9) / 10 < timeout.nanos() {
            errors.push(format!(
                "metric-resolution should be larger than kubelet-request-timeout, but metric-resolution \
                 value {resolution} kubelet-request-timeout value {timeout} provided"
            ));
        }
        errors
    }

    fn logging_error(&self) -> Option<String> {
        let format = &self.logging_format;
        (!["text", "json"].contains(&format.as_str()))
            .then(|| format!("format: Invalid value: {format:?}: Unsupported log format"))
    }

    fn pair_error(&self) -> Option<String> {
        let serving = &self.serving;
        (serving.tls_cert_file.is_some() != serving.tls_private_key_file.is_some())
            .then(|| "need both --tls-cert-file and --tls-private-key-file".to_owned())
    }
}

impl KubeletArgs {
    fn errors(&self) -> Vec<String> {
        let insecure = self.deprecated_kubelet_completely_insecure;
        let authority = self.kubelet_certificate_authority.is_some();
        let (certificate, key) = (
            self.kubelet_client_certificate.is_some(),
            self.kubelet_client_key.is_some(),
        );
        let rules = [
            (
                authority && self.kubelet_insecure_tls,
                "cannot use both --kubelet-certificate-authority and --kubelet-insecure-tls",
            ),
            (
                certificate != key,
                "need both --kubelet-client-key and --kubelet-client-certificate",
            ),
            (
                key && insecure,
                "cannot use both --kubelet-client-key and --deprecated-kubelet-completely-insecure",
            ),
            (
                certificate && insecure,
                "cannot use both --kubelet-client-certificate and --deprecated-kubelet-completely-insecure",
            ),
            (
                self.kubelet_insecure_tls && insecure,
                "cannot use both --kubelet-insecure-tls and --deprecated-kubelet-completely-insecure",
            ),
            (
                authority && insecure,
                "cannot use both --kubelet-certificate-authority and --deprecated-kubelet-completely-insecure",
            ),
            (
                self.kubelet_request_timeout <= Duration::ZERO,
                "kubelet-request-timeout should be positive",
            ),
        ];
        let broken = rules.iter().filter(|(broken, _)| *broken);
        broken.map(|(_, text)| (*text).to_owned()).collect()
    }
}
