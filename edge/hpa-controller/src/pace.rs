//! How often an autoscaler is looked at: at the flag's period, or its own.
//!
//! Not here: what a look is.

use crate::member::Occasion;
use k8s::autoscaling::options;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How much of its period a look for the period waits for new samples, which then are its reason.
const GRACE: u32 = 10;

/// The beat of one autoscaler.
///
/// Where samples come once a period, a look for them is the period's look too: the beat after it gives them a tenth of
/// the period to come first again. So before long a period has one look, at the moment when there is something to see.
///
/// Differs from upstream, whose interval is fixed: where samples are watched a period may last a tenth longer.
#[derive(Debug)]
pub(crate) struct Pace {
    flag: Duration,
    period: Duration,
    /// When the next look for the period is due, without grace.
    due: Instant,
    /// Samples came since the last look for the period.
    heard: bool,
}

impl Pace {
    /// One whose first beat is when this part of its period is over.
    pub(crate) fn new(flag: units::Duration, object: &HorizontalPodAutoscaler, part: f64) -> Self {
        let flag = flag.to_std();
        let period = wanted(flag, object);
        Self {
            flag,
            period,
            due: Instant::now() + period.mul_f64(part),
            heard: false,
        }
    }

    /// Waits for the next beat.
    pub(crate) async fn tick(&mut self) {
        let grace = if self.heard {
            self.grace()
        } else {
            Duration::ZERO
        };
        sleep_until(self.due + grace).await;
        self.beat(false);
    }

    /// What a look for new samples is: the period's look, if that is due soon.
    pub(crate) fn samples(&mut self) -> Occasion {
        if Instant::now() + self.grace() < self.due {
            self.heard = true;
            return Occasion::Samples;
        }
        self.beat(true);
        Occasion::Period
    }

    /// Takes on the period that the autoscaler asks for, from now on.
    pub(crate) fn follow(&mut self, object: &HorizontalPodAutoscaler) {
        let period = wanted(self.flag, object);
        if period != self.period {
            self.period = period;
            self.due = Instant::now() + period;
            self.heard = false;
        }
    }

    /// A look that came a little early does not make the next one early.
    fn beat(&mut self, heard: bool) {
        self.due = self.due.max(Instant::now()) + self.period;
        self.heard = heard;
    }

    fn grace(&self) -> Duration {
        self.period / GRACE
    }
}

fn wanted(flag: Duration, object: &HorizontalPodAutoscaler) -> Duration {
    let own = options::of(object).sync_period;
    own.map_or(flag, |period| period.to_std())
}

#[cfg(test)]
mod tests;
