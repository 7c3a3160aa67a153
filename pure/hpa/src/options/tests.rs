//! What stands in the place of flags, and how a metric is known again.

use crate::options::Options;
use crate::samples::{cpu, spec};
use crate::spec::{Behavior, Config, Metric, Resource, Rules, SelectPolicy, Source, Spec};
use units::Duration;

#[test]
fn without_options_the_flags_count() {
    let spec = spec(50);
    assert_eq!(spec.effective_config(), spec.config);
    assert!(!spec.options.any());
}

#[test]
fn each_option_stands_in_the_place_of_its_flag() {
    let seconds = Duration::from_seconds;
    let options = Options {
        tolerance: Some(0.25),
        cpu_initialization_period: Some(seconds(1)),
        initial_readiness_delay: Some(seconds(2)),
        downscale_stabilization: Some(seconds(3)),
        ..Options::default()
    };
    let spec = Spec {
        options,
        ..spec(50)
    };
    let expected = Config {
        tolerance: 0.25,
        cpu_initialization_period: seconds(1),
        initial_readiness_delay: seconds(2),
        downscale_stabilization: seconds(3),
        gates: spec.config.gates,
    };
    assert_eq!(spec.effective_config(), expected);
    let tolerances = spec.tolerances();
    assert_eq!((tolerances.up, tolerances.down), (0.25, 0.25));
}

#[test]
fn a_tolerance_of_behavior_counts_more_than_the_option() {
    let rules = |tolerance| Rules {
        stabilization_window_seconds: Some(0),
        select: SelectPolicy::Max,
        policies: Vec::new(),
        tolerance,
    };
    let spec = Spec {
        behavior: Some(Behavior {
            up: rules(Some(0.5)),
            down: rules(None),
        }),
        options: Options {
            tolerance: Some(0.25),
            ..Options::default()
        },
        ..spec(50)
    };
    let tolerances = spec.tolerances();
    assert_eq!((tolerances.up, tolerances.down), (0.5, 0.25));
}

#[test]
fn a_metric_is_known_by_its_source_and_target() {
    let memory = Metric {
        source: Source::Resource {
            name: Resource::Memory,
        },
        target: cpu(50).target,
    };
    assert_eq!(cpu(50).identity(), cpu(50).identity());
    assert_ne!(cpu(50).identity(), cpu(60).identity());
    assert_ne!(cpu(50).identity(), memory.identity());
    // It is written on objects: another number would forget what they hold.
    assert_eq!(cpu(50).identity(), 4_507_359_920_483_683_943);
}
