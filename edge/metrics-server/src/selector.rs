//! Label and field selectors, as query parameters have them.
//!
//! Upstream: apimachinery/pkg/labels/selector.go and pkg/fields/selector.go (v1.36).

use k8s::status::ApiError;

/// A label selector. The default selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    rule: Rule,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

impl Selector {
    /// Reads `a=b,c!=d,e in (f,g),!h,i>1`.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        requirements(text).map(Self).map_err(|why| {
            ApiError::bad_request(format!("unable to parse requirement: {why} in {text:?}"))
        })
    }

    /// Whether `label` (the value of a key) satisfies every requirement.
    pub(crate) fn matches<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0
            .iter()
            .all(|requirement| requirement.rule.allows(label(&requirement.key)))
    }
}

impl Rule {
    fn allows(&self, value: Option<&str>) -> bool {
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        let among =
            |values: &[String]| value.is_some_and(|value| values.iter().any(|v| v == value));
        match self {
            Self::Exists => value.is_some(),
            Self::Absent => value.is_none(),
            Self::In(values) => among(values),
            Self::NotIn(values) => !among(values),
            Self::Above(limit) => number().is_some_and(|number| number > *limit),
            Self::Below(limit) => number().is_some_and(|number| number < *limit),
        }
    }
}

fn requirements(text: &str) -> Result<Vec<Requirement>, &'static str> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (requirement, after) = requirement(rest)?;
        found.push(requirement);
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(next) if next.trim().is_empty() => {
                return Err("an identifier is missing after \",\"");
            }
            Some(next) => next.trim_start(),
            None if after.is_empty() => after,
            None => return Err("\",\" or the end is missing"),
        };
    }
    Ok(found)
}

fn requirement(text: &str) -> Result<(Requirement, &str), &'static str> {
    if let Some(after) = text.strip_prefix('!') {
        let (key, rest) = key(after.trim_start())?;
        return Ok((
            Requirement {
                key,
                rule: Rule::Absent,
            },
            rest,
        ));
    }
    let (key, rest) = key(text)?;
    let (rule, rest) = rule(rest.trim_start())?;
    Ok((Requirement { key, rule }, rest))
}

fn rule(text: &str) -> Result<(Rule, &str), &'static str> {
    let one = |rest| value(rest).map(|(value, rest)| (vec![value], rest));
    if let Some(rest) = text.strip_prefix("!=") {
        return one(rest).map(|(values, rest)| (Rule::NotIn(values), rest));
    }
    if let Some(rest) = text.strip_prefix("==").or_else(|| text.strip_prefix('=')) {
        return one(rest).map(|(values, rest)| (Rule::In(values), rest));
    }
    if let Some(rest) = text.strip_prefix('>') {
        return number(rest).map(|(limit, rest)| (Rule::Above(limit), rest));
    }
    if let Some(rest) = text.strip_prefix('<') {
        return number(rest).map(|(limit, rest)| (Rule::Below(limit), rest));
    }
    match word(text) {
        ("", rest) => Ok((Rule::Exists, rest)),
        ("in", rest) => set(rest).map(|(values, rest)| (Rule::In(values), rest)),
        ("notin", rest) => set(rest).map(|(values, rest)| (Rule::NotIn(values), rest)),
        _ => Err("an operator is missing"),
    }
}

fn set(text: &str) -> Result<(Vec<String>, &str), &'static str> {
    let inside = text
        .trim_start()
        .strip_prefix('(')
        .ok_or("\"(\" is missing")?;
    let (list, rest) = inside.split_once(')').ok_or("\")\" is missing")?;
    let values = list
        .split(',')
        .map(|item| whole_value(item.trim()))
        .collect::<Result<_, _>>()?;
    Ok((values, rest))
}

fn number(text: &str) -> Result<(i64, &str), &'static str> {
    let (value, rest) = value(text)?;
    value
        .parse()
        .map(|number| (number, rest))
        .map_err(|_| "the value must be an integer")
}

fn value(text: &str) -> Result<(String, &str), &'static str> {
    let (value, rest) = word(text.trim_start());
    whole_value(value).map(|value| (value, rest))
}

/// Upstream: validation.IsValidLabelValue.
fn whole_value(text: &str) -> Result<String, &'static str> {
    (text.is_empty() || is_name(text))
        .then(|| text.to_owned())
        .ok_or("the value is no label value")
}

/// Upstream: validation.IsQualifiedName.
fn key(text: &str) -> Result<(String, &str), &'static str> {
    let (key, rest) = word(text);
    let (prefix, name) = key
        .split_once('/')
        .map_or(("a", key), |(prefix, name)| (prefix, name));
    let prefix_fits = prefix.len() <= 253
        && prefix
            .split('.')
            .all(|part| is_name(part) && !part.contains(char::is_uppercase));
    (prefix_fits && is_name(name))
        .then(|| (key.to_owned(), rest))
        .ok_or("the key is no label name")
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.len() <= 63
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// What stands before the next blank or operator.
fn word(text: &str) -> (&str, &str) {
    let ends = |c: char| c.is_ascii_whitespace() || "=!(),<>".contains(c);
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

/// A field selector over what metrics have: `metadata.name` and `metadata.namespace`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(Field, bool, String)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Name,
    Namespace,
}

impl Fields {
    /// Reads `metadata.name=a,metadata.namespace!=b`.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let terms = text.split(',').filter(|term| !term.is_empty());
        terms.map(field_term).collect::<Result<_, _>>().map(Self)
    }

    /// Whether an object with this namespace and name satisfies every term.
    pub(crate) fn matches(&self, namespace: &str, name: &str) -> bool {
        self.0.iter().all(|(field, equal, wanted)| {
            let actual = match field {
                Field::Name => name,
                Field::Namespace => namespace,
            };
            (actual == wanted) == *equal
        })
    }
}

fn field_term(term: &str) -> Result<(Field, bool, String), ApiError> {
    let split = |operator, equal| term.split_once(operator).map(|(f, v)| (f, equal, v));
    let Some((field, equal, value)) = split("!=", false)
        .or_else(|| split("==", true))
        .or_else(|| split("=", true))
    else {
        return Err(ApiError::bad_request(format!(
            "invalid selector: '{term}'; can't understand '{term}'"
        )));
    };
    let field = match field.trim() {
        "metadata.name" => Field::Name,
        "metadata.namespace" => Field::Namespace,
        other => {
            // Upstream: DefaultMetaV1FieldSelectorConversion.
            return Err(ApiError::bad_request(format!(
                "{other:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
            )));
        }
    };
    Ok((field, equal, value.trim().to_owned()))
}

#[cfg(test)]
mod tests;
