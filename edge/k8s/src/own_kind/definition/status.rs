//! The status: autoscaling/v2's, and what an object of ours has no other place for.
//!
//! Upstream keeps nothing in annotations that a status may hold; ours is written through `/status`, which of custom
//! resources changes nothing else.

use super::super::schema::Schema;
use super::metric::identifier_of;

pub(super) fn schema() -> Schema {
    Schema::object(
        "What the controller found and decided.",
        [
            (
                "observedGeneration",
                Schema::int64("The generation that was looked at."),
            ),
            (
                "lastScaleTime",
                Schema::time("When the number of replicas was changed."),
            ),
            ("currentReplicas", Schema::int32("Replicas that there are.")),
            (
                "desiredReplicas",
                Schema::int32("Replicas that are wanted."),
            ),
            (
                "currentMetrics",
                Schema::list(
                    "What the metrics are, in the order of spec.metrics.",
                    metric(),
                ),
            ),
            (
                "conditions",
                Schema::list("Whether it can scale, does, and is limited.", condition())
                    .with("x-kubernetes-list-type", "map")
                    .with("x-kubernetes-list-map-keys", vec!["type"]),
            ),
            ("reference", Schema::text("The target, as kind/name.")),
            (
                "targets",
                Schema::text("The metrics and their targets, as `kubectl get hpa` shows them."),
            ),
            (
                "history",
                Schema::text(
                    "What the controller remembers, as the annotation evenkeel.dev/history has it.",
                )
                .with("maxLength", crate::autoscaling::history::BYTES_MAX),
            ),
            (
                "handover",
                Schema::text(
                    "The annotation evenkeel.dev/handover, as it was when it was looked at.",
                ),
            ),
        ],
    )
}

fn condition() -> Schema {
    Schema::object(
        "One thing that holds, or does not.",
        [
            ("type", Schema::text("What it is about.")),
            ("status", Schema::text("True, False or Unknown.")),
            ("lastTransitionTime", Schema::time("Since when.")),
            ("reason", Schema::text("Why, in one word.")),
            ("message", Schema::text("Why, in a sentence.")),
        ],
    )
    .required(&["type", "status"])
}

fn metric() -> Schema {
    let name = || Schema::text("The name.");
    let identifier = || identifier_of(Schema::text("The metric's name."));
    Schema::object(
        "One metric; one that could not be read has no type.",
        [
            ("type", Schema::text("Where it comes from.")),
            (
                "object",
                Schema::object(
                    "A figure of another object.",
                    [
                        ("describedObject", described()),
                        ("metric", identifier()),
                        ("current", current()),
                    ],
                ),
            ),
            (
                "external",
                Schema::object(
                    "A figure from outside of the cluster.",
                    [("metric", identifier()), ("current", current())],
                ),
            ),
            (
                "pods",
                Schema::object(
                    "A figure that each pod has.",
                    [("metric", identifier()), ("current", current())],
                ),
            ),
            (
                "resource",
                Schema::object(
                    "What pods use of a resource.",
                    [("name", name()), ("current", current())],
                ),
            ),
            (
                "containerResource",
                Schema::object(
                    "What one container of each pod uses of a resource.",
                    [
                        ("name", name()),
                        ("container", name()),
                        ("current", current()),
                    ],
                ),
            ),
        ],
    )
}

fn described() -> Schema {
    Schema::object(
        "The object it is about.",
        [
            ("apiVersion", Schema::text("Its group and version.")),
            ("kind", Schema::text("Its kind.")),
            ("name", Schema::text("Its name.")),
        ],
    )
}

fn current() -> Schema {
    Schema::object(
        "What it is.",
        [
            ("value", Schema::quantity("The figure itself.")),
            ("averageValue", Schema::quantity("The figure for each pod.")),
            (
                "averageUtilization",
                Schema::int32("Percent of what pods request."),
            ),
        ],
    )
}
