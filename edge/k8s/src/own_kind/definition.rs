//! The CustomResourceDefinition: the schema of autoscaling/v2 as far as a definition can have it, upstream's
//! validation as rules in CEL, and columns as `kubectl get hpa` has them.
//!
//! What is a rule here says what upstream says; what upstream leaves to its decoder (types, required fields, words
//! from a list) is plain OpenAPI. Differs from upstream: lists and texts have limits, quantities with a fraction are
//! texts, and `minReplicas: 0` is let in, because only the controller knows its feature gates.
//! Upstream: pkg/apis/autoscaling/validation/validation.go (v1.36).

mod behavior;
mod metric;
mod options;
mod spec;
mod status;

use super::schema::Schema;
use super::{GROUP, KIND, PLURAL, SHORT, VERSION};
use serde_json::{Value, json};

/// The definition, as `kubectl apply` takes it.
pub fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{PLURAL}.{GROUP}"),
            "labels": {"app.kubernetes.io/part-of": "evenkeel"},
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": format!("{KIND}List"),
                "plural": PLURAL,
                "singular": "horizontalpodautoscaler",
                "shortNames": [SHORT],
                "categories": ["all"],
            },
            "versions": [{
                "name": VERSION,
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": root().finished()},
                "subresources": {
                    "status": {},
                    "scale": {
                        "specReplicasPath": ".spec.minReplicas",
                        "statusReplicasPath": ".status.currentReplicas",
                    },
                },
                "additionalPrinterColumns": columns(),
            }],
        },
    })
}

/// Paths cannot put texts together, so the controller writes what two of the columns show into the status.
fn columns() -> Value {
    let column =
        |name: &str, kind: &str, path: &str| json!({"name": name, "type": kind, "jsonPath": path});
    let mut state = column(
        "State",
        "string",
        r#".status.conditions[?(@.type=="AbleToScale")].reason"#,
    );
    state["priority"] = 1.into();
    json!([
        column("Reference", "string", ".status.reference"),
        column("Targets", "string", ".status.targets"),
        column("MinPods", "integer", ".spec.minReplicas"),
        column("MaxPods", "integer", ".spec.maxReplicas"),
        column("Replicas", "integer", ".status.currentReplicas"),
        column("Age", "date", ".metadata.creationTimestamp"),
        state,
    ])
}

fn root() -> Schema {
    Schema::object(
        "Scales a workload by what its pods use, as autoscaling/v2 does, with options of its own.",
        [
            ("apiVersion", Schema::text("The version of this object.")),
            ("kind", Schema::text("The kind of this object.")),
            ("metadata", Schema::any_object()),
            ("spec", spec::schema()),
            ("status", status::schema()),
        ],
    )
    .required(&["spec"])
}
