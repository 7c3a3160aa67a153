//! What an autoscaler asks for beyond upstream, in the answer.

use super::samples::{Case, ago, cpu};
use crate::steps;
use expect_test::expect;
use hpa::step::audit;
use hpa::{
    Direction, Fallback, Known, LeftOut, Options, PodSelection, PodsWithoutRequests, Unowned,
};
use std::sync::Arc;
use units::Duration;

const MINUTE: Duration = Duration::from_seconds(60);

fn with(case: Case, options: Options) -> Case {
    let mut case = case;
    case.spec.options = options;
    let decision = case.decision();
    assert_eq!(audit(&decision.steps), Ok(decision.desired_replicas));
    case
}

fn busy(options: Options) -> Case {
    with(Case::new(&[81, 80, 82]), options)
}

#[test]
fn paused() {
    let options = Options {
        paused: true,
        ..Options::default()
    };
    expect![[r#"
        held at 3: paused by evenkeel.dev/paused; without that 3 → 5: cpu is at 81 % of its 50 % target across 3 ready pods;
          81/50 × 3 = 4.86, rounded up to 5; nothing limited it.

        autoscaler shop/web
        target     Deployment web, set to 3, status counts 3
        bounds     minReplicas 2, maxReplicas 20
        option     evenkeel.dev/paused true
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
          paused     5 → 3      paused by evenkeel.dev/paused: held at 3, not 5
          result     3 → 3      it stays at 3
          checked    3          the steps alone lead to this number
    "#]].assert_eq(&busy(options.clone()).text());
    let calm = with(Case::new(&[50, 50]), options);
    expect!["stays at 2 (and is paused): cpu is at 50 % of its 50 % target across 2 ready pods; 50/50 = 1 is inside the tolerance, 0.9 to 1.1."].assert_eq(&calm.headline());
}

#[test]
fn frozen() {
    let up = |direction| Options {
        freeze: Some(direction),
        ..Options::default()
    };
    expect!["held at 3: scaling up is frozen by evenkeel.dev/freeze; without that 3 → 5: cpu is at 81 % of its 50 % target across 3 ready pods; 81/50 × 3 = 4.86, rounded up to 5; nothing limited it."].assert_eq(&busy(up(Direction::Up)).headline());
    expect!["3 → 5: cpu is at 81 % of its 50 % target across 3 ready pods; 81/50 × 3 = 4.86, rounded up to 5; nothing limited it."].assert_eq(&busy(up(Direction::Down)).headline());
}

#[test]
fn a_dry_run() {
    let options = Options {
        dry_run: true,
        ..Options::default()
    };
    expect![[r#"
        would scale 3 → 5 (dry run): cpu is at 81 % of its 50 % target across 3 ready pods; 81/50 × 3 = 4.86, rounded up to 5;
          nothing limited it.

        autoscaler shop/web
        target     Deployment web, set to 3, status counts 3
        bounds     minReplicas 2, maxReplicas 20
        option     evenkeel.dev/dry-run true
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
          dry run    3 → 5      a dry run by evenkeel.dev/dry-run: it says 5, and 3 are left
          result     3 → 5      nothing is done; the reason would be: cpu resource utilization (percentage of request) above
                                target
          checked    5          the steps alone lead to this number
    "#]].assert_eq(&busy(options).text());
}

/// cpu failed; three minutes ago it asked for so many.
fn blind(replicas: i32, max_age: i64) -> Case {
    let mut case = Case::new(&[50, 50, 50]);
    case.seen.resource_metrics = Err("no answer".to_owned());
    case.history.known = vec![Known {
        metric: cpu(50).identity(),
        at: ago(180),
        replicas,
    }];
    let max_age = Duration::from_seconds(max_age);
    with(
        case,
        Options {
            fallback: Some(Fallback::LastKnownGood { max_age }),
            ..Options::default()
        },
    )
}

#[test]
fn a_metric_that_has_fallen_back() {
    expect![[r#"
        3 → 5: cpu failed: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: no
          answer; it counts as 5, what it asked for 3m ago (fallback); nothing limited it.

        autoscaler shop/web
        target     Deployment web, set to 3, status counts 3
        bounds     minReplicas 2, maxReplicas 20
        option     evenkeel.dev/fallback last-known-good
        option     evenkeel.dev/fallback-max-age 10m
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          failed        failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from
                        resource metrics API: no answer
          fallback      it counts as 5, what it asked for 3m ago (fallback)

        from the metrics to the scale
          fallback   5          cpu resource failed; it counts as 5, what it asked for 3m ago (fallback)
          select     5          cpu is the only metric
          stabilize  5 → 5      nothing held it: the most asked for in the last 5m is 5
                                nothing was recommended before within that time
          bounds     5 → 5      nothing limited it: minReplicas 2, maxReplicas 20, and at most 6 at once without behavior
          result     3 → 5      the event's reason: cpu resource failed and its fallback asks for more
          checked    5          the steps alone lead to this number
    "#]].assert_eq(&blind(5, 600).text());
    expect!["undecided, stays at 3: cpu failed: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: no answer; it does not fall back on what it asked for 3m ago, as that is older than 3m."].assert_eq(&blind(5, 180).headline());
    let mut fixed = blind(5, 600);
    fixed.spec.options.fallback = Some(Fallback::Replicas(4));
    expect!["3 → 4: cpu failed: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: no answer; it counts as 4 (fallback); nothing limited it."].assert_eq(&fixed.headline());
}

#[test]
fn pods_without_requests() {
    let mut case = Case::new(&[81, 80, 82, 79]);
    for index in 1..3 {
        case.requests(index).clear();
    }
    let case = with(
        case,
        Options {
            pods_without_requests: PodsWithoutRequests::Ignore,
            ..Options::default()
        },
    );
    expect![[r#"
        4 → 7: cpu is at 80 % of its 50 % target across the 2 ready of 4 pods; left out of the ratio for having no cpu
          request, but multiplied by it: web-1, web-2; 80/50 × 4 = 6.4, rounded up to 7; nothing limited it.

        autoscaler shop/web
        target     Deployment web, set to 4, status counts 4
        bounds     minReplicas 2, maxReplicas 20
        option     evenkeel.dev/pods-without-requests ignore
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group       why                usage  request
          web-0  ready       ready for 59m50s     81m     100m
          web-1  no request  without a request    80m
          web-2  no request  without a request    82m
          web-3  ready       ready for 59m50s     79m     100m
          no request    left out of the ratio for having no cpu request, but multiplied by it: web-1, web-2
          average       160m used of 200m requested by 2 pods is 80 %; 80/50 = 1.6
          asks for 7    80/50 × 4 = 6.4, rounded up to 7

        from the metrics to the scale
          select     7          cpu is the only metric
          stabilize  7 → 7      nothing held it: the most asked for in the last 5m is 7
                                nothing was recommended before within that time
          bounds     7 → 7      nothing limited it: minReplicas 2, maxReplicas 20, and at most 8 at once without behavior
          result     4 → 7      the event's reason: cpu resource utilization (percentage of request) above target
          checked    7          the steps alone lead to this number
    "#]].assert_eq(&case.text());
}

#[test]
fn figures_that_are_too_old() {
    let mut case = Case::new(&[81, 80, 82]);
    if let Ok(metrics) = &mut case.seen.resource_metrics {
        Arc::make_mut(&mut metrics[1]).timestamp = ago(90);
    }
    let options = Options {
        metric_max_age: Some(MINUTE),
        ..Options::default()
    };
    expect![[r#"
        stays at 3: cpu is at 81 % of its 50 % target across the 2 ready of 3 pods; counting 1 pod without a figure as idle,
          it is at 54 %; 54/50 = 1.08 is inside the tolerance, 0.9 to 1.1.

        autoscaler shop/web
        target     Deployment web, set to 3, status counts 3
        bounds     minReplicas 2, maxReplicas 20
        option     evenkeel.dev/metric-max-age 1m
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group    why                                    usage  request  assumed
          web-0  ready    ready for 59m50s                         81m     100m
          web-1  missing  measured 1m30s ago, which is too long    80m     100m        0
          web-2  ready    ready for 59m50s                         82m     100m
          first pass    163m used of 200m requested by 2 pods is 81 % (cut from 81.5); 81/50 = 1.62
          assumed       counting 1 pod without a figure as idle, the careful guess where the first ratio is above 1
          second pass   163m used of 300m requested by 3 pods is 54 % (cut from 54.33); 54/50 = 1.08
          asks for 3    54/50 = 1.08 is inside the tolerance, 0.9 to 1.1

        from the metrics to the scale
          select     3          cpu is the only metric
          stabilize  3 → 3      nothing held it: the most asked for in the last 5m is 3
                                nothing was recommended before within that time
          bounds     3 → 3      nothing limited it: minReplicas 2, maxReplicas 20, and at most 6 at once without behavior
          result     3 → 3      it stays at 3
          checked    3          the steps alone lead to this number
    "#]].assert_eq(&with(case, options).text());
}

#[test]
fn pods_that_are_not_the_targets_own() {
    let mut case = Case::new(&[81, 80, 82, 5]);
    let of = |pod: &str, why| LeftOut {
        pod: pod.to_owned(),
        why,
    };
    case.seen.leave_out(vec![
        of("web-2", Unowned::Finished),
        of(
            "web-3",
            Unowned::Controller {
                kind: "Job".to_owned(),
                name: "backup".to_owned(),
            },
        ),
    ]);
    let options = Options {
        pod_selection: PodSelection::Owner,
        ..Options::default()
    };
    expect![[r#"
        stays at 4: cpu is at 80 % of its 50 % target across 2 ready pods; 80/50 × 2 = 3.2, rounded up to 4; that is how many
          there are.

        autoscaler shop/web
        target     Deployment web, set to 4, status counts 4
        bounds     minReplicas 2, maxReplicas 20
        option     evenkeel.dev/pod-selection owner
        decided at 2026-01-01T12:00:00Z

        metric 1: cpu, target 50 % of the request, tolerance 0.9 to 1.1
          pod    group  why               usage  request
          web-0  ready  ready for 59m50s    81m     100m
          web-1  ready  ready for 59m50s    80m     100m
          average       161m used of 200m requested by 2 pods is 80 % (cut from 80.5); 80/50 = 1.6
          asks for 4    80/50 × 2 = 3.2, rounded up to 4

        from the metrics to the scale
          own pods   2          2 pods are the target's own; left out: web-2 (finished), web-3 (of Job backup)
          select     4          cpu is the only metric
          stabilize  4 → 4      nothing held it: the most asked for in the last 5m is 4
                                nothing was recommended before within that time
          bounds     4 → 4      nothing limited it: minReplicas 2, maxReplicas 20, and at most 8 at once without behavior
          result     4 → 4      it stays at 4
          checked    4          the steps alone lead to this number
    "#]].assert_eq(&with(case, options).text());
}

#[test]
fn every_option_is_told_with_its_number() {
    let options = Options {
        paused: true,
        freeze: Some(Direction::Down),
        dry_run: true,
        sync_period: Some(Duration::from_seconds(5)),
        initial_readiness_delay: Some(MINUTE),
        cpu_initialization_period: Some(Duration::ZERO),
        downscale_stabilization: Some(MINUTE),
        tolerance: Some(0.05),
        fallback: Some(Fallback::LastKnownGood { max_age: MINUTE }),
        metric_max_age: Some(MINUTE),
        pod_selection: PodSelection::Owner,
        pods_without_requests: PodsWithoutRequests::Ignore,
        problems: vec!["evenkeel.dev/speed is not known".to_owned()],
    };
    let mut said = String::new();
    let known = ["Options", "Ownership", "Freeze", "Pause", "Result"];
    let lines = busy(options).with(steps);
    for line in lines.iter().filter(|line| known.contains(&line.rule)) {
        said.push_str(&format!("{}: {}\n", line.rule, line.detail));
        for (name, number) in &line.numbers {
            said.push_str(&format!("  {name} {number:?}\n"));
        }
    }
    expect![[r#"
        Options: evenkeel.dev/paused true; evenkeel.dev/freeze down; evenkeel.dev/dry-run true; evenkeel.dev/sync-period 5s; evenkeel.dev/initial-readiness-delay 1m; evenkeel.dev/cpu-initialization-period 0s; evenkeel.dev/downscale-stabilization 1m; evenkeel.dev/tolerance 0.05; evenkeel.dev/fallback last-known-good; evenkeel.dev/fallback-max-age 1m; evenkeel.dev/metric-max-age 1m; evenkeel.dev/pod-selection owner; evenkeel.dev/pods-without-requests ignore; not understood: evenkeel.dev/speed is not known
          paused Flag(true)
          freeze Text("down")
          dryRun Flag(true)
          syncPeriodSeconds Integer(5)
          initialReadinessDelaySeconds Integer(60)
          cpuInitializationPeriodSeconds Integer(0)
          downscaleStabilizationSeconds Integer(60)
          tolerance Ratio(0.05)
          fallback Text("last-known-good")
          fallbackMaxAgeSeconds Integer(60)
          metricMaxAgeSeconds Integer(60)
          podSelection Text("owner")
          podsWithoutRequests Text("ignore")
          problems List([[("problem", Text("evenkeel.dev/speed is not known"))]])
        Ownership: 3 pods are the target's own, which is all that the selector picks
          ownPods Integer(3)
          leftOut List([])
        Freeze: scaling down is frozen by evenkeel.dev/freeze, and that is not where this goes
          direction Text("down")
          before Integer(5)
          after Integer(5)
        Pause: paused by evenkeel.dev/paused: held at 3, not 5
          before Integer(5)
          after Integer(3)
        Result: it stays at 3
          before Integer(3)
          after Integer(3)
    "#]].assert_eq(&said);
}
