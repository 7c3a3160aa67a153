//! The review APIs: questions about who somebody is and what they may do, answered in `status`.
//!
//! Each function takes the posted object and gives back the object to answer with (201).
//! Upstream: pkg/registry/{authentication,authorization} and pkg/apis/authorization/validation (v1.36).

use crate::rbac::{Attributes, RbacIndex};
use crate::user::User;
use k8s::status::{ApiError, FieldError};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const GROUP: &str = "authorization.k8s.io";

/// TokenReview: `authenticate(token, audiences)` says whose token it is and which audiences fit, or why not.
pub fn token_review(
    mut review: Value,
    authenticate: impl FnOnce(&str, &[String]) -> Result<(User, Vec<String>), String>,
) -> Result<Value, ApiError> {
    let token = text(&review["spec"], "token");
    if token.is_empty() {
        return Err(ApiError::bad_request(
            "token is required for TokenReview in authentication",
        ));
    }
    let status = match authenticate(token, &strings(&review["spec"]["audiences"])) {
        Ok((user, audiences)) => {
            json!({"authenticated": true, "user": user.to_user_info(), "audiences": audiences})
        }
        Err(why) => json!({"user": {}, "error": why}),
    };
    review["status"] = status;
    Ok(review)
}

/// SubjectAccessReview: may the user of the spec do this?
pub fn subject_access_review(index: &RbacIndex, review: Value) -> Result<Value, ApiError> {
    let mut errors = spec_errors(&review["spec"]);
    errors.extend(user_errors(&review["spec"]));
    errors.extend(metadata_errors(&review["metadata"], "must be empty", &[]));
    refuse(&errors, "SubjectAccessReview")?;
    let user = spec_user(&review["spec"]);
    Ok(answered(index, &user, review))
}

/// LocalSubjectAccessReview: the same within the namespace of the request.
pub fn local_subject_access_review(
    index: &RbacIndex,
    namespace: &str,
    mut review: Value,
) -> Result<Value, ApiError> {
    if text(&review["metadata"], "namespace").is_empty() {
        review["metadata"]["namespace"] = json!(namespace);
    }
    let spec = &review["spec"];
    let mut errors = spec_errors(spec);
    errors.extend(user_errors(spec));
    let detail = "must be empty except for namespace";
    errors.extend(metadata_errors(&review["metadata"], detail, &["namespace"]));
    let asked = &spec["resourceAttributes"];
    if asked.is_object() && text(asked, "namespace") != text(&review["metadata"], "namespace") {
        let field = "spec.resourceAttributes.namespace";
        let value = json!(text(asked, "namespace"));
        errors.push(FieldError::invalid(
            field,
            &value,
            "must match metadata.namespace",
        ));
    }
    let path = &spec["nonResourceAttributes"];
    if path.is_object() {
        let detail = "disallowed on this kind of request";
        errors.push(FieldError::invalid(
            "spec.nonResourceAttributes",
            path,
            detail,
        ));
    }
    refuse(&errors, "LocalSubjectAccessReview")?;
    let user = spec_user(&review["spec"]);
    Ok(answered(index, &user, review))
}

/// SelfSubjectAccessReview: may the user who asks do this?
pub fn self_subject_access_review(
    index: &RbacIndex,
    user: &User,
    review: Value,
) -> Result<Value, ApiError> {
    let mut errors = spec_errors(&review["spec"]);
    errors.extend(metadata_errors(&review["metadata"], "must be empty", &[]));
    refuse(&errors, "SelfSubjectAccessReview")?;
    Ok(answered(index, user, review))
}

/// SelfSubjectRulesReview: all that the user who asks may do in a namespace.
pub fn self_subject_rules_review(
    index: &RbacIndex,
    user: &User,
    mut review: Value,
) -> Result<Value, ApiError> {
    let namespace = text(&review["spec"], "namespace");
    if namespace.is_empty() {
        return Err(ApiError::bad_request("no namespace on request"));
    }
    let (rules, problems) = index.rules_for(user, namespace);
    let (mut resource_rules, mut path_rules) = (Vec::new(), Vec::new());
    for rule in &rules {
        let mut resource_rule = rule.to_json();
        if !rule.non_resource_urls.is_empty() {
            path_rules
                .push(json!({"verbs": rule.verbs, "nonResourceURLs": rule.non_resource_urls}));
        }
        if let (false, Some(fields)) = (rule.resources.is_empty(), resource_rule.as_object_mut()) {
            fields.remove("nonResourceURLs");
            resource_rules.push(resource_rule);
        }
    }
    let mut status = json!({"resourceRules": resource_rules, "nonResourceRules": path_rules, "incomplete": false});
    if !problems.is_empty() {
        status["evaluationError"] = json!(problems.join(", "));
    }
    review["status"] = status;
    Ok(review)
}

/// SelfSubjectReview: who am I?
pub fn self_subject_review(user: &User, mut review: Value) -> Value {
    review["status"] = json!({"userInfo": user.to_user_info()});
    review
}

fn answered(index: &RbacIndex, user: &User, mut review: Value) -> Value {
    let decision = index.authorize(&attributes(user, &review["spec"]));
    let mut status = json!({"allowed": decision.allowed});
    if !decision.reason.is_empty() {
        status["reason"] = json!(decision.reason);
    }
    review["status"] = status;
    review
}

/// Upstream: pkg/registry/authorization/util, AuthorizationAttributesFrom.
fn attributes<'a>(user: &'a User, spec: &'a Value) -> Attributes<'a> {
    let asked = &spec["resourceAttributes"];
    if !asked.is_object() {
        let asked = &spec["nonResourceAttributes"];
        return Attributes::path(user, text(asked, "verb"), text(asked, "path"));
    }
    let version = text(asked, "version");
    let of = |field| text(asked, field);
    Attributes {
        version: if version.is_empty() { "*" } else { version },
        ..Attributes::resource(user, of("verb"), of("group"), of("resource"))
            .on_subresource(of("subresource"))
            .named(of("name"))
            .in_namespace(of("namespace"))
    }
}

fn spec_user(spec: &Value) -> User {
    let extra: BTreeMap<String, Vec<String>> = spec["extra"]
        .as_object()
        .map(|all| {
            all.iter()
                .map(|(key, values)| (key.clone(), strings(values)))
                .collect()
        })
        .unwrap_or_default();
    User {
        name: text(spec, "user").to_owned(),
        uid: text(spec, "uid").to_owned(),
        groups: strings(&spec["groups"]),
        extra,
    }
}

fn spec_errors(spec: &Value) -> Vec<FieldError> {
    let (resource, path) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
    match (resource.is_object(), path.is_object()) {
        (true, true) => vec![FieldError::invalid(
            "spec.nonResourceAttributes",
            path,
            "cannot be specified in combination with resourceAttributes",
        )],
        (false, false) => vec![FieldError::invalid(
            "spec.resourceAttributes",
            &Value::Null,
            "exactly one of nonResourceAttributes or resourceAttributes must be specified",
        )],
        _ => Vec::new(),
    }
}

fn user_errors(spec: &Value) -> Option<FieldError> {
    let nobody = text(spec, "user").is_empty() && strings(&spec["groups"]).is_empty();
    nobody.then(|| {
        FieldError::invalid(
            "spec.user",
            &json!(""),
            "at least one of user or group must be specified",
        )
    })
}

/// Nothing may be in metadata but managedFields and what is `allowed`.
fn metadata_errors(metadata: &Value, detail: &str, allowed: &[&str]) -> Option<FieldError> {
    let fields = metadata.as_object()?;
    let extra = fields.iter().any(|(field, value)| {
        !value.is_null() && field != "managedFields" && !allowed.contains(&field.as_str())
    });
    extra.then(|| FieldError::invalid("metadata", metadata, detail))
}

fn refuse(errors: &[FieldError], kind: &str) -> Result<(), ApiError> {
    if errors.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid(GROUP, kind, "", errors))
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests;
