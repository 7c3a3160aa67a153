//! What is assumed of pods whose figures do not count or are missing.

use super::Told;
use crate::words::{count, listed};
use hpa::step::{Calculation, Group};

impl Told<'_> {
    /// `counting 1 unready pod as idle, it is at 40 %`; nothing where nothing had to be assumed.
    pub(crate) fn assumption(&self) -> Option<String> {
        let Calculation::Pods {
            second: Some(second),
            ..
        } = &self.step.calculation
        else {
            return None;
        };
        let at = self.figure(second.current, second);
        let each = if second.request.is_some() {
            ""
        } else {
            " per pod"
        };
        Some(format!("{}, it is at {at}{each}", self.assumed_of_whom()?))
    }

    /// `counting 1 unready pod and 2 pods without a figure as idle`.
    pub(crate) fn assumed_of_whom(&self) -> Option<String> {
        let Calculation::Pods {
            first,
            second: Some(_),
        } = &self.step.calculation
        else {
            return None;
        };
        let (unready, missing) = (self.count(Group::Unready), self.count(Group::Missing));
        let without = format!("{} without a figure", count(missing, "pod"));
        if first.ratio > 1.0 {
            let unready = (unready > 0).then(|| count(unready, "unready pod"));
            let missing = (missing > 0).then_some(without);
            let whom: Vec<String> = unready.into_iter().chain(missing).collect();
            return Some(format!("counting {} as idle", listed(&whom)));
        }
        if first.ratio < 1.0 {
            let as_what = match first.request {
                Some(_) if missing == 1 => format!("at {} % of its request", first.target.max(100)),
                Some(_) => format!("at {} % of their requests", first.target.max(100)),
                None => "as being at the target".to_owned(),
            };
            return Some(format!("counting {without} {as_what}"));
        }
        Some(format!("leaving {without} out"))
    }
}
