//! Bytes → objects, each with the place where it stands.
//!
//! YAML streams are cut into documents first: so a mistake is placed in its own document, and what one
//! document costs is bounded.

use crate::error::{Error, Place};
use crate::tree::{Room, Tree};
use serde::de::DeserializeSeed;
use serde_json::Value;
use std::sync::Arc;

/// The largest input that is read.
pub const INPUT_BYTES_MAX: usize = 64 << 20;
/// Objects in all inputs together.
const OBJECTS_MAX: usize = 200_000;
/// Deeper than any object of Kubernetes; shallow enough for any stack.
const DEPTH_MAX: usize = 64;
/// kubectl writes no aliases; people may write some.
const ALIASES_MAX: usize = 1_000;
const REPEATED_MAX: usize = 10_000;
const ANCHORED_BYTES_MAX: usize = 64 << 10;

/// An object and its place.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) value: Value,
    file: Arc<str>,
    number: Option<usize>,
    line: Option<usize>,
    /// Which of a list's items.
    item: Option<usize>,
}

impl Document {
    pub(crate) fn kind(&self) -> &str {
        self.value["kind"].as_str().unwrap_or_default()
    }

    /// The group of its apiVersion.
    pub(crate) fn group(&self) -> &str {
        let version = self.value["apiVersion"].as_str().unwrap_or_default();
        version.split_once('/').map_or("", |(group, _)| group)
    }

    pub(crate) fn name(&self) -> &str {
        self.value["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// Empty where it does not say.
    pub(crate) fn namespace(&self) -> &str {
        self.value["metadata"]["namespace"]
            .as_str()
            .unwrap_or_default()
    }

    /// Whether it is in a namespace; an object that names none is wherever it is wanted.
    pub(crate) fn is_in(&self, namespace: &str) -> bool {
        let own = self.namespace();
        own.is_empty() || own == namespace
    }

    /// Where a field of it is.
    pub(crate) fn place(&self, field: &str) -> Place {
        let name = match (self.namespace(), self.name()) {
            (_, "") => self.kind().to_owned(),
            ("", name) => format!("{} {name}", self.kind()),
            (namespace, name) => format!("{} {namespace}/{name}", self.kind()),
        };
        let object = match self.item {
            Some(item) => format!("items[{item}]: {name}"),
            None => name,
        };
        Place {
            file: self.file.as_ref().to_owned(),
            document: self.number,
            line: self.line,
            object: Some(object.trim().to_owned()).filter(|o| !o.is_empty()),
            field: Some(field.to_owned()).filter(|f| !f.is_empty()),
        }
    }

    pub(crate) fn error(&self, field: &str, problem: impl Into<String>) -> Error {
        Error::new(self.place(field), problem)
    }
}

/// All objects of one or more inputs.
#[derive(Debug, Default)]
pub struct Documents {
    pub(crate) list: Vec<Document>,
    pub(crate) warnings: Vec<String>,
    room: Room,
}

impl Documents {
    /// Adds the objects of an input; `file` is what errors call it.
    pub fn read(&mut self, file: &str, bytes: &[u8]) -> Result<(), Error> {
        if bytes.len() > INPUT_BYTES_MAX {
            let most = INPUT_BYTES_MAX >> 20;
            return Err(Error::of_file(
                file,
                format!("larger than {most} MiB: keep the objects of one autoscaler only"),
            ));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            let line = line_of(&bytes[..at]);
            let place = Place {
                file: file.to_owned(),
                line: Some(line),
                ..Place::default()
            };
            Error::new(
                place,
                format!("byte {at} is not UTF-8 text: YAML or JSON is needed"),
            )
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let before = self.list.len();
        if !self.read_json(file, text)? {
            self.read_yaml(file, text)?;
        }
        if self.list.len() == before {
            return Err(Error::of_file(
                file,
                "holds no objects: at least a HorizontalPodAutoscaler is needed",
            ));
        }
        Ok(())
    }

    /// Adds an object that was not read from a file.
    pub fn add(&mut self, source: &str, value: Value) -> Result<(), Error> {
        self.push(Document {
            value,
            file: source.into(),
            number: None,
            line: None,
            item: None,
        })
    }

    /// Reads JSON, one value or several in a row; false when it is none, and YAML may be tried.
    fn read_json(&mut self, file: &str, text: &str) -> Result<bool, Error> {
        let start = text.trim_start();
        if !start.starts_with('{') && !start.starts_with('[') {
            return Ok(false);
        }
        let room = self.room.clone();
        let mut parser = serde_json::Deserializer::from_str(text);
        let mut values = Vec::new();
        loop {
            match Tree(&self.room).deserialize(&mut parser) {
                Ok(value) => values.push(value),
                Err(_) if may_be_yaml(text) => {
                    self.room = room;
                    return Ok(false);
                }
                Err(error) => return Err(json_problem(file, values.len() + 1, &error)),
            }
            if parser.end().is_ok() {
                break;
            }
        }
        for (index, value) in values.into_iter().enumerate() {
            self.flatten(Document {
                value,
                file: file.into(),
                number: Some(index + 1),
                line: None,
                item: None,
            })?;
        }
        Ok(true)
    }

    fn read_yaml(&mut self, file: &str, text: &str) -> Result<(), Error> {
        for (index, part) in cut(text).into_iter().enumerate() {
            let value = self.yaml(part.text).map_err(|error| {
                let within = error.location().map_or(1, |l| l.line().max(1));
                let place = Place {
                    file: file.to_owned(),
                    document: Some(index + 1),
                    line: Some(part.line + usize::try_from(within).unwrap_or(1) - 1),
                    ..Place::default()
                };
                Error::new(place, yaml_problem(&error))
            })?;
            if value.is_null() {
                continue;
            }
            self.flatten(Document {
                value,
                file: file.into(),
                number: Some(index + 1),
                line: Some(part.line),
                item: None,
            })?;
        }
        Ok(())
    }

    fn yaml(&self, text: &str) -> Result<Value, serde_saphyr::Error> {
        let options = serde_saphyr::options! {
            with_snippet: false,
            budget: serde_saphyr::budget! {
                max_depth: DEPTH_MAX,
                flow_nesting_limit: DEPTH_MAX,
                max_aliases: ALIASES_MAX,
                max_recorded_anchor_bytes: ANCHORED_BYTES_MAX,
                max_events: 16_000_000,
                max_nodes: 8_000_000,
                max_total_scalar_bytes: INPUT_BYTES_MAX,
            },
            alias_limits: serde_saphyr::alias_limits! {
                max_total_replayed_events: REPEATED_MAX,
            },
        };
        serde_saphyr::with_deserializer_from_str_with_options(text, options, |from| {
            Tree(&self.room).deserialize(from)
        })
    }

    /// Takes lists apart: `List`, and those of one kind, whose items need not say what they are.
    fn flatten(&mut self, document: Document) -> Result<(), Error> {
        let kind = document.kind();
        let of_kind = match kind {
            "MetricValueList" | "ExternalMetricValueList" => None,
            _ => kind.strip_suffix("List"),
        };
        let (Some(of_kind), Value::Array(_)) = (of_kind, &document.value["items"]) else {
            return self.push(document);
        };
        let of_kind = of_kind.to_owned();
        let version = document.value["apiVersion"].clone();
        let Document {
            mut value,
            file,
            number,
            line,
            ..
        } = document;
        let Value::Array(items) = value["items"].take() else {
            return Ok(());
        };
        for (index, mut item) in items.into_iter().enumerate() {
            if let (Some(map), false) = (item.as_object_mut(), of_kind.is_empty()) {
                map.entry("kind").or_insert_with(|| of_kind.clone().into());
                map.entry("apiVersion").or_insert_with(|| version.clone());
            }
            self.push(Document {
                value: item,
                file: file.clone(),
                number,
                line,
                item: Some(index),
            })?;
        }
        Ok(())
    }

    fn push(&mut self, document: Document) -> Result<(), Error> {
        if !document.value.is_object() {
            let problem = format!(
                "not an object but {}: each document must be an object with apiVersion and kind",
                crate::typed::what(&document.value)
            );
            return Err(document.error("", problem));
        }
        for field in ["apiVersion", "kind"] {
            match &document.value[field] {
                Value::String(text) if !text.is_empty() => {}
                Value::Null | Value::String(_) => {
                    return Err(document.error(field, "missing: it says what the object is"));
                }
                other => {
                    let problem = format!("must be text, not {}", crate::typed::what(other));
                    return Err(document.error(field, problem));
                }
            }
        }
        if self.list.len() >= OBJECTS_MAX {
            return Err(document.error("", format!("more than {OBJECTS_MAX} objects")));
        }
        self.list.push(document);
        Ok(())
    }
}

/// One document of a YAML stream, and the line where it begins.
#[derive(Debug, PartialEq)]
struct Part<'a> {
    text: &'a str,
    line: usize,
}

/// Cuts a stream where YAML does: at lines that begin with `---` or `...`. Parts that hold nothing are
/// left out, as are directives.
fn cut(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut start, mut first_line) = (0, 1);
    let mut at = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let is_mark = |mark: &str| {
            let rest = line.strip_prefix(mark);
            rest.is_some_and(|r| r.is_empty() || r.starts_with([' ', '\t', '\r', '\n']))
        };
        let (begins, ends) = (is_mark("---"), is_mark("..."));
        if begins || ends {
            add(&mut parts, &text[start..at], first_line);
            // What follows on the mark's own line belongs to the new document.
            start = at + if begins { 0 } else { line.len() };
            first_line = index + 1 + usize::from(ends);
        }
        at += line.len();
    }
    add(&mut parts, &text[start..], first_line);
    parts
}

fn add<'a>(parts: &mut Vec<Part<'a>>, text: &'a str, line: usize) {
    let says_nothing = |line: &str| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line.starts_with('%') || line == "---"
    };
    if !text.lines().all(says_nothing) {
        parts.push(Part { text, line });
    }
}

/// Whether what is no JSON may be YAML all the same: a stream, or maps without quotes.
fn may_be_yaml(text: &str) -> bool {
    let inside = text.trim_start().get(1..).unwrap_or_default().trim_start();
    let json = inside.starts_with(['"', '{', '[', '}', ']']);
    !json || cut(text).len() > 1
}

fn json_problem(file: &str, document: usize, error: &serde_json::Error) -> Error {
    let place = Place {
        file: file.to_owned(),
        document: Some(document),
        line: Some(error.line()).filter(|line| *line > 0),
        ..Place::default()
    };
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(&*text, |(t, _)| t);
    Error::new(place, format!("no JSON: {text}"))
}

fn yaml_problem(error: &serde_saphyr::Error) -> String {
    let text = error.to_string();
    let text = text.lines().next().unwrap_or_default();
    // The parser counts lines from the document's start; the place has the file's.
    match text.rsplit_once(" at line ") {
        Some((problem, place)) => match place.rsplit_once("column ") {
            Some((_, column)) => format!("no YAML: {problem} (column {column})"),
            None => format!("no YAML: {problem}"),
        },
        None => format!("no YAML: {text}"),
    }
}

fn line_of(before: &[u8]) -> usize {
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests;
