//! The rights that our own kind takes, as its own manifest grants them; and that of events.

use super::super::stage::{CONTROLLER, Stage, roles};
use super::{ALONE, OURS, Taken, forbidden};
use crate::own_kind::define;
use serde_json::Value;

const OWN: [&str; 3] = [ALONE[0], ALONE[1], "--serve=evenkeel.dev/v1"];
const GROUP: &str = "evenkeel.dev";

/// The workload's autoscaler becomes one of ours; from four to two and back.
pub(super) fn our_own_kind(stage: &Stage) {
    moved(stage);
    let everywhere = "at the cluster scope";
    let which = forbidden(
        CONTROLLER,
        "list",
        "horizontalpodautoscalers",
        GROUP,
        everywhere,
    );
    let said = forbidden(
        CONTROLLER,
        "update",
        "horizontalpodautoscalers/status",
        GROUP,
        "in the namespace \"default\"",
    );
    which_there_are(stage, &which);
    what_is_said(stage, &said);
    what_happened(stage);
}

fn moved(stage: &Stage) {
    let kubectl = &stage.kubectl;
    define(kubectl);
    kubectl.apply(&roles("hpa-controller/own-kind.yaml"));
    let plain = "horizontalpodautoscalers.v2.autoscaling";
    let text = kubectl.ok(&["get", plain, "web", "-o", "json"]);
    let mut object: Value = serde_json::from_str(&text).unwrap();
    object["apiVersion"] = format!("{GROUP}/v1").into();
    object["metadata"] = serde_json::json!({"name": "web"});
    object.as_object_mut().unwrap().remove("status");
    kubectl.ok(&["delete", plain, "web"]);
    kubectl.apply(&object.to_string());
}

fn which_there_are(stage: &Stage, text: &str) {
    let rights = ["list", "watch"].map(|verb| (GROUP, "horizontalpodautoscalers", verb));
    let taken = Taken::from(&stage.kubectl, CONTROLLER, &OURS, &rights);
    let controller = stage.controller("no-own-kind", &OWN);
    controller.says("cannot watch horizontal pod autoscalers");
    controller.says(text);
    let before = stage.audit.scales().len();
    stage.load(2);
    controller.says_again(text);
    assert_eq!(stage.audit.scales().len(), before, "nobody knows it");
    taken.give_back();
    stage.replicas(2);
    desires(stage, "2");
}

#[track_caller]
fn desires(stage: &Stage, replicas: &str) {
    let path = "jsonpath={.status.desiredReplicas}";
    let status = ["get", "ehpa", "web", "-o", path];
    stage.kubectl.until(&status, |desired| desired == replicas);
}

/// What is done does not wait for what is said.
fn what_is_said(stage: &Stage, text: &str) {
    let right = (GROUP, "horizontalpodautoscalers/status", "update");
    let taken = Taken::from(&stage.kubectl, CONTROLLER, &OURS, &[right]);
    let _controller = stage.controller("no-own-status", &OWN);
    stage.load(4);
    stage.replicas(4);
    stage.kubectl.until(&["get", "events"], |events| {
        let mut lines = events.lines();
        lines.any(|line| line.contains("FailedUpdateStatus") && line.contains(text))
    });
    taken.give_back();
    desires(stage, "4");
}

fn what_happened(stage: &Stage) {
    let taken = Taken::from(
        &stage.kubectl,
        CONTROLLER,
        &OURS,
        &[("", "events", "create")],
    );
    let controller = stage.controller("no-events", &OWN);
    stage.load(2);
    stage.replicas(2);
    controller.says("could not write an event");
    let inside = "in the namespace \"default\"";
    controller.says(&forbidden(CONTROLLER, "create", "events", "", inside));
    taken.give_back();
}
