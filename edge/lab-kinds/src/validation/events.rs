//! Events, in both of their groups. Upstream: pkg/apis/core/validation/events.go.

use super::check::Check;
use crate::json::{at, has, int, text};
use k8s::names::label_key_problems;
use serde_json::Value;

const NOT_THE_SAME: &str = "does not match event.namespace";

/// The most characters that a field may have.
const LIMITS: [(&str, usize); 3] = [("reportingInstance", 128), ("action", 128), ("reason", 128)];
const NOTE_LIMIT: usize = 1024;

/// What the names of some fields are in the group of the request.
struct Names {
    object: &'static str,
    controller: &'static str,
    note: &'static str,
}

pub(super) fn event(check: &mut Check, group: &str, event: &Value, is_new: bool) {
    let new_style = group == "events.k8s.io";
    let names = if new_style {
        Names {
            object: "regarding",
            controller: "reportingController",
            note: "note",
        }
    } else {
        Names {
            object: "involvedObject",
            controller: "reportingComponent",
            note: "message",
        }
    };
    about(check, event, &names);
    if has(event, "eventTime") {
        timed(check, event, &names);
    }
    if new_style && is_new {
        strict(check, event);
    }
}

/// The object is of the event's namespace, or of none.
fn about(check: &mut Check, event: &Value, names: &Names) {
    let (namespace, of) = (text(event, "metadata.namespace"), at(event, names.object));
    let agrees = match (text(of, "namespace"), has(event, "eventTime")) {
        ("", true) => matches!(namespace, "default" | "kube-system"),
        ("", false) => matches!(namespace, "" | "default"),
        (_, true) => true,
        (other, false) => other == namespace,
    };
    if !agrees {
        check.invalid_text(
            "involvedObject.namespace",
            text(of, "namespace"),
            NOT_THE_SAME,
        );
    }
}

fn timed(check: &mut Check, event: &Value, names: &Names) {
    let controller = text(event, names.controller);
    if controller.is_empty() {
        check.required(names.controller, "");
    }
    check.sentences(names.controller, controller, label_key_problems(controller));
    for (key, limit) in LIMITS {
        let length = text(event, key).len();
        if length == 0 {
            check.required(key, "");
        } else if length > limit {
            check.invalid_text(key, "", format!("can have at most {limit} characters"));
        }
    }
    if text(event, names.note).len() > NOTE_LIMIT {
        check.invalid_text(
            "message",
            "",
            format!("can have at most {NOTE_LIMIT} characters"),
        );
    }
}

/// What the newer group asks for besides.
fn strict(check: &mut Check, event: &Value) {
    if !has(event, "eventTime") {
        check.required("eventTime", "");
    }
    let kind = text(event, "type");
    if !matches!(kind, "Normal" | "Warning") {
        check.invalid_text("type", "", format!("has invalid value: {kind}"));
    }
    let source = at(event, "deprecatedSource");
    let sourced = !text(source, "component").is_empty() || !text(source, "host").is_empty();
    for (field, set) in [
        ("firstTimestamp", has(event, "deprecatedFirstTimestamp")),
        ("lastTimestamp", has(event, "deprecatedLastTimestamp")),
        (
            "count",
            int(event, "deprecatedCount").is_some_and(|count| count != 0),
        ),
        ("source", sourced),
    ] {
        if set {
            check.invalid_text(field, "", "needs to be unset");
        }
    }
}
