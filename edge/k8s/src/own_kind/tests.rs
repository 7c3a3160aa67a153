//! Both ways between the kinds, the definition beside upstream's schema, and upstream's sentences in it.

use super::*;
use crate::autoscaling::default_v2;
use expect_test::expect;
use k8s_openapi::api::autoscaling::v2::{
    HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, HorizontalPodAutoscalerStatus,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use units::Timestamp;

const AT: Timestamp = Timestamp::from_seconds(1_767_268_800);

fn lines(text: &str) -> impl Iterator<Item = Value> + '_ {
    text.lines().map(|line| serde_json::from_str(line).unwrap())
}

fn spec() -> Value {
    json!({"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": 2, "maxReplicas": 5})
}

fn ours(more: &Value) -> Value {
    let mut object = json!({"apiVersion": API_VERSION, "kind": KIND,
        "metadata": {"name": "web", "namespace": "shop"}, "spec": spec()});
    for (key, value) in more.as_object().unwrap() {
        object["spec"][key] = value.clone();
    }
    object
}

#[test]
fn what_upstream_stored_comes_back_as_it_was() {
    for case in lines(include_str!("../autoscaling/recorded/defaulted.jsonl")) {
        let mut stored = case["result"].clone();
        if stored["apiVersion"] != "autoscaling/v2" {
            continue;
        }
        let back = into_plain(&from_plain(&stored));
        stored.as_object_mut().unwrap().remove("status");
        assert_eq!(back, stored, "{}", case["manifest"]);
    }
}

#[test]
fn options_are_annotations_in_memory() {
    let options = json!({"paused": true, "freeze": "down", "dryRun": false, "syncPeriod": "5s",
        "initialReadinessDelay": "10s", "cpuInitializationPeriod": "1m", "downscaleStabilization": "2m",
        "tolerance": "50m", "fallback": {"lastKnownGood": {"maxAge": "3m"}}, "metricMaxAge": "90s",
        "podSelection": "Owner", "podsWithoutRequests": "Ignore"});
    let plain = to_plain(&ours(&options));
    let shown = serde_json::to_string_pretty(&plain["metadata"]["annotations"]).unwrap();
    expect![[r#"
        {
          "evenkeel.dev/cpu-initialization-period": "1m",
          "evenkeel.dev/downscale-stabilization": "2m",
          "evenkeel.dev/dry-run": "false",
          "evenkeel.dev/fallback": "last-known-good",
          "evenkeel.dev/fallback-max-age": "3m",
          "evenkeel.dev/freeze": "down",
          "evenkeel.dev/initial-readiness-delay": "10s",
          "evenkeel.dev/metric-max-age": "90s",
          "evenkeel.dev/paused": "true",
          "evenkeel.dev/pod-selection": "owner",
          "evenkeel.dev/pods-without-requests": "ignore",
          "evenkeel.dev/sync-period": "5s",
          "evenkeel.dev/tolerance": "50m"
        }"#]]
    .assert_eq(&shown);
    let mut without = spec();
    without["metrics"] = plain["spec"]["metrics"].clone();
    assert_eq!(plain["spec"], without, "the rest is upstream's");
}

#[test]
fn other_forms_of_options_are_annotations_too() {
    let of = |options: Value, name: &str| {
        to_plain(&ours(&options))["metadata"]["annotations"][name].clone()
    };
    assert_eq!(of(json!({"tolerance": 1}), "evenkeel.dev/tolerance"), "1");
    let number = json!({"fallback": {"replicas": 4}});
    assert_eq!(of(number, "evenkeel.dev/fallback"), "4");
    let known = json!({"fallback": {"lastKnownGood": {}}});
    assert_eq!(
        of(known.clone(), "evenkeel.dev/fallback"),
        "last-known-good"
    );
    assert_eq!(of(known, "evenkeel.dev/fallback-max-age"), Value::Null);
    assert_eq!(
        to_plain(&ours(&json!({})))["metadata"].get("annotations"),
        None
    );
}

#[test]
fn a_field_wins_over_an_annotation_and_the_status_over_what_was_noted_as_history() {
    let mut own = ours(&json!({"paused": false}));
    own["metadata"]["annotations"] = json!({"evenkeel.dev/paused": "true", "evenkeel.dev/freeze": "up", "evenkeel.dev/history": "old"});
    let notes = to_plain(&own)["metadata"]["annotations"].clone();
    assert_eq!(
        notes,
        json!({"evenkeel.dev/paused": "false", "evenkeel.dev/freeze": "up"})
    );
    own["status"] = json!({"history": "new", "observedGeneration": 4, "targets": "cpu: 1%/2%"});
    let plain = to_plain(&own);
    assert_eq!(
        plain["metadata"]["annotations"]["evenkeel.dev/history"],
        "new"
    );
    assert_eq!(plain["status"].get("observedGeneration"), None);
}

#[test]
fn what_only_one_kind_needs_stays_with_it() {
    let plain = json!({"apiVersion": "autoscaling/v2", "kind": KIND, "metadata": {
            "name": "web", "namespace": "shop", "uid": "1", "resourceVersion": "7", "managedFields": [],
            "labels": {"app": "web"}, "ownerReferences": [{"kind": "App", "name": "x", "uid": "2", "apiVersion": "a/v1"}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}",
                "evenkeel.dev/history": "h", "team": "a"}},
        "spec": spec(), "status": {"desiredReplicas": 3}});
    let mut own = from_plain(&plain);
    expect![[r#"{"apiVersion":"evenkeel.dev/v1","kind":"HorizontalPodAutoscaler","metadata":{"annotations":{"team":"a"},"labels":{"app":"web"},"name":"web","namespace":"shop","ownerReferences":[{"apiVersion":"a/v1","kind":"App","name":"x","uid":"2"}]},"spec":{"maxReplicas":5,"minReplicas":2,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"}}}"#]]
        .assert_eq(&own.to_string());
    own["metadata"]["annotations"][ADOPTED_FROM] = "{}".into();
    own["metadata"]["annotations"][HANDOVER] = "x".into();
    own["spec"]["dryRun"] = true.into();
    let back = into_plain(&own);
    assert_eq!(
        back["metadata"]["annotations"],
        json!({"team": "a", "evenkeel.dev/dry-run": "true"})
    );
    assert_eq!(back["apiVersion"], "autoscaling/v2");
}

fn typed(own: &Value) -> HorizontalPodAutoscaler {
    serde_json::from_value(to_plain(own)).unwrap()
}

#[test]
fn the_status_says_what_columns_show_and_what_is_remembered() {
    let mut own = ours(&json!({}));
    own["metadata"]["generation"] = 3.into();
    own["metadata"]["annotations"] = json!({HANDOVER: "x"});
    own["status"] = json!({"history": "h", "currentReplicas": 2, "desiredReplicas": 2, "currentMetrics": [
        {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 37, "averageValue": "37m"}}}]});
    expect![[r#"{"currentMetrics":[{"resource":{"current":{"averageUtilization":37,"averageValue":"37m"},"name":"cpu"},"type":"Resource"}],"currentReplicas":2,"desiredReplicas":2,"handover":"x","history":"h","observedGeneration":3,"reference":"Deployment/web","targets":"cpu: 37%/80%"}"#]]
        .assert_eq(&status(&typed(&own)).to_string());
}

#[test]
fn standing_by_keeps_what_was_found_and_the_time_since_when() {
    let problem = Problem::Another(vec!["a".to_owned(), "b".to_owned()]);
    let mut own = ours(&json!({}));
    own["status"] = json!({"desiredReplicas": 4, "conditions": [
        {"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale", "lastTransitionTime": "2026-01-01T11:00:00Z"},
        {"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound"}]});
    let first = stand_by(AT, &typed(&own), &problem);
    assert_eq!(first.desired_replicas, 4);
    let shown = json!(first.conditions).to_string();
    expect![[r#"[{"lastTransitionTime":"2026-01-01T12:00:00Z","message":"the target is scaled by autoscaling/v2 HorizontalPodAutoscaler a, b: delete it, or move it over with evenkeel adopt","reason":"TargetHasAnotherAutoscaler","status":"False","type":"AbleToScale"}]"#]]
        .assert_eq(&shown);
    own["status"]["conditions"] = json!(first.conditions);
    assert_eq!(able(&own), Some(ANOTHER));
    let later = AT.plus(units::Duration::from_seconds(60));
    assert_eq!(stand_by(later, &typed(&own), &problem), first);
    let invalid = Problem::Invalid(vec!["spec: wrong".to_owned()]);
    let second = stand_by(later, &typed(&own), &invalid).conditions.unwrap();
    assert_eq!(second[0].reason.as_deref(), Some(INVALID));
    assert_eq!(
        second[0].message.as_deref(),
        Some("the specification is invalid: spec: wrong")
    );
}

fn own_schema(part: &str) -> Value {
    definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][part].clone()
}

/// Follows a reference of upstream's schema.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let schema = match schema.get("anyOf").and_then(Value::as_array) {
        Some(either) => &either[0],
        None => schema,
    };
    match schema["$ref"].as_str() {
        Some(path) => root.pointer(path.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

fn type_of(schema: &Value) -> String {
    match &schema["type"] {
        Value::Array(types) => types[0].as_str().unwrap().to_owned(),
        kind => kind.as_str().unwrap_or_default().to_owned(),
    }
}

/// Where ours lacks a field of upstream's, or has it as another type.
fn lacking(root: &Value, theirs: &Value, ours: &Value, path: &str, found: &mut Vec<String>) {
    let theirs = resolved(root, theirs);
    // Upstream's quantities have no one type either.
    let own_type = type_of(ours);
    if own_type != type_of(theirs) {
        found.push(format!("{path}: {own_type}, not {}", type_of(theirs)));
    }
    for (name, schema) in theirs["properties"].as_object().into_iter().flatten() {
        match ours["properties"].get(name) {
            Some(own) => lacking(root, schema, own, &format!("{path}.{name}"), found),
            None => found.push(format!("{path}.{name}: not there")),
        }
    }
    for below in ["items", "additionalProperties"] {
        if theirs[below].is_object() {
            lacking(
                root,
                &theirs[below],
                &ours[below],
                &format!("{path}[]"),
                found,
            );
        }
    }
}

#[test]
fn every_field_of_upstream_is_there_as_the_same_type() {
    let spec = schemars::schema_for!(HorizontalPodAutoscalerSpec).to_value();
    let status = schemars::schema_for!(HorizontalPodAutoscalerStatus).to_value();
    let mut found = Vec::new();
    lacking(&spec, &spec, &own_schema("spec"), "spec", &mut found);
    lacking(
        &status,
        &status,
        &own_schema("status"),
        "status",
        &mut found,
    );
    assert_eq!(found, [""; 0]);
}

/// All that rules say, and all words that fields may be.
fn said(schema: &Value, messages: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            let rules = schema["x-kubernetes-validations"].as_array();
            for rule in rules.into_iter().flatten() {
                messages.insert(rule["message"].as_str().unwrap().to_owned());
            }
            if let Some(words) = schema["enum"].as_array() {
                let mut words: Vec<String> = words.iter().map(Value::to_string).collect();
                words.sort();
                messages.insert(format!("supported values: {}", words.join(", ")));
            }
            fields.values().for_each(|below| said(below, messages));
        }
        Value::Array(items) => items.iter().for_each(|below| said(below, messages)),
        _ => {}
    }
}

#[test]
fn what_upstream_was_recorded_to_say_ours_says_too() {
    let mut messages = BTreeSet::new();
    said(&own_schema("spec"), &mut messages);
    let mut other = BTreeSet::new();
    let mut same = 0;
    for case in lines(include_str!("../autoscaling/recorded/cases.jsonl")) {
        let causes = case["status"]["details"]["causes"].as_array();
        for cause in causes.into_iter().flatten() {
            let message = cause["message"].as_str().unwrap();
            if cause["field"].as_str().unwrap().starts_with("metadata") {
                continue;
            }
            if messages
                .iter()
                .any(|known| message.ends_with(known.as_str()))
            {
                same += 1;
            } else {
                let text = message.split_once(": ").map_or(message, |(_, rest)| rest);
                other.insert(text.chars().take(110).collect::<String>());
            }
        }
    }
    assert!(same > 200, "{same}");
    // Computed with the value in it, said otherwise, or left to the controller: see docs/own-kind.md.
    let other: Vec<String> = other.into_iter().collect();
    expect![[r#"
        "-bad/name": prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-
        ".": may not be '.'
        "..": may not be '..'
        "a//b": unexpected GroupVersion string: a//b
        "a/b/c": unexpected GroupVersion string: a/b/c
        "apps/v1/extra": unexpected GroupVersion string: apps/v1/extra
        "foo bar": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an 
        "foo": must be a standard resource type or fully qualified
        "x/y/z": unexpected GroupVersion string: x/y/z
        Required value
        must specify a metric source type"#]].assert_eq(&other.join("\n"));
}

#[test]
fn every_rule_has_a_message_and_every_text_and_list_under_a_rule_a_limit() {
    fn check(schema: &Value, path: &str, found: &mut Vec<String>) {
        let rules = schema["x-kubernetes-validations"].as_array();
        let ruled = rules.is_some_and(|rules| !rules.is_empty());
        let kind = schema["type"].as_str().unwrap_or("string");
        if ruled && kind == "string" && schema.get("maxLength").is_none() {
            found.push(format!("{path}: no maxLength"));
        }
        let inner = serde_json::to_string(&schema["items"]).unwrap();
        let below = inner.contains("x-kubernetes-validations");
        if kind == "array" && (ruled || below) && schema.get("maxItems").is_none() {
            found.push(format!("{path}: no maxItems"));
        }
        for (name, below) in schema["properties"].as_object().into_iter().flatten() {
            check(below, &format!("{path}.{name}"), found);
        }
        if schema["items"].is_object() {
            check(&schema["items"], &format!("{path}[]"), found);
        }
    }
    let mut found = Vec::new();
    check(&own_schema("spec"), "spec", &mut found);
    check(&own_schema("status"), "status", &mut found);
    assert_eq!(found, [""; 0]);
}

#[test]
fn defaults_of_the_schema_are_upstreams() {
    let metrics = own_schema("spec")["properties"]["metrics"]["default"].clone();
    let mut plain = json!({"spec": {"behavior": {}}});
    default_v2(&mut plain);
    assert_eq!(plain["spec"]["metrics"], metrics);
    for rules in ["scaleUp", "scaleDown"] {
        let own = &own_schema("spec")["properties"]["behavior"]["properties"][rules]["properties"];
        let mut defaults = serde_json::Map::new();
        for (name, schema) in own.as_object().unwrap() {
            if let Some(default) = schema.get("default") {
                defaults.insert(name.clone(), default.clone());
            }
        }
        assert_eq!(
            plain["spec"]["behavior"][rules],
            Value::Object(defaults),
            "{rules}"
        );
    }
}
