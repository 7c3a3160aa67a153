//! How often an autoscaler is looked at: at the flag's period, or its own.
//!
//! Not here: what a look is.

use k8s::autoscaling::options;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use units::Duration;

/// The beat of one autoscaler.
#[derive(Debug)]
pub(crate) struct Pace {
    flag: Duration,
    period: Duration,
    ticks: Interval,
}

impl Pace {
    /// One whose first beat is when this part of its period is over.
    pub(crate) fn new(flag: Duration, object: &HorizontalPodAutoscaler, part: f64) -> Self {
        let period = wanted(flag, object);
        Self {
            flag,
            period,
            ticks: ticks(Instant::now() + period.to_std().mul_f64(part), period),
        }
    }

    /// Waits for the next beat.
    pub(crate) async fn tick(&mut self) {
        self.ticks.tick().await;
    }

    /// Takes on the period that the autoscaler asks for, from now on.
    pub(crate) fn follow(&mut self, object: &HorizontalPodAutoscaler) {
        let period = wanted(self.flag, object);
        if period != self.period {
            self.period = period;
            self.ticks = ticks(Instant::now() + period.to_std(), period);
        }
    }
}

fn wanted(flag: Duration, object: &HorizontalPodAutoscaler) -> Duration {
    options::of(object).sync_period.unwrap_or(flag)
}

fn ticks(first: Instant, period: Duration) -> Interval {
    let mut ticks = interval_at(first, period.to_std());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

#[cfg(test)]
mod tests;
