//! Stands for election, and works while it leads.

use super::{Election, Record, Standing, Terms};
use crate::events::{Kind, Recorder};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::PostParams;
use kube::core::ObjectMeta;
use kube::{Api, Client};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// How long work may take to end when it is told to.
const END_LIMIT: Duration = Duration::from_secs(10);

/// Why a candidate stands no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to stop, and has released its lease.
    Told,
    /// The work ended by itself, which it should not.
    Work,
}

/// One process that would lead.
pub struct Candidate {
    api: Api<Lease>,
    terms: Terms,
    election: Election,
    /// The Lease as it was last written by us: renewing begins with it, without reading it again.
    written: Option<Lease>,
    standing: Arc<Standing>,
    recorder: Recorder,
    origin: Instant,
}

impl std::fmt::Debug for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Candidate")
            .field("terms", &self.terms)
            .finish_non_exhaustive()
    }
}

impl Candidate {
    /// One that stands on `terms`, which must be valid; `recorder` is told when it begins and ends to lead.
    pub fn new(client: Client, terms: Terms, recorder: Recorder) -> Self {
        Self {
            api: Api::namespaced(client, &terms.namespace),
            election: Election::new(&terms.identity, terms.duration, terms.renew_deadline),
            written: None,
            // Tries end within half the deadline and are a period apart: a whole duration is long enough.
            standing: Arc::new(Standing::new(&terms.name, terms.duration)),
            recorder,
            origin: Instant::now(),
            terms,
        }
    }

    /// What others may know.
    pub fn standing(&self) -> Arc<Standing> {
        Arc::clone(&self.standing)
    }

    /// Stands until `stop`, and runs `work` whenever it leads, until the token that `work` is given is cancelled.
    pub async fn run<F, Fut>(mut self, stop: CancellationToken, work: F) -> Ended
    where
        F: Fn(CancellationToken) -> Fut + Send,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let (lease, identity) = (self.terms.name.clone(), self.terms.identity.clone());
        info!(lease, identity, "standing for leader election");
        while self.acquire(&stop).await {
            info!(lease, identity, "leading");
            self.say("became leader");
            let term = CancellationToken::new();
            // Of its own, so that it cannot keep the lease from being renewed.
            let mut working = tokio::spawn(work(term.clone()));
            let ended = tokio::select! {
                _ = &mut working => true,
                () = self.hold(&stop) => false,
            };
            term.cancel();
            if !ended && timeout(END_LIMIT, &mut working).await.is_err() {
                warn!(
                    lease,
                    "the work did not end in {END_LIMIT:?}, cutting it off"
                );
                working.abort();
            }
            self.say("stopped leading");
            if ended || stop.is_cancelled() {
                self.release().await;
                return if stop.is_cancelled() {
                    Ended::Told
                } else {
                    Ended::Work
                };
            }
            warn!(lease, identity, "leads no longer, standing again");
        }
        Ended::Told
    }

    /// Tries until it leads. Gives false when told to stop.
    async fn acquire(&mut self, stop: &CancellationToken) -> bool {
        loop {
            let trying = self.attempt(self.terms.renew_deadline / 2);
            if stop.run_until_cancelled(trying).await.is_none() {
                return false;
            }
            if self.election.leads(self.at()) {
                return true;
            }
            let pause = self.pause();
            if stop.run_until_cancelled(sleep(pause)).await.is_none() {
                return false;
            }
        }
    }

    /// Renews until it leads no longer or is told to stop.
    async fn hold(&mut self, stop: &CancellationToken) {
        loop {
            let pause = sleep(self.terms.retry_period.min(self.left()));
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
            let limit = self.left().min(self.terms.renew_deadline / 2);
            let trying = self.attempt(limit);
            if stop.run_until_cancelled(trying).await.is_none() {
                return;
            }
            if !self.election.leads(self.at()) {
                self.election.step_down();
                self.report();
                return;
            }
        }
    }

    fn at(&self) -> Duration {
        self.origin.elapsed()
    }

    /// For how long it leads without renewing.
    fn left(&self) -> Duration {
        let until = self.election.leads_until().unwrap_or_default();
        until.saturating_sub(self.at())
    }

    /// Until the next try: a period, a little longer for some than for others; less where the lease runs out before.
    fn pause(&self) -> Duration {
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let share = hasher.hash_one(&self.terms.identity) % 1_000;
        let period = self.terms.retry_period;
        let jittered = period + period.mul_f64(0.2 * f64::from(share as u32) / 1_000.0);
        let runs_out = self
            .election
            .runs_out()
            .map(|out| out.saturating_sub(self.at()));
        match runs_out {
            Some(left) if !left.is_zero() => jittered.min(left),
            _ => jittered,
        }
    }

    fn report(&self) {
        let until = self.election.leads_until();
        self.standing.tried(until.map(|until| self.origin + until));
    }

    async fn attempt(&mut self, limit: Duration) {
        let lease = self.terms.name.clone();
        match timeout(limit, self.try_once()).await {
            Ok(Ok(())) => {}
            Ok(Err(kube::Error::Api(status))) if status.code == 409 => {
                debug!(lease, "another one wrote the lease first");
            }
            Ok(Err(error)) => warn!(lease, %error, "cannot read or write the lease"),
            Err(_) => warn!(lease, "no answer about the lease in {limit:?}"),
        }
        self.report();
    }

    async fn try_once(&mut self) -> kube::Result<()> {
        if let Some(written) = self.written.take()
            && self.election.leads(self.at())
        {
            match self.write(Some(written)).await {
                // Somebody else wrote it: look who.
                Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {}
                other => return other,
            }
        }
        let found = self.api.get_opt(&self.terms.name).await?;
        let at = self.at();
        self.election.saw(at, found.as_ref().map(record));
        self.write(found).await
    }

    /// Writes the lease if it is ours to write.
    async fn write(&mut self, onto: Option<Lease>) -> kube::Result<()> {
        let at = self.at();
        let Some(bid) = self.election.bid(at, crate::clock::now()) else {
            return Ok(());
        };
        let lease = self.put(onto, &bid).await?;
        self.election.won(at, bid);
        self.written = Some(lease);
        Ok(())
    }

    async fn put(&self, onto: Option<Lease>, record: &Record) -> kube::Result<Lease> {
        let params = PostParams::default();
        if let Some(mut lease) = onto {
            // What others put into the Lease stays.
            let kept = lease.spec.take().unwrap_or_default();
            lease.spec = Some(spec(record, kept));
            return self.api.replace(&self.terms.name, &params, &lease).await;
        }
        let lease = Lease {
            metadata: ObjectMeta {
                name: Some(self.terms.name.clone()),
                namespace: Some(self.terms.namespace.clone()),
                ..ObjectMeta::default()
            },
            spec: Some(spec(record, LeaseSpec::default())),
        };
        self.api.create(&params, &lease).await
    }

    /// Lets the next one in at once.
    async fn release(&mut self) {
        self.election.step_down();
        self.report();
        let limit = self.terms.retry_period;
        let releasing = async {
            let found = self.api.get_opt(&self.terms.name).await?;
            let at = self.at();
            self.election.saw(at, found.as_ref().map(record));
            match (self.election.release(crate::clock::now()), found) {
                (Some(record), Some(lease)) => self.put(Some(lease), &record).await.map(drop),
                _ => Ok(()),
            }
        };
        let released = timeout(limit, releasing).await;
        let lease = &self.terms.name;
        match released {
            Ok(Ok(())) => info!(lease, "released the lease"),
            Ok(Err(error)) => warn!(lease, %error, "cannot release the lease"),
            Err(_) => warn!(lease, "cannot release the lease in {limit:?}"),
        }
    }

    /// Upstream: LeaseLock.RecordEvent.
    fn say(&self, what: &str) {
        let about = ObjectReference {
            api_version: Some("coordination.k8s.io/v1".to_owned()),
            kind: Some("Lease".to_owned()),
            namespace: Some(self.terms.namespace.clone()),
            name: Some(self.terms.name.clone()),
            ..ObjectReference::default()
        };
        let message = format!("{} {what}", self.terms.identity);
        self.recorder
            .record(about, Kind::Normal, "LeaderElection", message);
    }
}

fn record(lease: &Lease) -> Record {
    let spec = lease.spec.clone().unwrap_or_default();
    let seconds = spec.lease_duration_seconds.unwrap_or_default();
    let time = |at: Option<MicroTime>| at.map_or(jiff::Timestamp::UNIX_EPOCH, |at| at.0);
    Record {
        holder: spec.holder_identity.unwrap_or_default(),
        duration: Duration::from_secs(u64::try_from(seconds).unwrap_or_default()),
        acquired: time(spec.acquire_time),
        renewed: time(spec.renew_time),
        transitions: spec.lease_transitions.unwrap_or_default(),
    }
}

fn spec(record: &Record, kept: LeaseSpec) -> LeaseSpec {
    LeaseSpec {
        holder_identity: Some(record.holder.clone()),
        lease_duration_seconds: i32::try_from(record.duration.as_secs()).ok(),
        acquire_time: Some(MicroTime(record.acquired)),
        renew_time: Some(MicroTime(record.renewed)),
        lease_transitions: Some(record.transitions),
        ..kept
    }
}
