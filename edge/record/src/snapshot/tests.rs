//! What snapshots decide on, and what is wrong with those that cannot be used.

use super::{Choice, Snapshot};
use crate::Documents;
use units::Timestamp;

const HPA: &str = "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 10
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}
";
const SCALE: &str = "---
apiVersion: autoscaling/v1
kind: Scale
metadata: {name: web, namespace: shop}
spec: {replicas: 1}
status: {replicas: 1, selector: app=web}
";
const DEPLOYMENT: &str = "---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {replicas: 1, selector: {matchLabels: {app: web}}}
status: {replicas: 1}
";
const POD: &str = "---
apiVersion: v1
kind: Pod
metadata: {name: web-1, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, resources: {requests: {cpu: 100m}}}]}
status:
  phase: Running
  startTime: \"2026-01-01T11:00:00Z\"
  conditions: [{type: Ready, status: \"True\", lastTransitionTime: \"2026-01-01T11:00:10Z\"}]
";
const USAGE: &str = "---
apiVersion: metrics.k8s.io/v1beta1
kind: PodMetrics
metadata: {name: web-1, namespace: shop, labels: {app: web}}
timestamp: \"2026-01-01T11:59:50Z\"
window: 15s
containers: [{name: c, usage: {cpu: 90m}}]
";
const CONTEXT: &str = "---
apiVersion: evenkeel.dev/v1alpha1
kind: DecisionContext
now: \"2026-01-01T12:00:00Z\"
recommendations: []
";

fn parse(text: &str, hpa: Option<&str>) -> Result<Snapshot, String> {
    let now = Timestamp::from_seconds(1_767_268_800);
    Snapshot::parse("f", text.as_bytes(), Choice { hpa, now }).map_err(|e| e.to_string())
}

fn whole() -> String {
    [HPA, SCALE, POD, USAGE, CONTEXT].concat()
}

#[track_caller]
fn desired(text: &str) -> i32 {
    parse(text, None).unwrap().decide().desired_replicas
}

#[test]
fn a_scale_that_is_not_there_comes_from_the_target() {
    assert_eq!(desired(&whole()), 2);
    assert_eq!(desired(&whole().replace(SCALE, DEPLOYMENT)), 2);
    let derived = parse(&whole().replace(SCALE, DEPLOYMENT), None).unwrap();
    assert_eq!(
        derived.observation,
        parse(&whole(), None).unwrap().observation
    );

    let controller = DEPLOYMENT
        .replace("apps/v1", "v1")
        .replace("Deployment", "ReplicationController")
        .replace("{matchLabels: {app: web}}", "{app: web}");
    let hpa = HPA.replace(
        "{apiVersion: apps/v1, kind: Deployment,",
        "{apiVersion: v1, kind: ReplicationController,",
    );
    let text = whole().replace(SCALE, &controller).replace(HPA, &hpa);
    assert_eq!(desired(&text), 2);
}

#[test]
fn both_versions_of_autoscalers_are_read() {
    let (head, metrics) = HPA.split_once("  metrics:").unwrap();
    assert!(!metrics.is_empty());
    let old =
        head.replace("autoscaling/v2", "autoscaling/v1") + "  targetCPUUtilizationPercentage: 50\n";
    assert_eq!(desired(&whole().replace(HPA, &old)), 2);
}

#[test]
fn ours_decides_as_upstreams_and_says_when_it_stands_by() {
    let own = HPA.replace("autoscaling/v2", "evenkeel.dev/v1") + "  paused: false\n";
    let rest = [SCALE, POD, USAGE, CONTEXT].concat();
    let read = parse(&(own.clone() + &rest), None).unwrap();
    assert_eq!(read.warnings, [""; 0]);
    assert_eq!(read.decide().desired_replicas, desired(&whole()));
    let waiting = own
        + "status: {conditions: [{type: AbleToScale, status: \"False\", reason: TargetHasAnotherAutoscaler}]}\n";
    let read = parse(&(waiting + &rest), None).unwrap();
    assert_eq!(
        read.warnings,
        [
            "f: document 1, line 1: HorizontalPodAutoscaler shop/web: it stands by, as another autoscaler has its target"
        ]
    );
}

#[test]
fn objects_that_name_no_namespace_are_where_the_autoscaler_is() {
    let text = whole().replace(", namespace: shop", "");
    let snapshot = parse(&text, None).unwrap();
    assert_eq!(snapshot.name(), "default/web");
    assert_eq!(snapshot.decide().desired_replicas, 2);
}

#[test]
fn one_of_several_autoscalers_is_chosen_by_name() {
    let other = format!(
        "---\n{}",
        HPA.replace("name: web, namespace: shop", "name: api, namespace: shop")
    );
    let text = whole() + &other;
    assert_eq!(parse(&text, Some("shop/web")).unwrap().name(), "shop/web");
    assert_eq!(parse(&text, Some("api")).unwrap().name(), "shop/api");
    assert_eq!(
        parse(&text, None).unwrap_err(),
        "f: document 6, line 37: HorizontalPodAutoscaler shop/api: several autoscalers: say which with --hpa (shop/web, shop/api)"
    );
    assert_eq!(
        parse(&text, Some("shop/db")).unwrap_err(),
        "f: holds no HorizontalPodAutoscaler shop/db; there is shop/web, shop/api"
    );
    assert_eq!(
        parse(SCALE, None).unwrap_err(),
        "f: holds no HorizontalPodAutoscaler: add the output of kubectl get hpa -o yaml"
    );
}

/// What is replaced, by what, and what is then said.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "minReplicas: 1",
        "minReplicas: 11",
        "document 1, line 1: HorizontalPodAutoscaler shop/web: spec.maxReplicas: Invalid value: 10: must be greater than or equal to `minReplicas`",
    ),
    (
        "minReplicas: 1",
        "minReplicas: one",
        "document 1, line 1: HorizontalPodAutoscaler shop/web: spec.minReplicas: invalid type: string \"one\", expected i32",
    ),
    (
        "autoscaling/v2",
        "autoscaling/v2beta1",
        "document 1, line 1: HorizontalPodAutoscaler shop/web: apiVersion: autoscaling/v2beta1 is not known; autoscaling/v1, autoscaling/v2 and evenkeel.dev/v1 are",
    ),
    (
        "averageUtilization: 50",
        "averageUtilization: 0",
        "document 1, line 1: HorizontalPodAutoscaler shop/web: spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0",
    ),
    (
        "cpu: 100m",
        "cpu: 100x",
        "document 3, line 16: Pod shop/web-1: spec.containers[0].resources.requests.cpu: \"100x\" is not a quantity (as 100m, 1.5 or 64Mi): ",
    ),
    (
        "startTime: \"2026-01-01T11:00:00Z\"",
        "startTime: \"yesterday\"",
        "document 3, line 16: Pod shop/web-1: status.startTime: ",
    ),
    (
        "lastTransitionTime: \"2026-01-01T11:00:10Z\"",
        "lastTransitionTime: 5",
        "document 3, line 16: Pod shop/web-1: status.conditions[0].lastTransitionTime: ",
    ),
    (
        "cpu: 90m",
        "cpu: [90]",
        "document 4, line 25: PodMetrics shop/web-1: containers[0].usage.cpu: must be a quantity (as 100m, 1.5 or 64Mi), not a list",
    ),
    (
        "window: 15s",
        "window: soon",
        "document 4, line 25: PodMetrics shop/web-1: window: \"soon\" is not a duration (as 15s or 1m30s): ",
    ),
    (
        "{replicas: 1}",
        "{replicas: 1.5}",
        "document 2, line 10: Scale shop/web: spec.replicas: ",
    ),
    (
        "now: \"2026-01-01T12:00:00Z\"",
        "now: \"2026-13-01T12:00:00Z\"",
        "document 5, line 32: DecisionContext: now: ",
    ),
    (
        "recommendations: []",
        "recomendations: []",
        "document 5, line 32: DecisionContext: recomendations: unknown field `recomendations`, expected one of ",
    ),
    (
        "recommendations: []",
        "recommendations: [{at: \"2026-01-01T11:00:00Z\", replicas: -1}]",
        "document 5, line 32: DecisionContext: recommendations[0].replicas: must not be negative",
    ),
    (
        "recommendations: []",
        "config: {downscaleStabilization: 5}",
        "document 5, line 32: DecisionContext: config.downscaleStabilization: invalid type: ",
    ),
    (
        "recommendations: []",
        "config: {downscaleStabilization: 5 minutes}",
        "document 5, line 32: DecisionContext: config.downscaleStabilization: \"5 minutes\": ",
    ),
    (
        "recommendations: []",
        "config: {featureGates: {HPAScaleToNone: true}}",
        "document 5, line 32: DecisionContext: config.featureGates.HPAScaleToNone: not known; known are HPAConfigurableTolerance, HPAScaleToZero",
    ),
    (
        "evenkeel.dev/v1alpha1",
        "evenkeel.dev/v9",
        "document 5, line 32: DecisionContext: apiVersion: \"evenkeel.dev/v9\" is not known; write evenkeel.dev/v1alpha1",
    ),
];

#[test]
fn what_contradicts_itself_or_does_not_fit_is_told_by_its_field() {
    for (from, to, expected) in MISTAKES {
        let text = whole();
        assert!(text.contains(from), "{from}");
        let error = parse(&text.replacen(from, to, 1), None).unwrap_err();
        assert!(
            error.starts_with(&format!("f: {expected}")),
            "\n{error}\nf: {expected}"
        );
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn what_is_there_twice_is_refused() {
    for (extra, expected) in [
        (
            HPA,
            "HorizontalPodAutoscaler shop/web: metadata.name: this autoscaler is there twice",
        ),
        (
            SCALE,
            "Scale shop/web: a second Scale of the same target: keep one",
        ),
        (
            POD,
            "Pod shop/web-1: metadata.name: this Pod is there twice: keep one",
        ),
        (
            USAGE,
            "PodMetrics shop/web-1: metadata.name: this PodMetrics is there twice: keep one",
        ),
        (
            CONTEXT,
            "DecisionContext: a second DecisionContext: keep one",
        ),
    ] {
        let error = parse(&format!("{}---\n{extra}", whole()), None).unwrap_err();
        assert!(error.ends_with(expected), "{error}");
    }
}

#[test]
fn what_says_nothing_is_left_out_with_a_warning() {
    let extra = "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n";
    let snapshot = parse(&(whole() + extra), None).unwrap();
    assert_eq!(
        snapshot.warnings,
        ["left out, as they say nothing to an autoscaler: 1 Service"]
    );
    assert_eq!(snapshot.decide().desired_replicas, 2);
}

#[test]
fn what_only_the_controller_has_an_answer_to_is_decided_with_a_warning() {
    let snapshot = parse(&whole().replace("minReplicas: 1", "minReplicas: 0"), None).unwrap();
    assert_eq!(snapshot.warnings.len(), 2, "{:?}", snapshot.warnings);
    assert_eq!(snapshot.decide().desired_replicas, 2);
}

#[test]
fn apis_that_did_not_answer_are_values() {
    let with = |api: &str| {
        let text = whole() + &format!("unavailable: {{{api}: no luck}}\n");
        parse(&text, None).unwrap().decide().outcome.conditions
    };
    let said = |api: &str| format!("{:?}", with(api)).contains("no luck");
    assert!(said("resourceMetrics") && said("scale") && said("pods"));
}

#[test]
fn lists_of_custom_metrics_of_both_versions_are_read() {
    let hpa = HPA.replace(
        "{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}",
        "{type: Pods, pods: {metric: {name: hits}, target: {type: AverageValue, averageValue: 10}}}",
    );
    let of = |version: &str, metric: &str| {
        format!(
            "---\napiVersion: custom.metrics.k8s.io/{version}\nkind: MetricValueList\nitems:\n\
             - {{describedObject: {{apiVersion: v1, kind: Pod, namespace: shop, name: web-1}}, {metric}, \
             timestamp: \"2026-01-01T11:59:50Z\", value: 30}}\n"
        )
    };
    for list in [
        of("v1beta2", "metric: {name: hits}"),
        of("v1beta1", "metricName: hits"),
    ] {
        let text = [hpa.as_str(), SCALE, POD, CONTEXT, &list].concat();
        assert_eq!(desired(&text), 3, "{list}");
    }
}

#[test]
fn a_list_that_answers_one_metric_answers_no_other() {
    let external = |name: &str| {
        format!(
            "  - {{type: External, external: {{metric: {{name: {name}}}, target: {{type: AverageValue, averageValue: 10}}}}}}\n"
        )
    };
    let (head, _) = HPA.split_once("  - ").unwrap();
    let hpa = format!("{head}{}{}", external("queue"), external("queue"));
    let list = |index: usize, value: usize| {
        format!(
            "---\napiVersion: external.metrics.k8s.io/v1beta1\nkind: ExternalMetricValueList\n\
             metadata: {{annotations: {{evenkeel.dev/metric: \"{index}\"}}}}\n\
             items: [{{metricName: queue, value: {value}}}]\n"
        )
    };
    let text = [&hpa, SCALE, POD, CONTEXT, &list(0, 40), &list(1, 30)].concat();
    let readings = parse(&text, None).unwrap().observation.readings;
    assert_eq!(
        readings,
        [
            hpa::Reading::External(Ok(vec![40_000.into()])),
            hpa::Reading::External(Ok(vec![30_000.into()]))
        ]
    );
}

#[test]
fn the_controllers_memory_on_the_autoscaler_counts_where_the_context_has_none() {
    let kept = r#"  annotations: {evenkeel.dev/history: '{"v":1,"at":"2026-01-01T11:59:00Z","recommendations":[[4,1000]]}'}"#;
    let hpa = HPA.replace(
        "metadata: {name: web, namespace: shop}",
        &format!("metadata:\n  name: web\n  namespace: shop\n{kept}"),
    );
    let context = CONTEXT.replace("recommendations: []\n", "");
    let text = [hpa.as_str(), SCALE, POD, USAGE, &context].concat();
    let snapshot = parse(&text, None).unwrap();
    assert_eq!(
        snapshot.history.recommendations.as_ref().map(Vec::len),
        Some(1)
    );
    let said = parse(
        &text.replace(
            "kind: DecisionContext",
            "kind: DecisionContext\nrecommendations: []",
        ),
        None,
    );
    assert_eq!(said.unwrap().history.recommendations, Some(Vec::new()));
    let broken = parse(&text.replace("\"v\":1", "\"v\":9"), None).unwrap();
    assert_eq!(broken.history.recommendations, None);
    assert_eq!(broken.warnings.len(), 1);
}

#[test]
fn a_saved_snapshot_reads_back_and_leaves_out_what_says_nothing() {
    let mut documents = Documents::default();
    let extra = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\n";
    documents.read("f", (whole() + extra).as_bytes()).unwrap();
    let choice = Choice {
        hpa: None,
        now: Timestamp::EPOCH,
    };
    let first = Snapshot::read(&documents, choice).unwrap();
    let saved = first.save(&documents).unwrap();
    assert!(!saved.contains("Secret"), "{saved}");
    let second = parse(&saved, None).unwrap();
    assert_eq!(second.decide(), first.decide());
    assert_eq!(second.now, first.now);
}
