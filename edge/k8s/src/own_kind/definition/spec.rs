//! The specification: autoscaling/v2's, and the options.

use super::super::schema::{Reason, Rule, Schema};
use super::{behavior, metric, options};

pub(super) fn schema() -> Schema {
    let upstream = Schema::object(
        "What is scaled, between which bounds, and by what.",
        [
            ("scaleTargetRef", target()),
            ("minReplicas", min_replicas()),
            ("maxReplicas", max_replicas()),
            ("metrics", metric::schema()),
            ("behavior", behavior::schema()),
        ],
    );
    let zero = "!has(self.minReplicas) || self.minReplicas != 0 || \
        (has(self.metrics) && self.metrics.exists(m, m.type == 'Object' || m.type == 'External'))";
    options::add(upstream)
        .required(&["scaleTargetRef", "maxReplicas"])
        .rule(
            Rule::new(
                "!has(self.minReplicas) || self.maxReplicas >= self.minReplicas",
                "must be greater than or equal to `minReplicas`",
            )
            .about(".maxReplicas"),
        )
        .rule(
            Rule::new(
                zero,
                "must specify at least one Object or External metric to support scaling to zero replicas",
            )
            .about(".metrics")
            .because(Reason::Forbidden),
        )
}

fn min_replicas() -> Schema {
    Schema::int32("The fewest replicas; 0 needs the controller's feature gate HPAScaleToZero.")
        .or(1)
        .rule(Rule::new("self >= 0", "must be greater than or equal to 0"))
}

fn max_replicas() -> Schema {
    Schema::int32("The most replicas.")
        .rule(Rule::new("self != 0", "must be set and greater than 0").because(Reason::Required))
        .rule(Rule::new("self >= 0", "must be greater than or equal to 1"))
}

fn target() -> Schema {
    let group = "self.kind == 'ReplicationController' || \
        (has(self.apiVersion) && self.apiVersion.matches('^[^/]+/|/.*/'))";
    reference("What is scaled: anything with a scale subresource.")
        .rule(Rule::new(group, "apiVersion must specify API group").about(".apiVersion"))
}

/// Upstream: ValidateCrossVersionObjectReference.
pub(super) fn reference(description: &str) -> Schema {
    let segment = |description: &str| {
        Schema::name(description)
            .not_empty("must not be empty")
            .path_segment()
    };
    let version = Schema::name("Its group and version.").rule(Rule::computed(
        "self.matches('^[^/]*(/[^/]*)?$')",
        "'unexpected GroupVersion string: ' + self",
        "unexpected GroupVersion string",
    ));
    Schema::object(
        description,
        [
            ("apiVersion", version),
            ("kind", segment("Its kind.")),
            ("name", segment("Its name.")),
        ],
    )
    .required(&["kind", "name"])
}
