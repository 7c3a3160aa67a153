//! What the real API server answered, and round trips.

use super::{annotation, default_v1, default_v2, v1_to_v2, v2_to_v1, validate, validate_update};
use expect_test::expect;
use serde_json::{Value, json};

fn lines(text: &str) -> impl Iterator<Item = Value> + '_ {
    text.lines().map(|line| serde_json::from_str(line).unwrap())
}

/// As the API server takes an object in: defaulted in its own version, then as version 2.
fn admitted(mut manifest: Value) -> Value {
    if manifest["apiVersion"] == "autoscaling/v1" {
        default_v1(&mut manifest);
        return v1_to_v2(manifest).unwrap();
    }
    default_v2(&mut manifest);
    manifest
}

#[test]
fn refuses_as_recorded_from_the_api_server() {
    for case in lines(include_str!("recorded/cases.jsonl")) {
        let recorded: Vec<(String, String)> = case["status"]["details"]["causes"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|c| {
                (
                    c["field"].as_str().unwrap().to_owned(),
                    c["message"].as_str().unwrap().to_owned(),
                )
            })
            // Metadata's rules are not autoscaling's.
            .filter(|(field, _)| !field.starts_with("metadata"))
            .collect();
        let ours: Vec<(String, String)> = validate(&admitted(case["manifest"].clone()), false)
            .into_iter()
            .map(|e| (e.field.clone(), e.body()))
            .collect();
        assert_eq!(ours, recorded, "{}", case["manifest"]);
    }
}

#[test]
fn defaults_as_recorded_from_the_api_server() {
    for case in lines(include_str!("recorded/defaulted.jsonl")) {
        let version_1 = case["manifest"]["apiVersion"] == "autoscaling/v1";
        let mut ours = admitted(case["manifest"].clone());
        if version_1 {
            default_v2(&mut ours);
            ours = v2_to_v1(ours).unwrap();
        }
        drop_empty_values(&mut ours);
        assert_eq!(ours, case["result"], "{}", case["manifest"]);
    }
}

/// Upstream's encoder leaves out empty lists (`omitempty`); that is not defaulting.
fn drop_empty_values(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(drop_empty_values),
        Value::Object(map) => {
            map.retain(|key, v| {
                key != "values" || v.as_array().is_none_or(|list| !list.is_empty())
            });
            map.values_mut().for_each(drop_empty_values);
        }
        _ => {}
    }
}

fn full() -> Value {
    json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop", "annotations": {"mine": "kept"}},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 2, "maxReplicas": 9,
            "metrics": [
                {"type": "Pods", "pods": {"metric": {"name": "qps", "selector": {"matchLabels": {"Type": "a<b"}}},
                    "target": {"type": "AverageValue", "averageValue": "10"}}},
                {"type": "Object", "object": {"describedObject": {"kind": "Ingress", "name": "front",
                    "apiVersion": "networking.k8s.io/v1"}, "metric": {"name": "rps"},
                    "target": {"type": "AverageValue", "averageValue": "2k"}}},
                {"type": "External", "external": {"metric": {"name": "queue"}, "target": {"type": "Value", "value": "5"}}},
                {"type": "ContainerResource", "containerResource": {"name": "memory", "container": "app",
                    "target": {"type": "AverageValue", "averageValue": "64Mi"}}},
                {"type": "Resource", "resource": {"name": "cpu",
                    "target": {"type": "Utilization", "averageUtilization": 50}}}],
            "behavior": {
                "scaleUp": {"stabilizationWindowSeconds": 0, "selectPolicy": "Max",
                    "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}], "tolerance": "50m"},
                "scaleDown": {"selectPolicy": "Disabled",
                    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}}},
        "status": {
            "currentReplicas": 2, "desiredReplicas": 3, "lastScaleTime": "2026-01-01T12:00:00Z",
            "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu",
                "current": {"averageUtilization": 81, "averageValue": "81m"}}}],
            "conditions": [{"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale",
                "lastTransitionTime": "2026-01-01T11:00:00Z", "message": "recommended size matches current size"}]}
    })
}

#[test]
fn version_1_carries_in_annotations_what_it_has_no_field_for() {
    let old = v2_to_v1(full()).unwrap();
    let notes = &old["metadata"]["annotations"];
    let mut text = String::new();
    for name in [
        annotation::METRICS,
        annotation::CURRENT_METRICS,
        annotation::CONDITIONS,
        annotation::BEHAVIOR,
    ] {
        text.push_str(notes[name].as_str().unwrap());
        text.push('\n');
    }
    expect![[r#"
        [{"type":"Pods","pods":{"metricName":"qps","targetAverageValue":"10","selector":{"matchLabels":{"Type":"a\u003cb"}}}},{"type":"Object","object":{"target":{"kind":"Ingress","name":"front","apiVersion":"networking.k8s.io/v1"},"metricName":"rps","targetValue":"0","averageValue":"2k"}},{"type":"External","external":{"metricName":"queue","targetValue":"5"}},{"type":"ContainerResource","containerResource":{"name":"memory","targetAverageValue":"64Mi","container":"app"}}]
        [{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":81,"currentAverageValue":"81m"}}]
        [{"type":"AbleToScale","status":"True","lastTransitionTime":"2026-01-01T11:00:00Z","reason":"ReadyForNewScale","message":"recommended size matches current size"}]
        {"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15}],"Tolerance":"50m"},"ScaleDown":{"StabilizationWindowSeconds":null,"SelectPolicy":"Disabled","Policies":[{"Type":"Percent","Value":100,"PeriodSeconds":15}],"Tolerance":null}}
    "#]].assert_eq(&text);
    assert_eq!(old["spec"]["targetCPUUtilizationPercentage"], 50);
    assert_eq!(old["status"]["currentCPUUtilizationPercentage"], 81);
    assert_eq!(notes["mine"], "kept");
}

#[test]
fn version_2_survives_the_way_through_version_1() {
    assert_eq!(v1_to_v2(v2_to_v1(full()).unwrap()).unwrap(), full());
}

#[test]
fn annotations_that_are_nonsense_are_dropped() {
    let mut old = v2_to_v1(full()).unwrap();
    for name in [
        annotation::METRICS,
        annotation::CURRENT_METRICS,
        annotation::CONDITIONS,
    ] {
        old["metadata"]["annotations"][name] = "{".into();
    }
    old["metadata"]["annotations"][annotation::BEHAVIOR] = "null".into();
    let new = v1_to_v2(old).unwrap();
    assert_eq!(new["spec"]["metrics"].as_array().unwrap().len(), 1);
    assert_eq!(new["spec"].get("behavior"), None);
    assert_eq!(new["metadata"]["annotations"], json!({"mine": "kept"}));
}

#[test]
fn keys_in_annotations_may_be_written_in_any_case() {
    let mut old = v2_to_v1(full()).unwrap();
    old["metadata"]["annotations"][annotation::BEHAVIOR] =
        r#"{"scaleup":{"SELECTPOLICY":"Min","policies":[{"type":"Pods","value":1,"periodseconds":60}]}}"#.into();
    let new = v1_to_v2(old).unwrap();
    assert_eq!(new["spec"]["behavior"]["scaleUp"]["selectPolicy"], "Min");
    assert_eq!(
        new["spec"]["behavior"]["scaleUp"]["policies"][0]["periodSeconds"],
        60
    );
}

#[test]
fn an_update_may_keep_what_would_be_refused_anew() {
    let mut old = full();
    old["spec"]["scaleTargetRef"]["apiVersion"] = "v1".into();
    old["spec"]["minReplicas"] = 0.into();
    assert_eq!(validate_update(&old, &old, false), vec![]);
    assert_eq!(validate(&old, false).len(), 2);
}
