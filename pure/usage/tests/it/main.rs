//! The store gives what metrics-server's own storage gave for 425 recorded sequences of scrapes.

#![expect(
    clippy::unwrap_used,
    reason = "a recording that is not as recorded fails the test"
)]

use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};
use std::io::{BufRead, BufReader};
use units::{Duration, Format, Quantity};
use usage::{PodUsage, Store, Usage, rate::NEVER, scrape};

const CASES: &[u8] = include_bytes!("usage.jsonl.gz");

fn texts<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    value[key]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect()
}

/// RFC 3339 as Go prints it; nothing for no time. The recording never leaves one day.
fn time(nanos: i64) -> String {
    const DAY: i64 = 1_767_225_600;
    if nanos == NEVER {
        return String::new();
    }
    let (seconds, fraction) = (nanos / 1_000_000_000 - DAY, nanos % 1_000_000_000);
    assert!((0..86_400).contains(&seconds), "not on 2026-01-01: {nanos}");
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = format!(".{fraction:09}");
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("2026-01-01T{hours:02}:{minutes:02}:{seconds:02}{fraction}Z")
}

fn quantities(usage: &Usage) -> Value {
    let cpu = Quantity::from_nano(usage.cpu_nanocores as i64, Format::DecimalSi);
    let memory = Quantity::from_whole(usage.memory_bytes as i64, Format::BinarySi);
    json!({"cpu": cpu.to_string(), "memory": memory.to_string()})
}

fn served_node(name: &str, usage: &Usage) -> Value {
    json!({
        "name": name, "timestamp": time(usage.at), "usage": quantities(usage),
        "window": Duration::from_nanos(usage.window).to_string(),
    })
}

fn served_pod(namespace: &str, name: &str, pod: &PodUsage<'_>) -> Value {
    let containers: Map<String, Value> = pod
        .containers
        .iter()
        .map(|(name, usage)| ((*name).to_owned(), quantities(usage)))
        .collect();
    let mut served = json!({
        "namespace": namespace, "name": name, "timestamp": time(pod.at),
        "window": Duration::from_nanos(pod.window).to_string(),
    });
    // The recording leaves an empty list and a zero time out.
    if !containers.is_empty() {
        served["containers"] = containers.into();
    }
    served
}

/// Feeds one batch; gives the nodes whose text was refused.
fn tick(store: &mut Store, batch: &Value) -> Vec<String> {
    let at = batch["atMillis"].as_i64().unwrap();
    let mut refused = Vec::new();
    store.begin();
    for (node, text) in batch["nodes"].as_object().unwrap() {
        match scrape::read(text.as_str().unwrap(), at) {
            Ok(read) => drop(store.take(node, &read)),
            Err(_) => refused.push(node.clone()),
        }
    }
    store.end();
    refused
}

fn check(case: &Value) -> Result<(), String> {
    let resolution = Duration::from_seconds(case["resolutionSeconds"].as_i64().unwrap());
    let mut store = Store::new(resolution);
    let batches = case["batches"].as_array().unwrap().iter();
    for (index, (batch, expect)) in batches.zip(case["expect"].as_array().unwrap()).enumerate() {
        let refused = tick(&mut store, batch);
        let errors = expect.get("errors").and_then(Value::as_object);
        let expected: Vec<String> = errors.into_iter().flat_map(Map::keys).cloned().collect();
        if refused != expected {
            return Err(format!(
                "batch {index}: refused {refused:?}, upstream {expected:?}"
            ));
        }
        let mut nodes = Vec::new();
        for name in texts(case, "nodes") {
            nodes.extend(store.node(name).map(|usage| served_node(name, &usage)));
        }
        let mut pods = Vec::new();
        for pair in case["pods"].as_array().unwrap() {
            let (namespace, name) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
            pods.extend(
                store
                    .pod(namespace, name)
                    .map(|pod| served_pod(namespace, name, &pod)),
            );
        }
        let ours = json!({"nodes": nodes, "pods": pods});
        let theirs = json!({"nodes": expect["nodes"], "pods": expect["pods"]});
        if ours != theirs {
            return Err(format!(
                "batch {index}:\n  ours   {ours}\n  theirs {theirs}"
            ));
        }
    }
    Ok(())
}

#[test]
fn the_store_serves_what_upstream_serves_for_every_recorded_sequence() {
    let mut failures = Vec::new();
    let mut count = 0;
    for line in BufReader::new(GzDecoder::new(CASES)).lines() {
        let case: Value = serde_json::from_str(&line.unwrap()).unwrap();
        count += 1;
        if let Err(why) = check(&case) {
            failures.push(format!("{}: {why}", case["name"]));
        }
    }
    assert_eq!(count, 425);
    let shown: Vec<&str> = failures.iter().take(3).map(String::as_str).collect();
    assert!(
        failures.is_empty(),
        "{} of {count} differ:\n{}",
        failures.len(),
        shown.join("\n")
    );
}
