//! `DecisionContext`: what no object of Kubernetes tells: the time, the controller's flags, its memory.

use crate::documents::Document;
use crate::error::Error;
use crate::typed;
use hpa::{Config, Gates, History, Known, Recommendation, ScaleEvent, Spec};
use jiff::Timestamp as Time;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use units::{Duration, Timestamp};

/// Its apiVersion.
pub(crate) const API_VERSION: &str = "evenkeel.dev/v1alpha1";
/// Its kind.
pub(crate) const KIND: &str = "DecisionContext";
/// Feature gates of the controller that change no decision are taken in silence up to this many.
const GATES: [&str; 2] = ["HPAConfigurableTolerance", "HPAScaleToZero"];

/// The document.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct Context {
    api_version: String,
    kind: String,
    #[serde(skip_serializing)]
    metadata: Option<serde_json::Value>,
    #[serde(deserialize_with = "some_time")]
    pub(crate) now: Option<Time>,
    config: Settings,
    #[serde(skip_serializing_if = "Option::is_none")]
    recommendations: Option<Vec<Recommended>>,
    scale_events: Events,
    /// What metrics last asked for, where they may be fallen back on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    last_known: Vec<Asked>,
    /// Autoscalers, as `namespace/name`, whose targets select some of the same pods.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) other_autoscalers: Vec<String>,
    pub(crate) unavailable: Unavailable,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    tolerance: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_initialization_period: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    initial_readiness_delay: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    downscale_stabilization: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    feature_gates: BTreeMap<String, bool>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Recommended {
    #[serde(deserialize_with = "a_time")]
    at: Time,
    replicas: i32,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// Which of `spec.metrics`.
    metric: usize,
    #[serde(deserialize_with = "a_time")]
    at: Time,
    replicas: i32,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct Events {
    up: Vec<Changed>,
    down: Vec<Changed>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Changed {
    #[serde(deserialize_with = "a_time")]
    at: Time,
    change: i32,
}

/// Which of the APIs did not answer, and with which error.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Unavailable {
    /// The target's scale subresource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<String>,
    /// The list of pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods: Option<String>,
    /// metrics.k8s.io
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_metrics: Option<String>,
    /// custom.metrics.k8s.io
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_metrics: Option<String>,
    /// external.metrics.k8s.io
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_metrics: Option<String>,
    /// One of `spec.metrics`, by its index.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<usize, String>,
}

fn a_time<'de, D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(|_| {
        let problem = format!("{text:?} is no time: write it as 2026-01-01T12:00:00Z");
        serde::de::Error::custom(problem)
    })
}

fn some_time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Time>, D::Error> {
    a_time(from).map(Some)
}

impl Context {
    /// Reads and checks the document.
    pub(crate) fn read(document: &Document) -> Result<Self, Error> {
        let version = &document.value["apiVersion"];
        if version != API_VERSION {
            let problem = format!("{version} is not known; write {API_VERSION}");
            return Err(document.error("apiVersion", problem));
        }
        let context: Self = typed::read(document)?;
        context.config(document)?;
        for name in context.config.feature_gates.keys() {
            if !GATES.contains(&name.as_str()) {
                let problem = format!("not known; known are {}", GATES.join(", "));
                return Err(document.error(&format!("config.featureGates.{name}"), problem));
            }
        }
        context.check_changes(document)?;
        Ok(context)
    }

    fn check_changes(&self, document: &Document) -> Result<(), Error> {
        let negative = |list: &[Changed]| list.iter().position(|e| e.change < 0);
        let events = &self.scale_events;
        for (name, list) in [("up", &events.up), ("down", &events.down)] {
            if let Some(index) = negative(list) {
                let field = format!("scaleEvents.{name}[{index}].change");
                return Err(document.error(&field, "must not be negative"));
            }
        }
        let recommendations = self.recommendations.as_deref().unwrap_or_default();
        if let Some(index) = recommendations.iter().position(|r| r.replicas < 0) {
            let field = format!("recommendations[{index}].replicas");
            return Err(document.error(&field, "must not be negative"));
        }
        Ok(())
    }

    /// What it says was last asked for must have been asked for by one of so many metrics.
    pub(crate) fn check_last_known(
        &self,
        document: &Document,
        metrics: usize,
    ) -> Result<(), Error> {
        for (index, asked) in self.last_known.iter().enumerate() {
            if asked.metric >= metrics {
                let field = format!("lastKnown[{index}].metric");
                let problem =
                    format!("must be an index of spec.metrics, of which there are {metrics}");
                return Err(document.error(&field, problem));
            }
            if asked.replicas < 0 {
                let field = format!("lastKnown[{index}].replicas");
                return Err(document.error(&field, "must not be negative"));
            }
        }
        Ok(())
    }

    /// The controller's flags; what is not said is kube-controller-manager's default.
    pub(crate) fn config(&self, document: &Document) -> Result<Config, Error> {
        let mut config = Config::default();
        let said = &self.config;
        let read = |name: &str, text: &Option<String>, into: &mut Duration| {
            if let Some(text) = text {
                *into = text.parse().map_err(|e| {
                    document.error(&format!("config.{name}"), format!("{text:?}: {e}"))
                })?;
            }
            Ok::<(), Error>(())
        };
        read(
            "cpuInitializationPeriod",
            &said.cpu_initialization_period,
            &mut config.cpu_initialization_period,
        )?;
        read(
            "initialReadinessDelay",
            &said.initial_readiness_delay,
            &mut config.initial_readiness_delay,
        )?;
        read(
            "downscaleStabilization",
            &said.downscale_stabilization,
            &mut config.downscale_stabilization,
        )?;
        if let Some(tolerance) = said.tolerance {
            config.tolerance = tolerance;
        }
        let gate = |name: &str, default| said.feature_gates.get(name).copied().unwrap_or(default);
        config.gates = Gates {
            configurable_tolerance: gate(GATES[0], true),
            scale_to_zero: gate(GATES[1], false),
        };
        Ok(config)
    }

    /// What the controller remembers.
    pub(crate) fn history(&self, spec: &Spec) -> History {
        let events = |list: &[Changed]| {
            list.iter()
                .map(|e| ScaleEvent {
                    at: timestamp(e.at),
                    change: e.change,
                })
                .collect()
        };
        History {
            recommendations: self.recommendations.as_ref().map(|all| {
                all.iter()
                    .map(|r| Recommendation {
                        at: timestamp(r.at),
                        replicas: r.replicas,
                    })
                    .collect()
            }),
            ups: events(&self.scale_events.up),
            downs: events(&self.scale_events.down),
            known: self
                .last_known
                .iter()
                .filter_map(|asked| {
                    Some(Known {
                        metric: spec.metrics.get(asked.metric)?.identity(),
                        at: timestamp(asked.at),
                        replicas: asked.replicas,
                    })
                })
                .collect(),
        }
    }

    /// The document of a decision that was made now.
    pub(crate) fn of(
        now: Timestamp,
        spec: &Spec,
        history: &History,
        unavailable: Unavailable,
        other_autoscalers: Vec<String>,
    ) -> Self {
        let events = |list: &[ScaleEvent]| {
            list.iter()
                .filter_map(|e| {
                    Some(Changed {
                        at: time(e.at)?,
                        change: e.change,
                    })
                })
                .collect()
        };
        Self {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            metadata: None,
            now: time(now),
            config: Settings::of(&spec.config),
            recommendations: history.recommendations.as_ref().map(|all| {
                all.iter()
                    .filter_map(|r| {
                        Some(Recommended {
                            at: time(r.at)?,
                            replicas: r.replicas,
                        })
                    })
                    .collect()
            }),
            scale_events: Events {
                up: events(&history.ups),
                down: events(&history.downs),
            },
            last_known: asked(spec, history),
            other_autoscalers,
            unavailable,
        }
    }
}

impl Settings {
    fn of(config: &Config) -> Self {
        let gates = [
            (GATES[0], config.gates.configurable_tolerance),
            (GATES[1], config.gates.scale_to_zero),
        ];
        Self {
            tolerance: Some(config.tolerance),
            cpu_initialization_period: Some(config.cpu_initialization_period.to_string()),
            initial_readiness_delay: Some(config.initial_readiness_delay.to_string()),
            downscale_stabilization: Some(config.downscale_stabilization.to_string()),
            feature_gates: gates.map(|(name, on)| (name.to_owned(), on)).into(),
        }
    }
}

fn asked(spec: &Spec, history: &History) -> Vec<Asked> {
    let metrics = spec.metrics.iter().enumerate();
    let known = metrics.filter_map(|(metric, of)| {
        let identity = of.identity();
        let known = history.known.iter().find(|k| k.metric == identity)?;
        Some(Asked {
            metric,
            at: time(known.at)?,
            replicas: known.replicas,
        })
    });
    known.collect()
}

/// A time as the pure crates have it.
pub(crate) fn timestamp(time: Time) -> Timestamp {
    Timestamp::from_nanos(time.as_nanosecond())
}

fn time(at: Timestamp) -> Option<Time> {
    Time::from_nanosecond(at.nanos()).ok()
}
