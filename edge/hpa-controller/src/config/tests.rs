//! The flags as users write them.

use super::HpaFlags;
use clap::Parser;
use units::Duration;

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    flags: HpaFlags,
}

fn parse(args: &[&str]) -> Result<HpaFlags, clap::Error> {
    Program::try_parse_from(std::iter::once(&"program").chain(args)).map(|p| p.flags)
}

#[test]
fn without_flags_they_are_upstreams_defaults() {
    assert_eq!(parse(&[]).unwrap(), HpaFlags::default());
}

#[test]
fn durations_are_gos() {
    let flags = parse(&[
        "--horizontal-pod-autoscaler-sync-period=1m30s",
        "--horizontal-pod-autoscaler-downscale-stabilization",
        "0s",
    ])
    .unwrap();
    assert_eq!(flags.sync_period, Duration::from_seconds(90));
    assert_eq!(flags.downscale_stabilization, Duration::ZERO);
}

#[test]
fn feature_gates_reach_decisions_from_one_flag_or_several() {
    let flags = parse(&[
        "--feature-gates=HPAScaleToZero=true,AllBeta=true",
        "--feature-gates",
        "HPAConfigurableTolerance=false",
    ])
    .unwrap();
    let gates = flags.decisions().gates;
    assert_eq!(
        (gates.scale_to_zero, gates.configurable_tolerance),
        (true, false)
    );
}

#[test]
fn nonsense_is_refused_with_a_reason() {
    for (flag, reason) in [
        (
            "--concurrent-horizontal-pod-autoscaler-syncs=-1",
            "must be greater than 0, but got -1",
        ),
        (
            "--horizontal-pod-autoscaler-sync-period=15",
            "a duration needs a unit",
        ),
        (
            "--horizontal-pod-autoscaler-sync-period=0s",
            "must be greater than 0",
        ),
        (
            "--feature-gates=Frobnicate=true",
            "unrecognized feature gate: Frobnicate",
        ),
        (
            "--horizontal-pod-autoscaler-tolerance=NaN",
            "must be a number",
        ),
    ] {
        let error = parse(&[flag]).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}
