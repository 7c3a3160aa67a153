//! What users write, what comes of it, and what they are told.

use super::{FeatureFlag, Gates, gates, known, warnings};

fn flags(uses: &[&str]) -> Vec<FeatureFlag> {
    uses.iter().map(|text| text.parse().unwrap()).collect()
}

/// Whether tolerances can be configured, and whether targets may be scaled to zero.
fn both(uses: &[&str]) -> (bool, bool) {
    let gates = gates(&flags(uses));
    (gates.configurable_tolerance, gates.scale_to_zero)
}

#[test]
fn without_the_flag_they_are_as_in_kubernetes() {
    assert_eq!(gates(&[]), Gates::default());
    assert_eq!(both(&[""]), (true, false));
}

#[test]
fn a_gate_counts_more_than_its_stage_and_a_later_use_more_than_an_earlier() {
    for (uses, expected) in [
        (&["HPAScaleToZero=true"][..], (true, true)),
        (
            &["HPAScaleToZero=T,HPAConfigurableTolerance=0"],
            (false, true),
        ),
        (&[" kube:HPAScaleToZero = true "], (true, true)),
        (&["AllAlpha=true"], (true, true)),
        (&["AllAlpha=true,HPAScaleToZero=false"], (true, false)),
        (&["AllBeta=false"], (false, false)),
        (
            &["AllBeta=false", "HPAConfigurableTolerance=true"],
            (true, false),
        ),
        (
            &["HPAScaleToZero=true", "HPAScaleToZero=false"],
            (true, false),
        ),
    ] {
        assert_eq!(both(uses), expected, "{uses:?}");
    }
}

#[test]
fn mistakes_are_named_as_kubernetes_names_them() {
    for (text, error) in [
        ("Frobnicate=true", "unrecognized feature gate: Frobnicate"),
        ("HPAScaleToZero", "missing bool value for HPAScaleToZero"),
        (
            "HPAScaleToZero=yes",
            "invalid value of HPAScaleToZero=yes, err: strconv.ParseBool: parsing \"yes\": invalid syntax",
        ),
        (
            "AnyVolumeDataSource=false",
            "cannot set feature gate AnyVolumeDataSource to false, feature is locked to true",
        ),
        ("wardle:X=true", "component not registered: wardle"),
    ] {
        assert_eq!(text.parse::<FeatureFlag>(), Err(error.to_owned()));
    }
}

#[test]
fn what_does_nothing_here_is_said_once() {
    let uses = flags(&[
        "HPAScaleToZero=true,AllBeta=true",
        "AnyVolumeDataSource=true,PodLevelResources=true",
        "GitRepoVolumeDriver=false",
    ]);
    assert_eq!(
        warnings(&uses),
        [
            "Setting GA feature gate AnyVolumeDataSource=true. It will be removed in a future release.",
            "Setting deprecated feature gate GitRepoVolumeDriver=false. It will be removed in a future release.",
            "these feature gates have no effect here: AnyVolumeDataSource, GitRepoVolumeDriver, PodLevelResources",
        ]
    );
    assert_eq!(warnings(&flags(&["HPAScaleToZero=true"])), [""; 0]);
}

#[test]
fn the_gates_that_matter_are_known() {
    for name in ["HPAScaleToZero", "HPAConfigurableTolerance"] {
        assert!(known::find(name).is_some(), "{name}");
    }
}
