//! Steps from what there is, at every point where a run can have ended.

use super::plan::{Direction, Progress, Scene, Step, adopt, release, target};
use k8s::own_kind::{ADOPTED_FROM, ANOTHER, HANDOVER};
use serde_json::{Value, json};

fn plain() -> Value {
    json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop", "uid": "p1", "resourceVersion": "5",
            "labels": {"app": "web"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"a\":1}\n"}},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 1, "maxReplicas": 5, "metrics": [{"type": "Resource", "resource": {"name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 50}}}]},
        "status": {"desiredReplicas": 3, "currentReplicas": 3, "lastScaleTime": "2026-01-01T11:00:00Z"}})
}

fn progress() -> Progress {
    Progress {
        question: "now".to_owned(),
        carried: None,
    }
}

fn next(plain: Option<&Value>, own: Option<&Value>, progress: &Progress) -> Step {
    let scene = Scene {
        plain: plain.cloned(),
        own: own.cloned(),
    };
    adopt("web", &scene, progress)
}

fn back(plain: Option<&Value>, own: Option<&Value>) -> Step {
    let scene = Scene {
        plain: plain.cloned(),
        own: own.cloned(),
    };
    release("web", &scene)
}

/// Ours as the first step creates it.
fn created() -> Value {
    match next(Some(&plain()), None, &progress()) {
        Step::CreateOwn(object) => object,
        other => unreachable!("{other:?}"),
    }
}

/// What the controller says of ours while upstream's is there.
fn standing_by(mut own: Value) -> Value {
    own["metadata"]["uid"] = "o1".into();
    own["status"] = json!({"handover": own["metadata"]["annotations"][HANDOVER],
        "conditions": [{"type": "AbleToScale", "status": "False", "reason": ANOTHER}]});
    own
}

/// And once it is not.
fn acting(own: Value) -> Value {
    let mut own = standing_by(own);
    own["status"]["conditions"][0]["reason"] = "ReadyForNewScale".into();
    own["metadata"]["annotations"]
        .as_object_mut()
        .unwrap()
        .remove(HANDOVER);
    own
}

#[test]
fn ours_is_there_and_seen_before_upstreams_goes() {
    let (plain, mut progress) = (plain(), progress());
    let own = created();
    assert_eq!(own["apiVersion"], "evenkeel.dev/v1");
    assert_eq!(own["spec"], plain["spec"]);
    assert_eq!(own["metadata"]["labels"], plain["metadata"]["labels"]);
    assert_eq!(next(Some(&plain), Some(&own), &progress), Step::AwaitAnswer);
    let own = standing_by(own);
    let Step::Carry(past) = next(Some(&plain), Some(&own), &progress) else {
        unreachable!("it was answered")
    };
    assert_eq!(
        past["status"],
        json!({"desiredReplicas": 3, "currentReplicas": 3, "lastScaleTime": "2026-01-01T11:00:00Z",
            "currentMetrics": null, "history": null})
    );
    progress.carried = Some("5".to_owned());
    assert_eq!(next(Some(&plain), Some(&own), &progress), Step::DeletePlain);
    assert_eq!(next(None, Some(&own), &progress), Step::AwaitActing);
    let mut acts = acting(own);
    acts["metadata"]["annotations"][HANDOVER] = "now".into();
    assert_eq!(next(None, Some(&acts), &progress), Step::Tidy);
    let done = acting(created());
    assert_eq!(next(None, Some(&done), &progress), Step::Done(done.clone()));
}

#[test]
fn a_status_that_was_written_meanwhile_is_carried_over_again() {
    let own = standing_by(created());
    let mut progress = progress();
    progress.carried = Some("4".to_owned());
    let step = next(Some(&plain()), Some(&own), &progress);
    assert!(matches!(step, Step::Carry(_)), "{step:?}");
}

#[test]
fn an_old_answer_does_not_count_for_a_new_run() {
    let own = standing_by(created());
    let later = Progress {
        question: "later".to_owned(),
        carried: None,
    };
    let Step::Ask(change) = next(Some(&plain()), Some(&own), &later) else {
        unreachable!("it was not asked in this run")
    };
    assert_eq!(change["metadata"]["annotations"][HANDOVER], "later");
    let mut asked = own;
    asked["metadata"]["annotations"][HANDOVER] = "later".into();
    assert_eq!(
        next(Some(&plain()), Some(&asked), &later),
        Step::AwaitAnswer
    );
}

#[test]
fn what_was_recreated_is_what_is_given_back() {
    let own = standing_by(created());
    let mut again = plain();
    again["metadata"]["uid"] = "p2".into();
    let Step::Ask(change) = next(Some(&again), Some(&own), &progress()) else {
        unreachable!("another one is kept")
    };
    let kept = change["metadata"]["annotations"][ADOPTED_FROM]
        .as_str()
        .unwrap();
    assert!(kept.contains(r#""uid":"p2""#), "{kept}");
}

#[test]
fn two_that_say_different_things_are_left_alone() {
    let own = standing_by(created());
    let mut other = plain();
    other["spec"]["maxReplicas"] = 9.into();
    let says = |step: Step| match step {
        Step::No(why) => why,
        other => unreachable!("{other:?}"),
    };
    let why = says(next(Some(&other), Some(&own), &progress()));
    assert!(why.contains("says something else"), "{why}");
    let mut paused = own.clone();
    paused["spec"]["paused"] = true.into();
    let why = says(next(Some(&plain()), Some(&paused), &progress()));
    assert!(why.contains("says something else"), "{why}");
    other["metadata"]["uid"] = "p2".into();
    let why = says(back(Some(&other), Some(&own)));
    assert!(why.contains("says something else"), "{why}");
}

#[test]
fn what_is_not_there_or_would_not_go_is_refused() {
    for step in [next(None, None, &progress()), back(None, None)] {
        assert!(matches!(step, Step::No(why) if why.contains("is not there")));
    }
    let mut held = plain();
    held["metadata"]["finalizers"] = json!(["example.com/x"]);
    let own = standing_by(created());
    for step in [
        next(Some(&held), None, &progress()),
        next(Some(&held), Some(&own), &progress()),
        back(
            None,
            Some(&{
                let mut own = acting(created());
                own["metadata"]["finalizers"] = json!(["example.com/x"]);
                own
            }),
        ),
    ] {
        assert!(matches!(step, Step::No(why) if why.contains("example.com/x")));
    }
}

#[test]
fn upstreams_is_there_before_ours_goes_and_is_as_it_was() {
    let own = acting(created());
    let Step::CreatePlain(restored) = back(None, Some(&own)) else {
        unreachable!("it is ours now")
    };
    let mut expected = plain();
    for (part, keys) in [
        ("/metadata", vec!["uid", "resourceVersion"]),
        ("", vec!["status"]),
    ] {
        let map = expected.pointer_mut(part).unwrap().as_object_mut().unwrap();
        keys.iter().for_each(|key| drop(map.remove(*key)));
    }
    assert_eq!(restored, expected);
    let mut there = restored;
    there["metadata"]["uid"] = "p2".into();
    assert_eq!(back(Some(&there), Some(&own)), Step::AwaitYielding);
    let own = standing_by(own);
    assert_eq!(back(Some(&there), Some(&own)), Step::DeleteOwn);
    assert_eq!(back(Some(&there), None), Step::Done(there.clone()));
}

#[test]
fn what_was_changed_since_stays_changed_and_kubectl_apply_still_knows_what_it_applied() {
    let mut own = acting(created());
    own["spec"]["maxReplicas"] = 9.into();
    own["spec"]["freeze"] = "down".into();
    let Step::CreatePlain(restored) = back(None, Some(&own)) else {
        unreachable!("it is ours now")
    };
    assert_eq!(restored["spec"]["maxReplicas"], 9);
    let notes = &restored["metadata"]["annotations"];
    assert_eq!(
        *notes,
        json!({"evenkeel.dev/freeze": "down",
            "kubectl.kubernetes.io/last-applied-configuration": "{\"a\":1}\n"})
    );
    assert_eq!(restored["metadata"]["uid"], Value::Null);
}

#[test]
fn a_memory_that_was_on_upstreams_object_goes_with_it_and_comes_back() {
    let mut plain = plain();
    plain["metadata"]["annotations"]["evenkeel.dev/history"] = "then".into();
    let Step::CreateOwn(own) = next(Some(&plain), None, &progress()) else {
        unreachable!("it is upstream's")
    };
    let Step::Carry(past) = next(Some(&plain), Some(&standing_by(own.clone())), &progress()) else {
        unreachable!("it was answered")
    };
    assert_eq!(past["status"]["history"], "then");
    let mut own = acting(own);
    own["status"]["history"] = "now".into();
    let Step::CreatePlain(restored) = back(None, Some(&own)) else {
        unreachable!("it is ours now")
    };
    assert_eq!(
        restored["metadata"]["annotations"]["evenkeel.dev/history"],
        "now"
    );
}

#[test]
fn an_adoption_that_was_begun_is_undone_whatever_became_of_the_original() {
    let own = standing_by(created());
    let mut changed = plain();
    changed["spec"]["maxReplicas"] = 9.into();
    assert_eq!(back(Some(&changed), Some(&own)), Step::DeleteOwn);
}

#[test]
fn one_that_never_was_upstreams_can_become_it() {
    let mut own = acting(created());
    own["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("annotations");
    let Step::CreatePlain(made) = back(None, Some(&own)) else {
        unreachable!("it is ours")
    };
    assert_eq!(made["spec"], plain()["spec"]);
    assert_eq!(made["metadata"].get("annotations"), None);
}

#[test]
fn targets_are_compared_without_their_version() {
    let of = |version: &str| {
        let mut object = plain();
        object["spec"]["scaleTargetRef"]["apiVersion"] = version.into();
        target(&object).map(str::to_owned)
    };
    assert_eq!(of("apps/v1"), of("apps/v1beta2"));
    assert_ne!(of("apps/v1"), of("v1"));
    assert_eq!(Direction::Adopt.back(), "release");
}
