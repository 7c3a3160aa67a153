//! Workloads. Upstream: printDeployment, printReplicaSet, printJob, printCronJob and kin.

use super::{age, ago, containers, human, labels, moment, name, number, selector};
use crate::json::{at, has, int, items, object, text};
use crate::resources::split_api_version;
use jiff::Timestamp;
use k8s::selector::LabelSelector;
use serde_json::Value;

pub(super) fn cells(resource: &str, object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    Some(match resource {
        "deployments" => deployment(object, now),
        "replicasets" => replica_set(object, now),
        "replicationcontrollers" => replication_controller(object, now),
        "statefulsets" => stateful_set(object, now),
        "daemonsets" => daemon_set(object, now),
        "jobs" => job(object, now),
        "cronjobs" => cron_job(object, now),
        "controllerrevisions" => controller_revision(object, now),
        "podtemplates" => pod_template(object),
        _ => return None,
    })
}

fn template(object: &Value) -> [Value; 2] {
    containers(at(object, "spec.template.spec"))
}

fn ready(object: &Value) -> Value {
    let count = |path| int(object, path).unwrap_or_default();
    format!(
        "{}/{}",
        count("status.readyReplicas"),
        count("spec.replicas")
    )
    .into()
}

fn deployment(object: &Value, now: Timestamp) -> Vec<Value> {
    let selector = LabelSelector::from_object(at(object, "spec.selector"))
        .map_or_else(|_| "<invalid>".to_owned(), |selector| selector.to_string());
    let [names, images] = template(object);
    vec![
        name(object),
        ready(object),
        number(object, "status.updatedReplicas"),
        number(object, "status.availableReplicas"),
        age(object, now),
        names,
        images,
        selector.into(),
    ]
}

fn replicas(object: &Value, now: Timestamp, selector: String) -> Vec<Value> {
    let [names, images] = template(object);
    vec![
        name(object),
        number(object, "spec.replicas"),
        number(object, "status.replicas"),
        number(object, "status.readyReplicas"),
        age(object, now),
        names,
        images,
        selector.into(),
    ]
}

fn replica_set(object: &Value, now: Timestamp) -> Vec<Value> {
    replicas(object, now, selector(at(object, "spec.selector")))
}

fn replication_controller(object: &Value, now: Timestamp) -> Vec<Value> {
    replicas(object, now, labels(self::object(object, "spec.selector")))
}

fn stateful_set(object: &Value, now: Timestamp) -> Vec<Value> {
    let [names, images] = template(object);
    vec![name(object), ready(object), age(object, now), names, images]
}

fn daemon_set(object: &Value, now: Timestamp) -> Vec<Value> {
    let [names, images] = template(object);
    vec![
        name(object),
        number(object, "status.desiredNumberScheduled"),
        number(object, "status.currentNumberScheduled"),
        number(object, "status.numberReady"),
        number(object, "status.updatedNumberScheduled"),
        number(object, "status.numberAvailable"),
        labels(self::object(object, "spec.template.spec.nodeSelector")).into(),
        age(object, now),
        names,
        images,
        selector(at(object, "spec.selector")).into(),
    ]
}

fn job(object: &Value, now: Timestamp) -> Vec<Value> {
    let [names, images] = template(object);
    vec![
        name(object),
        job_status(object).into(),
        completions(object).into(),
        job_duration(object, now).into(),
        age(object, now),
        names,
        images,
        selector(at(object, "spec.selector")).into(),
    ]
}

fn job_status(job: &Value) -> &'static str {
    let holds = |kind: &str| {
        let found = items(job, "status.conditions")
            .iter()
            .find(|c| text(c, "type") == kind);
        found.is_some_and(|condition| text(condition, "status") == "True")
    };
    if holds("Complete") {
        "Complete"
    } else if holds("Failed") {
        "Failed"
    } else if has(job, "metadata.deletionTimestamp") {
        "Terminating"
    } else if holds("Suspended") {
        "Suspended"
    } else if holds("FailureTarget") {
        "FailureTarget"
    } else if holds("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

fn completions(job: &Value) -> String {
    let succeeded = int(job, "status.succeeded").unwrap_or_default();
    if let Some(wanted) = int(job, "spec.completions") {
        return format!("{succeeded}/{wanted}");
    }
    match int(job, "spec.parallelism") {
        Some(parallelism) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        _ => format!("{succeeded}/1"),
    }
}

fn job_duration(job: &Value, now: Timestamp) -> String {
    let Some(start) = moment(at(job, "status.startTime")) else {
        return String::new();
    };
    let end = moment(at(job, "status.completionTime")).unwrap_or(now);
    human(end.duration_since(start))
}

fn cron_job(object: &Value, now: Timestamp) -> Vec<Value> {
    let [names, images] = containers(at(object, "spec.jobTemplate.spec.template.spec"));
    let last = at(object, "status.lastScheduleTime");
    let suspend = match at(object, "spec.suspend").as_bool() {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    vec![
        name(object),
        text(object, "spec.schedule").into(),
        at(object, "spec.timeZone")
            .as_str()
            .unwrap_or("<none>")
            .into(),
        suspend.into(),
        items(object, "status.active").len().into(),
        if last.is_null() {
            "<none>".into()
        } else {
            ago(last, now).into()
        },
        age(object, now),
        names,
        images,
        selector(at(object, "spec.jobTemplate.spec.selector")).into(),
    ]
}

fn controller_revision(object: &Value, now: Timestamp) -> Vec<Value> {
    let controller = items(object, "metadata.ownerReferences")
        .iter()
        .find(|owner| at(owner, "controller").as_bool() == Some(true))
        .map_or_else(
            || "<none>".to_owned(),
            |owner| {
                let (group, _) = split_api_version(text(owner, "apiVersion"));
                let kind = text(owner, "kind").to_lowercase();
                let dot = if group.is_empty() { "" } else { "." };
                format!("{kind}{dot}{group}/{}", text(owner, "name"))
            },
        );
    vec![
        name(object),
        controller.into(),
        number(object, "revision"),
        age(object, now),
    ]
}

fn pod_template(object: &Value) -> Vec<Value> {
    let [names, images] = containers(at(object, "template.spec"));
    vec![
        name(object),
        names,
        images,
        labels(self::object(object, "template.metadata.labels")).into(),
    ]
}
