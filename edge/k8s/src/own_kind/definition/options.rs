//! The options: what upstream has no word for. Each is off unless it is given.

use super::super::schema::{DURATION, Rule, Schema, quantity_rule};

/// Adds them to the fields of the specification.
pub(super) fn add(spec: Schema) -> Schema {
    spec.also([
        (
            "paused",
            Schema::boolean("Nothing is scaled; what would be is still said."),
        ),
        (
            "freeze",
            Schema::text("A direction in which nothing is scaled.").one_of(&["up", "down"]),
        ),
        (
            "dryRun",
            Schema::boolean("What would be done is said and not done."),
        ),
        (
            "syncPeriod",
            Schema::duration("How often it is looked at, at least 1s.")
                .rule(longer(">= duration('1s')", "must be at least 1s")),
        ),
        (
            "initialReadinessDelay",
            Schema::duration("How long after its start a pod's readiness may still be its first."),
        ),
        (
            "cpuInitializationPeriod",
            Schema::duration("How long after its start a pod's CPU may not count."),
        ),
        (
            "downscaleStabilization",
            Schema::duration(
                "How long the highest recommendation holds, where behavior does not say.",
            ),
        ),
        (
            "tolerance",
            Schema::quantity(
                "The smallest change of the ratio that is acted on, where behavior does not say.",
            )
            .rule(quantity_rule(
                ">= 0",
                ">= 0",
                "must be greater than or equal to 0",
            )),
        ),
        ("fallback", fallback()),
        (
            "metricMaxAge",
            Schema::duration("Figures that are older do not count.").rule(positive()),
        ),
        (
            "podSelection",
            Schema::text(
                "Which pods count: those with the labels, or of these those that the target owns.",
            )
            .one_of(&["Label", "Owner"]),
        ),
        (
            "podsWithoutRequests",
            Schema::text(
                "Whether a pod without the request makes the metric fail, or is left out.",
            )
            .one_of(&["Fail", "Ignore"]),
        ),
    ])
}

/// One field or the other.
fn fallback() -> Schema {
    let known = Schema::object(
        "What the metric last asked for counts on.",
        [(
            "maxAge",
            Schema::duration("For how long; 10m where it does not say.").rule(positive()),
        )],
    );
    let replicas = Schema::int32("So many replicas are asked for.").with("minimum", 0);
    Schema::object(
        "What counts in place of a metric that fails: exactly one of the two.",
        [("lastKnownGood", known), ("replicas", replicas)],
    )
    .with("minProperties", 1)
    .with("maxProperties", 1)
}

fn positive() -> Rule {
    longer("> duration('0s')", "must be greater than 0")
}

/// What is no duration, the pattern refuses.
fn longer(than: &str, message: &str) -> Rule {
    let rule = format!("!self.matches('{DURATION}') || duration(self) {than}");
    Rule::new(&rule.replace('\\', r"\\"), message)
}
