//! The tolerances of scaling rules while HPAConfigurableTolerance is off.

use serde_json::Value;

const RULES: [&str; 2] = ["/spec/behavior/scaleUp", "/spec/behavior/scaleDown"];

/// Takes the tolerances out of a HorizontalPodAutoscaler (autoscaling/v2), unless the old one has some.
/// Upstream: dropDisabledFields and toleranceInUse of horizontalpodautoscaler/strategy.go.
pub fn drop_tolerances(old: Option<&Value>, new: &mut Value) {
    let in_use = |rules| {
        let tolerance = old.and_then(|old| old.pointer(rules)?.get("tolerance"));
        tolerance.is_some_and(|t| !t.is_null())
    };
    if RULES.into_iter().any(in_use) {
        return;
    }
    for rules in RULES {
        if let Some(rules) = new.pointer_mut(rules).and_then(Value::as_object_mut) {
            rules.remove("tolerance");
        }
    }
}
