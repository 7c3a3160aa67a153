//! HorizontalPodAutoscalers. Upstream: printHorizontalPodAutoscaler.

use super::{age, name, number};
use crate::json::{at, int, text};
use jiff::Timestamp;
use serde_json::Value;
use std::borrow::Cow;

pub(super) fn cells(version: &str, object: &Value, now: Timestamp) -> Vec<Value> {
    let object: Cow<'_, Value> = if version == "v1" {
        // Upstream prints the internal form, which is v2's.
        k8s::autoscaling::v1_to_v2(object.clone()).map_or(Cow::Borrowed(object), Cow::Owned)
    } else {
        Cow::Borrowed(object)
    };
    let object = object.as_ref();
    let target = at(object, "spec.scaleTargetRef");
    let minimum =
        int(object, "spec.minReplicas").map_or_else(|| "<unset>".to_owned(), |n| n.to_string());
    vec![
        name(object),
        format!("{}/{}", text(target, "kind"), text(target, "name")).into(),
        k8s::autoscaling::targets(object).into(),
        minimum.into(),
        number(object, "spec.maxReplicas"),
        number(object, "status.currentReplicas"),
        age(object, now),
    ]
}
