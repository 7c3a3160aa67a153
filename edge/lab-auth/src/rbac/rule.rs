//! One rule of a role: what it allows, and what it covers of another rule.
//!
//! Upstream: pkg/apis/rbac/v1/evaluation_helpers.go and component-helpers/auth/rbac/validation (v1.36).

use super::Attributes;
use k8s::quote::quoted_list;
use serde_json::{Value, json};

/// A PolicyRule of rbac.authorization.k8s.io/v1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyRule {
    /// What may be done; `*` is anything.
    pub verbs: Vec<String>,
    /// To resources of which groups; `*` is any.
    pub api_groups: Vec<String>,
    /// To which resources: `pods`, `pods/log`, `*/scale`, `*`.
    pub resources: Vec<String>,
    /// To which objects only; empty is all.
    pub resource_names: Vec<String>,
    /// To which paths: `/healthz`, `/apis/*`, `*`.
    pub non_resource_urls: Vec<String>,
}

impl PolicyRule {
    /// Reads a rule; what is not a list of strings counts as empty.
    pub fn from_json(value: &Value) -> Self {
        let list = |field: &str| -> Vec<String> {
            let items = value[field]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            items
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        };
        Self {
            verbs: list("verbs"),
            api_groups: list("apiGroups"),
            resources: list("resources"),
            resource_names: list("resourceNames"),
            non_resource_urls: list("nonResourceURLs"),
        }
    }

    /// The rules of a Role or ClusterRole object.
    pub fn all_from_json(role: &Value) -> Vec<Self> {
        let rules = role["rules"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        rules.iter().map(Self::from_json).collect()
    }

    /// The rule as an object; empty lists are left out.
    pub fn to_json(&self) -> Value {
        let mut rule = json!({"verbs": self.verbs});
        for (field, list) in self
            .fields()
            .into_iter()
            .filter(|(_, list)| !list.is_empty())
        {
            rule[field] = json!(list);
        }
        rule
    }

    /// Upstream: rbac.RuleAllows.
    pub fn allows(&self, request: &Attributes<'_>) -> bool {
        if !covers_one(&self.verbs, request.verb) {
            return false;
        }
        if !request.is_resource {
            return self
                .non_resource_urls
                .iter()
                .any(|have| url_covers(have, request.path));
        }
        covers_one(&self.api_groups, request.group)
            && self
                .resources
                .iter()
                .any(|r| allows_resource(r, request.resource, request.subresource))
            && (self.resource_names.is_empty() || contains(&self.resource_names, request.name))
    }

    /// Whether whoever holds this rule holds all of `other`. Upstream: validation.ruleCovers.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let all = |have: &[String], want: &[String]| want.iter().all(|one| covers_one(have, one));
        let names = match (
            self.resource_names.is_empty(),
            other.resource_names.is_empty(),
        ) {
            (true, _) => true,
            (false, true) => false,
            (false, false) => other
                .resource_names
                .iter()
                .all(|name| contains(&self.resource_names, name)),
        };
        let resources = other.resources.iter().all(|want| {
            let (resource, sub) = want.split_once('/').unwrap_or((want, ""));
            self.resources
                .iter()
                .any(|have| allows_resource(have, resource, sub))
        });
        let urls = other.non_resource_urls.iter().all(|want| {
            self.non_resource_urls
                .iter()
                .any(|have| url_covers(have, want))
        });
        all(&self.verbs, &other.verbs)
            && all(&self.api_groups, &other.api_groups)
            && resources
            && names
            && urls
    }

    /// The text in messages about escalation. Upstream: rbacv1helpers.CompactString.
    pub(super) fn compact(&self) -> String {
        let [groups, resources, urls, names] = self.fields();
        let titled = [
            ("APIGroups", groups.1),
            ("Resources", resources.1),
            ("NonResourceURLs", urls.1),
            ("ResourceNames", names.1),
            ("Verbs", &self.verbs),
        ];
        let parts: Vec<String> = titled
            .into_iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(title, list)| format!("{title}:{}", quoted_list(list)))
            .collect();
        format!("{{{}}}", parts.join(", "))
    }

    fn fields(&self) -> [(&'static str, &[String]); 4] {
        [
            ("apiGroups", &self.api_groups),
            ("resources", &self.resources),
            ("nonResourceURLs", &self.non_resource_urls),
            ("resourceNames", &self.resource_names),
        ]
    }
}

fn contains(list: &[String], item: &str) -> bool {
    list.iter().any(|have| have == item)
}

fn covers_one(list: &[String], item: &str) -> bool {
    list.iter().any(|have| have == "*" || have == item)
}

/// `rule` is `*`, `pods`, `pods/log` or `*/log`. Upstream: ResourceMatches.
fn allows_resource(rule: &str, resource: &str, subresource: &str) -> bool {
    if rule == "*" {
        return true;
    }
    match rule.split_once('/') {
        None => subresource.is_empty() && rule == resource,
        Some((rule_resource, rule_sub)) => {
            !subresource.is_empty()
                && rule_sub == subresource
                && (rule_resource == "*" || rule_resource == resource)
        }
    }
}

/// Upstream: NonResourceURLMatches.
fn url_covers(rule: &str, path: &str) -> bool {
    rule == "*"
        || rule == path
        || (rule.ends_with('*') && path.starts_with(rule.trim_end_matches('*')))
}
