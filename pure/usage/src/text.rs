//! The Prometheus text format, line by line, without copying.
//!
//! A text is taken or refused as Prometheus' own parser does: prometheus/model/textparse/promlex.l and
//! promparse.go. Label values keep their escapes; names of Kubernetes objects have none.

use std::fmt;

/// One sample line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample<'a> {
    /// The metric's name.
    pub name: &'a str,
    /// What stands between the braces; empty without braces.
    pub labels: Labels<'a>,
    /// Whether these are the labels that were expected.
    pub expected: bool,
    /// The value.
    pub value: f64,
    /// Milliseconds since the epoch, where the line has a timestamp.
    pub timestamp_millis: Option<i64>,
}

/// The labels of a sample, known to be well formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labels<'a>(&'a str);

/// Why a text is refused, and in which line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextError {
    /// Counted from 1.
    pub line: usize,
    /// What was expected.
    pub expected: &'static str,
}

impl std::error::Error for TextError {}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "failed parsing metrics: line {}: expected {}",
            self.line, self.expected
        )
    }
}

/// The samples of a text, in order; ends after the first error.
#[derive(Debug, Clone)]
pub struct Samples<'a> {
    rest: Option<&'a str>,
    line: usize,
    expected: Option<Labels<'a>>,
}

/// Reads `text`.
pub fn samples(text: &str) -> Samples<'_> {
    Samples {
        rest: Some(text),
        line: 0,
        expected: None,
    }
}

impl<'a> Samples<'a> {
    /// The labels that the next sample probably has, as an earlier one had them: they are not read again then.
    pub fn expect(&mut self, labels: Option<Labels<'a>>) {
        self.expected = labels;
    }
}

impl<'a> Iterator for Samples<'a> {
    type Item = Result<Sample<'a>, TextError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let text = self.rest?;
            let (line, rest) = match text.split_once('\n') {
                Some((line, rest)) => (line, Some(rest)),
                None => (text, None),
            };
            self.rest = rest;
            self.line += 1;
            match read_line(line, self.expected) {
                Ok(None) => {}
                Ok(Some(sample)) => return Some(Ok(sample)),
                Err(expected) => {
                    self.rest = None;
                    return Some(Err(TextError {
                        line: self.line,
                        expected,
                    }));
                }
            }
        }
    }
}

impl<'a> Labels<'a> {
    /// Names and values, in the order of the text.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (label, after) = next_label(rest).ok()??;
            rest = after;
            Some(label)
        })
    }
}

type Expected = &'static str;

fn read_line<'a>(
    line: &'a str,
    expected: Option<Labels<'_>>,
) -> Result<Option<Sample<'a>>, Expected> {
    let line = skip_blanks(line);
    match line.bytes().next() {
        None => Ok(None),
        Some(b'#') => read_comment(line).map(|()| None),
        Some(_) => read_sample(line, expected).map(Some),
    }
}

/// Comments are free, except that `HELP` and `TYPE` have a form.
fn read_comment(line: &str) -> Result<(), Expected> {
    let after = line.get(1..).unwrap_or_default();
    let body = skip_blanks(after);
    if body.len() == after.len() {
        return Ok(());
    }
    let is_type = match (keyword(body, "HELP"), keyword(body, "TYPE")) {
        (Some(_), _) => false,
        (_, Some(_)) => true,
        _ => return Ok(()),
    };
    let meta = skip_blanks(body.get(4..).unwrap_or_default());
    let (_, text) = split_name(meta, true).ok_or("a metric name after HELP or TYPE")?;
    if !is_type {
        return Ok(());
    }
    match text
        .strip_prefix([' ', '\t'])
        .map(|kind| kind.trim_start_matches([' ', '\t']))
    {
        Some("counter" | "gauge" | "histogram" | "summary" | "untyped") => Ok(()),
        _ => Err("a known metric type"),
    }
}

/// What follows `word`, when a blank does.
fn keyword<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.strip_prefix(word)
        .filter(|rest| rest.starts_with([' ', '\t']))
}

fn read_sample<'a>(line: &'a str, expected: Option<Labels<'_>>) -> Result<Sample<'a>, Expected> {
    let (name, rest) = split_name(line, true).ok_or("a metric name")?;
    let mut rest = skip_blanks(rest);
    let (mut labels, mut as_expected) = (Labels(""), false);
    if let Some(inside) = rest.strip_prefix('{') {
        let same = expected.and_then(|labels| after_these(inside, labels));
        as_expected = same.is_some();
        let after = same.map_or_else(|| skip_labels(inside), Ok)?;
        let length = inside.len() - after.len() - 1;
        labels = Labels(inside.get(..length).unwrap_or_default());
        rest = skip_blanks(after);
    }
    let end = rest.find(['{', ' ', '\t']).unwrap_or(rest.len());
    let (value, rest) = rest.split_at(end);
    let value = read_float(value)?;
    let timestamp = rest.trim_matches([' ', '\t']);
    if timestamp.is_empty() {
        return Ok(Sample {
            name,
            labels,
            expected: as_expected,
            value,
            timestamp_millis: None,
        });
    }
    if !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("a timestamp in whole milliseconds, or the end of the line");
    }
    let millis = timestamp
        .parse()
        .map_err(|_| "a timestamp that fits 64 bits")?;
    Ok(Sample {
        name,
        labels,
        expected: as_expected,
        value,
        timestamp_millis: Some(millis),
    })
}

/// Go's `strconv.ParseFloat`, without hexadecimals: too large a number is an error.
fn read_float(text: &str) -> Result<f64, Expected> {
    const VALUE: Expected = "a number as the value";
    let value: f64 = text.parse().map_err(|_| VALUE)?;
    if value.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(VALUE);
    }
    Ok(value)
}

/// What follows the closing brace, if just these labels stand before it.
fn after_these<'a>(inside: &'a str, labels: Labels<'_>) -> Option<&'a str> {
    inside.strip_prefix(labels.0)?.strip_prefix('}')
}

/// What follows the closing brace.
fn skip_labels(inside: &str) -> Result<&str, Expected> {
    let mut rest = inside;
    while let Some((_, after)) = next_label(rest)? {
        rest = after;
    }
    skip_blanks(rest).strip_prefix('}').ok_or("a label name")
}

/// The first label, and what follows it and its comma; none at the closing brace or at the end.
#[expect(clippy::type_complexity, reason = "a label is a name and a value")]
fn next_label(text: &str) -> Result<Option<((&str, &str), &str)>, Expected> {
    let text = skip_blanks(text);
    if text.is_empty() || text.starts_with('}') {
        return Ok(None);
    }
    let (name, rest) = split_name(text, false).ok_or("a label name")?;
    let rest = skip_blanks(rest)
        .strip_prefix('=')
        .ok_or("\"=\" after a label name")?;
    let quoted = skip_blanks(rest)
        .strip_prefix('"')
        .ok_or("a quoted label value")?;
    let end = closing_quote(quoted).ok_or("the label value's closing quote")?;
    let (value, rest) = quoted.split_at(end);
    let rest = skip_blanks(rest.get(1..).unwrap_or_default());
    Ok(Some((
        (name, value),
        rest.strip_prefix(',').unwrap_or(rest),
    )))
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

/// Splits a metric name (colons allowed) or a label name off; none when there is none.
fn split_name(text: &str, colons: bool) -> Option<(&str, &str)> {
    let starts = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || (colons && byte == b':');
    let end = text
        .bytes()
        .enumerate()
        .position(|(i, byte)| !(starts(byte) || (i > 0 && byte.is_ascii_digit())))
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn skip_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

#[cfg(test)]
mod tests;
