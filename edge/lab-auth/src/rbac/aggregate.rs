//! ClusterRoles that are made of other ClusterRoles.
//!
//! Upstream: pkg/controller/clusterroleaggregation (v1.36).

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Aggregation may chain (view, edit, admin); a chain longer than this is a circle.
const MAX_ROUNDS: usize = 8;

/// The ClusterRoles whose rules must change, each with its new rules. Give it all ClusterRoles of the cluster.
pub fn aggregate(cluster_roles: &[&Value]) -> Vec<Value> {
    // By name, because upstream takes the parts in that order.
    let mut roles: BTreeMap<&str, Value> = cluster_roles
        .iter()
        .map(|role| (name_of(role), (*role).clone()))
        .collect();
    let mut changed = BTreeMap::new();
    for _ in 0..MAX_ROUNDS {
        let updates: Vec<(&str, Value)> = roles
            .iter()
            .filter_map(|(&name, role)| Some((name, role, collected_rules(role, &roles)?)))
            .filter(|(_, role, rules)| rules_of(role) != rules.as_slice())
            .map(|(name, _, rules)| (name, Value::from(rules)))
            .collect();
        if updates.is_empty() {
            break;
        }
        for (name, rules) in updates {
            if let Some(role) = roles.get_mut(name) {
                role["rules"] = rules;
                changed.insert(name, role.clone());
            }
        }
    }
    changed.into_values().collect()
}

fn name_of(role: &Value) -> &str {
    role["metadata"]["name"].as_str().unwrap_or_default()
}

fn rules_of(role: &Value) -> &[Value] {
    role["rules"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// The rules that a role should have; `None` for roles that are not aggregated.
fn collected_rules(role: &Value, roles: &BTreeMap<&str, Value>) -> Option<Vec<Value>> {
    let selectors = role["aggregationRule"]["clusterRoleSelectors"].as_array()?;
    let mut rules: Vec<Value> = Vec::new();
    for selector in selectors {
        for (&name, part) in roles {
            if name == name_of(role) || !selects(selector, &part["metadata"]["labels"]) {
                continue;
            }
            for rule in rules_of(part) {
                if !rules.contains(rule) {
                    rules.push(rule.clone());
                }
            }
        }
    }
    Some(rules)
}

/// A LabelSelector on labels. Upstream: metav1.LabelSelectorAsSelector.
fn selects(selector: &Value, labels: &Value) -> bool {
    let exact = selector["matchLabels"].as_object();
    let expressions = selector["matchExpressions"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    exact.is_none_or(|want| want.iter().all(|(key, value)| &labels[key] == value))
        && expressions
            .iter()
            .all(|expression| expression_holds(expression, labels))
}

fn expression_holds(expression: &Value, labels: &Value) -> bool {
    let have = expression["key"]
        .as_str()
        .and_then(|key| labels[key].as_str());
    let listed = have.is_some_and(|have| {
        expression["values"]
            .as_array()
            .is_some_and(|v| v.contains(&json!(have)))
    });
    match expression["operator"].as_str() {
        Some("In") => listed,
        Some("NotIn") => !listed,
        Some("Exists") => have.is_some(),
        Some("DoesNotExist") => have.is_none(),
        _ => false,
    }
}
