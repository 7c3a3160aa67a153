//! When to probe, and what the answers mean together.
//!
//! Upstream: pkg/kubelet/prober/worker.go (doProbe).

use super::{Outcome, Purpose, Verdict};
use k8s_openapi::api::core::v1::Probe;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

#[cfg(test)]
mod tests;

/// A container that does not listen yet is asked again this soon.
const EAGER: Duration = Duration::from_millis(100);
/// One that listens and is not ready, this soon.
const KEEN: Duration = Duration::from_secs(1);
/// How long a container counts as just started.
const STARTING: Duration = Duration::from_secs(60);

/// Probes until `tell` says that nobody wants to know, or until it is decided for good.
///
/// Differs from upstream: while a container starts, it is also asked between its periods, so that it is
/// ready when it is and not up to a period later. A failure then neither counts nor makes an event.
pub(super) async fn run<Fut: Future<Output = Outcome>>(
    purpose: Purpose,
    probe: &Probe,
    mut check: impl FnMut() -> Fut,
    mut tell: impl FnMut(Verdict) -> bool,
) {
    let mut schedule = Schedule::new(purpose, probe, Instant::now());
    let mut answers = Answers::default();
    loop {
        sleep_until(schedule.next).await;
        let outcome = check().await;
        if !schedule.counts(&outcome, Instant::now()) {
            continue;
        }
        let (healthy, said) = match outcome {
            Outcome::Success => (Some(true), None),
            Outcome::Failure(why) | Outcome::Refused(why) => (
                Some(false),
                Some(format!("{} probe failed: {why}", purpose.name())),
            ),
            Outcome::Error(why) => {
                let name = purpose.name();
                (
                    None,
                    Some(format!(
                        "{name} probe errored and resulted in unknown state: {why}"
                    )),
                )
            }
        };
        if said.is_some_and(|said| !tell(Verdict::Tried(said))) {
            return;
        }
        let Some(healthy) = healthy else { continue };
        if answers.decide(healthy, probe) {
            let wanted = tell(Verdict::Decided(healthy));
            // Upstream holds a failed liveness and a decided startup probe until a new instance.
            let for_good =
                purpose == Purpose::Startup || (purpose == Purpose::Liveness && !healthy);
            if !wanted || for_good {
                return;
            }
        }
    }
}

/// When the next try is due, and whether it counts.
struct Schedule {
    next: Instant,
    /// The next try that counts whatever it says.
    due: Instant,
    period: Duration,
    /// Until then tries are made between the periods, too.
    keen_until: Option<Instant>,
}

impl Schedule {
    fn new(purpose: Purpose, probe: &Probe, started: Instant) -> Self {
        let seconds = |value: Option<i32>| {
            value
                .and_then(|v| u64::try_from(v).ok())
                .map(Duration::from_secs)
        };
        let period = seconds(probe.period_seconds.filter(|p| *p > 0));
        let period = period.unwrap_or(Duration::from_secs(10));
        let first = started + seconds(probe.initial_delay_seconds).unwrap_or_default();
        let keen = purpose != Purpose::Liveness;
        Self {
            // A container that has just started is alive: its liveness is asked a period later.
            next: if keen { first } else { first + period },
            due: first + period,
            period,
            keen_until: keen.then_some(started + STARTING),
        }
    }

    /// Whether an answer counts; plans the next try.
    fn counts(&mut self, outcome: &Outcome, now: Instant) -> bool {
        let succeeded = *outcome == Outcome::Success;
        if succeeded {
            self.keen_until = None;
        }
        let counts = succeeded || now >= self.due;
        while self.due <= now {
            self.due += self.period;
        }
        let step = if matches!(outcome, Outcome::Refused(_)) {
            EAGER
        } else {
            KEEN
        };
        let keen = self.keen_until.is_some_and(|until| now < until);
        self.next = if keen {
            self.due.min(now + step)
        } else {
            self.due
        };
        counts
    }
}

/// Equal answers in a row.
#[derive(Default)]
struct Answers {
    last: Option<bool>,
    length: i32,
}

impl Answers {
    fn decide(&mut self, healthy: bool, probe: &Probe) -> bool {
        self.length = if self.last == Some(healthy) {
            self.length.saturating_add(1)
        } else {
            1
        };
        self.last = Some(healthy);
        let threshold = if healthy {
            probe.success_threshold.unwrap_or(1)
        } else {
            probe.failure_threshold.unwrap_or(3)
        };
        self.length >= threshold
    }
}
