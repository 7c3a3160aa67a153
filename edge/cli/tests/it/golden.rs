//! What `get hpa`, `get all` and `describe hpa` print, whole, with the newest kubectl.
//!
//! What differs from run to run (ages, addresses, generated names, figures) is replaced by its name.

use crate::lab::{Kubectl, Lab, examples};
use crate::tools;
use expect_test::{Expect, expect};
use regex::Regex;

/// What is replaced, in this order.
const CHANGING: &[(&str, &str)] = &[
    (
        r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} [+-]\d{4}",
        "TIME",
    ),
    (
        r"-[bcdfghjklmnpqrstvwxz2456789]{9,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b",
        "-HASH-POD",
    ),
    (r"-[bcdfghjklmnpqrstvwxz2456789]{9,10}\b", "-HASH"),
    (r"\b127\.\d+\.\d+\.\d+\b", "ADDRESS"),
    (r"8080:3\d{4}", "8080:NODEPORT"),
    (r"\d+% \(\d+m?\)", "N% (Nm)"),
    (r"cpu: \d+%", "cpu: N%"),
    (r"\b(\d+m)?\d+s( \(x\d+ over (\d+m)?\d+s\))?", "AGE"),
    (r"-{5,}", "-----"),
    (r" {2,}", "  "),
];

fn check(actual: &str, expected: &Expect) {
    let steady = CHANGING
        .iter()
        .fold(actual.to_owned(), |text, (pattern, name)| {
            Regex::new(pattern)
                .unwrap()
                .replace_all(&text, *name)
                .into_owned()
        });
    // Failed looks before the first figure come in any number and order.
    let lines: Vec<&str> = steady
        .lines()
        .filter(|l| !l.contains("  Warning  "))
        .collect();
    expected.assert_eq(&format!("{}\n", lines.join("\n").trim_end()));
}

fn deployed(kubectl: &Kubectl) {
    kubectl.ok(&["create", "namespace", "eks-work"]);
    kubectl.ok(&["config", "set-context", "--current", "--namespace=eks-work"]);
    for file in [
        "components",
        "secret",
        "deployment",
        "service",
        "horizontal-pod-autoscaler",
    ] {
        kubectl.ok(&[
            "apply",
            "-f",
            &examples()
                .join(format!("{file}.yaml"))
                .display()
                .to_string(),
        ]);
    }
    // New Year's Day: no job starts in the middle of the test.
    let cronjob = std::fs::read_to_string(examples().join("cronjob.yaml")).unwrap();
    kubectl.apply(&cronjob.replace("*/5 * * * *", "0 0 1 1 *"));
    kubectl.until(&["get", "deployment", "backend-app"], |out| {
        out.contains("2/2")
    });
    let seen = |out: &str| out.contains("%/50%");
    kubectl.until(&["get", "hpa"], seen);
    let settled = |out: &str| out.contains("ReadyForNewScale") && out.contains("TooFewReplicas");
    kubectl.until(&["describe", "hpa"], settled);
}

#[test]
fn tables_and_descriptions_are_upstreams() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let lab = Lab::quick();
    let kubectl = lab.kubectl(&program);
    deployed(&kubectl);
    check(
        &kubectl.ok(&["get", "hpa"]),
        &expect![[r#"
        NAME  REFERENCE  TARGETS  MINPODS  MAXPODS  REPLICAS  AGE
        backend-app  Deployment/backend-app  cpu: N%/50%  2  5  2  AGE
    "#]],
    );
    check(
        &kubectl.ok(&["get", "all"]),
        &expect![[r#"
        NAME  READY  STATUS  RESTARTS  AGE
        pod/backend-app-HASH-POD  1/1  Running  0  AGE
        pod/backend-app-HASH-POD  1/1  Running  0  AGE

        NAME  TYPE  CLUSTER-IP  EXTERNAL-IP  PORT(S)  AGE
        service/backend-app-service  LoadBalancer  ADDRESS  ADDRESS  8080:NODEPORT/TCP  AGE

        NAME  READY  UP-TO-DATE  AVAILABLE  AGE
        deployment.apps/backend-app  2/2  2  2  AGE

        NAME  DESIRED  CURRENT  READY  AGE
        replicaset.apps/backend-app-HASH  2  2  2  AGE

        NAME  REFERENCE  TARGETS  MINPODS  MAXPODS  REPLICAS  AGE
        horizontalpodautoscaler.autoscaling/backend-app  Deployment/backend-app  cpu: N%/50%  2  5  2  AGE

        NAME  SCHEDULE  TIMEZONE  SUSPEND  ACTIVE  LAST SCHEDULE  AGE
        cronjob.batch/batch-app  0 0 1 1 *  <none>  False  0  <none>  AGE
    "#]],
    );
    check(
        &kubectl.ok(&["describe", "hpa", "backend-app"]),
        &expect![[r#"
            Name:  backend-app
            Namespace:  eks-work
            Labels:  <none>
            Annotations:  <none>
            CreationTimestamp:  TIME
            Reference:  Deployment/backend-app
            Metrics:  ( current / target )
              resource cpu on pods  (as a percentage of request):  N% (Nm) / 50%
            Min replicas:  2
            Max replicas:  5
            Deployment pods:  2 current / 2 desired
            Conditions:
              Type  Status  Reason  Message
              ----  -----  -----  -----
              AbleToScale  True  ReadyForNewScale  recommended size matches current size
              ScalingActive  True  ValidMetricFound  the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)
              ScalingLimited  True  TooFewReplicas  the desired replica count is less than the minimum replica count
            Events:
              Type  Reason  Age  From  Message
              ----  -----  ----  ----  -----
        "#]],
    );
}
