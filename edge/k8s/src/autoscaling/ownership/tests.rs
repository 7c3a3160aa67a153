//! Pods of the target, of others and of nobody.

use super::{Kin, Owner, ReplicaSets, left_out, needed};
use hpa::{LeftOut, Unowned};
use k8s_openapi::api::core::v1::{Pod, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

fn reference(kind: &str, name: &str, uid: &str) -> OwnerReference {
    OwnerReference {
        api_version: "apps/v1".to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        uid: uid.to_owned(),
        controller: Some(true),
        ..OwnerReference::default()
    }
}

fn pod(name: &str, phase: &str, controller: Option<OwnerReference>) -> Pod {
    let mut pod = Pod::default();
    pod.metadata.name = Some(name.to_owned());
    pod.metadata.owner_references = controller.map(|one| vec![one]);
    pod.status = Some(PodStatus {
        phase: Some(phase.to_owned()),
        ..PodStatus::default()
    });
    pod
}

fn deployment() -> Owner {
    Owner {
        uid: Some("d".to_owned()),
        kind: "Deployment".to_owned(),
        name: "web".to_owned(),
    }
}

fn sets() -> ReplicaSets {
    let own = Some(reference("Deployment", "web", "d"));
    let other = Some(reference("Deployment", "other", "e"));
    let sets = [
        ("r1", own.clone()),
        ("r2", own),
        ("r3", other),
        ("r4", None),
    ];
    sets.map(|(uid, owner)| (uid.to_owned(), owner)).into()
}

fn why(pod: Pod, owner: &Owner) -> Option<Unowned> {
    let left = left_out(&kin(&[pod]), owner, &sets());
    left.into_iter().next().map(|l| l.why)
}

fn set(uid: &str) -> Option<OwnerReference> {
    Some(reference("ReplicaSet", uid, uid))
}

fn of(kind: &str, name: &str) -> Option<Unowned> {
    Some(Unowned::Controller {
        kind: kind.to_owned(),
        name: name.to_owned(),
    })
}

fn kin(pods: &[Pod]) -> Vec<Kin<'_>> {
    pods.iter().map(Kin::of).collect()
}

#[test]
fn a_deployments_pods_are_those_of_all_its_replica_sets() {
    let rows = [
        (pod("a", "Running", set("r1")), None),
        (pod("b", "Pending", set("r2")), None),
        (pod("c", "Running", set("r3")), of("Deployment", "other")),
        (pod("d", "Running", set("r4")), of("ReplicaSet", "r4")),
        (
            pod("e", "Running", set("unknown")),
            of("ReplicaSet", "unknown"),
        ),
        (pod("f", "Running", None), Some(Unowned::NoController)),
        (pod("g", "Succeeded", set("r1")), Some(Unowned::Finished)),
        (pod("h", "Failed", None), Some(Unowned::Finished)),
        (
            pod("i", "Running", Some(reference("Job", "backup", "j"))),
            of("Job", "backup"),
        ),
    ];
    for (pod, expected) in rows {
        let name = pod.metadata.name.clone();
        assert_eq!(why(pod, &deployment()), expected, "{name:?}");
    }
}

#[test]
fn an_owner_that_is_no_controller_does_not_count() {
    let mut owned = reference("Deployment", "web", "d");
    owned.controller = None;
    let pod = pod("a", "Running", Some(owned));
    assert_eq!(why(pod, &deployment()), Some(Unowned::NoController));
}

#[test]
fn a_stateful_set_and_a_replica_set_own_their_pods_directly() {
    for kind in ["StatefulSet", "ReplicaSet"] {
        let owner = Owner {
            uid: Some("s".to_owned()),
            kind: kind.to_owned(),
            name: "db".to_owned(),
        };
        let pods = [pod("db-0", "Running", Some(reference(kind, "db", "s")))];
        assert_eq!(left_out(&kin(&pods), &owner, &ReplicaSets::new()), []);
        assert_eq!(needed(&kin(&pods), &owner).len(), 0);
        // One that was deleted and made anew has another uid.
        let old = pod("db-1", "Running", Some(reference(kind, "db", "t")));
        assert_eq!(why(old, &owner), of(kind, "db"));
    }
}

#[test]
fn without_a_uid_kind_and_name_count() {
    let owner = Owner {
        uid: None,
        ..deployment()
    };
    assert_eq!(why(pod("a", "Running", set("r1")), &owner), None);
    let other = pod("c", "Running", set("r3"));
    assert_eq!(why(other, &owner), of("Deployment", "other"));
}

#[test]
fn each_replica_set_is_needed_once_and_only_for_pods_that_have_not_finished() {
    let pods = [
        pod("a", "Running", set("r1")),
        pod("b", "Running", set("r1")),
        pod("c", "Failed", set("r2")),
        pod("d", "Running", Some(reference("Job", "backup", "j"))),
        pod("e", "Running", None),
    ];
    let needed = needed(&kin(&pods), &deployment());
    let needed: Vec<_> = needed.into_iter().collect();
    assert_eq!(needed, [("r1".to_owned(), "r1".to_owned())]);
}

#[test]
fn those_that_are_left_out_are_named() {
    let pods = [pod("a", "Running", set("r1")), pod("b", "Running", None)];
    let expected = LeftOut {
        pod: "b".to_owned(),
        why: Unowned::NoController,
    };
    assert_eq!(left_out(&kin(&pods), &deployment(), &sets()), [expected]);
}
