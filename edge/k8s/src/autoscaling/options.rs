//! What an autoscaler asks for beyond Kubernetes' own: its annotations `evenkeel.dev/…` → [`hpa::Options`].
//!
//! What is not understood counts as not given, and is told in [`hpa::Options::problems`]; the rest holds.
//! Not here: what the options do. docs/options.md says that to users.

use super::history;
use crate::own_kind;
use hpa::{Direction, Fallback, Options, PodSelection, PodsWithoutRequests};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use std::collections::BTreeMap;
use units::{Duration, Quantity};

/// What all of them begin with.
pub const PREFIX: &str = "evenkeel.dev/";
/// Nothing is scaled.
pub const PAUSED: &str = "evenkeel.dev/paused";
/// Nothing is scaled in one direction.
pub const FREEZE: &str = "evenkeel.dev/freeze";
/// It only says what it would do.
pub const DRY_RUN: &str = "evenkeel.dev/dry-run";
/// How often it is looked at.
pub const SYNC_PERIOD: &str = "evenkeel.dev/sync-period";
/// Instead of the flag.
pub const INITIAL_READINESS_DELAY: &str = "evenkeel.dev/initial-readiness-delay";
/// Instead of the flag.
pub const CPU_INITIALIZATION_PERIOD: &str = "evenkeel.dev/cpu-initialization-period";
/// Instead of the flag.
pub const DOWNSCALE_STABILIZATION: &str = "evenkeel.dev/downscale-stabilization";
/// Instead of the flag.
pub const TOLERANCE: &str = "evenkeel.dev/tolerance";
/// What a failed metric counts as.
pub const FALLBACK: &str = "evenkeel.dev/fallback";
/// How old what it last asked for may be.
pub const FALLBACK_MAX_AGE: &str = "evenkeel.dev/fallback-max-age";
/// How old figures may be.
pub const METRIC_MAX_AGE: &str = "evenkeel.dev/metric-max-age";
/// Which pods are the target's.
pub const POD_SELECTION: &str = "evenkeel.dev/pod-selection";
/// What becomes of a metric if a pod lacks its request.
pub const PODS_WITHOUT_REQUESTS: &str = "evenkeel.dev/pods-without-requests";

/// Every annotation that is an option.
pub const ALL: [&str; 13] = [
    PAUSED,
    FREEZE,
    DRY_RUN,
    SYNC_PERIOD,
    INITIAL_READINESS_DELAY,
    CPU_INITIALIZATION_PERIOD,
    DOWNSCALE_STABILIZATION,
    TOLERANCE,
    FALLBACK,
    FALLBACK_MAX_AGE,
    METRIC_MAX_AGE,
    POD_SELECTION,
    PODS_WITHOUT_REQUESTS,
];

/// Annotations of ours that are no options.
const OTHERS: [&str; 3] = [
    history::ANNOTATION,
    own_kind::ADOPTED_FROM,
    own_kind::HANDOVER,
];

/// How old what a metric last asked for may be, where nothing is said.
pub const FALLBACK_MAX_AGE_DEFAULT: Duration = Duration::from_seconds(600);
const SYNC_PERIOD_MIN: Duration = Duration::from_seconds(1);
/// More problems than this are counted, not told.
const PROBLEMS_MAX: usize = 5;
/// Of a value that is no good so much is repeated.
const SHOWN_CHARS: usize = 40;

/// What an autoscaler asks for.
pub fn of(object: &HorizontalPodAutoscaler) -> Options {
    match &object.metadata.annotations {
        Some(annotations) if annotations.keys().any(|name| is_option(name)) => read(annotations),
        _ => Options::default(),
    }
}

fn is_option(name: &str) -> bool {
    name.starts_with(PREFIX) && !OTHERS.contains(&name)
}

fn read(annotations: &BTreeMap<String, String>) -> Options {
    let mut from = Reader {
        annotations,
        problems: Vec::new(),
    };
    let span = |from: &mut Reader<'_>, name| from.take(name, NOT_NEGATIVE, not_negative);
    let mut options = Options {
        paused: from.take(PAUSED, TRUE_OR_FALSE, flag).unwrap_or(false),
        freeze: from.take(FREEZE, "up or down", direction),
        dry_run: from.take(DRY_RUN, TRUE_OR_FALSE, flag).unwrap_or(false),
        sync_period: from.take(SYNC_PERIOD, "a duration of at least 1s, like 5s", |text| {
            duration(text).filter(|d| *d >= SYNC_PERIOD_MIN)
        }),
        initial_readiness_delay: span(&mut from, INITIAL_READINESS_DELAY),
        cpu_initialization_period: span(&mut from, CPU_INITIALIZATION_PERIOD),
        downscale_stabilization: span(&mut from, DOWNSCALE_STABILIZATION),
        tolerance: from.take(
            TOLERANCE,
            "a number that is not negative, like 0.1",
            tolerance,
        ),
        fallback: from.fallback(),
        metric_max_age: from.take(METRIC_MAX_AGE, POSITIVE, positive),
        pod_selection: from
            .take(POD_SELECTION, "label or owner", pod_selection)
            .unwrap_or_default(),
        pods_without_requests: from
            .take(
                PODS_WITHOUT_REQUESTS,
                "fail or ignore",
                pods_without_requests,
            )
            .unwrap_or_default(),
        problems: Vec::new(),
    };
    from.unknown();
    options.problems = from.problems();
    options
}

const TRUE_OR_FALSE: &str = "true or false";
const NOT_NEGATIVE: &str = "a duration that is not negative, like 30s or 5m";
const POSITIVE: &str = "a duration above zero, like 30s or 5m";

/// Annotations, and what is wrong with them.
struct Reader<'a> {
    annotations: &'a BTreeMap<String, String>,
    problems: Vec<String>,
}

impl Reader<'_> {
    /// The value of one annotation; what does not fit is told and counts as not given.
    fn take<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.annotations.get(name)?;
        let value = parse(text.trim());
        if value.is_none() {
            let shown: String = text.chars().take(SHOWN_CHARS).collect();
            let cut = if shown.len() < text.len() { "…" } else { "" };
            self.problems.push(format!(
                "{name} is ignored: \"{shown}{cut}\" is not {expected}"
            ));
        }
        value
    }

    fn fallback(&mut self) -> Option<Fallback> {
        let age = self.take(FALLBACK_MAX_AGE, POSITIVE, positive);
        let expected = "last-known-good or a whole number that is not negative";
        let max_age = age.unwrap_or(FALLBACK_MAX_AGE_DEFAULT);
        let fallback = self.take(FALLBACK, expected, |text| match text {
            "last-known-good" => Some(Fallback::LastKnownGood { max_age }),
            _ => whole_number(text).map(Fallback::Replicas),
        });
        if age.is_some() && !matches!(fallback, Some(Fallback::LastKnownGood { .. })) {
            self.problems.push(format!(
                "{FALLBACK_MAX_AGE} is ignored: it says something only beside {FALLBACK}: last-known-good"
            ));
        }
        fallback
    }

    /// Names that only look like ours.
    fn unknown(&mut self) {
        let names = self.annotations.keys();
        let strangers = names.filter(|name| is_option(name) && !ALL.contains(&name.as_str()));
        let said = strangers.map(|name| {
            let shown: String = name.chars().take(SHOWN_CHARS).collect();
            let nearest = nearest(name);
            format!("{shown} is not known and ignored; the nearest that is known is {nearest}")
        });
        self.problems.extend(said);
    }

    fn problems(mut self) -> Vec<String> {
        let more = self.problems.len().saturating_sub(PROBLEMS_MAX);
        if more > 0 {
            self.problems.truncate(PROBLEMS_MAX);
            self.problems
                .push(format!("{more} more annotations {PREFIX}… are ignored"));
        }
        self.problems
    }
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn direction(text: &str) -> Option<Direction> {
    match text {
        "up" => Some(Direction::Up),
        "down" => Some(Direction::Down),
        _ => None,
    }
}

fn pod_selection(text: &str) -> Option<PodSelection> {
    match text {
        "label" => Some(PodSelection::Label),
        "owner" => Some(PodSelection::Owner),
        _ => None,
    }
}

fn pods_without_requests(text: &str) -> Option<PodsWithoutRequests> {
    match text {
        "fail" => Some(PodsWithoutRequests::Fail),
        "ignore" => Some(PodsWithoutRequests::Ignore),
        _ => None,
    }
}

fn duration(text: &str) -> Option<Duration> {
    text.parse().ok()
}

/// As the flags have it.
fn not_negative(text: &str) -> Option<Duration> {
    duration(text).filter(|d| *d >= Duration::ZERO)
}

fn positive(text: &str) -> Option<Duration> {
    duration(text).filter(|d| *d > Duration::ZERO)
}

fn whole_number(text: &str) -> Option<i32> {
    text.parse().ok().filter(|n| *n >= 0)
}

/// As the flag has it, `0.1`, or as behavior has it, `100m`.
fn tolerance(text: &str) -> Option<f64> {
    let quantity = || text.parse::<Quantity>().ok().map(|q| q.approximate_f64());
    let number = text.parse::<f64>().ok().or_else(quantity)?;
    Some(number).filter(|n| n.is_finite() && *n >= 0.0)
}

/// The option that takes the fewest changes to write.
fn nearest(name: &str) -> &'static str {
    let own: Vec<char> = name.chars().take(2 * SHOWN_CHARS).collect();
    let far = |known: &&&str| distance(&own, &known.chars().collect::<Vec<_>>());
    ALL.iter().min_by_key(far).copied().unwrap_or(PAUSED)
}

/// How many characters must be put in, taken out or replaced.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (done, one) in from.iter().enumerate() {
        let mut diagonal = done;
        row[0] = done + 1;
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(one != other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests;
