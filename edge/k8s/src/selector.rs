//! Label selectors: as text in a query, and as objects in a spec.
//!
//! Upstream: apimachinery/pkg/labels/selector.go, pkg/apis/meta/v1/helpers.go (v1.36).
//! [`fields`] has field selectors.

pub mod fields;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;

use crate::names::{label_key_problems, label_value_problems};
use crate::status::FieldError;
use serde_json::{Map, Value};
use std::fmt;

/// How a requirement compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `key=value`
    Equals,
    /// `key==value`
    DoubleEquals,
    /// `key!=value`
    NotEquals,
    /// `key in (a,b)`
    In,
    /// `key notin (a,b)`
    NotIn,
    /// `key`
    Exists,
    /// `!key`
    DoesNotExist,
    /// `key>1`
    GreaterThan,
    /// `key<1`
    LessThan,
}

/// One condition on one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    key: String,
    operator: Operator,
    /// Sorted where they came as text, in their own order where they came in an object.
    values: Vec<String>,
}

/// A conjunction of requirements, ordered by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
    /// A selector object that is not there selects nothing.
    nothing: bool,
}

impl LabelSelector {
    /// Parses a query's `labelSelector`; the error is upstream's sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut requirements = parser::parse(text)?;
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Self {
            requirements,
            nothing: false,
        })
    }

    /// Reads `{matchLabels, matchExpressions}`; `null` selects nothing, `{}` everything.
    pub fn from_object(selector: &Value) -> Result<Self, String> {
        if selector.is_null() {
            return Ok(Self {
                requirements: Vec::new(),
                nothing: true,
            });
        }
        let mut requirements = Vec::new();
        let labels = selector.get("matchLabels").and_then(Value::as_object);
        for (key, value) in labels.into_iter().flatten() {
            let value = value.as_str().unwrap_or_default().to_owned();
            requirements.push(Requirement::new(
                key.clone(),
                Operator::Equals,
                vec![value],
            )?);
        }
        for expression in items(selector, "matchExpressions") {
            let text = |field: &str| expression.get(field).and_then(Value::as_str).unwrap_or("");
            let operator = match text("operator") {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                other => return Err(format!("{other:?} is not a valid label selector operator")),
            };
            let values = items(expression, "values")
                .iter()
                .map(|value| value.as_str().unwrap_or_default().to_owned())
                .collect();
            let key = text("key").to_owned();
            let requirement = Requirement::new(key, operator, values).map_err(|error| {
                // A list that is not there is no empty list in Go's JSON.
                match expression.get("values") {
                    None | Some(Value::Null) => {
                        error.replace("Invalid value: []:", "Invalid value: null:")
                    }
                    Some(_) => error,
                }
            })?;
            requirements.push(requirement);
        }
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Self {
            requirements,
            nothing: false,
        })
    }

    /// Reads the plain map that Services and ReplicationControllers have; an empty one selects
    /// nothing there, which is for the caller to know.
    pub fn from_map(labels: &Map<String, Value>) -> Self {
        let requirements = labels
            .iter()
            .map(|(key, value)| Requirement {
                key: key.clone(),
                operator: Operator::Equals,
                values: vec![value.as_str().unwrap_or_default().to_owned()],
            })
            .collect();
        Self {
            requirements,
            nothing: false,
        }
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        !self.nothing && self.requirements.is_empty()
    }

    /// Whether it selects an object with these labels (`metadata.labels`, or `null`).
    pub fn matches(&self, labels: &Value) -> bool {
        self.matches_by(|key| labels.get(key).and_then(Value::as_str))
    }

    /// Whether it selects labels given by a look-up.
    pub fn matches_by<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        !self.nothing && self.requirements.iter().all(|r| r.matches(label(&r.key)))
    }
}

impl Requirement {
    /// Upstream: NewRequirement.
    fn new(key: String, operator: Operator, values: Vec<String>) -> Result<Self, String> {
        let mut problems = Vec::new();
        let words = label_key_problems(&key);
        if !words.is_empty() {
            problems.push(FieldError::invalid(
                "key",
                &key.clone().into(),
                words.join("; "),
            ));
        }
        if let Some(words) = operator.count_problem(values.len()) {
            let list = if values.is_empty() {
                "[]".to_owned()
            } else {
                go_list(&values)
            };
            problems.push(with_value("values", list, words));
        }
        if matches!(operator, Operator::GreaterThan | Operator::LessThan) {
            for (index, value) in values.iter().enumerate().filter(|(_, v)| !is_integer(v)) {
                let words = "for 'Gt', 'Lt' operators, the value must be an integer";
                let field = format!("values[{index}]");
                problems.push(FieldError::invalid(field, &value.clone().into(), words));
            }
        }
        for (index, value) in values.iter().enumerate() {
            let words = label_value_problems(value);
            if !words.is_empty() {
                let field = format!("values[{index}][{key}]");
                problems.push(FieldError::invalid(
                    field,
                    &value.clone().into(),
                    words.join("; "),
                ));
            }
        }
        match problems.as_slice() {
            [] => Ok(Self {
                key,
                operator,
                values,
            }),
            [one] => Err(one.to_string()),
            many => {
                let texts: Vec<String> = many.iter().map(ToString::to_string).collect();
                Err(format!("[{}]", texts.join(", ")))
            }
        }
    }

    fn matches(&self, value: Option<&str>) -> bool {
        let listed = |value: &str| self.values.iter().any(|v| v == value);
        match self.operator {
            Operator::Equals | Operator::DoubleEquals | Operator::In => value.is_some_and(listed),
            Operator::NotEquals | Operator::NotIn => !value.is_some_and(listed),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::GreaterThan => self.compare(value, |a, b| a > b),
            Operator::LessThan => self.compare(value, |a, b| a < b),
        }
    }

    fn compare(&self, value: Option<&str>, holds: impl Fn(i64, i64) -> bool) -> bool {
        let bound = self.values.first().and_then(|v| v.parse().ok());
        let value = value.and_then(|v| v.parse().ok());
        matches!((value, bound), (Some(value), Some(bound)) if holds(value, bound))
    }
}

/// The elements of the list under `field`; none if it is no list.
fn items<'a>(object: &'a Value, field: &str) -> &'a [Value] {
    let list = object.get(field).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

fn is_integer(text: &str) -> bool {
    text.parse::<i64>().is_ok()
}

/// A list of texts as Go's JSON prints it.
fn go_list(values: &[String]) -> String {
    Value::from(values.to_vec()).to_string()
}

fn with_value(field: &str, value: String, detail: &str) -> FieldError {
    FieldError {
        value,
        ..FieldError::invalid(field, &Value::Null, detail)
    }
}

impl Operator {
    fn count_problem(self, count: usize) -> Option<&'static str> {
        match self {
            Self::In | Self::NotIn if count == 0 => {
                Some("for 'in', 'notin' operators, values set can't be empty")
            }
            Self::Equals | Self::DoubleEquals | Self::NotEquals if count != 1 => {
                Some("exact-match compatibility requires one single value")
            }
            Self::Exists | Self::DoesNotExist if count != 0 => {
                Some("values set must be empty for exists and does not exist")
            }
            Self::GreaterThan | Self::LessThan if count != 1 => {
                Some("for 'Gt', 'Lt' operators, exactly one value is required")
            }
            _ => None,
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Equals => "=",
            Self::DoubleEquals => "==",
            Self::NotEquals => "!=",
            Self::In => " in ",
            Self::NotIn => " notin ",
            Self::GreaterThan => ">",
            Self::LessThan => "<",
            Self::Exists | Self::DoesNotExist => "",
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = if self.operator == Operator::DoesNotExist {
            "!"
        } else {
            ""
        };
        write!(f, "{not}{}{}", self.key, self.operator.sign())?;
        if !matches!(self.operator, Operator::In | Operator::NotIn) {
            return f.write_str(self.values.first().map_or("", String::as_str));
        }
        let mut values = self.values.clone();
        values.sort_unstable();
        write!(f, "({})", values.join(","))
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "{requirement}")?;
        }
        Ok(())
    }
}
