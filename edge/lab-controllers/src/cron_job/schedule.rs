//! Cron schedules: five fields, `@hourly` and its kin, `@every 1h30m`.
//!
//! Upstream: github.com/robfig/cron/v3, parser.go and spec.go. Differs from upstream: a local time
//! that a change of the clocks leaves out is left out, one that comes twice counts once.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::str::FromStr;

/// The furthest that a next time is looked for: `29 2 29 2 *` needs up to eight years.
const DAYS_MOST: usize = 9 * 366;

/// Why a schedule is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScheduleError {
    #[error("expected exactly 5 fields, found {found}: [{text}]")]
    Fields { found: usize, text: String },
    #[error("unrecognized descriptor: {0}")]
    Descriptor(String),
    #[error("failed to parse duration {0}")]
    Every(String),
    #[error("failed to parse {field} from {text:?}: use numbers from {low} to {high}")]
    Value {
        field: &'static str,
        text: String,
        low: u32,
        high: u32,
    },
}

/// The numbers that one field allows, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Set {
    bits: u64,
    /// Whether the field was `*` or `?`, which matters between the two kinds of day.
    star: bool,
}

impl Set {
    fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| value < 64 && self.bits & (1 << value) != 0)
    }

    fn values(self) -> impl Iterator<Item = i8> {
        (0..60).filter(move |value| self.has(*value))
    }
}

/// When something is to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// At the times that the fields name.
    Fields(Box<Fields>),
    /// Again and again after so many seconds.
    Every(i64),
}

/// Minute, hour, day of the month, month, day of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fields {
    minute: Set,
    hour: Set,
    day: Set,
    month: Set,
    weekday: Set,
}

struct Range {
    name: &'static str,
    low: u32,
    high: u32,
    names: &'static [&'static str],
}

const MINUTE: Range = Range {
    name: "minute",
    low: 0,
    high: 59,
    names: &[],
};
const HOUR: Range = Range {
    name: "hour",
    low: 0,
    high: 23,
    names: &[],
};
const DAY: Range = Range {
    name: "day of the month",
    low: 1,
    high: 31,
    names: &[],
};
const MONTH: Range = Range {
    name: "month",
    low: 1,
    high: 12,
    names: &[
        "", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ],
};
const WEEKDAY: Range = Range {
    name: "day of the week",
    low: 0,
    high: 6,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};

impl Range {
    fn error(&self, text: &str) -> ScheduleError {
        ScheduleError::Value {
            field: self.name,
            text: text.to_owned(),
            low: self.low,
            high: self.high,
        }
    }

    fn number(&self, text: &str) -> Option<u32> {
        let lower = text.to_ascii_lowercase();
        let named = self
            .names
            .iter()
            .position(|name| !name.is_empty() && *name == lower);
        named
            .and_then(|index| u32::try_from(index).ok())
            .or_else(|| text.parse().ok())
    }

    fn parse(&self, text: &str) -> Result<Set, ScheduleError> {
        let mut set = Set {
            bits: 0,
            star: false,
        };
        for part in text.split(',') {
            let (bits, star) = self.part(part).ok_or_else(|| self.error(text))?;
            set.bits |= bits;
            set.star |= star;
        }
        Ok(set)
    }

    /// One of `*`, `5`, `1-5`, each with `/2` or without.
    fn part(&self, part: &str) -> Option<(u64, bool)> {
        let (span, step) = match part.split_once('/') {
            Some((span, step)) => (
                span,
                Some(step.parse::<u32>().ok().filter(|step| *step > 0)?),
            ),
            None => (part, None),
        };
        let star = matches!(span, "*" | "?");
        let (first, last) = if star {
            (self.low, self.high)
        } else if let Some((first, last)) = span.split_once('-') {
            (self.number(first)?, self.number(last)?)
        } else {
            let first = self.number(span)?;
            (first, if step.is_some() { self.high } else { first })
        };
        if first < self.low || last > self.high || first > last {
            return None;
        }
        let stride = usize::try_from(step.unwrap_or(1)).ok()?;
        let bits = (first..=last)
            .step_by(stride)
            .fold(0, |bits, value| bits | 1_u64 << value);
        // A step makes a star a list, upstream has it so.
        Some((bits, star && step.unwrap_or(1) == 1))
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let text = text.trim();
        if let Some(descriptor) = text.strip_prefix('@') {
            return descriptor_schedule(descriptor);
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(ScheduleError::Fields {
                found: fields.len(),
                text: fields.join(" "),
            });
        };
        Ok(Self::Fields(Box::new(Fields {
            minute: MINUTE.parse(minute)?,
            hour: HOUR.parse(hour)?,
            day: DAY.parse(day)?,
            month: MONTH.parse(month)?,
            weekday: WEEKDAY.parse(weekday)?,
        })))
    }
}

fn descriptor_schedule(text: &str) -> Result<Schedule, ScheduleError> {
    if let Some(every) = text.strip_prefix("every ") {
        let duration: Option<units::Duration> = every.trim().parse().ok();
        let seconds = duration
            .map(units::Duration::as_seconds_f64)
            .filter(|s| *s >= 1.0);
        let seconds = seconds.ok_or_else(|| ScheduleError::Every(every.to_owned()))?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a Go duration is less than 10^10 s"
        )]
        return Ok(Schedule::Every(seconds as i64));
    }
    match text {
        "yearly" | "annually" => "0 0 1 1 *",
        "monthly" => "0 0 1 * *",
        "weekly" => "0 0 * * 0",
        "daily" | "midnight" => "0 0 * * *",
        "hourly" => "0 * * * *",
        _ => return Err(ScheduleError::Descriptor(format!("@{text}"))),
    }
    .parse()
}

impl Schedule {
    /// The first time after `after`.
    pub(crate) fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Every(seconds) => {
                let whole = Timestamp::from_second(after.as_second()).ok()?;
                whole.checked_add(SignedDuration::from_secs(*seconds)).ok()
            }
            Self::Fields(fields) => fields.next(after, zone),
        }
    }

    /// The last time after `from` that is not after `now`.
    pub(crate) fn latest(
        &self,
        from: Timestamp,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Option<Timestamp> {
        // Look back from now in growing steps: the last time is near, the first may be years ago.
        let mut window = SignedDuration::from_mins(2);
        loop {
            let start = now.checked_sub(window).unwrap_or(from).max(from);
            let mut found = self.next(start, zone).filter(|at| *at <= now);
            if found.is_some() {
                while let Some(later) = found.and_then(|at| self.next(at, zone)) {
                    if later > now {
                        return found;
                    }
                    found = Some(later);
                }
                return found;
            }
            if start <= from {
                return None;
            }
            window = window.checked_mul(2)?;
        }
    }

    /// How many times lie after `from` and not after `now`, taking the first gap for all.
    pub(crate) fn count(&self, from: Timestamp, now: Timestamp, zone: &TimeZone) -> i64 {
        let Some(first) = self.next(from, zone).filter(|first| *first <= now) else {
            return 0;
        };
        let gap = self
            .next(first, zone)
            .map_or(0, |second| second.as_second() - first.as_second());
        if gap <= 0 {
            1
        } else {
            (now.as_second() - first.as_second()) / gap + 1
        }
    }
}

impl Fields {
    fn has_date(&self, date: Date) -> bool {
        let weekday = match date.weekday() {
            Weekday::Sunday => 0,
            other => other.to_monday_one_offset(),
        };
        let (day, weekday) = (self.day.has(date.day()), self.weekday.has(weekday));
        let either = if self.day.star || self.weekday.star {
            day && weekday
        } else {
            day || weekday
        };
        self.month.has(date.month()) && either
    }

    fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut date = after.to_zoned(zone.clone()).date();
        for _ in 0..DAYS_MOST {
            if self.has_date(date)
                && let Some(at) = self.next_on(date, after, zone)
            {
                return Some(at);
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn next_on(&self, date: Date, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let hours = self.hour.values();
        let times = hours.flat_map(|hour| self.minute.values().map(move |minute| (hour, minute)));
        times
            .filter_map(|(hour, minute)| instant(date.at(hour, minute, 0, 0), zone))
            .find(|at| *at > after)
    }
}

/// The instant of a local time; `None` if the clocks leap over it.
fn instant(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let instant = zone.to_ambiguous_timestamp(local).earlier().ok()?;
    (instant.to_zoned(zone.clone()).datetime() == local).then_some(instant)
}

#[cfg(test)]
mod tests;
