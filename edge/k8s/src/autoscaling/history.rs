//! [`hpa::History`] as a text, for the annotation that keeps it on the autoscaler.
//!
//! `{"v":1,"at":"2026-01-01T12:00:00.250Z","recommendations":[[5,45000],[2,0]],"ups":[[2,60000]]}`: how many
//! replicas, and how many milliseconds before `at`. `known`, where there is any, has before each such pair the
//! metric that last asked for so many. Which entries are worth writing is not decided here
//! but by [`hpa::remember`].

use hpa::{History, Known, Recommendation, ScaleEvent};
use k8s_openapi::jiff;
use serde::{Deserialize, Serialize};
use units::{Duration, Timestamp};

/// Where it is kept.
pub const ANNOTATION: &str = "evenkeel.dev/history";

/// A longer text was not written by us. [`hpa::remember::ENTRIES_MAX`] entries a list stay well below it.
pub const BYTES_MAX: usize = 4_096;

const VERSION: u32 = 1;
const NANOS_PER_MILLI: i128 = 1_000_000;
/// How far the clocks of two controllers may differ.
const SKEW: Duration = Duration::from_seconds(60);
/// No window or period that anybody sets is longer than a year.
const AGE_MAX_MILLIS: i64 = 366 * 24 * 3_600 * 1_000;

/// Why a text is no history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is too long.
    #[error("it has {0} bytes, more than {BYTES_MAX}")]
    Oversized(usize),
    /// It is something else.
    #[error("it is no history: {0}")]
    Foreign(String),
    /// Another version.
    #[error("it is of version {0}, and only version {VERSION} is known")]
    Version(u32),
    /// Its time is yet to come.
    #[error("it is from the future: {0}")]
    Future(String),
}

/// A number, and how many milliseconds ago.
type Entry = (i32, i64);
/// A metric's identity in hexadecimal digits, a number, and how many milliseconds ago.
type KnownEntry = (String, i32, i64);

#[derive(Serialize, Deserialize)]
struct Written {
    v: u32,
    at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recommendations: Option<Vec<Entry>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ups: Vec<Entry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    downs: Vec<Entry>,
    /// A controller that does not know this reads the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    known: Vec<KnownEntry>,
}

/// Only to tell another version from nonsense.
#[derive(Deserialize)]
struct Head {
    v: u32,
}

/// The text of a history, written at `now`. Times are in whole milliseconds; entries older than a year are
/// written as a year old.
pub fn encode(now: Timestamp, history: &History) -> String {
    let reference = millis(now);
    let ago = |at: Timestamp| {
        let age = reference.saturating_sub(millis(at));
        i64::try_from(age)
            .unwrap_or(i64::MAX)
            .clamp(0, AGE_MAX_MILLIS)
    };
    let events = |list: &[ScaleEvent]| list.iter().map(|e| (e.change, ago(e.at))).collect();
    let mut written = Written {
        v: VERSION,
        at: moment(reference).map_or_else(String::new, |at| at.to_string()),
        recommendations: history
            .recommendations
            .as_ref()
            .map(|list| list.iter().map(|r| (r.replicas, ago(r.at))).collect()),
        ups: events(&history.ups),
        downs: events(&history.downs),
        known: known(&history.known, ago),
    };
    let mut text = serde_json::to_string(&written).unwrap_or_default();
    // What holds scaling back is worth more than what could be fallen back on.
    while text.len() > BYTES_MAX && written.known.pop().is_some() {
        text = serde_json::to_string(&written).unwrap_or_default();
    }
    text
}

/// Their times are in whole milliseconds already.
fn known(known: &[Known], ago: impl Fn(Timestamp) -> i64) -> Vec<KnownEntry> {
    known
        .iter()
        .map(|k| (format!("{:016x}", k.metric), k.replicas, ago(k.at)))
        .collect()
}

/// The history of a text, read at `now`. Nothing in it is later than `now`.
pub fn decode(now: Timestamp, text: &str) -> Result<History, Problem> {
    if text.len() > BYTES_MAX {
        return Err(Problem::Oversized(text.len()));
    }
    let foreign = |error: serde_json::Error| Problem::Foreign(error.to_string());
    let head: Head = serde_json::from_str(text).map_err(foreign)?;
    if head.v != VERSION {
        return Err(Problem::Version(head.v));
    }
    let written: Written = serde_json::from_str(text).map_err(foreign)?;
    let at: jiff::Timestamp = written
        .at
        .parse()
        .map_err(|_| Problem::Foreign(format!("{:?} is no time", written.at)))?;
    let at = Timestamp::from_nanos(at.as_nanosecond());
    if at > now.plus(SKEW) {
        return Err(Problem::Future(written.at));
    }
    let read = Reader { now, at };
    Ok(History {
        recommendations: written
            .recommendations
            .map(|list| read.all(list, |at, replicas| Recommendation { at, replicas }))
            .transpose()?,
        ups: read.all(written.ups, |at, change| ScaleEvent { at, change })?,
        downs: read.all(written.downs, |at, change| ScaleEvent { at, change })?,
        known: read.known(written.known)?,
    })
}

struct Reader {
    now: Timestamp,
    at: Timestamp,
}

impl Reader {
    fn all<T>(
        &self,
        list: Vec<Entry>,
        make: impl Fn(Timestamp, i32) -> T,
    ) -> Result<Vec<T>, Problem> {
        let one = |(number, ago): Entry| {
            if number < 0 || !(0..=AGE_MAX_MILLIS).contains(&ago) {
                return Err(Problem::Foreign(format!(
                    "[{number},{ago}] is no number and age"
                )));
            }
            let at = self.at.minus(Duration::from_millis(ago));
            Ok(make(at.min(self.now), number))
        };
        list.into_iter().map(one).collect()
    }

    fn known(&self, list: Vec<KnownEntry>) -> Result<Vec<Known>, Problem> {
        let mut known = Vec::with_capacity(list.len());
        for (metric, replicas, ago) in list {
            let metric = u64::from_str_radix(&metric, 16)
                .map_err(|_| Problem::Foreign(format!("{metric:?} is no metric's identity")))?;
            let entry = self.all(vec![(replicas, ago)], |at, replicas| Known {
                metric,
                at,
                replicas,
            })?;
            known.extend(entry);
        }
        Ok(known)
    }
}

/// Rounded up, so that nothing ends early.
fn millis(at: Timestamp) -> i128 {
    at.nanos()
        .saturating_add(NANOS_PER_MILLI - 1)
        .div_euclid(NANOS_PER_MILLI)
}

fn moment(millis: i128) -> Option<jiff::Timestamp> {
    let millis = i64::try_from(millis).ok()?;
    jiff::Timestamp::from_millisecond(millis).ok()
}

#[cfg(test)]
mod tests;
