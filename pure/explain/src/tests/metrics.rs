//! How a metric comes to its number.

use super::samples::{Case, NOW, average, external, memory, object, pods_metric, value};
use expect_test::expect;
use hpa::{Phase, PodValue, Reading};
use units::Duration;

fn figures(values: &[(usize, i64)]) -> Reading {
    Reading::Pods(Ok(values
        .iter()
        .map(|(index, value)| PodValue {
            pod: format!("web-{index}"),
            timestamp: NOW,
            window: Duration::from_seconds(60),
            value: *value,
        })
        .collect()))
}

#[test]
fn memory_by_amount() {
    expect![[r#"
        3 → 5: memory is at 700.0Mi of its 512Mi target per pod across 3 ready pods; 700.0Mi/512Mi × 3 = 4.1, rounded up to 5;
          nothing limited it.

        autoscaler shop/web
        target     Deployment web, set to 3, status counts 3
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: memory, target 512Mi per pod, tolerance 0.9 to 1.1
          pod    group  why              usage
          web-0  ready  with a figure  700.0Mi
          web-1  ready  with a figure  700.0Mi
          web-2  ready  with a figure  700.0Mi
          average       2.1Gi by 3 figures is 700.0Mi each; 700.0Mi/512Mi = 1.37
          asks for 5    700.0Mi/512Mi × 3 = 4.1, rounded up to 5

        from the metrics to the scale
          select     5          memory is the only metric
          stabilize  5 → 5      nothing held it: the most asked for in the last 5m is 5
                                nothing was recommended before within that time
          bounds     5 → 5      nothing limited it: minReplicas 2, maxReplicas 20, and at most 6 at once without behavior
          result     3 → 5      the event's reason: memory resource above target
          checked    5          the steps alone lead to this number
    "#]].assert_eq(
        &Case::new(&[1, 1, 1])
            .only(memory(512), Reading::Resource)
            .text(),
    );
}

#[test]
fn unready_pods_count_as_idle_on_the_way_up() {
    let case = Case::new(&[90, 90, 90, 90])
        .starting(2, 20, Some(15))
        .starting(3, 40, None);
    expect![[r#"
        stays at 4: cpu is at 90 % of its 50 % target across the 2 ready of 4 pods; counting 2 unready pods as idle, it is at
          45 %; 45/50 = 0.9 is inside the tolerance, 0.9 to 1.1.

        autoscaler shop/web
        target     Deployment web, set to 4, status counts 4
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group    why                                           usage  request  assumed
          web-0  ready    ready for 59m50s                                90m     100m
          web-1  ready    ready for 59m50s                                90m     100m
          web-2  unready  ready for 15s, but its figure begins 25s ago    90m     100m        0
          web-3  unready  started 40s ago, not ready                      90m     100m        0
          first pass    180m used of 200m requested by 2 pods is 90 %; 90/50 = 1.8
          assumed       counting 2 unready pods as idle, the careful guess where the first ratio is above 1
          second pass   180m used of 400m requested by 4 pods is 45 %; 45/50 = 0.9
          asks for 4    45/50 = 0.9 is inside the tolerance, 0.9 to 1.1

        from the metrics to the scale
          select     4          cpu is the only metric
          stabilize  4 → 4      nothing held it: the most asked for in the last 5m is 4
                                nothing was recommended before within that time
          bounds     4 → 4      nothing limited it: minReplicas 2, maxReplicas 20, and at most 8 at once without behavior
          result     4 → 4      it stays at 4
          checked    4          the steps alone lead to this number
    "#]].assert_eq(&case.text());
}

#[test]
fn missing_pods_count_as_busy_on_the_way_down() {
    let case = Case::new(&[10, 10, 10, 10, 10]).without_figures(4);
    expect![[r#"
        5 → 3: cpu is at 10 % of its 50 % target across the 4 ready of 5 pods; counting 1 pod without a figure at 100 % of its
          request, it is at 28 %; 28/50 × 5 = 2.8, rounded up to 3; nothing limited it.

        autoscaler shop/web
        target     Deployment web, set to 5, status counts 5
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group    why               usage  request  assumed
          web-0  ready    ready for 59m50s    10m     100m
          web-1  ready    ready for 59m50s    10m     100m
          web-2  ready    ready for 59m50s    10m     100m
          web-3  ready    ready for 59m50s    10m     100m
          web-4  missing  without a figure            100m     100m
          first pass    40m used of 400m requested by 4 pods is 10 %; 10/50 = 0.2
          assumed       counting 1 pod without a figure at 100 % of its request, the careful guess where the first ratio is
                        below 1
          second pass   140m used of 500m requested by 5 pods is 28 %; 28/50 = 0.56
          asks for 3    28/50 × 5 = 2.8, rounded up to 3

        from the metrics to the scale
          select     3          cpu is the only metric
          stabilize  3 → 3      nothing held it: the most asked for in the last 5m is 3
                                nothing was recommended before within that time
          bounds     3 → 3      nothing limited it: minReplicas 2, maxReplicas 20, and at most 10 at once without behavior
          result     5 → 3      the event's reason: All metrics below target
          checked    3          the steps alone lead to this number
    "#]].assert_eq(&case.text());
}

#[test]
fn missing_pods_turn_the_direction() {
    let case = Case::new(&[60, 60, 60, 60]).without_figures(2);
    expect![[r#"
        stays at 4: cpu is at 60 % of its 50 % target across the 2 ready of 4 pods; counting 2 pods without a figure as idle,
          it is at 30 %; 30/50 = 0.6 would turn up into down, so it asks for no change.

        autoscaler shop/web
        target     Deployment web, set to 4, status counts 4
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group    why               usage  request  assumed
          web-0  ready    ready for 59m50s    60m     100m
          web-1  ready    ready for 59m50s    60m     100m
          web-2  missing  without a figure            100m        0
          web-3  missing  without a figure            100m        0
          first pass    120m used of 200m requested by 2 pods is 60 %; 60/50 = 1.2
          assumed       counting 2 pods without a figure as idle, the careful guess where the first ratio is above 1
          second pass   120m used of 400m requested by 4 pods is 30 %; 30/50 = 0.6
          asks for 4    30/50 = 0.6 would turn up into down, so it asks for no change

        from the metrics to the scale
          select     4          cpu is the only metric
          stabilize  4 → 4      nothing held it: the most asked for in the last 5m is 4
                                nothing was recommended before within that time
          bounds     4 → 4      nothing limited it: minReplicas 2, maxReplicas 20, and at most 8 at once without behavior
          result     4 → 4      it stays at 4
          checked    4          the steps alone lead to this number
    "#]].assert_eq(&case.text());
}

#[test]
fn missing_pods_leave_it_inside_the_tolerance() {
    let case = Case::new(&[70, 70, 70, 70]).without_figures(3);
    expect!["stays at 4: cpu is at 70 % of its 50 % target across the 3 ready of 4 pods; counting 1 pod without a figure as idle, it is at 52 %; 52/50 = 1.04 is inside the tolerance, 0.9 to 1.1."].assert_eq(&case.headline());
}

#[test]
fn figures_that_contradict_the_direction() {
    let mut case = Case::new(&[90, 90, 90]).scaled(8);
    case.pod(2).phase = Phase::Pending;
    expect!["stays at 8: cpu is at 90 % of its 50 % target across the 2 ready of 3 pods; counting 1 unready pod as idle, it is at 60 %; 60/50 × 3 = 3.6, rounded up, is fewer than the 8 there are, although it is above its target, so it asks for no change."].assert_eq(&case.headline());
}

#[test]
fn pods_that_do_not_count_at_all() {
    let mut case = Case::new(&[90, 90, 90, 90]);
    case.pod(1).phase = Phase::Failed;
    case.pod(3).deleting = true;
    expect![[r#"
        stays at 4: cpu is at 90 % of its 50 % target across 2 ready pods; 90/50 × 2 = 3.6, rounded up to 4; that is how many
          there are.

        autoscaler shop/web
        target     Deployment web, set to 4, status counts 4
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group    why               usage  request
          web-0  ready    ready for 59m50s    90m     100m
          web-1  ignored  failed              90m     100m
          web-2  ready    ready for 59m50s    90m     100m
          web-3  ignored  being deleted       90m     100m
          average       180m used of 200m requested by 2 pods is 90 %; 90/50 = 1.8
          asks for 4    90/50 × 2 = 3.6, rounded up to 4

        from the metrics to the scale
          select     4          cpu is the only metric
          stabilize  4 → 4      nothing held it: the most asked for in the last 5m is 4
                                nothing was recommended before within that time
          bounds     4 → 4      nothing limited it: minReplicas 2, maxReplicas 20, and at most 8 at once without behavior
          result     4 → 4      it stays at 4
          checked    4          the steps alone lead to this number
    "#]].assert_eq(&case.text());
}

#[test]
fn a_custom_metric_of_pods() {
    let case = Case::new(&[1, 1, 1]).only(
        pods_metric(average(10_000)),
        figures(&[(0, 12_500), (1, 20_000)]),
    );
    expect![[r#"
        stays at 3: requests_per_second is at 16.25 of its 10 target per pod across the 2 ready of 3 pods; counting 1 pod
          without a figure as idle, it is at 10.833 per pod; 10.833/10 = 1.08 is inside the tolerance, 0.9 to 1.1.

        autoscaler shop/web
        target     Deployment web, set to 3, status counts 3
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: requests_per_second, target 10 per pod, tolerance 0.9 to 1.1
          pod    group    why               usage  assumed
          web-0  ready    with a figure      12.5
          web-1  ready    with a figure        20
          web-2  missing  without a figure               0
          first pass    32.5 by 2 figures is 16.25 each; 16.25/10 = 1.62
          assumed       counting 1 pod without a figure as idle, the careful guess where the first ratio is above 1
          second pass   32.5 by 3 figures is 10.833 each; 10.833/10 = 1.08
          asks for 3    10.833/10 = 1.08 is inside the tolerance, 0.9 to 1.1

        from the metrics to the scale
          select     3          requests_per_second is the only metric
          stabilize  3 → 3      nothing held it: the most asked for in the last 5m is 3
                                nothing was recommended before within that time
          bounds     3 → 3      nothing limited it: minReplicas 2, maxReplicas 20, and at most 6 at once without behavior
          result     3 → 3      it stays at 3
          checked    3          the steps alone lead to this number
    "#]].assert_eq(&case.text());
    let strangers = Case::new(&[1, 1]).only(
        pods_metric(average(10_000)),
        figures(&[(0, 12_500), (1, 20_000), (7, 30_000)]),
    );
    expect!["2 → 4: requests_per_second is at 20.833 of its 10 target per pod across 3 figures (1 of pods that are not the target's); 20.833/10 × 2 = 4.17, rounded up to 5; limited to 4, because without behavior 2 may grow to 4 at most."].assert_eq(&strangers.headline());
}

#[test]
fn a_metric_of_another_object() {
    let case = Case::new(&[1, 1, 1])
        .starting(2, 10, None)
        .only(object(value(40_000)), Reading::Object(Ok(120_000.into())));
    expect![[r#"
        3 → 6: hits of Ingress main is at 120 of its 40 target; 120/40 × 2 ready pods = 6; nothing limited it.

        autoscaler shop/web
        target     Deployment web, set to 3, status counts 3
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: hits of Ingress main, target 40, tolerance 0.9 to 1.1
          value         120
          pods          2 of 3 pods running and ready
          asks for 6    120/40 × 2 ready pods = 6

        from the metrics to the scale
          select     6          hits of Ingress main is the only metric
          stabilize  6 → 6      nothing held it: the most asked for in the last 5m is 6
                                nothing was recommended before within that time
          bounds     6 → 6      nothing limited it: minReplicas 2, maxReplicas 20, and at most 6 at once without behavior
          result     3 → 6      the event's reason: Ingress metric hits above target
          checked    6          the steps alone lead to this number
    "#]].assert_eq(&case.text());
    let calm =
        Case::new(&[1, 1, 1]).only(object(value(40_000)), Reading::Object(Ok(41_500.into())));
    expect!["stays at 3: hits of Ingress main is at 41.5 of its 40 target; 41.5/40 = 1.04 is inside the tolerance, 0.9 to 1.1."].assert_eq(&calm.headline());
}

#[test]
fn an_external_metric_shared_among_replicas() {
    let case = Case::new(&[1, 1, 1]).only(
        external(average(30_000)),
        Reading::External(Ok(vec![70_000.into(), 51_000.into()])),
    );
    expect![[r#"
        3 → 5: external metric queue_length is at 121 in all, 30 wanted per replica; 121/30 = 4.03, rounded up to 5; nothing
          limited it.

        autoscaler shop/web
        target     Deployment web, set to 3, status counts 3
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: external metric queue_length, target 30 per pod, tolerance 0.9 to 1.1
          value         121, the sum of 70 and 51
          replicas      3 replicas, as the target's status counts them, share it
          asks for 5    121/30 = 4.03, rounded up to 5

        from the metrics to the scale
          select     5          external metric queue_length is the only metric
          stabilize  5 → 5      nothing held it: the most asked for in the last 5m is 5
                                nothing was recommended before within that time
          bounds     5 → 5      nothing limited it: minReplicas 2, maxReplicas 20, and at most 6 at once without behavior
          result     3 → 5      the event's reason: external metric queue_length(nil) above target
          checked    5          the steps alone lead to this number
    "#]].assert_eq(&case.text());
    let calm = Case::new(&[1, 1, 1]).only(
        external(average(30_000)),
        Reading::External(Ok(vec![92_000.into()])),
    );
    expect!["stays at 3: external metric queue_length is at 92 in all, 30 wanted per replica; 92/(30 × 3) = 1.02 is inside the tolerance, 0.9 to 1.1."].assert_eq(&calm.headline());
}

#[test]
fn hundreds_of_pods() {
    let mut case = Case::new(&[70; 300]).bounds(2, 1000).without_figures(290);
    for index in 0..40 {
        case = case.starting(index, 90, Some(20));
    }
    case.pod(50).phase = Phase::Failed;
    expect![[r#"
        300 → 347: cpu is at 70 % of its 50 % target across the 249 ready of 299 pods; counting 40 unready pods and 10 pods
          without a figure as idle, it is at 58 %; 58/50 × 299 = 346.84, rounded up to 347; nothing limited it.

        autoscaler shop/web
        target     Deployment web, set to 300, status counts 300
        bounds     minReplicas 2, maxReplicas 1000
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pods  group    why                                        usage  request  assumed
           249  ready    ready, or ready before                    17430m   24900m
            40  unready  not measured for long enough since ready   2800m        4        0
            10  missing  without a figure                                        1        0
             1  ignored  failed                                       70m     100m
          of these, for example:
          pod      group    why                                           usage  request  assumed
          web-40   ready    ready for 59m50s                                70m     100m
          web-41   ready    ready for 59m50s                                70m     100m
          web-0    unready  ready for 20s, but its figure begins 25s ago    70m     100m        0
          web-1    unready  ready for 20s, but its figure begins 25s ago    70m     100m        0
          web-290  missing  without a figure                                        100m        0
          web-291  missing  without a figure                                        100m        0
          web-50   ignored  failed                                          70m     100m
          … and 293 more
          first pass    17430m used of 24900m requested by 249 pods is 70 %; 70/50 = 1.4
          assumed       counting 40 unready pods and 10 pods without a figure as idle, the careful guess where the first ratio
                        is above 1
          second pass   17430m used of 29900m requested by 299 pods is 58 % (cut from 58.29); 58/50 = 1.16
          asks for 347  58/50 × 299 = 346.84, rounded up to 347

        from the metrics to the scale
          select     347        cpu is the only metric
          stabilize  347 → 347  nothing held it: the most asked for in the last 5m is 347
                                nothing was recommended before within that time
          bounds     347 → 347  nothing limited it: minReplicas 2, maxReplicas 1000, and at most 600 at once without behavior
          result     300 → 347  the event's reason: cpu resource utilization (percentage of request) above target
          checked    347        the steps alone lead to this number
    "#]].assert_eq(&case.text());
}

#[test]
fn a_product_hardly_above_an_integer() {
    let case = Case::new(&[1, 1, 1]).only(
        external(average(30_000)),
        Reading::External(Ok(vec![120_001.into()])),
    );
    expect!["3 → 5: external metric queue_length is at 120.001 in all, 30 wanted per replica; 120.001/30 = 4.00003, rounded up to 5; nothing limited it."].assert_eq(&case.headline());
}
