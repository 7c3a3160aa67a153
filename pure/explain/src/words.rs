//! How numbers are said: never rounded so far that the rule applied to them would look wrong.

use units::Duration;

/// `1 pod`, `3 pods`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// With as many digits as it takes to be on the same side of every edge; two where that is enough.
pub(crate) fn ratio(value: f64, edges: &[f64]) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "no number".to_owned()
        } else {
            "infinite".to_owned()
        };
    }
    (2..17)
        .map(|digits| trimmed(format!("{value:.digits$}")))
        .find(|text| {
            let shown = text.parse().unwrap_or(f64::NAN);
            edges
                .iter()
                .all(|edge| value.partial_cmp(edge) == f64::partial_cmp(&shown, edge))
        })
        .unwrap_or_else(|| value.to_string())
}

/// What is going to be rounded up, with enough digits to see to what.
pub(crate) fn product(value: f64) -> String {
    ratio(value, &[value.floor(), value.ceil()])
}

/// Without zeros that say nothing.
pub(crate) fn trimmed(decimal: String) -> String {
    if !decimal.contains('.') {
        return decimal;
    }
    let text = decimal.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// `5m`, `1m30s`, `250ms`.
pub(crate) fn span(duration: Duration) -> String {
    let text = duration.to_string();
    let text = match text.strip_suffix("m0s") {
        Some(minutes) => format!("{minutes}m"),
        None => return text,
    };
    match text.strip_suffix("h0m") {
        Some(hours) => format!("{hours}h"),
        None => text,
    }
}

/// An age in whole seconds; less than one is said in full.
pub(crate) fn age(age: Duration) -> String {
    match age.whole_seconds() {
        0 => span(age),
        seconds => span(Duration::from_seconds(seconds)),
    }
}

/// `2m10s ago`.
pub(crate) fn ago(past: Duration) -> String {
    match past.whole_seconds() {
        0 => "just now".to_owned(),
        _ => format!("{} ago", age(past)),
    }
}

/// The time from `age` until `window`, in whole seconds, rounded up.
pub(crate) fn rest(window: Duration, age: Duration) -> String {
    let nanos = window.nanos().saturating_sub(age.nanos()).max(0);
    let seconds = nanos / 1_000_000_000 + i64::from(nanos % 1_000_000_000 > 0);
    span(Duration::from_seconds(seconds))
}

/// Words in lines of at most so many characters; lines after the first are indented.
pub(crate) fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let mut lines = String::new();
    let mut length = 0;
    for (index, word) in text.split(' ').enumerate() {
        let chars = word.chars().count();
        if index > 0 && length + 1 + chars > width && !word.is_empty() {
            lines.truncate(lines.trim_end().len());
            lines.push('\n');
            lines.push_str(indent);
            length = indent.len();
        } else if index > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += chars;
    }
    lines.truncate(lines.trim_end().len());
    lines
}

#[cfg(test)]
mod tests;
