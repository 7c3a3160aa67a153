//! Roles and bindings. Upstream: pkg/apis/rbac/validation.

use super::check::Check;
use super::selectors;
use crate::json::{at, has, items, text};
use k8s::names::{path_segment_problems, subdomain_problems};
use serde_json::Value;

const GROUP: &str = "rbac.authorization.k8s.io";

pub(super) fn object(check: &mut Check, resource: &str, object: &Value, old: Option<&Value>) {
    match resource {
        "roles" => rules(check, object, true),
        "clusterroles" => {
            rules(check, object, false);
            aggregation(check, at(object, "aggregationRule"));
        }
        "rolebindings" => binding(check, object, old, &["Role", "ClusterRole"]),
        "clusterrolebindings" => binding(check, object, old, &["ClusterRole"]),
        _ => {}
    }
}

fn rules(check: &mut Check, role: &Value, namespaced: bool) {
    for (index, rule) in items(role, "rules").iter().enumerate() {
        let path = format!("rules[{index}]");
        let empty = |key: &str| items(rule, key).is_empty();
        if empty("verbs") {
            check.required(
                format!("{path}.verbs"),
                "verbs must contain at least one value",
            );
        }
        if !empty("nonResourceURLs") {
            let (field, urls) = (
                format!("{path}.nonResourceURLs"),
                at(rule, "nonResourceURLs"),
            );
            if namespaced {
                let words = "namespaced rules cannot apply to non-resource URLs";
                check.invalid(&field, urls, words);
            }
            if !empty("apiGroups") || !empty("resources") || !empty("resourceNames") {
                let words = "rules cannot apply to both regular resources and non-resource URLs";
                check.invalid(&field, urls, words);
            }
            continue;
        }
        if empty("apiGroups") {
            let words = "resource rules must supply at least one api group";
            check.required(format!("{path}.apiGroups"), words);
        }
        if empty("resources") {
            let words = "resource rules must supply at least one resource";
            check.required(format!("{path}.resources"), words);
        }
    }
}

fn aggregation(check: &mut Check, rule: &Value) {
    if rule.is_null() {
        return;
    }
    let all = items(rule, "clusterRoleSelectors");
    if all.is_empty() {
        check.required(
            "aggregationRule.clusterRoleSelectors",
            "at least one clusterRoleSelector required if aggregationRule is non-nil",
        );
    }
    for (index, selector) in all.iter().enumerate() {
        let path = format!("aggregationRule.clusterRoleSelectors[{index}]");
        selectors::selector(check, selector, &path);
    }
}

fn binding(check: &mut Check, binding: &Value, old: Option<&Value>, kinds: &[&str]) {
    let role = at(binding, "roleRef");
    check.one_of("roleRef.apiGroup", text(role, "apiGroup"), &[GROUP]);
    check.one_of("roleRef.kind", text(role, "kind"), kinds);
    let name = text(role, "name");
    if name.is_empty() {
        check.required("roleRef.name", "");
    } else {
        check.sentences("roleRef.name", name, path_segment_problems(name));
    }
    let namespaced = kinds.len() > 1;
    for (index, each) in items(binding, "subjects").iter().enumerate() {
        subject(check, each, namespaced, &format!("subjects[{index}]"));
    }
    if old.is_some_and(|old| at(old, "roleRef") != role) {
        check.invalid("roleRef", role, "cannot change roleRef");
    }
}

fn subject(check: &mut Check, subject: &Value, namespaced: bool, path: &str) {
    let name = text(subject, "name");
    if name.is_empty() {
        check.required(format!("{path}.name"), "");
    }
    let group = text(subject, "apiGroup");
    match text(subject, "kind") {
        "ServiceAccount" => {
            if !name.is_empty() {
                check.sentences(&format!("{path}.name"), name, subdomain_problems(name));
            }
            check.one_of(format!("{path}.apiGroup"), group, &[""]);
            let nowhere = !has(subject, "namespace") || text(subject, "namespace").is_empty();
            if !namespaced && nowhere {
                check.required(format!("{path}.namespace"), "");
            }
        }
        "User" | "Group" => check.one_of(format!("{path}.apiGroup"), group, &[GROUP]),
        kind => {
            check.one_of(
                format!("{path}.kind"),
                kind,
                &["ServiceAccount", "User", "Group"],
            );
        }
    }
}
