//! Two replicas in paused time: one works, falls out of reach or is told to end, and the other goes on where it was.

use crate::world::{BEGINNING, Decisions, NAMESPACE, World};
use hpa_controller::{HpaFlags, run};
use k8s_openapi::api::core::v1::EventSource;
use kube::api::{Api, DynamicObject};
use runtime::events::Recorder;
use runtime::lease::{Candidate, Terms};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

const ACCOUNT: &str = "horizontal-pod-autoscaler";

struct Replica {
    decisions: Decisions,
    cut: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Replica {
    fn start(world: &World, identity: &str) -> Self {
        let (client, cut) = world.client_that_may_be_cut(ACCOUNT);
        let (recorder, scribe) = Recorder::new(client.clone(), EventSource::default());
        tokio::spawn(scribe.run());
        let terms = Terms {
            namespace: NAMESPACE.to_owned(),
            name: "lease".to_owned(),
            identity: identity.to_owned(),
            duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
        };
        let decisions = Decisions::default();
        let flags = HpaFlags {
            downscale_stabilization: units::Duration::from_seconds(60),
            ..HpaFlags::default()
        };
        let config = world.config(flags, &decisions);
        let candidate = Candidate::new(client.clone(), terms, recorder);
        let stop = world.lab.shutdown.child_token();
        let work = move |term| run(client.clone(), config.clone(), term);
        tokio::spawn(candidate.run(stop.clone(), work));
        Self {
            decisions,
            cut,
            stop,
        }
    }

    /// When, in seconds, and to how many.
    fn decided(&self) -> Vec<(i64, i32)> {
        let decisions = self.decisions.lock().unwrap();
        let since = |at: units::Timestamp| at.seconds() - BEGINNING.seconds();
        decisions.iter().map(|d| (since(d.at), d.desired)).collect()
    }
}

/// The service account may write leases here.
async fn may_lead(world: &World) {
    let rbac = "rbac.authorization.k8s.io";
    let role = json!({"apiVersion": format!("{rbac}/v1"), "kind": "Role",
        "metadata": {"name": "leases"},
        "rules": [{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"],
            "verbs": ["create", "get", "update"]}]});
    let binding = json!({"apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding",
        "metadata": {"name": "leases"},
        "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "leases"},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": "kube-system"}]});
    for (kind, plural, object) in [
        ("Role", "roles", role),
        ("RoleBinding", "rolebindings", binding),
    ] {
        let api: Api<DynamicObject> = world.api(&format!("{rbac}/v1"), kind, plural);
        crate::world::create(&api, object).await;
    }
}

/// Under load for twenty seconds, then idle for twenty: four replicas are held until 75 seconds have passed.
async fn held() -> (World, Replica, Replica) {
    let world = World::new().await;
    may_lead(&world).await;
    world.use_cpu("95m");
    world.backend().await;
    let one = Replica::start(&world, "one");
    sleep(Duration::from_secs(1)).await;
    let two = Replica::start(&world, "two");
    sleep(Duration::from_secs(19)).await;
    world.use_cpu("5m");
    sleep(Duration::from_secs(20)).await;
    assert_eq!(two.decided(), [], "one at a time");
    let numbers: Vec<i32> = one.decided().iter().map(|(_, desired)| *desired).collect();
    assert_eq!(numbers, [4, 4, 4]);
    (world, one, two)
}

/// What the second decided, after all is settled.
fn went_on(two: &Replica, no_later_than: i64) {
    let decided = two.decided();
    let (first, desired) = decided[0];
    assert!(first <= no_later_than, "{decided:?}");
    assert_eq!(desired, 4, "what was held is held");
    let lower = decided.iter().find(|(_, desired)| *desired == 2);
    let (at, _) = lower.expect("its window ends");
    assert!((75..=91).contains(at), "{decided:?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_out_of_reach_is_replaced_in_time_and_what_it_held_is_held() {
    let (_world, one, two) = held().await;
    one.cut.store(true, Ordering::SeqCst);
    sleep(Duration::from_secs(60)).await;
    // The lease's duration and a try.
    went_on(&two, 40 + 15 + 3);
    let (last, _) = *one.decided().last().unwrap();
    assert!(last <= 50, "it stops before the other begins: {last}");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_told_to_end_is_replaced_at_the_next_try() {
    let (_world, one, two) = held().await;
    one.stop.cancel();
    sleep(Duration::from_secs(60)).await;
    went_on(&two, 40 + 3);
    let (last, _) = *one.decided().last().unwrap();
    assert!(last <= 40, "{last}");
}
