//! How the controller is configured: kube-controller-manager's flags for it.
//!
//! Upstream: cmd/kube-controller-manager/app/options/hpacontroller.go (v1.36).

use crate::kinds::Kind;
use crate::monitor::Monitor;
use crate::report::OnDecision;
use k8s::features::{self, FeatureFlag};
use std::fmt;
use std::sync::Arc;
use units::{Duration, Timestamp};

/// Upstream's flags with upstream's names, defaults and units.
#[derive(Debug, Clone, PartialEq, clap::Args)]
#[command(next_help_heading = "Horizontal pod autoscaler")]
pub struct HpaFlags {
    /// The period for syncing the number of pods in a horizontal pod autoscaler
    #[arg(long = "horizontal-pod-autoscaler-sync-period", default_value = "15s", value_name = "DURATION", value_parser = positive)]
    pub sync_period: Duration,

    /// How long back the autoscaler looks, and does not scale down below any recommendation it made in that time
    #[arg(long = "horizontal-pod-autoscaler-downscale-stabilization", default_value = "5m0s", value_name = "DURATION", value_parser = duration)]
    pub downscale_stabilization: Duration,

    /// The smallest change from 1.0 in the ratio of desired to actual metrics that is acted on
    #[arg(long = "horizontal-pod-autoscaler-tolerance", default_value_t = 0.1, value_name = "FLOAT", value_parser = tolerance)]
    pub tolerance: f64,

    /// The period after a pod's start in which its CPU samples might be skipped
    #[arg(long = "horizontal-pod-autoscaler-cpu-initialization-period", default_value = "5m0s", value_name = "DURATION", value_parser = duration)]
    pub cpu_initialization_period: Duration,

    /// The period after a pod's start in which changes of its readiness are treated as initial readiness
    #[arg(long = "horizontal-pod-autoscaler-initial-readiness-delay", default_value = "30s", value_name = "DURATION", value_parser = duration)]
    pub initial_readiness_delay: Duration,

    /// How many horizontal pod autoscalers may be synced at the same time
    #[arg(
        long = "concurrent-horizontal-pod-autoscaler-syncs",
        default_value_t = 5,
        value_name = "N",
        allow_negative_numbers = true,
        value_parser = syncs
    )]
    pub concurrent_syncs: usize,

    /// Feature gates as GATE=true|false pairs; HPAScaleToZero and HPAConfigurableTolerance have an effect
    #[arg(long = "feature-gates", value_name = "GATES")]
    pub feature_gates: Vec<FeatureFlag>,
}

impl Default for HpaFlags {
    fn default() -> Self {
        let config = hpa::Config::default();
        Self {
            sync_period: Duration::from_seconds(15),
            downscale_stabilization: config.downscale_stabilization,
            tolerance: config.tolerance,
            cpu_initialization_period: config.cpu_initialization_period,
            initial_readiness_delay: config.initial_readiness_delay,
            concurrent_syncs: 5,
            feature_gates: Vec::new(),
        }
    }
}

impl HpaFlags {
    /// Which features are on.
    pub fn gates(&self) -> hpa::Gates {
        features::gates(&self.feature_gates)
    }

    /// What of it concerns decisions.
    pub fn decisions(&self) -> hpa::Config {
        hpa::Config {
            tolerance: self.tolerance,
            cpu_initialization_period: self.cpu_initialization_period,
            initial_readiness_delay: self.initial_readiness_delay,
            downscale_stabilization: self.downscale_stabilization,
            gates: self.gates(),
        }
    }
}

/// What time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The controller's configuration.
#[derive(Clone)]
pub struct Config {
    /// The flags.
    pub flags: HpaFlags,
    /// Which kinds of autoscalers are served.
    pub serve: Vec<Kind>,
    /// Is told of every decision, if there is one to be told.
    pub on_decision: Option<OnDecision>,
    /// The wall clock, but in tests.
    pub clock: Clock,
    /// Counts what is done.
    pub monitor: Arc<Monitor>,
    /// Decide, and tell, but change nothing: another controller acts.
    pub shadow: bool,
    /// Watch samples, and decide as soon as there are new ones.
    pub decide_on_samples: bool,
    /// Let autoscalers that begin together go on at different times of the period.
    pub spread: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            flags: HpaFlags::default(),
            serve: vec![Kind::Autoscaling],
            on_decision: None,
            clock: Arc::new(|| Timestamp::from_nanos(runtime::clock::now().as_nanosecond())),
            monitor: Arc::default(),
            shadow: false,
            decide_on_samples: true,
            spread: true,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("flags", &self.flags)
            .finish_non_exhaustive()
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration: Duration = text.parse().map_err(|e| format!("{e}"))?;
    if duration < Duration::ZERO {
        Err("must not be negative".to_owned())
    } else {
        Ok(duration)
    }
}

fn positive(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|d| {
        if d == Duration::ZERO {
            Err("must be greater than 0".into())
        } else {
            Ok(d)
        }
    })
}

fn tolerance(text: &str) -> Result<f64, String> {
    let tolerance: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if tolerance.is_finite() && tolerance >= 0.0 {
        Ok(tolerance)
    } else {
        Err("must be a number that is not negative".to_owned())
    }
}

/// Upstream: ValidateHPAControllerConfiguration.
fn syncs(text: &str) -> Result<usize, String> {
    let number: i64 = text.parse().map_err(|_| "not a whole number".to_owned())?;
    usize::try_from(number).ok().filter(|n| *n > 0).ok_or_else(|| {
        format!("concurrent-horizontal-pod-autoscaler-syncs must be greater than 0, but got {number}")
    })
}

#[cfg(test)]
mod tests;
