//! The demo's settings: periods, windows, and the levels of load.

use hpa_controller::{Config as HpaConfig, HpaFlags, OnDecision};
use std::time::Duration;

/// CPU that one request costs the sample application, handling included.
pub(crate) const CPU_PER_REQUEST: Duration = Duration::from_millis(5);

/// One level of load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    /// CPU that the load costs all pods together, in millicores.
    pub(crate) millicores: u32,
    /// Replicas that the HPA must reach before the next level.
    pub(crate) replicas: i32,
}

/// Levels that take the HPA of the exercise (50 % of 100m a pod, 2 to 5 pods) through 2 → 3 → 5 → 3 → 2.
///
/// Each gives its number with room to spare: 3 pods take 100m to 150m, 5 take 200m to 250m. What the
/// requests cost beyond their set amount, and the probes, add a tenth.
const LEVELS: [Level; 4] = [
    Level {
        millicores: 122,
        replicas: 3,
    },
    Level {
        millicores: 220,
        replicas: 5,
    },
    Level {
        millicores: 115,
        replicas: 3,
    },
    Level {
        millicores: 0,
        replicas: 2,
    },
];

/// How a run goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// How often the HPA controller looks.
    pub(crate) sync_period: Duration,
    /// The window whose highest recommendation holds.
    pub(crate) downscale_stabilization: Duration,
    /// How often metrics-server scrapes.
    pub(crate) metric_resolution: Duration,
    /// How long a level is kept after its number of replicas is reached.
    pub(crate) hold: Duration,
    /// How long a level may take.
    pub(crate) level_limit: Duration,
}

impl Plan {
    /// Periods short enough to watch.
    pub(crate) fn short() -> Self {
        Self {
            sync_period: Duration::from_secs(5),
            downscale_stabilization: Duration::from_secs(20),
            metric_resolution: Duration::from_secs(5),
            hold: Duration::from_secs(14),
            level_limit: Duration::from_secs(120),
        }
    }

    /// Upstream's defaults, with metrics-server at the 15 s that its own manifest sets.
    pub(crate) fn faithful() -> Self {
        Self {
            sync_period: Duration::from_secs(15),
            downscale_stabilization: Duration::from_secs(300),
            metric_resolution: Duration::from_secs(15),
            hold: Duration::from_secs(60),
            level_limit: Duration::from_secs(900),
        }
    }

    /// The levels, in order.
    pub(crate) fn levels(&self) -> &'static [Level] {
        &LEVELS
    }

    /// What is about to happen.
    pub(crate) fn introduction(&self) -> String {
        format!(
            "Evenkeel demo: metrics-server, backend-app and its HPA (2 to 5 pods, 50 % cpu) in a lab of their own,\n\
             under a load that steps up, down and away. HPA sync {}, scale-down window {}, scrape every {}.",
            seconds(self.sync_period),
            seconds(self.downscale_stabilization),
            seconds(self.metric_resolution),
        )
    }

    /// The HPA controller's configuration; `hook` sees each decision.
    pub(crate) fn hpa_config(&self, hook: OnDecision) -> HpaConfig {
        let flags = HpaFlags {
            sync_period: units::Duration::from_seconds(whole_seconds(self.sync_period)),
            downscale_stabilization: units::Duration::from_seconds(whole_seconds(
                self.downscale_stabilization,
            )),
            ..HpaFlags::default()
        };
        HpaConfig {
            flags,
            on_decision: Some(hook),
            ..HpaConfig::default()
        }
    }

    /// What the lab's pods get in their environment.
    pub(crate) fn pod_environment(&self) -> Vec<(String, String)> {
        let cost = format!("{}ms", CPU_PER_REQUEST.as_millis());
        vec![
            (
                "EVENKEEL_METRIC_RESOLUTION".to_owned(),
                seconds(self.metric_resolution),
            ),
            ("CPU_PER_REQUEST".to_owned(), cost),
        ]
    }

    /// The settings as the report lists them.
    pub(crate) fn periods(&self) -> Vec<(&'static str, String)> {
        vec![
            ("HPA sync period", seconds(self.sync_period)),
            (
                "downscale stabilization",
                seconds(self.downscale_stabilization),
            ),
            ("metric resolution", seconds(self.metric_resolution)),
            ("tolerance", "10 %".to_owned()),
        ]
    }
}

impl Level {
    /// Requests a second that cost this level's CPU.
    pub(crate) fn requests_per_second(self) -> f64 {
        f64::from(self.millicores) / 1000.0 / CPU_PER_REQUEST.as_secs_f64()
    }
}

fn whole_seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// A duration as Kubernetes' flags have it.
fn seconds(duration: Duration) -> String {
    format!("{}s", duration.as_secs())
}
