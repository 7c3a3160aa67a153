//! Nobody gives away more than they have.
//!
//! Upstream: pkg/registry/rbac/validation/rule.go (ConfirmNoEscalation), policy_compact.go, and the
//! policybased storages of roles and bindings (v1.36).

use super::index::RoleRef;
use super::{Attributes, GROUP, PolicyRule, RbacIndex};
use crate::user::{MASTERS, User};
use k8s::quote::{quoted, quoted_list};
use k8s::status::{ApiError, GroupResource};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

impl RbacIndex {
    /// May `user` write this Role, ClusterRole, RoleBinding or ClusterRoleBinding? Ask before each create and
    /// update; `old` is the stored object of an update. Other kinds are always fine.
    pub fn confirm_no_escalation(
        &self,
        user: &User,
        new: &Value,
        old: Option<&Value>,
    ) -> Result<(), ApiError> {
        if user.in_group(MASTERS) {
            return Ok(());
        }
        match new["kind"].as_str() {
            Some("Role") => self.confirm_role(user, new, old, "roles"),
            Some("ClusterRole") => self.confirm_role(user, new, old, "clusterroles"),
            Some("RoleBinding") => self.confirm_binding(user, new, old, "rolebindings"),
            Some("ClusterRoleBinding") => {
                self.confirm_binding(user, new, old, "clusterrolebindings")
            }
            _ => Ok(()),
        }
    }

    fn confirm_role(
        &self,
        user: &User,
        new: &Value,
        old: Option<&Value>,
        resource: &str,
    ) -> Result<(), ApiError> {
        let unchanged = old.is_some_and(|old| {
            old["rules"] == new["rules"] && old["aggregationRule"] == new["aggregationRule"]
        });
        let (namespace, name) = place(new);
        // A new object has no name as far as the authorizer is concerned.
        let known = if old.is_some() { name } else { "" };
        let escalate = Attributes::resource(user, "escalate", GROUP, resource)
            .in_namespace(namespace)
            .named(known);
        if unchanged || self.authorize(&escalate).allowed {
            return Ok(());
        }
        let forbidden = |why: &str| {
            ApiError::forbidden(
                GroupResource {
                    group: GROUP,
                    resource,
                },
                name,
                why,
            )
        };
        let aggregates = |role: &Value| {
            role["aggregationRule"]["clusterRoleSelectors"]
                .as_array()
                .is_some_and(|s| !s.is_empty())
        };
        if (aggregates(new) || old.is_some_and(aggregates))
            && self.missing(user, namespace, &everything()).is_err()
        {
            return Err(forbidden(
                "must have cluster-admin privileges to use the aggregationRule",
            ));
        }
        self.missing(user, namespace, &PolicyRule::all_from_json(new))
            .map_err(|why| forbidden(&why))
    }

    fn confirm_binding(
        &self,
        user: &User,
        new: &Value,
        old: Option<&Value>,
        resource: &str,
    ) -> Result<(), ApiError> {
        let unchanged = old.is_some_and(|old| {
            old["roleRef"] == new["roleRef"] && old["subjects"] == new["subjects"]
        });
        let (namespace, name) = place(new);
        let role = RoleRef::from_json(new);
        let roles = if role.kind == "Role" {
            "roles"
        } else {
            "clusterroles"
        };
        let bind = Attributes::resource(user, "bind", GROUP, roles)
            .in_namespace(namespace)
            .named(&role.name);
        if unchanged || self.authorize(&bind).allowed {
            return Ok(());
        }
        let Ok(rules) = self.resolve(&role, namespace) else {
            let of = GroupResource {
                group: GROUP,
                resource: roles.trim_end_matches('s'),
            };
            return Err(ApiError::not_found(of, &role.name));
        };
        self.missing(user, namespace, rules).map_err(|why| {
            ApiError::forbidden(
                GroupResource {
                    group: GROUP,
                    resource,
                },
                name,
                &why,
            )
        })
    }

    /// `Err` with upstream's message when the user does not hold all of `rules`.
    fn missing(&self, user: &User, namespace: &str, rules: &[PolicyRule]) -> Result<(), String> {
        let (held, problems) = self.rules_for(user, namespace);
        let missing: Vec<PolicyRule> = rules
            .iter()
            .flat_map(broken_down)
            .filter(|part| !held.iter().any(|rule| rule.covers(part)))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let lines: BTreeSet<String> = compacted(missing).iter().map(PolicyRule::compact).collect();
        let lines: Vec<String> = lines.into_iter().collect();
        let mut why = format!(
            "user {} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
            quoted(&user.name),
            quoted_list(&user.groups),
            lines.join("\n")
        );
        if !problems.is_empty() {
            why.push_str(&format!("; resolution errors: [{}]", problems.join(", ")));
        }
        Err(why)
    }
}

fn place(object: &Value) -> (&str, &str) {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    (text("namespace"), text("name"))
}

fn everything() -> [PolicyRule; 2] {
    let all = || vec!["*".to_owned()];
    [
        PolicyRule {
            verbs: all(),
            api_groups: all(),
            resources: all(),
            ..PolicyRule::default()
        },
        PolicyRule {
            verbs: all(),
            non_resource_urls: all(),
            ..PolicyRule::default()
        },
    ]
}

/// One rule for each single permission. Upstream: validation.BreakdownRule.
fn broken_down(rule: &PolicyRule) -> Vec<PolicyRule> {
    let one = |text: &String| vec![text.clone()];
    let names: Vec<Vec<String>> = match rule.resource_names.as_slice() {
        [] => vec![Vec::new()],
        names => names.iter().map(one).collect(),
    };
    let mut parts = Vec::new();
    for group in &rule.api_groups {
        for resource in &rule.resources {
            for verb in &rule.verbs {
                parts.extend(names.iter().map(|names| PolicyRule {
                    verbs: one(verb),
                    api_groups: one(group),
                    resources: one(resource),
                    resource_names: names.clone(),
                    non_resource_urls: Vec::new(),
                }));
            }
        }
    }
    for url in &rule.non_resource_urls {
        parts.extend(rule.verbs.iter().map(|verb| PolicyRule {
            verbs: one(verb),
            non_resource_urls: one(url),
            ..PolicyRule::default()
        }));
    }
    parts
}

/// Joins the verbs of rules about the same resource. Upstream: validation.CompactRules.
fn compacted(rules: Vec<PolicyRule>) -> Vec<PolicyRule> {
    let mut joined: BTreeMap<[Vec<String>; 3], PolicyRule> = BTreeMap::new();
    let mut all = Vec::new();
    for rule in rules {
        if !rule.non_resource_urls.is_empty() {
            all.push(rule);
            continue;
        }
        let key = [&rule.api_groups, &rule.resources, &rule.resource_names].map(Clone::clone);
        match joined.get_mut(&key) {
            Some(known) => known.verbs.extend(rule.verbs),
            None => {
                joined.insert(key, rule);
            }
        }
    }
    all.extend(joined.into_values());
    all
}
