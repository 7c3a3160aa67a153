//! Metrics and their targets.
//!
//! Upstream: validateMetricSpec and what it calls.

use super::super::schema::{Reason, Rule, Schema, quantity_rule};
use super::spec::reference;
use serde_json::json;

/// Each type with the field that says more.
const SOURCES: [(&str, &str); 5] = [
    ("Object", "object"),
    ("External", "external"),
    ("Pods", "pods"),
    ("Resource", "resource"),
    ("ContainerResource", "containerResource"),
];

pub(super) fn schema() -> Schema {
    let cpu = json!([{"type": "Resource", "resource": {"name": "cpu", "target":
        {"type": "Utilization", "averageUtilization": 80}}}]);
    Schema::short_list(
        "What is measured and what it should be; the most that one of them asks for counts.",
        metric(),
    )
    .or(cpu)
}

fn metric() -> Schema {
    let types = SOURCES.map(|(kind, _)| kind);
    Schema::object(
        "One metric: its type, and the field of that name.",
        [
            ("type", Schema::text("Where it comes from.").one_of(&types)),
            ("object", object()),
            ("external", external()),
            ("pods", pods()),
            ("resource", resource()),
            ("containerResource", container_resource()),
        ],
    )
    .required(&["type"])
    .rules(SOURCES.map(|(kind, field)| {
        Rule::new(
            &format!("self.type != '{kind}' || has(self.{field})"),
            "must populate information for the given metric source",
        )
        .about(&format!(".{field}"))
        .because(Reason::Required)
    }))
    .rules(SOURCES.map(|(kind, field)| {
        let there = SOURCES
            .map(|(_, other)| format!("has(self.{other})"))
            .join(", ");
        Rule::new(
            &format!(
                "!has(self.{field}) || self.type == '{kind}' || [{there}].filter(x, x).size() == 1"
            ),
            "must populate the given metric source only",
        )
        .about(&format!(".{field}"))
        .because(Reason::Forbidden)
    }))
}

fn object() -> Schema {
    let any = Rule::new(
        "has(self.target.value) || has(self.target.averageValue)",
        "must set either a target value or averageValue",
    );
    Schema::object(
        "A figure of another object.",
        [
            ("describedObject", reference("The object it is about.")),
            ("metric", identifier()),
            ("target", target()),
        ],
    )
    .required(&["describedObject", "metric", "target"])
    .rule(any.about(".target.averageValue").because(Reason::Required))
}

fn external() -> Schema {
    let any = Rule::new(
        "has(self.target.value) || has(self.target.averageValue)",
        "must set either a target value for metric or a per-pod target",
    );
    let both = Rule::new(
        "!has(self.target.value) || !has(self.target.averageValue)",
        "may not set both a target value for metric and a per-pod target",
    );
    Schema::object(
        "A figure from outside of the cluster.",
        [("metric", identifier()), ("target", target())],
    )
    .required(&["metric", "target"])
    .rule(any.about(".target.averageValue").because(Reason::Required))
    .rule(both.about(".target.value").because(Reason::Forbidden))
}

fn pods() -> Schema {
    let rule = Rule::new(
        "has(self.target.averageValue)",
        "must specify a positive target averageValue",
    );
    Schema::object(
        "A figure that each pod has.",
        [("metric", identifier()), ("target", target())],
    )
    .required(&["metric", "target"])
    .rule(rule.about(".target.averageValue").because(Reason::Required))
}

fn resource_rules() -> [Rule; 2] {
    [
        Rule::new(
            "has(self.target.averageUtilization) || has(self.target.averageValue)",
            "must set either a target raw value or a target utilization",
        )
        .about(".target.averageUtilization")
        .because(Reason::Required),
        Rule::new(
            "!has(self.target.averageUtilization) || !has(self.target.averageValue)",
            "may not set both a target raw value and a target utilization",
        )
        .about(".target.averageValue")
        .because(Reason::Forbidden),
    ]
}

fn resource() -> Schema {
    Schema::object(
        "What pods use of a resource.",
        [
            (
                "name",
                Schema::name("The resource: cpu or memory.")
                    .not_empty("must specify a resource name"),
            ),
            ("target", target()),
        ],
    )
    .required(&["name", "target"])
    .rules(resource_rules())
}

/// A name with a prefix is a qualified one, and no quota's. Upstream: IsExtendedResourceName, and names of kubernetes.io.
const EXTENDED: &str = "!self.contains('/') || \
    ((self.contains('kubernetes.io/') || !self.startsWith('requests.')) && self.matches(\
    '^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$'))";

fn container_resource() -> Schema {
    let standard = "self == '' || self in ['cpu', 'memory', 'ephemeral-storage'] || \
        self.startsWith('hugepages-') || self.contains('/')";
    let name = Schema::name("The resource: cpu or memory.")
        .not_empty("must specify a resource name")
        .rule(Rule::new(
            standard,
            "must be a standard resource for containers",
        ))
        .rule(Rule::new(
            EXTENDED,
            "doesn't follow extended resource name standard",
        ));
    let container = Schema::name("The container's name.")
        .not_empty("must specify a container")
        .rule(Rule::new(
            "self.size() <= 63",
            "must be no more than 63 characters",
        ))
        .rule(Rule::new(
            "self == '' || self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
            crate::autoscaling::LABEL,
        ));
    Schema::object(
        "What one container of each pod uses of a resource.",
        [
            ("name", name),
            ("container", container),
            ("target", target()),
        ],
    )
    .required(&["name", "container", "target"])
    .rules(resource_rules())
}

/// Upstream: validateMetricTarget.
fn target() -> Schema {
    let kinds = "self in ['Utilization', 'Value', 'AverageValue']";
    let positive = |description| {
        Schema::quantity(description).rule(quantity_rule("> 0", "== 1", "must be positive"))
    };
    Schema::object(
        "What it should be.",
        [
            (
                "type",
                Schema::name("Utilization, Value or AverageValue.")
                    .not_empty("must specify a metric target type")
                    .rule(Rule::new(
                        kinds,
                        "must be either Utilization, Value, or AverageValue",
                    )),
            ),
            ("value", positive("The figure itself.")),
            ("averageValue", positive("The figure for each pod.")),
            (
                "averageUtilization",
                Schema::int32("Percent of what pods request.")
                    .rule(Rule::new("self >= 1", "must be greater than 0")),
            ),
        ],
    )
    .required(&["type"])
}

fn identifier() -> Schema {
    identifier_of(
        Schema::short_text("The metric's name.")
            .not_empty("must specify a metric name")
            .path_segment(),
    )
}

/// A metric's name and selector.
pub(super) fn identifier_of(name: Schema) -> Schema {
    let requirement = Schema::object(
        "A key and what its value must be.",
        [
            ("key", Schema::text("The label's key.")),
            (
                "operator",
                Schema::text("In, NotIn, Exists or DoesNotExist."),
            ),
            (
                "values",
                Schema::list("The values.", Schema::text("A value.")),
            ),
        ],
    )
    .required(&["key", "operator"]);
    let selector = Schema::object(
        "Which series of the metric.",
        [
            ("matchLabels", Schema::texts("Labels and their values.")),
            (
                "matchExpressions",
                Schema::list("Requirements, which all must hold.", requirement),
            ),
        ],
    )
    .with("x-kubernetes-map-type", "atomic");
    Schema::object("Which metric.", [("name", name), ("selector", selector)]).required(&["name"])
}
