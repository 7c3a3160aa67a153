//! What is done, or why nothing is.

use super::samples::{Case, average, external, memory};
use expect_test::expect;
use hpa::{Reading, ScaleProblem, ScaleStep, Selection};

#[test]
fn scaling_up_without_anything_in_the_way() {
    expect![[r#"
        3 → 5: cpu is at 81 % of its 50 % target across 3 ready pods; 81/50 × 3 = 4.86, rounded up to 5; nothing limited it.

        autoscaler shop/web
        target     Deployment web, set to 3, status counts 3
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group  why               usage  request
          web-0  ready  ready for 59m50s    81m     100m
          web-1  ready  ready for 59m50s    80m     100m
          web-2  ready  ready for 59m50s    82m     100m
          average       243m used of 300m requested by 3 pods is 81 %; 81/50 = 1.62
          asks for 5    81/50 × 3 = 4.86, rounded up to 5

        from the metrics to the scale
          select     5          cpu is the only metric
          stabilize  5 → 5      nothing held it: the most asked for in the last 5m is 5
                                nothing was recommended before within that time
          bounds     5 → 5      nothing limited it: minReplicas 2, maxReplicas 20, and at most 6 at once without behavior
          result     3 → 5      the event's reason: cpu resource utilization (percentage of request) above target
          checked    5          the steps alone lead to this number
    "#]].assert_eq(&Case::new(&[81, 80, 82]).text());
}

#[test]
fn inside_the_tolerance() {
    expect![[r#"
        stays at 3: cpu is at 52 % of its 50 % target across 3 ready pods; 52/50 = 1.04 is inside the tolerance, 0.9 to 1.1.

        autoscaler shop/web
        target     Deployment web, set to 3, status counts 3
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group  why               usage  request
          web-0  ready  ready for 59m50s    52m     100m
          web-1  ready  ready for 59m50s    53m     100m
          web-2  ready  ready for 59m50s    53m     100m
          average       158m used of 300m requested by 3 pods is 52 % (cut from 52.67); 52/50 = 1.04
          asks for 3    52/50 = 1.04 is inside the tolerance, 0.9 to 1.1

        from the metrics to the scale
          select     3          cpu is the only metric
          stabilize  3 → 3      nothing held it: the most asked for in the last 5m is 3
                                nothing was recommended before within that time
          bounds     3 → 3      nothing limited it: minReplicas 2, maxReplicas 20, and at most 6 at once without behavior
          result     3 → 3      it stays at 3
          checked    3          the steps alone lead to this number
    "#]].assert_eq(&Case::new(&[52, 53, 53]).text());
}

#[test]
fn disabled_at_zero() {
    expect![[r#"
        stays at 0: the target is set to zero, which disables scaling until it is set to 1 or more by hand.

        autoscaler shop/web
        target     Deployment web, set to 0, status counts 0
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        from the metrics to the scale
          disabled   0          the target is set to zero, which disables scaling until it is set to 1 or more by hand
          result     0 → 0      it stays at 0
          checked    0          the steps alone lead to this number
    "#]].assert_eq(&Case::new(&[]).text());
}

#[test]
fn no_scale() {
    let mut case = Case::new(&[80]);
    case.seen.status.desired_replicas = 4;
    case.seen.status.current_replicas = 4;
    case.seen.scale = Err(ScaleProblem {
        error: "deployments.apps \"web\" not found".to_owned(),
        context: ScaleStep::Get,
    });
    expect![[r#"
        nothing decided: the target's scale cannot be read: deployments.apps "web" not found.

        autoscaler shop/web
        target     Deployment web, scale unknown
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        from the metrics to the scale
          scale                 the target's scale cannot be read: deployments.apps "web" not found
          kept       4          nothing is done, and the status keeps 4 as desired
          checked    4          the steps alone lead to this number
    "#]]
    .assert_eq(&case.text());
}

#[test]
fn outside_the_bounds() {
    let above = Case::new(&[80, 80, 80]).bounds(1, 2);
    expect![[r#"
        3 → 2: 3 is more than maxReplicas 2, so no metric was asked.

        autoscaler shop/web
        target     Deployment web, set to 3, status counts 3
        bounds     minReplicas 1, maxReplicas 2
        decided at 2026-01-01T12:00:00Z

        from the metrics to the scale
          bounds     3 → 2      3 is more than maxReplicas 2, so no metric was asked
          result     3 → 2      the event's reason: Current number of replicas above Spec.MaxReplicas
          checked    2          the steps alone lead to this number
    "#]]
    .assert_eq(&above.text());
    let below = Case::new(&[80, 80, 80]).bounds(5, 9);
    expect!["3 → 5: 3 is less than minReplicas 5, so no metric was asked."]
        .assert_eq(&below.headline());
}

#[test]
fn selectors_that_pick_nothing_or_too_much() {
    let with = |selection: Selection| {
        let mut case = Case::new(&[80, 80]);
        if let Ok(scale) = &mut case.seen.scale {
            scale.selection = selection;
        }
        case
    };
    expect![[r#"
        undecided, stays at 2: its pods are not known: selector is required.

        autoscaler shop/web
        target     Deployment web, set to 2, status counts 2
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        from the metrics to the scale
          pods                  its pods are not known: selector is required
          kept       0          nothing is done, and the status keeps 0 as desired
          checked    0          the steps alone lead to this number
    "#]]
    .assert_eq(&with(Selection::Missing).text());
    let ambiguous = Selection::Ambiguous {
        selector: "app=web".to_owned(),
        autoscalers: vec!["shop/other".to_owned(), "shop/web".to_owned()],
    };
    expect!["undecided, stays at 2: its pods are not known: pods by selector app=web are controlled by multiple HPAs: [shop/other shop/web]."].assert_eq(&with(ambiguous).headline());
    let invalid = Selection::Invalid {
        error: "unable to parse requirement: <nil>".to_owned(),
    };
    expect!["undecided, stays at 2: its pods are not known: couldn't convert selector into a corresponding internal selector object: unable to parse requirement: <nil>."].assert_eq(&with(invalid).headline());
}

#[test]
fn no_metrics_api() {
    let mut case = Case::new(&[80, 80]);
    case.seen.resource_metrics = Err(
        "the server is currently unable to handle the request (get pods.metrics.k8s.io)".to_owned(),
    );
    expect![[r#"
        undecided, stays at 2: cpu failed: unable to get metrics for resource cpu: unable to fetch metrics from resource
          metrics API: the server is currently unable to handle the request (get pods.metrics.k8s.io).

        autoscaler shop/web
        target     Deployment web, set to 2, status counts 2
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          failed        failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from
                        resource metrics API: the server is currently unable to handle the request (get pods.metrics.k8s.io)

        from the metrics to the scale
          select                the only metric failed, so nothing may be done
          kept       0          nothing is done, and the status keeps 0 as desired
          checked    0          the steps alone lead to this number
    "#]].assert_eq(&case.text());
}

#[test]
fn no_pod_with_a_usable_figure() {
    let case = Case::new(&[80, 80, 80])
        .starting(0, 40, None)
        .starting(1, 20, Some(18))
        .without_figures(2);
    expect![[r#"
        undecided, stays at 3: cpu has no usable figure from 3 pods (1 starting and not ready, 1 not measured for long enough
          since ready and 1 without a figure).

        autoscaler shop/web
        target     Deployment web, set to 3, status counts 3
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group    why                                           usage
          web-0  unready  started 40s ago, not ready                      80m
          web-1  unready  ready for 18s, but its figure begins 25s ago    80m
          web-2  missing  without a figure
          failed        failed to get cpu utilization: did not receive metrics for targeted pods (pods might be unready)

        from the metrics to the scale
          select                the only metric failed, so nothing may be done
          kept       0          nothing is done, and the status keeps 0 as desired
          checked    0          the steps alone lead to this number
    "#]].assert_eq(&case.text());
}

#[test]
fn a_pod_without_a_request() {
    let mut case = Case::new(&[80, 80]);
    case.requests(1).remove(0);
    expect![[r#"
        undecided, stays at 2: cpu failed: missing request for cpu in container app of Pod web-1.

        autoscaler shop/web
        target     Deployment web, set to 2, status counts 2
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group  why               usage  request
          web-0  ready  ready for 59m50s    80m     100m
          web-1  ready  ready for 59m50s    80m
          failed        failed to get cpu utilization: missing request for cpu in container app of Pod web-1

        from the metrics to the scale
          select                the only metric failed, so nothing may be done
          kept       0          nothing is done, and the status keeps 0 as desired
          checked    0          the steps alone lead to this number
    "#]].assert_eq(&case.text());
}

#[test]
fn one_metric_failed_and_the_other_may_not_scale_down() {
    let case = Case::new(&[10, 10, 10]).metric(
        external(average(10_000)),
        Reading::External(Err("no answer".to_owned())),
    );
    expect![[r#"
        undecided, stays at 3: cpu asks for 1, but external metric queue_length failed: unable to get external metric
          shop/queue_length/nil: unable to fetch metrics from external metrics API: no answer; the failed one might have asked
          for more, so nothing is scaled down.

        autoscaler shop/web
        target     Deployment web, set to 3, status counts 3
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group  why               usage  request
          web-0  ready  ready for 59m50s    10m     100m
          web-1  ready  ready for 59m50s    10m     100m
          web-2  ready  ready for 59m50s    10m     100m
          average       30m used of 300m requested by 3 pods is 10 %; 10/50 = 0.2
          asks for 1    10/50 × 3 = 0.6, rounded up to 1

        metric 2: external metric queue_length, target 10 per pod, tolerance 0.9 to 1.1
          failed        unable to get external metric shop/queue_length/nil: unable to fetch metrics from external metrics
                        API: no answer

        from the metrics to the scale
          select                1 of 2 metrics failed and might have asked for more than 1; nothing is scaled down on the rest
          kept       0          nothing is done, and the status keeps 0 as desired
          checked    0          the steps alone lead to this number
    "#]].assert_eq(&case.text());
}

#[test]
fn one_metric_failed_but_the_other_scales_up() {
    let case = Case::new(&[90, 90, 90]).metric(
        external(average(10_000)),
        Reading::External(Err("no answer".to_owned())),
    );
    expect!["3 → 6: cpu is at 90 % of its 50 % target across 3 ready pods; 90/50 × 3 = 5.4, rounded up to 6, the most of 2 metrics (external metric queue_length failed, and could only have raised that); nothing limited it."].assert_eq(&case.headline());
}

#[test]
fn all_metrics_failed() {
    let mut case = Case::new(&[80, 80]).metric(memory(512), Reading::Resource);
    case.seen.resource_metrics = Ok(Vec::new());
    expect!["undecided, stays at 2: none of 2 metrics could be read; cpu failed: unable to get metrics for resource cpu: no metrics returned from resource metrics API."].assert_eq(&case.headline());
}

#[test]
fn several_metrics() {
    let case = Case::new(&[60, 60, 60])
        .metric(memory(512), Reading::Resource)
        .metric(
            external(average(10_000)),
            Reading::External(Ok(vec![12_000.into(), 8_500.into()])),
        );
    expect![[r#"
        3 → 5: memory is at 700.0Mi of its 512Mi target per pod across 3 ready pods; 700.0Mi/512Mi × 3 = 4.1, rounded up to 5,
          the most of 3 metrics (cpu asks for 4, external metric queue_length asks for 3); nothing limited it.

        autoscaler shop/web
        target     Deployment web, set to 3, status counts 3
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group  why               usage  request
          web-0  ready  ready for 59m50s    60m     100m
          web-1  ready  ready for 59m50s    60m     100m
          web-2  ready  ready for 59m50s    60m     100m
          average       180m used of 300m requested by 3 pods is 60 %; 60/50 = 1.2
          asks for 4    60/50 × 3 = 3.6, rounded up to 4

        metric 2: memory, target 512Mi per pod, tolerance 0.9 to 1.1
          pod    group  why              usage
          web-0  ready  with a figure  700.0Mi
          web-1  ready  with a figure  700.0Mi
          web-2  ready  with a figure  700.0Mi
          average       2.1Gi by 3 figures is 700.0Mi each; 700.0Mi/512Mi = 1.37
          asks for 5    700.0Mi/512Mi × 3 = 4.1, rounded up to 5

        metric 3: external metric queue_length, target 10 per pod, tolerance 0.9 to 1.1
          value         20.5, the sum of 12 and 8.5
          replicas      3 replicas, as the target's status counts them, share it
          asks for 3    20.5/10 = 2.05, rounded up to 3

        from the metrics to the scale
          select     5          memory asks for the most of 3 metrics
          stabilize  5 → 5      nothing held it: the most asked for in the last 5m is 5
                                nothing was recommended before within that time
          bounds     5 → 5      nothing limited it: minReplicas 2, maxReplicas 20, and at most 6 at once without behavior
          result     3 → 5      the event's reason: memory resource above target
          checked    5          the steps alone lead to this number
    "#]].assert_eq(&case.text());
}

#[test]
fn to_zero_and_back() {
    let queue =
        |values: Vec<i64>| Reading::External(Ok(values.into_iter().map(Into::into).collect()));
    let idle = Case::new(&[1, 1])
        .only(external(average(10_000)), queue(vec![0]))
        .bounds(0, 5)
        .scaling_to_zero(false);
    expect![[r#"
        2 → 0: external metric queue_length is at 0 in all, 10 wanted per replica; 0/10 = 0; nothing limited it.

        autoscaler shop/web
        target     Deployment web, set to 2, status counts 2
        bounds     minReplicas 0, maxReplicas 5
        decided at 2026-01-01T12:00:00Z

        metric 1: external metric queue_length, target 10 per pod, tolerance 0.9 to 1.1
          value         0
          replicas      2 replicas, as the target's status counts them, share it
          asks for 0    0/10 = 0

        from the metrics to the scale
          select     0          external metric queue_length is the only metric
          stabilize  0 → 0      nothing held it: the most asked for in the last 5m is 0
                                nothing was recommended before within that time
          bounds     0 → 0      nothing limited it: minReplicas 0, maxReplicas 5, and at most 4 at once without behavior
          result     2 → 0      the event's reason: All metrics below target
          checked    0          the steps alone lead to this number
    "#]].assert_eq(&idle.text());
    let back = Case::new(&[])
        .only(external(average(10_000)), queue(vec![25_000]))
        .bounds(0, 5)
        .scaling_to_zero(true);
    expect![[r#"
        0 → 3: external metric queue_length is at 25 in all, 10 wanted per replica; 25/10 = 2.5, rounded up to 3; nothing
          limited it.

        autoscaler shop/web
        target     Deployment web, set to 0, status counts 0
        bounds     minReplicas 0, maxReplicas 5
        decided at 2026-01-01T12:00:00Z

        metric 1: external metric queue_length, target 10 per pod, tolerance 0.9 to 1.1
          value         25
          replicas      0 replicas, as the target's status counts them, share it
          asks for 3    25/10 = 2.5, rounded up to 3

        from the metrics to the scale
          select     3          external metric queue_length is the only metric
          stabilize  3 → 3      nothing held it: the most asked for in the last 5m is 3
                                nothing was recommended before within that time
          bounds     3 → 3      nothing limited it: minReplicas 0, maxReplicas 5, and at most 4 at once without behavior
          result     0 → 3      the event's reason: external metric queue_length(nil) above target
          checked    3          the steps alone lead to this number
    "#]].assert_eq(&back.text());
    let raised = Case::new(&[])
        .only(external(average(10_000)), queue(vec![5_000]))
        .bounds(3, 5)
        .scaling_to_zero(true);
    expect!["0 → 3: external metric queue_length is at 5 in all, 10 wanted per replica; 5/10 = 0.5, rounded up to 1; raised to 3 by minReplicas."].assert_eq(&raised.headline());
    let stuck = Case::new(&[]).bounds(0, 5).scaling_to_zero(true);
    expect!["stays at 0: this autoscaler scaled it to zero, and no metric can be read without pods (that takes an Object or External metric, or minReplicas above 0)."].assert_eq(&stuck.headline());
}
