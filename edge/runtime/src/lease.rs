//! Leader election: of several processes one works, as long as it holds a Lease of coordination.k8s.io.
//!
//! [`Election`] decides from what was seen and when; [`Candidate`] asks, writes and waits; [`Standing`] is what others
//! may know of it. Upstream: client-go/tools/leaderelection (v0.36). As there, nobody believes another's clock: a lease
//! has run out when it has not changed for its duration while one looked.
//!
//! Differs from upstream: a process whose lease is lost does not end. It stops working at once and stands again.

mod candidate;
mod election;
mod standing;
#[cfg(test)]
mod tests;

pub use candidate::{Candidate, Ended};
pub use election::{Election, Record};
pub use standing::Standing;

use std::time::Duration;

/// What is held, by whom, and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The Lease's namespace.
    pub namespace: String,
    /// The Lease's name.
    pub name: String,
    /// Who stands.
    pub identity: String,
    /// How long others wait when a leader falls silent.
    pub duration: Duration,
    /// How long a leader leads that cannot renew its lease.
    pub renew_deadline: Duration,
    /// The pause between tries.
    pub retry_period: Duration,
}

/// Upstream: JitterFactor.
const JITTER_FACTOR: f64 = 1.2;

impl Terms {
    /// Refuses what cannot work, in upstream's words. Upstream: NewLeaderElector.
    pub fn validate(&self) -> Result<(), &'static str> {
        let rules = [
            (
                self.duration <= self.renew_deadline,
                "leaseDuration must be greater than renewDeadline",
            ),
            (
                self.renew_deadline <= self.retry_period.mul_f64(JITTER_FACTOR),
                "renewDeadline must be greater than retryPeriod*JitterFactor",
            ),
            (
                self.duration.is_zero(),
                "leaseDuration must be greater than zero",
            ),
            (
                self.renew_deadline.is_zero(),
                "renewDeadline must be greater than zero",
            ),
            (
                self.retry_period.is_zero(),
                "retryPeriod must be greater than zero",
            ),
            (self.identity.is_empty(), "Lock identity is empty"),
        ];
        let broken = rules.iter().find(|(broken, _)| *broken);
        broken.map_or(Ok(()), |(_, text)| Err(text))
    }
}

/// A name that no other process has: the host's, and something random.
pub fn identity() -> String {
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    format!("{host}_{}", uuid::Uuid::new_v4())
}
