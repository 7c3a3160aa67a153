//! The shipped roles on a real API server: with them alone all works, and without one of their rights it is said which.

mod own_kind;

use super::process::{Process, free_port};
use super::stage::{CONTROLLER, METRICS_SERVER, Stage};
use crate::lab::{Kubectl, eventually};
use serde_json::{Value, json};

const OURS: [&str; 2] = ["clusterrole", "evenkeel:hpa-controller"];
const LEASES: [&str; 4] = ["role", "evenkeel:hpa-controller", "-n", "kube-system"];
const SCRAPES: [&str; 2] = ["clusterrole", "system:metrics-server"];
/// Scale-downs are not held, and nobody waits for a lease.
const AT_ONCE: &str = "--horizontal-pod-autoscaler-downscale-stabilization=0s";
const ALONE: [&str; 2] = [AT_ONCE, "--leader-elect=false"];

/// By group, resource and verb.
type Right = (&'static str, &'static str, &'static str);

#[test]
fn with_the_shipped_roles_all_works_and_without_a_right_it_is_said_which() {
    let Some(stage) = Stage::start() else {
        return;
    };
    let metrics = metrics_server_needs_its_own(&stage);
    with_all_of_them(&stage, &metrics);
    what_only_saves_requests(&stage);
    what_it_cannot_do_without(&stage);
    the_lease(&stage);
    own_kind::our_own_kind(&stage);
}

/// Rights that were taken from a role, until this is told to give them back.
struct Taken<'a> {
    kubectl: &'a Kubectl,
    account: &'static str,
    role: Value,
    rights: Vec<Right>,
}

impl<'a> Taken<'a> {
    fn from(kubectl: &'a Kubectl, account: &'static str, role: &[&str], rights: &[Right]) -> Self {
        let whole = kubectl.ok(&[&["get"], role, &["-o", "json"]].concat());
        let mut whole: Value = serde_json::from_str(&whole).unwrap();
        // Whatever it is now, it becomes this.
        let metadata = whole["metadata"].as_object_mut().unwrap();
        metadata.retain(|key, _| ["name", "namespace", "labels"].contains(&&**key));
        let mut less = whole.clone();
        for right in rights {
            assert_eq!(without(*right, &mut less), 1, "{right:?}");
        }
        let taken = Self {
            kubectl,
            account,
            role: whole,
            rights: rights.to_vec(),
        };
        taken.replace(&less, "no");
        taken
    }

    fn give_back(self) {
        self.replace(&self.role, "yes");
    }

    /// Waits until the API server knows.
    #[track_caller]
    fn replace(&self, role: &Value, wanted: &str) {
        let done = self
            .kubectl
            .with_input(&["replace", "-f", "-"], &role.to_string());
        assert!(done.status.success(), "{done:?}");
        let user = format!("--as=system:serviceaccount:kube-system:{}", self.account);
        for (group, resource, verb) in &self.rights {
            let (resource, below) = resource.split_once('/').unwrap_or((resource, ""));
            // Of all that have it, one.
            let resource = resource.replace('*', "deployments");
            let group = group.replace('*', "apps");
            let below = format!("--subresource={below}");
            let what = format!("{resource}.{group}");
            let namespace = if group == "coordination.k8s.io" {
                "kube-system"
            } else {
                "default"
            };
            let name = if resource == "leases" {
                format!("{resource}.{group}/{CONTROLLER}")
            } else {
                what
            };
            let ask = [
                "auth",
                "can-i",
                verb,
                name.trim_end_matches('.'),
                &below,
                &user,
                "-n",
                namespace,
            ];
            let answered = || {
                let answer = self.kubectl.output(&ask);
                String::from_utf8_lossy(&answer.stdout).trim() == wanted
            };
            assert!(eventually(answered), "{wanted}: {ask:?}");
        }
    }
}

/// Takes a right out of a role's rules, and says from how many.
fn without((group, resource, verb): Right, role: &mut Value) -> usize {
    let has = |list: &Value, one: &str| list.as_array().into_iter().flatten().any(|v| v == one);
    let rules = role["rules"].as_array_mut().into_iter().flatten();
    let mut taken = 0;
    for rule in rules.filter(|r| has(&r["apiGroups"], group) && has(&r["resources"], resource)) {
        let verbs = rule["verbs"].as_array_mut().unwrap();
        let before = verbs.len();
        verbs.retain(|v| v != verb);
        taken += before - verbs.len();
        if verbs.is_empty() {
            verbs.push(json!("none"));
        }
    }
    taken
}

fn forbidden(account: &str, verb: &str, resource: &str, group: &str, place: &str) -> String {
    format!(
        "User \"system:serviceaccount:kube-system:{account}\" cannot {verb} resource \"{resource}\" \
         in API group \"{group}\" {place}"
    )
}

/// Kubelets and delegated reviews, before anybody's answer is remembered.
fn metrics_server_needs_its_own(stage: &Stage) -> Process {
    let kubectl = &stage.kubectl;
    let scrapes = Taken::from(
        kubectl,
        METRICS_SERVER,
        &SCRAPES,
        &[("", "nodes/metrics", "get")],
    );
    let metrics = stage.metrics_server(free_port());
    metrics.says("failed to scrape node");
    metrics.says("nodes/metrics");
    scrapes.give_back();
    stage.metrics();
    metrics
}

fn with_all_of_them(stage: &Stage, metrics: &Process) {
    let (kubectl, nobody) = (&stage.kubectl, stage.nobody());
    let controller = stage.controller("all", &[AT_ONCE]);
    stage.load(4);
    stage.replicas(4);
    stage.condition("ScalingActive", |said| {
        said.starts_with("True ValidMetricFound")
    });
    let why = "New size: 4; reason: cpu resource utilization (percentage of request) above target";
    kubectl.until(&["get", "events"], |events| events.contains(why));
    let lease = ["get", "lease", CONTROLLER, "-n", "kube-system"];
    kubectl.until(&lease, |line| line.contains('_'));
    let led = format!("leader_election_master_status{{name=\"{CONTROLLER}\"}} 1\n");
    for (process, text) in [(&controller, &*led), (metrics, "metrics_server_")] {
        let answer = process.get(kubectl, "/metrics");
        let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
        assert!(answer.contains(text), "{answer}");
        let refused = process.get(&nobody, "/metrics");
        let refused = String::from_utf8_lossy(&refused.stderr).into_owned();
        let user = "User \"system:serviceaccount:default:default\" cannot get path \"/metrics\"";
        assert!(refused.contains(user), "{refused}");
    }
    let log = controller.log();
    assert!(
        !log.contains("forbidden") && !log.contains("may not"),
        "{log}"
    );
    let log = metrics.log();
    let said = &log[log.rfind("failed to scrape node").unwrap()..];
    let complaints = said.lines().skip(1).filter(|l| !l.contains(" INFO "));
    assert_eq!(complaints.count(), 0, "{log}");
}

/// From four to two and back: a right to watch is worth requests, and no more.
fn what_only_saves_requests(stage: &Stage) {
    let rows: [(&[Right], &str, u32); 3] = [
        (
            &[("", "pods", "watch")],
            "may not watch; asking again and again instead",
            2,
        ),
        (
            &[("metrics.k8s.io", "pods", "watch")],
            "may not watch pods of metrics.k8s.io",
            4,
        ),
        (
            &[("apps", "deployments", "watch")],
            "may not watch; asking again and again instead",
            2,
        ),
    ];
    for (rights, text, replicas) in rows {
        let taken = Taken::from(&stage.kubectl, CONTROLLER, &OURS, rights);
        let controller = stage.controller(&format!("no-{}-{}", rights[0].0, rights[0].1), &ALONE);
        controller.says(text);
        stage.load(replicas);
        stage.replicas(replicas);
        drop(controller);
        taken.give_back();
    }
}

/// From two, which stay, to four as soon as it may.
fn what_it_cannot_do_without(stage: &Stage) {
    let inside = "in the namespace \"default\"";
    let ours = |verb: &str, resource: &str, group: &str| {
        forbidden(CONTROLLER, verb, resource, group, inside)
    };
    let rows: [(&[Right], &str, &str, String, u32); 4] = [
        (
            &[("*", "*/scale", "update")],
            "AbleToScale",
            "FailedUpdateScale",
            ours("update", "deployments/scale", "apps"),
            4,
        ),
        (
            &[
                ("metrics.k8s.io", "pods", "list"),
                ("metrics.k8s.io", "pods", "watch"),
            ],
            "ScalingActive",
            "FailedGetResourceMetric",
            ours("list", "pods", "metrics.k8s.io"),
            2,
        ),
        (
            &[("", "pods", "list"), ("", "pods", "watch")],
            "ScalingActive",
            "FailedGetResourceMetric",
            ours("list", "pods", ""),
            4,
        ),
        (
            &[("autoscaling", "horizontalpodautoscalers/status", "update")],
            "",
            "FailedUpdateStatus",
            ours("update", "horizontalpodautoscalers/status", "autoscaling"),
            2,
        ),
    ];
    for (rights, kind, reason, text, replicas) in rows {
        let taken = Taken::from(&stage.kubectl, CONTROLLER, &OURS, rights);
        let before = stage.audit.scales().len();
        let _controller = stage.controller(reason, &ALONE);
        stage.load(replicas);
        if !kind.is_empty() {
            stage.condition(kind, |said| {
                said.starts_with(&format!("False {reason}")) && said.contains(&text)
            });
        }
        let event = if kind == "AbleToScale" {
            "FailedRescale"
        } else {
            reason
        };
        stage.kubectl.until(&["get", "events"], |events| {
            events
                .lines()
                .any(|line| line.contains(event) && line.contains(&text))
        });
        if kind == "ScalingActive" {
            assert_eq!(
                stage.audit.scales().len(),
                before,
                "nothing is scaled on what is not known"
            );
        }
        if kind.is_empty() {
            // What is done does not wait for what is said.
            stage.replicas(replicas);
        }
        taken.give_back();
        stage.replicas(replicas);
    }
}

fn the_lease(stage: &Stage) {
    let rights = ["get", "update"].map(|verb| ("coordination.k8s.io", "leases", verb));
    let taken = Taken::from(&stage.kubectl, CONTROLLER, &LEASES, &rights);
    let before = stage.audit.writes().len();
    let controller = stage.controller("no-lease", &[AT_ONCE]);
    stage.load(4);
    controller.says("cannot read or write the lease");
    let place = "in the namespace \"kube-system\"";
    controller.says(&forbidden(
        CONTROLLER,
        "get",
        "leases",
        "coordination.k8s.io",
        place,
    ));
    let wrote = stage.audit.writes();
    let wrote = wrote[before..]
        .iter()
        .filter(|w| w.user.ends_with(CONTROLLER));
    assert_eq!(wrote.count(), 0, "who does not lead does nothing");
    taken.give_back();
    stage.replicas(4);
}
