//! Label and field selectors.
//!
//! Upstream: apimachinery/pkg/labels/selector.go, fields/selector.go.

use k8s::status::ApiError;

/// One requirement on a label.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
    /// A number above (`true`) or below a bound.
    Compared(String, bool, i64),
}

/// A label selector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Labels(Vec<Requirement>);

impl Labels {
    /// Parses `a=b,c!=d,e in (f,g),!h,i`.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let parts = split_outside(text);
        let parsed: Result<Vec<_>, String> = parts.into_iter().map(requirement).collect();
        parsed.map(Self).map_err(|why| {
            ApiError::bad_request(format!("unable to parse requirement: {why} in {text:?}"))
        })
    }

    /// Whether labels, given by a look-up, match.
    pub(crate) fn matches<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => {
                label(key).is_some_and(|found| values.iter().any(|value| value == found))
            }
            Requirement::NotIn(key, values) => {
                label(key).is_none_or(|found| values.iter().all(|value| value != found))
            }
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::Absent(key) => label(key).is_none(),
            Requirement::Compared(key, above, bound) => label(key)
                .and_then(|found| found.parse::<i64>().ok())
                .is_some_and(|found| {
                    if *above {
                        found > *bound
                    } else {
                        found < *bound
                    }
                }),
        })
    }

    /// Whether everything matches.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Splits at commas outside parentheses.
fn split_outside(text: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    let mut start = 0;
    let mut parts = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

fn requirement(text: &str) -> Result<Requirement, String> {
    if let Some(key) = text.strip_prefix('!') {
        return Ok(Requirement::Absent(checked(key)?));
    }
    for (operator, negative) in [("!=", true), ("==", false), ("=", false)] {
        if let Some((key, value)) = text.split_once(operator) {
            let (key, values) = (checked(key)?, vec![value.trim().to_owned()]);
            let make = if negative {
                Requirement::NotIn
            } else {
                Requirement::In
            };
            return Ok(make(key, values));
        }
    }
    for (operator, above) in [('>', true), ('<', false)] {
        if let Some((key, value)) = text.split_once(operator) {
            let bound = value
                .trim()
                .parse()
                .map_err(|_| format!("not a number: {value}"))?;
            return Ok(Requirement::Compared(checked(key)?, above, bound));
        }
    }
    set_requirement(text)
}

fn set_requirement(text: &str) -> Result<Requirement, String> {
    let Some((before, list)) = text.split_once('(') else {
        return Ok(Requirement::Exists(checked(text)?));
    };
    let list = list.trim_end().strip_suffix(')').ok_or("missing )")?;
    let values = list
        .split(',')
        .map(|value| value.trim().to_owned())
        .collect();
    let mut words = before.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(key), Some("in"), None) => Ok(Requirement::In(checked(key)?, values)),
        (Some(key), Some("notin"), None) => Ok(Requirement::NotIn(checked(key)?, values)),
        _ => Err(format!("found '{}', expected: in, notin", before.trim())),
    }
}

fn checked(key: &str) -> Result<String, String> {
    let key = key.trim();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if key.is_empty() || !key.chars().all(allowed) {
        return Err(format!("invalid label key {key:?}"));
    }
    Ok(key.to_owned())
}

/// A field selector: fields that must, or must not, equal a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(pub(crate) Vec<FieldTerm>);

/// One term of a field selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldTerm {
    pub(crate) field: String,
    pub(crate) value: String,
    pub(crate) equal: bool,
}

impl Fields {
    /// Parses `a=b,c!=d`, with `\,`, `\=` and `\\` in values.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let mut terms = Vec::new();
        for part in split_escaped(text) {
            let split = [("!=", false), ("==", true), ("=", true)]
                .iter()
                .find_map(|(operator, equal)| Some((part.split_once(operator)?, *equal)));
            let Some(((field, value), equal)) = split else {
                return Err(ApiError::bad_request(format!(
                    "invalid selector: '{text}'; can't understand '{part}'"
                )));
            };
            terms.push(FieldTerm {
                field: field.to_owned(),
                value: unescape(value),
                equal,
            });
        }
        Ok(Self(terms))
    }

    /// The name that an object must have, if that is all there is to it.
    pub(crate) fn exact(&self, field: &str) -> Option<&str> {
        let term = self
            .0
            .iter()
            .find(|term| term.field == field && term.equal)?;
        Some(&term.value)
    }
}

fn split_escaped(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}
