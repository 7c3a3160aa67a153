//! Scaling rules and policies, with the defaults that upstream gives once there is a `behavior`.
//!
//! Upstream: SetDefaults_HorizontalPodAutoscalerBehavior; validateBehavior and what it calls.

use super::super::schema::{Reason, Rule, Schema, quantity_rule};
use serde_json::{Value, json};

pub(super) fn schema() -> Schema {
    let up = json!([
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ]);
    let down = json!([{"type": "Percent", "value": 100, "periodSeconds": 15}]);
    let up = rules("How it scales up.", window().or(0), up);
    // No window for scaling down: it comes from the controller's flag.
    let down = rules("How it scales down.", window(), down);
    Schema::object(
        "How fast it may scale, and how long it waits.",
        [("scaleUp", up), ("scaleDown", down)],
    )
}

fn window() -> Schema {
    Schema::int32("How long back recommendations count.")
        .rule(Rule::new(
            "self >= 0",
            "must be greater than or equal to zero",
        ))
        .rule(Rule::new(
            "self <= 3600",
            "must be less than or equal to 3600",
        ))
}

fn rules(description: &str, window: Schema, policies: Value) -> Schema {
    let some = Rule::new("self.size() > 0", "must specify at least one Policy");
    let tolerance = Schema::quantity("The smallest change of the ratio that is acted on.");
    Schema::object(
        description,
        [
            ("stabilizationWindowSeconds", window),
            (
                "selectPolicy",
                Schema::text("Which policy counts.")
                    .one_of(&["Max", "Min", "Disabled"])
                    .or("Max"),
            ),
            (
                "policies",
                Schema::short_list("What may change in which time.", policy())
                    .or(policies)
                    .rule(some.because(Reason::Required)),
            ),
            (
                "tolerance",
                tolerance.rule(quantity_rule(
                    ">= 0",
                    ">= 0",
                    "must be greater than or equal to 0",
                )),
            ),
        ],
    )
    .or(json!({}))
}

fn policy() -> Schema {
    let positive = |description| {
        Schema::int32(description).rule(Rule::new("self > 0", "must be greater than zero"))
    };
    Schema::object(
        "How much may change in a period.",
        [
            (
                "type",
                Schema::text("What is counted.").one_of(&["Pods", "Percent"]),
            ),
            ("value", positive("How many, or how many percent.")),
            (
                "periodSeconds",
                positive("The period.").rule(Rule::new(
                    "self <= 1800",
                    "must be less than or equal to 1800",
                )),
            ),
        ],
    )
    .required(&["type", "value", "periodSeconds"])
}
