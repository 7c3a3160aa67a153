//! What a demo run looked like: the samples, the decisions, and what can be said of them.

/// The state of everything at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    /// Seconds since the load began; negative before it.
    pub(crate) at_seconds: f64,
    /// Requests a second that the load asks for.
    pub(crate) offered_rps: f64,
    /// Requests a second that were answered.
    pub(crate) answered_rps: f64,
    /// CPU in percent of the requests, as the HPA's status has it.
    pub(crate) utilization_percent: Option<i32>,
    /// Replicas the Deployment should have.
    pub(crate) replicas: i32,
    /// Replicas that are ready.
    pub(crate) ready: i32,
}

/// A change of the number of replicas, with its reason.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rescale {
    /// Seconds since the load began.
    pub(crate) at_seconds: f64,
    pub(crate) from: i32,
    pub(crate) to: i32,
    /// The utilization that the decision saw.
    pub(crate) utilization_percent: Option<i32>,
    /// The decision's derivation, as a sentence.
    pub(crate) reason: String,
}

/// The HPA that was at work, and how it was set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) min: i32,
    pub(crate) max: i32,
    pub(crate) target_percent: i32,
    /// Periods and windows, as `(what, how long)`.
    pub(crate) periods: Vec<(&'static str, String)>,
}

/// A whole run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Timeline {
    pub(crate) setting: Setting,
    pub(crate) samples: Vec<Sample>,
    pub(crate) rescales: Vec<Rescale>,
}

/// The figures at the end of a run; times in seconds from the moment that each names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Summary {
    pub(crate) first_scale_up: Option<f64>,
    pub(crate) last_scale_up: Option<f64>,
    pub(crate) peak: i32,
    /// From the end of the load to the scale-down that reached the minimum.
    pub(crate) back_at_min: Option<f64>,
}

impl Timeline {
    /// The summary; `load_end_seconds` is when the load stopped, on the samples' clock.
    pub(crate) fn summary(&self, load_end_seconds: Option<f64>) -> Summary {
        let ups: Vec<f64> = self
            .rescales
            .iter()
            .filter(|r| r.to > r.from)
            .map(|r| r.at_seconds)
            .collect();
        let back = self
            .rescales
            .iter()
            .rev()
            .find(|r| r.to == self.setting.min && r.to < r.from);
        Summary {
            first_scale_up: ups.first().copied(),
            last_scale_up: ups.last().copied(),
            peak: self.samples.iter().map(|s| s.replicas).max().unwrap_or(0),
            back_at_min: back
                .zip(load_end_seconds)
                .map(|(rescale, end)| rescale.at_seconds - end)
                .filter(|seconds| *seconds >= 0.0),
        }
    }

    /// Every number of replicas there was, in order: `2 → 3 → 5 → 3 → 2`.
    pub(crate) fn path(&self) -> String {
        let first = self.rescales.first().map_or(self.setting.min, |r| r.from);
        let rest = self.rescales.iter().map(|r| r.to);
        let numbers: Vec<String> = std::iter::once(first)
            .chain(rest)
            .map(|n| n.to_string())
            .collect();
        numbers.join(" → ")
    }
}

/// Seconds for people: `7 s`, `2 min 05 s`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded and not negative"
)]
pub(crate) fn duration_text(seconds: f64) -> String {
    let whole = seconds.clamp(0.0, 1e9).round() as u64;
    if whole < 60 {
        format!("{whole} s")
    } else {
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

#[cfg(test)]
mod tests;
