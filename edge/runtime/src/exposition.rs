//! OpenMetrics text as Prometheus' classic text, which Go's client library writes where nothing else is
//! asked for: for the `/metrics` of every part.

use std::fmt::Write;

/// What [`classic`] is; names have no characters that would need escaping.
pub const CLASSIC_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

/// The same metrics in format 0.0.4.
pub fn classic(text: &str) -> String {
    let counters: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut classic = String::with_capacity(text.len());
    for line in text.lines() {
        let written = match line.strip_prefix("# ") {
            Some(comment) => described(&mut classic, comment, &counters),
            None => sample(&mut classic, line),
        };
        if written.is_err() {
            tracing::warn!("cannot print the metrics");
        }
    }
    classic
}

/// `HELP` and `TYPE`; there are no units, and the end is not marked.
fn described(classic: &mut String, comment: &str, counters: &[&str]) -> std::fmt::Result {
    let mut words = comment.splitn(3, ' ');
    let (Some(what @ ("HELP" | "TYPE")), Some(name), Some(rest)) =
        (words.next(), words.next(), words.next())
    else {
        return Ok(());
    };
    // A counter's family bears the name of its series.
    let total = if counters.contains(&name) {
        "_total"
    } else {
        ""
    };
    // The encoder ends a help text with a full stop.
    let rest = match what {
        "HELP" => rest.strip_suffix('.').unwrap_or(rest),
        _ => rest,
    };
    writeln!(classic, "# {what} {name}{total} {rest}")
}

/// One series: whole numbers are written without a fraction, those of buckets too.
fn sample(classic: &mut String, line: &str) -> std::fmt::Result {
    let line = line.strip_suffix(".0").unwrap_or(line);
    let bucket = ["{le=\"", ",le=\""].iter().find_map(|label| {
        let (before, rest) = line.split_once(label)?;
        let (bound, after) = rest.split_once('"')?;
        Some((before, label, bound.strip_suffix(".0")?, after))
    });
    match bucket {
        Some((before, label, bound, after)) => {
            writeln!(classic, "{before}{label}{bound}\"{after}")
        }
        None => writeln!(classic, "{line}"),
    }
}

#[cfg(test)]
mod tests;
