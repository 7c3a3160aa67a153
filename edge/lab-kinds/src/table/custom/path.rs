//! Simple JSON paths: members, indices, wildcards, and filters by equality.
//!
//! Upstream: client-go/util/jsonpath, of which definitions use these forms:
//! `.a.b`, `.a\.b`, `['a.b']`, `[0]`, `[-1]`, `[*]`, `[?(@.type=="Ready")]`.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Member(String),
    Index(i64),
    All,
    Where {
        path: Vec<Step>,
        equals: bool,
        value: Value,
    },
}

/// A parsed path; one that does not parse finds nothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path(Option<Vec<Step>>);

impl Path {
    pub(super) fn parse(text: &str) -> Self {
        Self(steps(text.trim()))
    }

    /// The first value there is.
    pub(super) fn first<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        find(object, self.0.as_deref()?)
    }
}

fn find<'a>(value: &'a Value, steps: &[Step]) -> Option<&'a Value> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(value);
    };
    match step {
        Step::Member(name) => find(value.get(name)?, rest),
        Step::Index(index) => {
            let list = value.as_array()?;
            let length = i64::try_from(list.len()).ok()?;
            let index = if *index < 0 { length + index } else { *index };
            find(list.get(usize::try_from(index).ok()?)?, rest)
        }
        Step::All => match value {
            Value::Array(list) => list.iter().find_map(|item| find(item, rest)),
            Value::Object(map) => map.values().find_map(|item| find(item, rest)),
            _ => None,
        },
        Step::Where {
            path,
            equals,
            value: wanted,
        } => value
            .as_array()?
            .iter()
            .filter(|item| (find(item, path) == Some(wanted)) == *equals)
            .find_map(|item| find(item, rest)),
    }
}

fn steps(text: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = text.strip_prefix('$').unwrap_or(text);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            if after.starts_with('[') {
                rest = after;
                continue;
            }
            let (name, left) = member(after);
            if name == "*" {
                steps.push(Step::All);
            } else if !name.is_empty() {
                steps.push(Step::Member(name));
            }
            rest = left;
        } else {
            let (inside, left) = bracket(rest)?;
            steps.push(subscript(inside)?);
            rest = left;
        }
    }
    Some(steps)
}

/// A name up to the next dot or bracket; a backslash keeps the next character.
fn member(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '\\' => name.extend(chars.next().map(|(_, next)| next)),
            '.' | '[' => return (name, &text[index..]),
            _ => name.push(c),
        }
    }
    (name, "")
}

/// What stands in brackets, and what follows them; quotes hide brackets.
fn bracket(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('[')?;
    let mut quote = None;
    for (index, c) in inside.char_indices() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (']', None) => return Some((&inside[..index], &inside[index + 1..])),
            _ => {}
        }
    }
    None
}

fn subscript(inside: &str) -> Option<Step> {
    let inside = inside.trim();
    if inside == "*" {
        return Some(Step::All);
    }
    if let Some(condition) = inside
        .strip_prefix("?(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        return filter(condition);
    }
    if let Some(name) = quoted(inside) {
        return Some(Step::Member(name));
    }
    inside.parse().ok().map(Step::Index)
}

fn filter(condition: &str) -> Option<Step> {
    let (left, right, equals) = match condition.split_once("==") {
        Some((left, right)) => (left, right, true),
        None => {
            let (left, right) = condition.split_once("!=")?;
            (left, right, false)
        }
    };
    let path = steps(left.trim().strip_prefix('@')?)?;
    let right = right.trim();
    let value = match quoted(right) {
        Some(text) => Value::String(text),
        None => serde_json::from_str(right).ok()?,
    };
    Some(Step::Where {
        path,
        equals,
        value,
    })
}

fn quoted(text: &str) -> Option<String> {
    ['\'', '"'].into_iter().find_map(|quote| {
        text.strip_prefix(quote)?
            .strip_suffix(quote)
            .map(str::to_owned)
    })
}
