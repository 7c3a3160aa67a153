//! Whether a cron schedule parses, in the words of the parser that upstream uses
//! (github.com/robfig/cron/v3, parser.go).

struct Field {
    low: u64,
    high: u64,
    names: &'static [&'static str],
    /// The number of the first name.
    first: u64,
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Field; 5] = [
    Field {
        low: 0,
        high: 59,
        names: &[],
        first: 0,
    },
    Field {
        low: 0,
        high: 23,
        names: &[],
        first: 0,
    },
    Field {
        low: 1,
        high: 31,
        names: &[],
        first: 0,
    },
    Field {
        low: 1,
        high: 12,
        names: &MONTHS,
        first: 1,
    },
    Field {
        low: 0,
        high: 6,
        names: &DAYS,
        first: 0,
    },
];

/// Checks a schedule of five fields or a descriptor such as `@hourly`.
pub(super) fn check(schedule: &str) -> Result<(), String> {
    let mut rest = schedule;
    if let Some(zone) = ["TZ=", "CRON_TZ="]
        .iter()
        .find(|prefix| rest.starts_with(**prefix))
    {
        rest = rest[zone.len()..]
            .split_once(' ')
            .map_or("", |(_, rest)| rest.trim());
    }
    if rest.is_empty() {
        return Err("empty spec string".to_owned());
    }
    if rest.starts_with('@') {
        return descriptor(rest);
    }
    let fields: Vec<&str> = rest.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!(
            "expected exactly 5 fields, found {}: [{}]",
            fields.len(),
            fields.join(" ")
        ));
    }
    for (text, field) in fields.iter().zip(&FIELDS) {
        for expression in text.split(',').filter(|part| !part.is_empty()) {
            range(expression, field)?;
        }
    }
    Ok(())
}

fn descriptor(text: &str) -> Result<(), String> {
    match text {
        "@yearly" | "@annually" | "@monthly" | "@weekly" | "@daily" | "@midnight" | "@hourly" => {
            Ok(())
        }
        _ => match text.strip_prefix("@every ") {
            Some(period) => match period.parse::<units::Duration>() {
                Ok(_) => Ok(()),
                Err(why) => Err(format!("failed to parse duration {text}: {why}")),
            },
            None => Err(format!("unrecognized descriptor: {text}")),
        },
    }
}

fn range(expression: &str, field: &Field) -> Result<(), String> {
    let parts: Vec<&str> = expression.split('/').collect();
    let ends: Vec<&str> = parts[0].split('-').collect();
    let (start, mut end) = if matches!(ends[0], "*" | "?") {
        (field.low, field.high)
    } else {
        let start = number_or_name(ends[0], field)?;
        match ends.as_slice() {
            [_] => (start, start),
            [_, end] => (start, number_or_name(end, field)?),
            _ => return Err(format!("too many hyphens: {expression}")),
        }
    };
    let step = match parts.as_slice() {
        [_] => 1,
        [_, step] => {
            if ends.len() == 1 {
                end = field.high;
            }
            number(step)?
        }
        _ => return Err(format!("too many slashes: {expression}")),
    };
    let (low, high) = (field.low, field.high);
    if start < low {
        Err(format!(
            "beginning of range ({start}) below minimum ({low}): {expression}"
        ))
    } else if end > high {
        Err(format!(
            "end of range ({end}) above maximum ({high}): {expression}"
        ))
    } else if start > end {
        Err(format!(
            "beginning of range ({start}) beyond end of range ({end}): {expression}"
        ))
    } else if step == 0 {
        Err(format!(
            "step of range should be a positive number: {expression}"
        ))
    } else {
        Ok(())
    }
}

fn number_or_name(text: &str, field: &Field) -> Result<u64, String> {
    let lower = text.to_lowercase();
    match (field.first..)
        .zip(field.names)
        .find(|(_, name)| **name == lower)
    {
        Some((number, _)) => Ok(number),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u64, String> {
    match text.parse::<i64>() {
        Ok(value) => u64::try_from(value)
            .map_err(|_| format!("negative number ({value}) not allowed: {text}")),
        Err(_) => Err(format!(
            "failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax"
        )),
    }
}
