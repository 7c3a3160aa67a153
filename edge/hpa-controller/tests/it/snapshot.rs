//! Reads a recorded snapshot as `hpa::decide` takes it.

use hpa::{Config, Gates, History, Observation, PodValue, Reading, Recommendation, ScaleEvent};
use hpa::{ScaleProblem, ScaleStep, Selection, Spec};
use k8s::autoscaling::{default_v2, observe as wire};
use k8s::selector::LabelSelector;
use k8s_openapi::api::autoscaling::v1::Scale;
use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, MetricSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector as SelectorObject;
use k8s_openapi::jiff;
use serde_json::{Value, json};
use units::{Duration, Timestamp};

/// Everything that one decision takes.
pub(crate) struct Snapshot {
    pub(crate) now: Timestamp,
    pub(crate) object: HorizontalPodAutoscaler,
    pub(crate) spec: Spec,
    pub(crate) observation: Observation,
    pub(crate) history: History,
}

pub(crate) fn read(docs: &[Value]) -> Snapshot {
    let first = |kind: &str| docs.iter().find(|d| d["kind"] == kind).cloned();
    let context = first("DecisionContext").unwrap_or(Value::Null);
    let mut object = first("HorizontalPodAutoscaler").unwrap();
    default_v2(&mut object);
    let object: HorizontalPodAutoscaler = serde_json::from_value(object).unwrap();
    let reader = Reader {
        docs,
        context: &context,
        object: &object,
    };
    let (scale, selector) = reader.scale();
    let spec = wire::spec(&object, config(&context["config"]), &problem);
    let valid = scale
        .as_ref()
        .is_ok_and(|s| s.selection == Selection::Valid);
    let observation = Observation {
        status: wire::status(&object),
        scale,
        pods: if valid {
            reader.pods(&selector)
        } else {
            Vec::new()
        },
        pods_problem: None,
        resource_metrics: if valid {
            reader.resource_metrics(&selector)
        } else {
            Ok(Vec::new())
        },
        readings: if valid {
            reader.readings(&selector)
        } else {
            Vec::new()
        },
    };
    let history = history(&context);
    Snapshot {
        now: time(&context["now"]),
        object,
        spec,
        observation,
        history,
    }
}

fn problem(selector: &SelectorObject) -> Option<String> {
    LabelSelector::from_object(&serde_json::to_value(selector).unwrap()).err()
}

fn time(value: &Value) -> Timestamp {
    let at: jiff::Timestamp = value.as_str().unwrap().parse().unwrap();
    Timestamp::from_nanos(at.as_nanosecond())
}

fn config(value: &Value) -> Config {
    let mut config = Config::default();
    let duration = |name: &str, into: &mut Duration| {
        if let Some(text) = value[name].as_str() {
            *into = text.parse().unwrap();
        }
    };
    duration(
        "cpuInitializationPeriod",
        &mut config.cpu_initialization_period,
    );
    duration("initialReadinessDelay", &mut config.initial_readiness_delay);
    duration(
        "downscaleStabilization",
        &mut config.downscale_stabilization,
    );
    if let Some(tolerance) = value["tolerance"].as_f64() {
        config.tolerance = tolerance;
    }
    let gate = |name: &str, default| value["featureGates"][name].as_bool().unwrap_or(default);
    config.gates = Gates {
        configurable_tolerance: gate("HPAConfigurableTolerance", true),
        scale_to_zero: gate("HPAScaleToZero", false),
    };
    config
}

fn history(context: &Value) -> History {
    let list = |value: &Value| value.as_array().cloned();
    let number = |value: &Value| i32::try_from(value.as_i64().unwrap()).unwrap();
    let events = |direction: &str| {
        list(&context["scaleEvents"][direction])
            .into_iter()
            .flatten()
            .map(|e| ScaleEvent {
                at: time(&e["at"]),
                change: number(&e["change"]),
            })
            .collect()
    };
    History {
        recommendations: list(&context["recommendations"]).map(|all| {
            all.iter()
                .map(|r| Recommendation {
                    at: time(&r["at"]),
                    replicas: number(&r["replicas"]),
                })
                .collect()
        }),
        ups: events("up"),
        downs: events("down"),
    }
}

struct Reader<'a> {
    docs: &'a [Value],
    context: &'a Value,
    object: &'a HorizontalPodAutoscaler,
}

impl Reader<'_> {
    fn namespace(&self) -> &str {
        self.object.metadata.namespace.as_deref().unwrap()
    }

    fn of(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.docs.iter().filter(move |d| d["kind"] == kind)
    }

    fn unavailable(&self, what: &str) -> Option<String> {
        self.context["unavailable"][what]
            .as_str()
            .map(str::to_owned)
    }

    fn scale(&self) -> (Result<hpa::Scale, ScaleProblem>, LabelSelector) {
        let none = LabelSelector::default();
        let fail = |error: String, context| {
            (
                Err(ScaleProblem { error, context }),
                LabelSelector::default(),
            )
        };
        let reference = &self.object.spec.scale_target_ref;
        let version = reference.api_version.as_deref().unwrap_or_default();
        let group = match version.split('/').collect::<Vec<_>>().as_slice() {
            [_] => "",
            [group, _] => *group,
            _ => {
                return fail(
                    format!("unexpected GroupVersion string: {version}"),
                    ScaleStep::ApiVersion,
                );
            }
        };
        let known = matches!(
            (group, reference.kind.as_str()),
            ("apps", "Deployment" | "ReplicaSet" | "StatefulSet") | ("", "ReplicationController")
        );
        let Some(scale) = self.of("Scale").next() else {
            if !known {
                let kind = &reference.kind;
                return fail(
                    format!("no matches for kind {kind:?} in group {group:?}"),
                    ScaleStep::Mapping,
                );
            }
            let resource = format!("{}s", reference.kind.to_lowercase());
            let of = if group.is_empty() {
                resource
            } else {
                format!("{resource}.{group}")
            };
            let error = format!("{of} {:?} not found", reference.name);
            return fail(self.unavailable("scale").unwrap_or(error), ScaleStep::Get);
        };
        if let Some(error) = self.unavailable("scale") {
            return fail(error, ScaleStep::Get);
        }
        let scale: Scale = serde_json::from_value(scale.clone()).unwrap();
        let text = scale
            .status
            .as_ref()
            .and_then(|s| s.selector.clone())
            .unwrap_or_default();
        let (selection, selector) = match LabelSelector::parse(&text) {
            _ if text.is_empty() => (Selection::Missing, none),
            Ok(selector) => (Selection::Valid, selector),
            Err(error) => (Selection::Invalid { error }, none),
        };
        (Ok(wire::scale(&scale, selection)), selector)
    }

    fn picked<'b>(
        &'b self,
        kind: &str,
        selector: &'b LabelSelector,
    ) -> impl Iterator<Item = &'b Value> {
        self.of(kind)
            .filter(|d| d["metadata"]["namespace"] == self.namespace())
            .filter(|d| selector.matches(&d["metadata"]["labels"]))
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn pods(&self, selector: &LabelSelector) -> Vec<hpa::Pod> {
        self.picked("Pod", selector)
            .map(|pod| wire::pod(&serde_json::from_value(pod.clone()).unwrap()))
            .collect()
    }

    fn resource_metrics(&self, selector: &LabelSelector) -> Result<Vec<hpa::PodMetrics>, String> {
        if let Some(error) = self.unavailable("resourceMetrics") {
            return Err(error);
        }
        let read = |m: &Value| serde_json::from_value::<wire::PodMetrics>(m.clone()).unwrap();
        Ok(self
            .picked("PodMetrics", selector)
            .map(|m| hpa::PodMetrics::from(&read(m)))
            .collect())
    }

    fn readings(&self, selector: &LabelSelector) -> Vec<Reading> {
        let metrics = self.object.spec.metrics.as_deref().unwrap_or_default();
        metrics.iter().map(|m| self.reading(m, selector)).collect()
    }

    fn reading(&self, metric: &MetricSpec, selector: &LabelSelector) -> Reading {
        if let ("Pods", Some(pods)) = (metric.type_.as_str(), &metric.pods) {
            let of = Asked {
                group: "",
                kind: "Pod",
                metric: &pods.metric,
            };
            return Reading::Pods(
                self.custom(&of)
                    .map(|values| self.of_pods(&values, selector)),
            );
        }
        if let ("Object", Some(object)) = (metric.type_.as_str(), &metric.object) {
            let described = &object.described_object;
            let version = described.api_version.clone().unwrap_or_default();
            let of = Asked {
                group: group_of(&version),
                kind: &described.kind,
                metric: &object.metric,
            };
            let name = if of.kind == "Namespace" && of.group.is_empty() {
                self.namespace()
            } else {
                &described.name
            };
            return Reading::Object(self.custom(&of).and_then(|values| one(&values, name)));
        }
        if let ("External", Some(external)) = (metric.type_.as_str(), &metric.external) {
            return Reading::External(self.external(&external.metric));
        }
        Reading::Resource
    }

    fn custom(&self, asked: &Asked<'_>) -> Result<Vec<Value>, String> {
        if let Some(error) = self.unavailable("customMetrics") {
            return Err(error);
        }
        let wanted = selector_of(&serde_json::to_value(&asked.metric.selector).unwrap());
        let matches = |v: &&Value| {
            let object = &v["describedObject"];
            let namespace = object["namespace"].as_str().unwrap_or_default();
            group_of(object["apiVersion"].as_str().unwrap_or_default()) == asked.group
                && object["kind"] == asked.kind
                && (namespace.is_empty() || namespace == self.namespace())
                && v["metric"]["name"] == asked.metric.name.as_str()
                && selector_of(&v["metric"]["selector"]) == wanted
        };
        let lists = self.of("MetricValueList");
        Ok(lists
            .flat_map(|l| l["items"].as_array().unwrap())
            .filter(matches)
            .cloned()
            .collect())
    }

    fn of_pods(&self, values: &[Value], selector: &LabelSelector) -> Vec<PodValue> {
        let stranger = |name: &str| {
            self.of("Pod").any(|p| {
                p["metadata"]["name"] == name
                    && p["metadata"]["namespace"] == self.namespace()
                    && !selector.matches(&p["metadata"]["labels"])
            })
        };
        values
            .iter()
            .map(|v| PodValue {
                pod: v["describedObject"]["name"].as_str().unwrap().to_owned(),
                timestamp: time(&v["timestamp"]),
                window: Duration::from_seconds(v["windowSeconds"].as_i64().unwrap_or(60)),
                value: milli(&v["value"]),
            })
            .filter(|v| !stranger(&v.pod))
            .collect()
    }

    fn external(
        &self,
        metric: &k8s_openapi::api::autoscaling::v2::MetricIdentifier,
    ) -> Result<Vec<i64>, String> {
        if let Some(error) = self.unavailable("externalMetrics") {
            return Err(error);
        }
        let object = serde_json::to_value(&metric.selector).unwrap();
        let object = if object.is_null() { json!({}) } else { object };
        let Ok(selector) = LabelSelector::from_object(&object) else {
            return Ok(Vec::new());
        };
        Ok(self
            .of("ExternalMetricValueList")
            .flat_map(|l| l["items"].as_array().unwrap())
            .filter(|v| {
                v["metricName"] == metric.name.as_str() && selector.matches(&v["metricLabels"])
            })
            .map(|v| milli(&v["value"]))
            .collect())
    }
}

struct Asked<'a> {
    group: &'a str,
    kind: &'a str,
    metric: &'a k8s_openapi::api::autoscaling::v2::MetricIdentifier,
}

fn group_of(version: &str) -> &str {
    version.split_once('/').map_or("", |(group, _)| group)
}

/// Two selectors are equal when they print the same; no selector prints as an empty one does.
fn selector_of(value: &Value) -> String {
    if value.is_null() {
        return String::new();
    }
    LabelSelector::from_object(value)
        .map(|s| s.to_string())
        .unwrap_or_default()
}

fn one(values: &[Value], name: &str) -> Result<i64, String> {
    let named: Vec<&Value> = values
        .iter()
        .filter(|v| v["describedObject"]["name"] == name)
        .collect();
    match named.as_slice() {
        [value] => Ok(milli(&value["value"])),
        many => Err(format!(
            "the custom metrics API server returned {} results when we asked for exactly one",
            many.len()
        )),
    }
}

fn milli(value: &Value) -> i64 {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    text.parse::<units::Quantity>().unwrap().milli_value()
}
