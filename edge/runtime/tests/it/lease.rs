//! Candidates over wires that can be cut, in paused time.

use crate::wire::Wire;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Event, EventSource};
use kube::Api;
use runtime::events::Recorder;
use runtime::lease::{Candidate, Ended, Standing, Terms};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testkit::Lab;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

const NAMESPACE: &str = "kube-system";
const NAME: &str = "evenkeel-hpa-controller";
/// Longer than anything here may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// A process that would lead.
struct Process {
    wire: Wire,
    works: Arc<AtomicBool>,
    standing: Arc<Standing>,
    stop: CancellationToken,
    task: JoinHandle<Ended>,
}

fn terms(identity: &str) -> Terms {
    Terms {
        namespace: NAMESPACE.to_owned(),
        name: NAME.to_owned(),
        identity: identity.to_owned(),
        duration: Duration::from_secs(15),
        renew_deadline: Duration::from_secs(10),
        retry_period: Duration::from_secs(2),
    }
}

fn candidate(client: kube::Client, identity: &str) -> Candidate {
    let (recorder, scribe) = Recorder::new(client.clone(), EventSource::default());
    tokio::spawn(scribe.run());
    Candidate::new(client, terms(identity), recorder)
}

/// Is true as long as it lives.
struct Working(Arc<AtomicBool>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Process {
    fn start(lab: &Lab, identity: &str) -> Self {
        let (wire, client) = Wire::to(lab.client.clone());
        let candidate = candidate(client, identity);
        let standing = candidate.standing();
        let (stop, works) = (CancellationToken::new(), Arc::new(AtomicBool::new(false)));
        let flag = Arc::clone(&works);
        let work = move |term: CancellationToken| {
            let working = Working(Arc::clone(&flag));
            async move {
                working.0.store(true, Ordering::SeqCst);
                term.cancelled().await;
                drop(working);
            }
        };
        let task = tokio::spawn(candidate.run(stop.clone(), work));
        Self {
            wire,
            works,
            standing,
            stop,
            task,
        }
    }

    fn works(&self) -> bool {
        self.works.load(Ordering::SeqCst)
    }

    /// Waits until it works or does not, and says how long that took.
    async fn until(&self, works: bool) -> Duration {
        let begun = Instant::now();
        let wait = async {
            while self.works() != works {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(DEADLINE, wait).await.unwrap();
        begun.elapsed()
    }
}

async fn lease(lab: &Lab) -> Lease {
    let leases: Api<Lease> = Api::namespaced(lab.client.clone(), NAMESPACE);
    leases.get(NAME).await.unwrap()
}

async fn holder(lab: &Lab) -> String {
    lease(lab).await.spec.unwrap().holder_identity.unwrap()
}

#[tokio::test(start_paused = true)]
async fn one_works_and_when_it_falls_silent_the_other_takes_over_in_time() {
    let lab = testkit::lab().await.unwrap();
    let one = Process::start(&lab, "one");
    one.until(true).await;
    let other = Process::start(&lab, "other");
    sleep(Duration::from_secs(60)).await;
    assert!(one.works() && !other.works());
    assert!(one.standing.leads() && !other.standing.leads());
    one.wire.cut();
    one.task.abort();
    let took = other.until(true).await;
    assert!(
        took > Duration::from_secs(12) && took < Duration::from_secs(18),
        "{took:?}"
    );
    assert_eq!(holder(&lab).await, "other");
    assert_eq!(lease(&lab).await.spec.unwrap().lease_transitions, Some(1));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_told_to_stop_ends_its_work_and_lets_the_other_in_at_once() {
    let lab = testkit::lab().await.unwrap();
    let one = Process::start(&lab, "one");
    one.until(true).await;
    let other = Process::start(&lab, "other");
    sleep(Duration::from_secs(5)).await;
    one.stop.cancel();
    assert_eq!(one.task.await.unwrap(), Ended::Told);
    assert!(!one.works.load(Ordering::SeqCst));
    assert_eq!(holder(&lab).await, "");
    let took = other.until(true).await;
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_stops_before_another_begins_and_stands_again() {
    let lab = testkit::lab().await.unwrap();
    let one = Process::start(&lab, "one");
    one.until(true).await;
    let other = Process::start(&lab, "other");
    sleep(Duration::from_secs(20)).await;
    one.wire.cut();
    let stopped = one.until(false).await;
    assert!(stopped <= Duration::from_secs(11), "{stopped:?}");
    assert!(!other.works(), "never two at a time");
    assert_eq!(one.standing.check(), Ok(()), "it tries on");
    other.until(true).await;
    one.wire.mend();
    sleep(Duration::from_secs(20)).await;
    assert!(!one.works() && other.works());
    other.stop.cancel();
    one.until(true).await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_somebody_else_took_ends_the_work_at_the_next_renewal() {
    let lab = testkit::lab().await.unwrap();
    let one = Process::start(&lab, "one");
    one.until(true).await;
    let leases: Api<Lease> = Api::namespaced(lab.client.clone(), NAMESPACE);
    let mut taken = lease(&lab).await;
    taken.spec.as_mut().unwrap().holder_identity = Some("thief".to_owned());
    leases
        .replace(NAME, &kube::api::PostParams::default(), &taken)
        .await
        .unwrap();
    let took = one.until(false).await;
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn work_that_ends_by_itself_releases_the_lease_and_is_told() {
    let lab = testkit::lab().await.unwrap();
    let candidate = candidate(lab.client.clone(), "one");
    let ended = candidate
        .run(CancellationToken::new(), |_| std::future::ready(()))
        .await;
    assert_eq!(ended, Ended::Work);
    assert_eq!(holder(&lab).await, "");
}

#[tokio::test(start_paused = true)]
async fn an_event_says_who_leads() {
    let lab = testkit::lab().await.unwrap();
    let one = Process::start(&lab, "one");
    one.until(true).await;
    let events: Api<Event> = Api::namespaced(lab.client.clone(), NAMESPACE);
    let wait = async {
        loop {
            let all = events
                .list(&kube::api::ListParams::default())
                .await
                .unwrap();
            if let Some(event) = all.items.into_iter().next() {
                return event;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    let event = timeout(DEADLINE, wait).await.unwrap();
    assert_eq!(event.reason.as_deref(), Some("LeaderElection"));
    assert_eq!(event.message.as_deref(), Some("one became leader"));
    assert_eq!(event.involved_object.kind.as_deref(), Some("Lease"));
}

#[tokio::test(start_paused = true)]
async fn a_candidate_that_does_not_come_to_try_is_told_of_in_upstreams_words() {
    let lab = testkit::lab().await.unwrap();
    let candidate = candidate(lab.client.clone(), "one");
    let standing = candidate.standing();
    assert_eq!(standing.check(), Ok(()));
    sleep(Duration::from_secs(16)).await;
    assert_eq!(
        standing.check(),
        Err(format!(
            "failed election to renew leadership on lease {NAME}"
        ))
    );
}
