//! Fields that Kubernetes' types take as any text, but that must be quantities or durations.

use crate::documents::Document;
use crate::error::Error;
use serde_json::Value;

/// What a field must be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    /// `100m`, `1Gi`, `2`
    Quantity,
    /// `1m30s`
    Duration,
}

/// Checks the fields that a pattern names: `a.b`, `a[].b`, and `a.*` for all of a map.
pub(crate) fn check(document: &Document, patterns: &[&str], form: Form) -> Result<(), Error> {
    for pattern in patterns {
        let mut path = Vec::new();
        let parts: Vec<&str> = pattern.split('.').collect();
        walk(&document.value, &parts, &mut path, &|value, path| {
            let problem = problem(value, form)?;
            Some(document.error(&path.concat(), problem))
        })?;
    }
    Ok(())
}

type Look<'a> = &'a dyn Fn(&Value, &[String]) -> Option<Error>;

fn walk(
    value: &Value,
    parts: &[&str],
    path: &mut Vec<String>,
    look: Look<'_>,
) -> Result<(), Error> {
    let Some((part, rest)) = parts.split_first() else {
        return look(value, path).map_or(Ok(()), Err);
    };
    let step = |name: String, value: &Value, path: &mut Vec<String>| {
        path.push(name);
        let walked = walk(value, rest, path, look);
        path.pop();
        walked
    };
    let dot = if path.is_empty() { "" } else { "." };
    if *part == "*" {
        for (name, value) in value.as_object().into_iter().flatten() {
            step(format!("{dot}{name}"), value, path)?;
        }
    } else if let Some(name) = part.strip_suffix("[]") {
        let list = value.get(name).and_then(Value::as_array);
        for (index, value) in list.into_iter().flatten().enumerate() {
            step(format!("{dot}{name}[{index}]"), value, path)?;
        }
    } else if let Some(value) = value.get(*part) {
        step(format!("{dot}{part}"), value, path)?;
    }
    Ok(())
}

fn problem(value: &Value, form: Form) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) if matches!(form, Form::Quantity) => number.to_string(),
        other => {
            let form = form.name();
            return Some(format!("must be {form}, not {}", crate::typed::what(other)));
        }
    };
    let reason = match form {
        Form::Quantity => text.parse::<units::Quantity>().err()?.to_string(),
        // The API leaves out what it does not know.
        Form::Duration if text.is_empty() => return None,
        Form::Duration => text.parse::<units::Duration>().err()?.to_string(),
    };
    Some(format!("{text:?} is not {}: {reason}", form.name()))
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Quantity => "a quantity (as 100m, 1.5 or 64Mi)",
            Self::Duration => "a duration (as 15s or 1m30s)",
        }
    }
}
