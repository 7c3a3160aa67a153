//! The same snapshot with another specification: `maxReplicas=10,target.cpu=70`.

use crate::autoscaler;
use crate::snapshot::{Snapshot, selector_problem};
use hpa::Reading;
use k8s::autoscaling::{default_v2, observe as wire, options};
use serde_json::{Value, json};
use units::{Duration, Quantity};

/// What can be changed, for people.
const KNOWN: &str = "minReplicas, maxReplicas, target.METRIC, tolerance, downscaleStabilization, \
     cpuInitializationPeriod, initialReadinessDelay, paused, freeze, dryRun, fallback, fallbackMaxAge, \
     metricMaxAge, podsWithoutRequests, and of scaleUp and scaleDown: \
     .stabilizationWindowSeconds, .selectPolicy, .policies, .tolerance";

impl Snapshot {
    /// This snapshot, changed as `key=value,…` says. An error is one line.
    pub fn what_if(&self, changes: &str) -> Result<Self, String> {
        let mut changed = self.clone();
        let mut object = serde_json::to_value(&self.object).map_err(|e| e.to_string())?;
        for change in changes.split(',') {
            let (key, value) = change.split_once('=').ok_or_else(|| {
                format!("{change:?} is no change: write it as key=value; keys are {KNOWN}")
            })?;
            changed
                .change(&mut object, key.trim(), value.trim())
                .map_err(|problem| format!("{}: {problem}", key.trim()))?;
        }
        default_v2(&mut object);
        let zero_allowed = changed.spec.config.gates.scale_to_zero;
        if let Some(refusal) = autoscaler::refusal(&object, zero_allowed) {
            return Err(format!("an API server would refuse this: {refusal}"));
        }
        changed.object = serde_json::from_value(object).map_err(|e| e.to_string())?;
        changed.spec = wire::spec(&changed.object, changed.spec.config, &selector_problem);
        let (old, new) = (&self.spec.options.problems, &changed.spec.options.problems);
        if let Some(problem) = new.iter().find(|p| !old.contains(p)) {
            return Err(problem.clone());
        }
        // A metric that was added is one of resources.
        let metrics = changed.spec.metrics.len();
        let readings = &mut changed.observation.readings;
        if !readings.is_empty() || self.spec.metrics.is_empty() {
            readings.resize(metrics, Reading::Resource);
        }
        Ok(changed)
    }

    fn change(&mut self, object: &mut Value, key: &str, value: &str) -> Result<(), String> {
        if let Some(option) = option(key, object) {
            set_option(object, option, value);
            return Ok(());
        }
        let config = &mut self.spec.config;
        match key {
            "minReplicas" | "maxReplicas" => object["spec"][key] = integer(value)?.into(),
            "tolerance" => config.tolerance = tolerance(value)?,
            "downscaleStabilization" => config.downscale_stabilization = duration(value)?,
            "cpuInitializationPeriod" => config.cpu_initialization_period = duration(value)?,
            "initialReadinessDelay" => config.initial_readiness_delay = duration(value)?,
            _ => match key.split_once('.') {
                Some(("target", metric)) => return target(object, metric, value),
                Some((direction @ ("scaleUp" | "scaleDown"), rule)) => {
                    let (field, value) = of_rules(rule, value)?;
                    object["spec"]["behavior"][direction][field] = value;
                }
                _ => return Err(unknown()),
            },
        }
        Ok(())
    }
}

/// The option of a key. What is the controller's flag otherwise is an option only where the autoscaler has
/// it: then that is what counts.
fn option(key: &str, object: &Value) -> Option<&'static str> {
    let own = |name: &'static str| {
        let annotations = &object["metadata"]["annotations"];
        annotations[name].is_string().then_some(name)
    };
    match key {
        "paused" => Some(options::PAUSED),
        "freeze" => Some(options::FREEZE),
        "dryRun" => Some(options::DRY_RUN),
        "fallback" => Some(options::FALLBACK),
        "fallbackMaxAge" => Some(options::FALLBACK_MAX_AGE),
        "metricMaxAge" => Some(options::METRIC_MAX_AGE),
        "podsWithoutRequests" => Some(options::PODS_WITHOUT_REQUESTS),
        "tolerance" => own(options::TOLERANCE),
        "downscaleStabilization" => own(options::DOWNSCALE_STABILIZATION),
        "cpuInitializationPeriod" => own(options::CPU_INITIALIZATION_PERIOD),
        "initialReadinessDelay" => own(options::INITIAL_READINESS_DELAY),
        _ => None,
    }
}

/// `none` takes it away.
fn set_option(object: &mut Value, name: &str, value: &str) {
    if value != "none" {
        object["metadata"]["annotations"][name] = value.into();
    } else if let Some(annotations) = object["metadata"]["annotations"].as_object_mut() {
        annotations.remove(name);
    }
}

fn unknown() -> String {
    format!("not known; known are {KNOWN}")
}

fn of_rules<'a>(rule: &'a str, value: &str) -> Result<(&'a str, Value), String> {
    let value = match rule {
        "stabilizationWindowSeconds" => match value.parse::<i32>() {
            Ok(seconds) => seconds.into(),
            Err(_) => duration(value)?.whole_seconds().into(),
        },
        "selectPolicy" => value.into(),
        "tolerance" => quantity(value)?.into(),
        "policies" => value.split('+').map(policy).collect::<Result<_, _>>()?,
        _ => return Err(unknown()),
    };
    Ok((rule, value))
}

/// `4/15s` is four pods in 15 seconds, `100%/1m` as many again in a minute.
fn policy(text: &str) -> Result<Value, String> {
    let wrong = || format!("{text:?} is no policy: write 4/15s or 100%/1m, and + between several");
    let (amount, period) = text.trim().split_once('/').ok_or_else(wrong)?;
    let (kind, amount) = match amount.strip_suffix('%') {
        Some(percent) => ("Percent", percent),
        None => ("Pods", amount),
    };
    let amount: i32 = amount.trim().parse().map_err(|_| wrong())?;
    let seconds = match period.trim().parse::<i64>() {
        Ok(seconds) => seconds,
        Err(_) => duration(period.trim())?.whole_seconds(),
    };
    Ok(json!({"type": kind, "value": amount, "periodSeconds": seconds}))
}

/// Sets what a metric should be; a resource that is not watched yet is added.
fn target(object: &mut Value, name: &str, value: &str) -> Result<(), String> {
    let Some(metrics) = object["spec"]["metrics"].as_array_mut() else {
        return Err("the autoscaler has no metrics".to_owned());
    };
    let named: Vec<usize> = (0..metrics.len())
        .filter(|index| name_of(&metrics[*index]) == Some(name))
        .collect();
    let is_resource = |index: &&usize| metrics[**index]["type"] == "Resource";
    let own = named.iter().find(is_resource).copied();
    let chosen = own.map_or(named, |index| vec![index]);
    if chosen.is_empty() {
        if !matches!(name, "cpu" | "memory") {
            let known: Vec<&str> = metrics.iter().filter_map(name_of).collect();
            let known = known.join(", ");
            return Err(format!("no metric has this name; there is {known}"));
        }
        let target = of_resource(value)?;
        metrics.push(json!({"type": "Resource", "resource": {"name": name, "target": target}}));
        return Ok(());
    }
    for index in chosen {
        let metric = &mut metrics[index];
        let (source, kind) = match metric["type"].as_str().unwrap_or_default() {
            "Resource" => ("resource", "resource"),
            "ContainerResource" => ("containerResource", "resource"),
            "Pods" => ("pods", "average"),
            "Object" => ("object", "value"),
            _ => ("external", "value"),
        };
        let old = &mut metric[source]["target"];
        *old = match kind {
            "resource" => of_resource(value)?,
            "value" if old["type"] == "Value" => {
                json!({"type": "Value", "value": quantity(value)?})
            }
            _ => json!({"type": "AverageValue", "averageValue": quantity(value)?}),
        };
    }
    Ok(())
}

fn name_of(metric: &Value) -> Option<&str> {
    let source = |name: &str| &metric[name];
    match metric["type"].as_str()? {
        "Resource" => source("resource")["name"].as_str(),
        "ContainerResource" => source("containerResource")["name"].as_str(),
        "Pods" => source("pods")["metric"]["name"].as_str(),
        "Object" => source("object")["metric"]["name"].as_str(),
        "External" => source("external")["metric"]["name"].as_str(),
        _ => None,
    }
}

/// A bare number or one with `%` is a utilization, anything else a value per pod.
fn of_resource(value: &str) -> Result<Value, String> {
    let percent = value.strip_suffix('%').unwrap_or(value);
    match percent.trim().parse::<i32>() {
        Ok(percent) => Ok(json!({"type": "Utilization", "averageUtilization": percent})),
        Err(_) => Ok(json!({"type": "AverageValue", "averageValue": quantity(value)?})),
    }
}

fn integer(value: &str) -> Result<i32, String> {
    let wrong = |_| format!("{value:?} is no whole number");
    value.parse().map_err(wrong)
}

fn duration(value: &str) -> Result<Duration, String> {
    value.parse().map_err(|e| format!("{value:?}: {e}"))
}

fn quantity(value: &str) -> Result<String, String> {
    let quantity: Quantity = value
        .parse()
        .map_err(|e| format!("{value:?} is no quantity: {e}"))?;
    Ok(quantity.to_string())
}

fn tolerance(value: &str) -> Result<f64, String> {
    let number = value.parse::<f64>().ok();
    number
        .filter(|n| n.is_finite() && *n >= 0.0)
        .ok_or_else(|| format!("{value:?} is no tolerance: write it like 0.1"))
}

#[cfg(test)]
mod tests;
