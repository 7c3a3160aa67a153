//! What an autoscaler asks for beyond upstream, in words; and what that does to the answer.
//!
//! Not here: how metrics, stabilization and policies are told.

use crate::words;
use crate::{Number, Numbers};
use hpa::step::{FallbackFrom, FallbackStep, OwnershipStep};
use hpa::{
    Direction, Fallback, Holder, LeftOut, Options, PodSelection, PodsWithoutRequests, Unowned,
    Withheld,
};
use units::Duration;

/// More pods than this are not named.
const NAMES_MAX: usize = 20;

/// One option that is on.
pub(crate) struct Asked {
    /// `evenkeel.dev/paused`
    pub(crate) annotation: &'static str,
    /// As it could be written.
    pub(crate) value: String,
    name: &'static str,
    number: Number,
}

impl Asked {
    fn flag(annotation: &'static str, name: &'static str, on: bool) -> Option<Self> {
        on.then(|| Self {
            annotation,
            value: "true".to_owned(),
            name,
            number: Number::Flag(true),
        })
    }

    fn text(annotation: &'static str, name: &'static str, value: Option<String>) -> Option<Self> {
        value.map(|value| Self {
            annotation,
            number: Number::Text(value.clone()),
            value,
            name,
        })
    }

    fn span(annotation: &'static str, name: &'static str, span: Option<Duration>) -> Option<Self> {
        span.map(|span| Self {
            annotation,
            value: words::span(span),
            name,
            number: crate::numbers::seconds(span),
        })
    }
}

/// Every option that is on, in a fixed order.
pub(crate) fn asked(options: &Options) -> Vec<Asked> {
    let all = holding(options)
        .into_iter()
        .chain(instead_of_flags(options))
        .chain(about_figures(options));
    all.flatten().collect()
}

fn holding(options: &Options) -> [Option<Asked>; 3] {
    let direction = options.freeze.map(|d| d.as_str().to_owned());
    [
        Asked::flag("evenkeel.dev/paused", "paused", options.paused),
        Asked::text("evenkeel.dev/freeze", "freeze", direction),
        Asked::flag("evenkeel.dev/dry-run", "dryRun", options.dry_run),
    ]
}

fn instead_of_flags(options: &Options) -> [Option<Asked>; 5] {
    [
        Asked::span(
            "evenkeel.dev/sync-period",
            "syncPeriodSeconds",
            options.sync_period,
        ),
        Asked::span(
            "evenkeel.dev/initial-readiness-delay",
            "initialReadinessDelaySeconds",
            options.initial_readiness_delay,
        ),
        Asked::span(
            "evenkeel.dev/cpu-initialization-period",
            "cpuInitializationPeriodSeconds",
            options.cpu_initialization_period,
        ),
        Asked::span(
            "evenkeel.dev/downscale-stabilization",
            "downscaleStabilizationSeconds",
            options.downscale_stabilization,
        ),
        options.tolerance.map(|tolerance| Asked {
            annotation: "evenkeel.dev/tolerance",
            value: tolerance.to_string(),
            name: "tolerance",
            number: Number::Ratio(tolerance),
        }),
    ]
}

fn about_figures(options: &Options) -> [Option<Asked>; 5] {
    let lasting = match options.fallback {
        Some(Fallback::LastKnownGood { max_age }) => Some(max_age),
        _ => None,
    };
    let owner = options.pod_selection == PodSelection::Owner;
    let lacking = options.pods_without_requests == PodsWithoutRequests::Ignore;
    [
        Asked::text(
            "evenkeel.dev/fallback",
            "fallback",
            options.fallback.map(fallback),
        ),
        Asked::span(
            "evenkeel.dev/fallback-max-age",
            "fallbackMaxAgeSeconds",
            lasting,
        ),
        Asked::span(
            "evenkeel.dev/metric-max-age",
            "metricMaxAgeSeconds",
            options.metric_max_age,
        ),
        Asked::text(
            "evenkeel.dev/pod-selection",
            "podSelection",
            owner.then(|| "owner".to_owned()),
        ),
        Asked::text(
            "evenkeel.dev/pods-without-requests",
            "podsWithoutRequests",
            lacking.then(|| "ignore".to_owned()),
        ),
    ]
}

fn fallback(fallback: Fallback) -> String {
    match fallback {
        Fallback::LastKnownGood { .. } => "last-known-good".to_owned(),
        Fallback::Replicas(replicas) => replicas.to_string(),
    }
}

/// Everything that was asked for, understood or not, a line each.
pub(crate) fn lines(options: &Options) -> Vec<String> {
    let on = asked(options).into_iter();
    let on = on.map(|option| format!("{} {}", option.annotation, option.value));
    let wrong = options.problems.iter();
    on.chain(wrong.map(|problem| format!("not understood: {problem}")))
        .collect()
}

pub(crate) fn numbers(options: &Options) -> Numbers {
    let on = asked(options).into_iter();
    let mut numbers: Numbers = on.map(|option| (option.name, option.number)).collect();
    if !options.problems.is_empty() {
        let problems = options.problems.iter();
        let rows = problems.map(|p| vec![("problem", Number::Text(p.clone()))]);
        numbers.push(("problems", Number::List(rows.collect())));
    }
    numbers
}

/// `held at 3: paused by evenkeel.dev/paused; without that 3 → 5`.
pub(crate) fn withheld(withheld: &Withheld, options: &Options) -> String {
    let (from, to) = (withheld.change.from, withheld.change.to);
    match withheld.by {
        Holder::DryRun => format!("would scale {from} → {to} (dry run)"),
        Holder::Paused => {
            format!("held at {from}: paused by evenkeel.dev/paused; without that {from} → {to}")
        }
        Holder::Frozen => {
            let direction = options.freeze.map_or("", Direction::as_str);
            format!(
                "held at {from}: scaling {direction} is frozen by evenkeel.dev/freeze; without that {from} → {to}"
            )
        }
    }
}

/// What holds everything, even where there is nothing to hold.
pub(crate) fn standing(options: &Options) -> &'static str {
    if options.paused {
        " (and is paused)"
    } else if options.dry_run {
        " (dry run)"
    } else {
        ""
    }
}

pub(crate) fn freeze(direction: Direction, before: i32, after: i32) -> String {
    let frozen = format!(
        "scaling {} is frozen by evenkeel.dev/freeze",
        direction.as_str()
    );
    if before == after {
        format!("{frozen}, and that is not where this goes")
    } else {
        format!("{frozen}: held at {after}, not {before}")
    }
}

pub(crate) fn pause(before: i32, after: i32) -> String {
    if before == after {
        "paused by evenkeel.dev/paused, and nothing was to be done".to_owned()
    } else {
        format!("paused by evenkeel.dev/paused: held at {after}, not {before}")
    }
}

pub(crate) fn dry_run(from: i32, to: i32) -> String {
    if from == to {
        "a dry run by evenkeel.dev/dry-run, and nothing was to be done".to_owned()
    } else {
        format!("a dry run by evenkeel.dev/dry-run: it says {to}, and {from} are left")
    }
}

/// `counts as 6, what it asked for 3m ago (fallback)`.
pub(crate) fn counts_as(step: &FallbackStep) -> String {
    match (step.from, step.replicas) {
        (FallbackFrom::Fixed, replicas) => {
            format!("counts as {} (fallback)", replicas.unwrap_or(0))
        }
        (FallbackFrom::LastKnown { age, .. }, Some(replicas)) => {
            let ago = age.map_or_else(String::new, words::ago);
            format!("counts as {replicas}, what it asked for {ago} (fallback)")
        }
        (FallbackFrom::LastKnown { age: None, .. }, None) => {
            "has nothing to fall back on, as it never asked for anything".to_owned()
        }
        (
            FallbackFrom::LastKnown {
                age: Some(age),
                max_age,
            },
            None,
        ) => format!(
            "does not fall back on what it asked for {}, as that is older than {}",
            words::ago(age),
            words::span(max_age)
        ),
    }
}

pub(crate) fn fallback_numbers(step: &FallbackStep) -> Numbers {
    let whole = |number: usize| Number::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    let mut numbers = vec![("metric", whole(step.index))];
    if let FallbackFrom::LastKnown { age, max_age } = step.from {
        numbers.extend(age.map(|age| ("ageSeconds", crate::numbers::seconds(age))));
        numbers.push(("maxAgeSeconds", crate::numbers::seconds(max_age)));
    }
    let replicas = step
        .replicas
        .map(|n| ("replicas", Number::Integer(n.into())));
    numbers.extend(replicas);
    numbers
}

/// `2 pods are the target's own; left out: job-1 (of Job backup), web-9 (finished)`.
pub(crate) fn ownership(step: &OwnershipStep) -> String {
    let verb = if step.own == 1 { "is" } else { "are" };
    let own = format!("{} {verb} the target's own", words::count(step.own, "pod"));
    if step.left_out.is_empty() {
        return format!("{own}, which is all that the selector picks");
    }
    let shown = step.left_out.iter().take(NAMES_MAX);
    let names: Vec<String> = shown
        .map(|left| format!("{} ({})", left.pod, why(left)))
        .collect();
    let more = match step.left_out.len().saturating_sub(NAMES_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{own}; left out: {}{more}", names.join(", "))
}

fn why(left: &LeftOut) -> String {
    match &left.why {
        Unowned::Finished => "finished".to_owned(),
        Unowned::NoController => "nothing controls it".to_owned(),
        Unowned::Controller { kind, name } => format!("of {kind} {name}"),
    }
}

pub(crate) fn ownership_numbers(step: &OwnershipStep) -> Numbers {
    let rows = step.left_out.iter().map(|left| {
        let reason = match &left.why {
            Unowned::Finished => "Finished",
            Unowned::NoController => "NoController",
            Unowned::Controller { .. } => "Controller",
        };
        let mut row = vec![
            ("pod", Number::Text(left.pod.clone())),
            ("why", Number::Text(reason.to_owned())),
        ];
        if let Unowned::Controller { kind, name } = &left.why {
            row.push(("controllerKind", Number::Text(kind.clone())));
            row.push(("controllerName", Number::Text(name.clone())));
        }
        row
    });
    let own = i64::try_from(step.own).unwrap_or(i64::MAX);
    vec![
        ("ownPods", Number::Integer(own)),
        ("leftOut", Number::List(rows.collect())),
    ]
}

/// `a, b and 3 more`.
pub(crate) fn named(names: &[&str]) -> String {
    let shown = names[..names.len().min(NAMES_MAX)].join(", ");
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
