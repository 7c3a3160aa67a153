//! What holds the number, or limits how far it goes.

use super::samples::{Case, rules};
use expect_test::expect;
use hpa::{History, SelectPolicy};

#[test]
fn held_by_an_earlier_recommendation() {
    let case =
        Case::new(&[20, 20, 20, 20, 20]).recommended(&[(280, 4), (130, 5), (60, 3), (15, 2)]);
    expect![[r#"
        stays at 5: cpu is at 20 % of its 50 % target across 5 ready pods; 20/50 × 5 = 2; held at 5, as recommended 2m10s ago;
          the 5m downscale stabilization lets go of that in 2m50s.

        autoscaler shop/web
        target     Deployment web, set to 5, status counts 5
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group  why               usage  request
          web-0  ready  ready for 59m50s    20m     100m
          web-1  ready  ready for 59m50s    20m     100m
          web-2  ready  ready for 59m50s    20m     100m
          web-3  ready  ready for 59m50s    20m     100m
          web-4  ready  ready for 59m50s    20m     100m
          average       100m used of 500m requested by 5 pods is 20 %; 20/50 = 0.4
          asks for 2    20/50 × 5 = 2

        from the metrics to the scale
          select     2          cpu is the only metric
          stabilize  2 → 5      held at 5, as recommended 2m10s ago; the 5m downscale stabilization lets go of that in 2m50s
                                recommended before: 2 (15s ago), 3 (1m ago), 5 (2m10s ago), 4 (4m40s ago)
          bounds     5 → 5      nothing limited it: minReplicas 2, maxReplicas 20, and at most 10 at once without behavior
          result     5 → 5      it stays at 5
          checked    5          the steps alone lead to this number
    "#]].assert_eq(&case.text());
}

#[test]
fn held_by_more_than_there_are() {
    let case = Case::new(&[20, 20, 20, 20]).recommended(&[(130, 6)]);
    expect!["4 → 6: cpu is at 20 % of its 50 % target across 4 ready pods; 20/50 × 4 = 1.6, rounded up to 2; raised to 6, as recommended 2m10s ago; the 5m downscale stabilization lets go of that in 2m50s."].assert_eq(&case.headline());
}

#[test]
fn held_by_the_first_look() {
    let mut case = Case::new(&[10, 10, 10]);
    case.history = History::default();
    expect![[r#"
        stays at 3: cpu is at 10 % of its 50 % target across 3 ready pods; 10/50 × 3 = 0.6, rounded up to 1; held at 3, as
          found when this autoscaler was first looked at; the 5m downscale stabilization lets go of that in 5m.

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

        from the metrics to the scale
          select     1          cpu is the only metric
          stabilize  1 → 3      held at 3, as found when this autoscaler was first looked at; the 5m downscale stabilization
                                lets go of that in 5m
                                recommended before: 3 (just now)
          bounds     3 → 3      nothing limited it: minReplicas 2, maxReplicas 20, and at most 6 at once without behavior
          result     3 → 3      it stays at 3
          checked    3          the steps alone lead to this number
    "#]].assert_eq(&case.text());
}

#[test]
fn held_half_way_down() {
    let case = Case::new(&[10, 10, 10, 10, 10]).recommended(&[(100, 3), (400, 5)]);
    expect!["5 → 3: cpu is at 10 % of its 50 % target across 5 ready pods; 10/50 × 5 = 1; held at 3, as recommended 1m40s ago; the 5m downscale stabilization lets go of that in 3m20s."].assert_eq(&case.headline());
}

#[test]
fn held_on_the_way_up_by_behavior() {
    let case = Case::new(&[100, 100, 100])
        .behavior(rules(120, &[(10, 60)]), rules(300, &[(-100, 15)]))
        .recommended(&[(90, 3), (45, 4), (20, 5)]);
    expect![[r#"
        stays at 3: cpu is at 100 % of its 50 % target across 3 ready pods; 100/50 × 3 = 6; held at 3, as recommended 1m30s
          ago; the 2m scale-up window lets go of that in 30s.

        autoscaler shop/web
        target     Deployment web, set to 3, status counts 3
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group  why               usage  request
          web-0  ready  ready for 59m50s   100m     100m
          web-1  ready  ready for 59m50s   100m     100m
          web-2  ready  ready for 59m50s   100m     100m
          average       300m used of 300m requested by 3 pods is 100 %; 100/50 = 2
          asks for 6    100/50 × 3 = 6

        from the metrics to the scale
          select     6          cpu is the only metric
          stabilize  6 → 3      held at 3, as recommended 1m30s ago; the 2m scale-up window lets go of that in 30s
                                recommended before: 5 (20s ago), 4 (45s ago), 3 (1m30s ago)
          policies   3 → 3      not asked, because nothing is to change
          result     3 → 3      it stays at 3
          checked    3          the steps alone lead to this number
    "#]].assert_eq(&case.text());
}

#[test]
fn limited_by_the_double() {
    expect![[r#"
        3 → 6: cpu is at 400 % of its 50 % target across 3 ready pods; 400/50 × 3 = 24; limited to 6, because without behavior
          3 may grow to 6 at most.

        autoscaler shop/web
        target     Deployment web, set to 3, status counts 3
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group  why               usage  request
          web-0  ready  ready for 59m50s   400m     100m
          web-1  ready  ready for 59m50s   400m     100m
          web-2  ready  ready for 59m50s   400m     100m
          average       1200m used of 300m requested by 3 pods is 400 %; 400/50 = 8
          asks for 24   400/50 × 3 = 24

        from the metrics to the scale
          select     24         cpu is the only metric
          stabilize  24 → 24    nothing held it: the most asked for in the last 5m is 24
                                nothing was recommended before within that time
          bounds     24 → 6     limited to 6, because without behavior 3 may grow to 6 at most
          result     3 → 6      the event's reason: cpu resource utilization (percentage of request) above target
          checked    6          the steps alone lead to this number
    "#]].assert_eq(&Case::new(&[400, 400, 400]).text());
    expect!["1 → 4: cpu is at 900 % of its 50 % target across 1 ready pod; 900/50 × 1 = 18; limited to 4, because without behavior 1 may grow to 4 at most."].assert_eq(&Case::new(&[900]).bounds(1, 20).headline());
}

#[test]
fn limited_by_the_bounds() {
    expect![[r#"
        3 → 4: cpu is at 90 % of its 50 % target across 3 ready pods; 90/50 × 3 = 5.4, rounded up to 6; limited to 4 by
          maxReplicas.

        autoscaler shop/web
        target     Deployment web, set to 3, status counts 3
        bounds     minReplicas 1, maxReplicas 4
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group  why               usage  request
          web-0  ready  ready for 59m50s    90m     100m
          web-1  ready  ready for 59m50s    90m     100m
          web-2  ready  ready for 59m50s    90m     100m
          average       270m used of 300m requested by 3 pods is 90 %; 90/50 = 1.8
          asks for 6    90/50 × 3 = 5.4, rounded up to 6

        from the metrics to the scale
          select     6          cpu is the only metric
          stabilize  6 → 6      nothing held it: the most asked for in the last 5m is 6
                                nothing was recommended before within that time
          bounds     6 → 4      limited to 4 by maxReplicas
          result     3 → 4      the event's reason: cpu resource utilization (percentage of request) above target
          checked    4          the steps alone lead to this number
    "#]].assert_eq(&Case::new(&[90, 90, 90]).bounds(1, 4).text());
    expect!["stays at 3: cpu is at 90 % of its 50 % target across 3 ready pods; 90/50 × 3 = 5.4, rounded up to 6; kept at 3 by maxReplicas."].assert_eq(&Case::new(&[90, 90, 90]).bounds(1, 3).headline());
    expect!["3 → 2: cpu is at 1 % of its 50 % target across 3 ready pods; 1/50 × 3 = 0.06, rounded up to 1; limited to 2 by minReplicas."].assert_eq(&Case::new(&[1, 1, 1]).bounds(2, 9).headline());
    let behavior = Case::new(&[90, 90, 90])
        .bounds(1, 4)
        .behavior(rules(0, &[(4, 15)]), rules(0, &[(4, 15)]));
    expect!["3 → 4: cpu is at 90 % of its 50 % target across 3 ready pods; 90/50 × 3 = 5.4, rounded up to 6; limited to 4 by maxReplicas."].assert_eq(&behavior.headline());
}

#[test]
fn limited_by_policies() {
    let case = Case::new(&[100, 100, 100, 100])
        .behavior(rules(0, &[(2, 60), (-10, 60)]), rules(300, &[(-100, 15)]))
        .added(&[(40, 1)]);
    expect![[r#"
        4 → 5: cpu is at 100 % of its 50 % target across 4 ready pods; 100/50 × 4 = 8; limited to 5 by the scale-up policy of
          2 pods per 1m, which allows the most of 2 (1 added within that time, the oldest of which counts for 20s more).

        autoscaler shop/web
        target     Deployment web, set to 4, status counts 4
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group  why               usage  request
          web-0  ready  ready for 59m50s   100m     100m
          web-1  ready  ready for 59m50s   100m     100m
          web-2  ready  ready for 59m50s   100m     100m
          web-3  ready  ready for 59m50s   100m     100m
          average       400m used of 400m requested by 4 pods is 100 %; 100/50 = 2
          asks for 8    100/50 × 4 = 8

        from the metrics to the scale
          select     8          cpu is the only metric
          stabilize  8 → 8      nothing held it: scaling up does not look back, the most asked for in the last 5m is 8
                                nothing was recommended before within that time
          policies   8 → 5      limited to 5 by the scale-up policy of 2 pods per 1m, which allows the most of 2 (1 added
                                within that time, the oldest of which counts for 20s more)
                                2 pods per 1m: 3 + 2 = 5 (4 now, 1 added in that time)
                                10 % per 1m: 3 × 1.1 = 3.3, rounded up to 4 (4 now, 1 added in that time)
          result     4 → 5      the event's reason: cpu resource utilization (percentage of request) above target
          checked    5          the steps alone lead to this number
    "#]].assert_eq(&case.text());
}

#[test]
fn limited_by_policies_to_what_there_is() {
    let case = Case::new(&[100, 100, 100, 100])
        .behavior(rules(0, &[(2, 60)]), rules(300, &[(-100, 15)]))
        .added(&[(50, 1), (40, 1)]);
    expect!["stays at 4: cpu is at 100 % of its 50 % target across 4 ready pods; 100/50 × 4 = 8; kept at 4 by the scale-up policy of 2 pods per 1m (2 added within that time, the oldest of which counts for 10s more)."].assert_eq(&case.headline());
}

#[test]
fn scaling_down_disabled() {
    let mut down = rules(0, &[(-100, 15)]);
    down.select = SelectPolicy::Disabled;
    let case = Case::new(&[10, 10, 10, 10]).behavior(rules(0, &[(4, 15)]), down);
    expect![[r#"
        stays at 4: cpu is at 10 % of its 50 % target across 4 ready pods; 10/50 × 4 = 0.8, rounded up to 1; kept at 4,
          because scaling down is disabled.

        autoscaler shop/web
        target     Deployment web, set to 4, status counts 4
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group  why               usage  request
          web-0  ready  ready for 59m50s    10m     100m
          web-1  ready  ready for 59m50s    10m     100m
          web-2  ready  ready for 59m50s    10m     100m
          web-3  ready  ready for 59m50s    10m     100m
          average       40m used of 400m requested by 4 pods is 10 %; 10/50 = 0.2
          asks for 1    10/50 × 4 = 0.8, rounded up to 1

        from the metrics to the scale
          select     1          cpu is the only metric
          stabilize  1 → 1      nothing held it: scaling up does not look back, scaling down does not look back
          policies   1 → 4      kept at 4, because scaling down is disabled
          result     4 → 4      it stays at 4
          checked    4          the steps alone lead to this number
    "#]].assert_eq(&case.text());
}

#[test]
fn behavior_with_nothing_to_do() {
    let case = Case::new(&[50, 50]).behavior(rules(0, &[(4, 15)]), rules(300, &[(-100, 15)]));
    expect![[r#"
        stays at 2: cpu is at 50 % of its 50 % target across 2 ready pods; 50/50 = 1 is inside the tolerance, 0.9 to 1.1.

        autoscaler shop/web
        target     Deployment web, set to 2, status counts 2
        bounds     minReplicas 2, maxReplicas 20
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group  why               usage  request
          web-0  ready  ready for 59m50s    50m     100m
          web-1  ready  ready for 59m50s    50m     100m
          average       100m used of 200m requested by 2 pods is 50 %; 50/50 = 1
          asks for 2    50/50 = 1 is inside the tolerance, 0.9 to 1.1

        from the metrics to the scale
          select     2          cpu is the only metric
          stabilize  2 → 2      nothing held it: scaling up does not look back, the most asked for in the last 5m is 2
                                nothing was recommended before within that time
          policies   2 → 2      not asked, because nothing is to change
          result     2 → 2      it stays at 2
          checked    2          the steps alone lead to this number
    "#]].assert_eq(&case.text());
}
