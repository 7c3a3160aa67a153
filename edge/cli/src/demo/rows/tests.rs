//! Rows print as kubectl prints them.

use super::Printer;
use serde_json::{Value, json};

fn table(targets: &str, replicas: i32, age: &str) -> Value {
    json!({
        "columnDefinitions": [
            {"name": "Name"}, {"name": "Reference"}, {"name": "Targets"}, {"name": "MinPods"},
            {"name": "MaxPods"}, {"name": "Replicas"}, {"name": "Age"}, {"name": "Wide", "priority": 1},
        ],
        "rows": [{"cells": ["backend-app", "Deployment/backend-app", targets, "2", 5, replicas, age, "x"]}],
    })
}

#[test]
fn a_header_then_rows_in_kubectls_columns() {
    let mut printer = Printer::default();
    let lines = printer.lines(&table("cpu: <unknown>/50%", 0, "1s"));
    assert_eq!(
        lines,
        [
            "NAME          REFERENCE                TARGETS              MINPODS   MAXPODS   REPLICAS   AGE",
            "backend-app   Deployment/backend-app   cpu: <unknown>/50%   2         5         0          1s",
        ]
    );
}

#[test]
fn a_row_is_printed_when_more_than_its_age_changed() {
    let mut printer = Printer::default();
    printer.lines(&table("cpu: 2%/50%", 2, "1s"));
    assert!(printer.lines(&table("cpu: 2%/50%", 2, "9s")).is_empty());
    assert_eq!(printer.lines(&table("cpu: 67%/50%", 2, "12s")).len(), 1);
}

#[test]
fn what_is_not_a_table_prints_nothing() {
    assert!(
        Printer::default()
            .lines(&json!({"kind": "Status"}))
            .is_empty()
    );
}
