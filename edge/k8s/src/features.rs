//! `--feature-gates`, as Kubernetes' programs take it.
//!
//! Every gate of Kubernetes 1.36 is known; those of [`Gates`] have an effect.
//! Upstream: component-base/featuregate/feature_gate.go, component-base/compatibility/registry.go (v0.36).

mod known;

pub use hpa::Gates;
use std::collections::BTreeMap;
use std::str::FromStr;

/// How far a feature has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Alpha,
    Beta,
    Stable,
    Deprecated,
}

/// What is known of a gate.
#[derive(Debug, Clone, Copy)]
struct Gate {
    stage: Stage,
    default: bool,
    locked: bool,
}

const ALL_ALPHA: &str = "AllAlpha";
const ALL_BETA: &str = "AllBeta";
const SCALE_TO_ZERO: &str = "HPAScaleToZero";
const CONFIGURABLE_TOLERANCE: &str = "HPAConfigurableTolerance";

/// One use of the flag: `HPAScaleToZero=true,AllBeta=false`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeatureFlag(BTreeMap<String, bool>);

impl FromStr for FeatureFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut set = BTreeMap::new();
        for pair in text.split(',').filter(|pair| !pair.is_empty()) {
            let (name, value) = one(pair)?;
            set.insert(name.to_owned(), value);
        }
        Ok(Self(set))
    }
}

/// One gate and its value, checked against what is known of it.
fn one(pair: &str) -> Result<(&str, bool), String> {
    let gate = match pair.split_once(':') {
        None => pair,
        Some((component, gate)) if matches!(component.trim(), "" | "kube") => gate,
        Some((component, _)) => return Err(format!("component not registered: {component}")),
    };
    let (name, value) = match gate.split_once('=') {
        Some((name, value)) => (name.trim(), value.trim()),
        None => return Err(format!("missing bool value for {}", gate.trim())),
    };
    let wanted = go_bool(value).ok_or_else(|| {
        let value_quoted = crate::quote::quoted(value);
        format!(
            "invalid value of {name}={value}, err: strconv.ParseBool: parsing {value_quoted}: invalid syntax"
        )
    })?;
    if [ALL_ALPHA, ALL_BETA].contains(&name) {
        return Ok((name, wanted));
    }
    let gate = known::find(name).ok_or_else(|| format!("unrecognized feature gate: {name}"))?;
    if gate.locked && gate.default != wanted {
        let fixed = gate.default;
        return Err(format!(
            "cannot set feature gate {name} to {wanted}, feature is locked to {fixed}"
        ));
    }
    Ok((name, wanted))
}

/// Upstream: strconv.ParseBool.
fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// The gates after all uses of the flag; of several values of a gate the last counts.
pub fn gates(flags: &[FeatureFlag]) -> Gates {
    let set = merged(flags);
    Gates {
        configurable_tolerance: enabled(CONFIGURABLE_TOLERANCE, &set),
        scale_to_zero: enabled(SCALE_TO_ZERO, &set),
    }
}

/// What a user should be told about what they set.
pub fn warnings(flags: &[FeatureFlag]) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut idle = Vec::new();
    for (name, value) in merged(flags) {
        let Some(gate) = known::find(&name) else {
            continue;
        };
        let kind = match gate.stage {
            Stage::Stable => Some("GA"),
            Stage::Deprecated => Some("deprecated"),
            Stage::Alpha | Stage::Beta => None,
        };
        if let Some(kind) = kind {
            warnings.push(format!(
                "Setting {kind} feature gate {name}={value}. It will be removed in a future release."
            ));
        }
        if ![SCALE_TO_ZERO, CONFIGURABLE_TOLERANCE].contains(&name.as_str()) {
            idle.push(name);
        }
    }
    if !idle.is_empty() {
        let names = idle.join(", ");
        warnings.push(format!("these feature gates have no effect here: {names}"));
    }
    warnings
}

fn merged(flags: &[FeatureFlag]) -> BTreeMap<String, bool> {
    let all = flags.iter().flat_map(|flag| &flag.0);
    all.map(|(name, value)| (name.clone(), *value)).collect()
}

/// What is set itself counts more than what is set for all of its stage.
fn enabled(name: &str, set: &BTreeMap<String, bool>) -> bool {
    let Some(gate) = known::find(name) else {
        return false;
    };
    let of_stage = match gate.stage {
        Stage::Alpha => set.get(ALL_ALPHA),
        Stage::Beta => set.get(ALL_BETA),
        Stage::Stable | Stage::Deprecated => None,
    };
    set.get(name).or(of_stage).copied().unwrap_or(gate.default)
}

#[cfg(test)]
mod tests;
