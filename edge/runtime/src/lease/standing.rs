//! What the other parts of a process know of its candidate: whether it leads, and whether it is alive.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Shared between a [`super::Candidate`], health checks and metrics.
#[derive(Debug)]
pub struct Standing {
    lease: String,
    /// Silence for longer than this means that the candidate hangs.
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    leads_until: Option<Instant>,
    tried: Instant,
}

impl Standing {
    pub(super) fn new(lease: &str, patience: Duration) -> Self {
        Self {
            lease: lease.to_owned(),
            patience,
            state: Mutex::new(State {
                leads_until: None,
                tried: Instant::now(),
            }),
        }
    }

    /// The Lease's name.
    pub fn lease(&self) -> &str {
        &self.lease
    }

    /// Whether this process leads at this moment.
    pub fn leads(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state
            .leads_until
            .is_some_and(|until| Instant::now() < until)
    }

    /// An error while tries do not come to an end: they all have limits, so something hangs.
    ///
    /// Upstream: HealthzAdaptor.Check, which looks at leaders only.
    pub fn check(&self) -> Result<(), String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.tried.elapsed() <= self.patience {
            return Ok(());
        }
        Err(format!(
            "failed election to renew leadership on lease {}",
            self.lease
        ))
    }

    pub(super) fn tried(&self, leads_until: Option<Instant>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.leads_until = leads_until;
        state.tried = Instant::now();
    }
}
