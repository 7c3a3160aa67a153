//! Whether two controllers that look at different moments want the same.

use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What a controller wanted at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decided {
    pub(super) at: Timestamp,
    pub(super) hpa: String,
    pub(super) wants: Wants,
}

/// How many replicas, and what the conditions say of why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wants {
    pub(super) desired: i64,
    /// The reason of ScalingActive.
    pub(super) active: String,
}

/// One side wanted what the other did not want around that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    who: &'static str,
    what: Decided,
    others: Vec<Wants>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Decided { at, hpa, wants } = &self.what;
        let (who, desired, active) = (self.who, wants.desired, &wants.active);
        write!(
            f,
            "{hpa} at {at:.0}: {who} wants {desired} ({active}), the other "
        )?;
        let others = self.others.iter();
        let others: Vec<String> = others
            .map(|wants| format!("{} ({})", wants.desired, wants.active))
            .collect();
        if others.is_empty() {
            f.write_str("nothing")
        } else {
            f.write_str(&others.join(", "))
        }
    }
}

impl Decided {
    /// From an autoscaler's status, if something was decided.
    pub(super) fn of_status(at: Timestamp, object: &Value) -> Option<Self> {
        let status = &object["status"];
        let metadata = &object["metadata"];
        Some(Self {
            at,
            hpa: format!(
                "{}/{}",
                metadata["namespace"].as_str()?,
                metadata["name"].as_str()?
            ),
            wants: Wants {
                desired: status["desiredReplicas"].as_i64()?,
                active: active(&status["conditions"])?,
            },
        })
    }

    /// From a line of the decision log.
    pub(super) fn of_log(line: &Value) -> Option<Self> {
        Some(Self {
            at: line["at"].as_str()?.parse().ok()?,
            hpa: line["hpa"].as_str()?.to_owned(),
            wants: Wants {
                desired: line["desiredReplicas"].as_i64()?,
                active: active(&line["conditions"]).unwrap_or_default(),
            },
        })
    }
}

fn active(conditions: &Value) -> Option<String> {
    let mut conditions = conditions.as_array()?.iter();
    let active = conditions.find(|condition| condition["type"] == "ScalingActive")?;
    Some(active["reason"].as_str()?.to_owned())
}

/// How often the number of replicas that is wanted changed.
pub(super) fn steps(decided: &[Decided]) -> usize {
    let changes = |decided: &[&Decided]| {
        decided
            .windows(2)
            .filter(|pair| pair[0].wants.desired != pair[1].wants.desired)
            .count()
    };
    by_hpa(decided).values().map(|list| changes(list)).sum()
}

/// Where they differ: a state that one side was in, and that the other was not in at any time within `window` of it.
pub(super) fn differences(
    theirs: &[Decided],
    ours: &[Decided],
    window: Duration,
) -> Vec<Difference> {
    let mut found = Vec::new();
    let (theirs, ours) = (by_hpa(theirs), by_hpa(ours));
    for (hpa, theirs) in &theirs {
        let ours = ours.get(hpa).map(Vec::as_slice).unwrap_or_default();
        found.extend(missing("upstream", theirs, ours, window));
        found.extend(missing("ours", ours, theirs, window));
    }
    found
}

fn by_hpa(decided: &[Decided]) -> BTreeMap<&str, Vec<&Decided>> {
    let mut by: BTreeMap<&str, Vec<&Decided>> = BTreeMap::new();
    for one in decided {
        by.entry(&one.hpa).or_default().push(one);
    }
    by
}

/// What `these` wanted and `those` did not. A state lasts until the next one of the same side.
fn missing(
    who: &'static str,
    these: &[&Decided],
    those: &[&Decided],
    window: Duration,
) -> Vec<Difference> {
    let mut found: Vec<Difference> = Vec::new();
    // The last one may have been seen too late for the other side to follow.
    for (at, one) in these.iter().enumerate() {
        let repeated = at > 0 && these[at - 1].wants == one.wants;
        if repeated || at + 1 == these.len() {
            continue;
        }
        let begin = one.at - window;
        let end = one.at + window;
        let wanted = states(those, begin, end);
        if !wanted.contains(&one.wants) {
            found.push(Difference {
                who,
                what: (*one).clone(),
                others: wanted,
            });
        }
    }
    found
}

/// The states between two moments, the one that lasted into them included.
fn states(decided: &[&Decided], begin: Timestamp, end: Timestamp) -> Vec<Wants> {
    let before = decided.iter().rposition(|one| one.at < begin);
    let from = before.unwrap_or(0);
    let within = decided[from..].iter().take_while(|one| one.at <= end);
    let mut states: Vec<Wants> = within.map(|one| one.wants.clone()).collect();
    states.dedup();
    states
}

#[cfg(test)]
mod tests;
