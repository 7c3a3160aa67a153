//! Whether an object is as its schema wants it, in the words of Kubernetes' OpenAPI validation.
//!
//! Upstream: kube-openapi/pkg/validation/validate, apiextensions-apiserver/pkg/apiserver/validation
//! (ratcheting.go, validation.go) and pkg/apiserver/schema/{listtype,objectmeta}.

mod combined;
mod lists;
mod scalars;

use super::custom::Custom;
use super::pattern::Patterns;
use k8s::status::{FieldError, FieldErrorKind};
use serde_json::{Map, Value};

/// How deep a schema is followed.
const DEPTH: usize = 64;
/// More problems than anybody reads are not looked for.
const PROBLEMS: usize = 100;

/// What is wrong with an object. Parts that are as they were before are left alone.
pub(super) fn object(custom: &Custom, old: Option<&Value>, object: &Value) -> Vec<FieldError> {
    by_schema(&custom.schema, &custom.patterns, (old, object))
}

/// The same by a schema and its patterns.
pub(super) fn by_schema(
    schema: &Value,
    patterns: &Patterns,
    change: Change<'_>,
) -> Vec<FieldError> {
    let mut check = Check {
        patterns,
        errors: Vec::new(),
    };
    check.fields(schema, &Place::ROOT, change);
    check.errors
}

/// Where a value is.
struct Place {
    path: String,
    depth: usize,
}

impl Place {
    const ROOT: Self = Self {
        path: String::new(),
        depth: 0,
    };

    fn field(&self, name: &str) -> Self {
        let path = if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        };
        Self {
            path,
            depth: self.depth + 1,
        }
    }

    fn item(&self, at: usize) -> Self {
        Self {
            path: format!("{}[{at}]", self.path),
            depth: self.depth + 1,
        }
    }
}

struct Check<'a> {
    patterns: &'a Patterns,
    errors: Vec<FieldError>,
}

/// An earlier value and the one to check.
type Change<'v> = (Option<&'v Value>, &'v Value);

impl Check<'_> {
    /// Checks the root: its metadata was checked before.
    fn fields(&mut self, schema: &Value, place: &Place, (old, object): Change<'_>) {
        let head = |name: &str| matches!(name, "apiVersion" | "kind" | "metadata");
        let Some(fields) = object.as_object() else {
            return;
        };
        self.required(schema, place, fields);
        for (name, value) in fields.iter().filter(|(name, _)| !head(name)) {
            if let Some(schema) = schema["properties"].get(name) {
                let old = old.and_then(|old| old.get(name));
                self.value(schema, &place.field(name), (old, value));
            }
        }
        self.combined(schema, place, object);
    }

    fn value(&mut self, schema: &Value, place: &Place, (old, value): Change<'_>) {
        let unchanged = old == Some(value);
        let nothing = value.is_null() && schema["nullable"] == true;
        if unchanged || nothing || place.depth > DEPTH || self.errors.len() >= PROBLEMS {
            return;
        }
        if !self.has_type(schema, place, value) {
            return;
        }
        match value {
            Value::Object(fields) => self.object(schema, place, (old, fields)),
            Value::Array(items) => self.list(schema, place, (old, items)),
            Value::String(text) => self.text(schema, place, text),
            Value::Number(number) => self.number(schema, place, number),
            Value::Null | Value::Bool(_) => {}
        }
        self.enumeration(schema, place, value);
        self.combined(schema, place, value);
    }

    /// Checks the type; says whether it is right.
    fn has_type(&mut self, schema: &Value, place: &Place, value: &Value) -> bool {
        let found = type_of(value);
        if schema["x-kubernetes-int-or-string"] == true {
            let good = matches!(found, "integer" | "string");
            if !good {
                self.wrong_type(place, "integer,string", found);
            }
            return good;
        }
        let good = match schema["type"].as_str() {
            None | Some("") => true,
            Some("number") => matches!(found, "number" | "integer"),
            Some(wanted) => found == wanted,
        };
        if !good {
            self.wrong_type(place, schema["type"].as_str().unwrap_or(""), found);
        }
        good
    }

    fn wrong_type(&mut self, place: &Place, wanted: &str, found: &str) {
        let path = &place.path;
        self.errors.push(FieldError {
            kind: FieldErrorKind::TypeInvalid,
            field: path.clone(),
            value: format!("{found:?}"),
            detail: format!("{path} in body must be of type {wanted}: {found:?}"),
        });
    }

    /// A value that breaks a rule: `path in body WORDS`.
    fn breaks(&mut self, place: &Place, value: &Value, words: &str) {
        let path = &place.path;
        let detail = format!("{path} in body {words}");
        self.errors.push(FieldError::invalid(path, value, detail));
    }

    fn object(
        &mut self,
        schema: &Value,
        place: &Place,
        (old, fields): (Option<&Value>, &Map<String, Value>),
    ) {
        self.count_properties(schema, place, fields);
        self.required(schema, place, fields);
        if schema["x-kubernetes-embedded-resource"] == true {
            for key in ["apiVersion", "kind"] {
                if fields
                    .get(key)
                    .and_then(Value::as_str)
                    .is_none_or(str::is_empty)
                {
                    let field = place.field(key).path;
                    self.errors
                        .push(FieldError::required(field, "must not be empty"));
                }
            }
        }
        for (name, value) in fields {
            let below = schema["properties"].get(name);
            let below = below.or_else(|| schema.get("additionalProperties"));
            if let Some(below) = below.filter(|below| below.is_object()) {
                let old = old.and_then(|old| old.get(name));
                self.value(below, &place.field(name), (old, value));
            }
        }
    }

    fn required(&mut self, schema: &Value, place: &Place, fields: &Map<String, Value>) {
        let required = schema["required"].as_array().into_iter().flatten();
        for name in required.filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                let field = place.field(name).path;
                self.errors.push(FieldError::required(field, ""));
            }
        }
    }

    fn count_properties(&mut self, schema: &Value, place: &Place, fields: &Map<String, Value>) {
        let count = fields.len();
        if let Some(min) = limit(schema, "minProperties").filter(|min| count < *min) {
            let words = format!("should have at least {min} properties");
            self.breaks(place, &Value::Object(fields.clone()), &words);
        }
        if let Some(max) = limit(schema, "maxProperties").filter(|max| count > *max) {
            self.too_many(place, count, max);
        }
    }

    /// Upstream: field.TooMany.
    fn too_many(&mut self, place: &Place, count: usize, max: usize) {
        self.errors.push(FieldError {
            kind: FieldErrorKind::TooMany,
            field: place.path.clone(),
            value: count.to_string(),
            detail: format!("{count}: must have at most {max} items"),
        });
    }

    fn enumeration(&mut self, schema: &Value, place: &Place, value: &Value) {
        let Some(allowed) = schema["enum"].as_array() else {
            return;
        };
        if allowed.is_empty() || allowed.contains(value) {
            return;
        }
        let mut shown: Vec<String> = allowed
            .iter()
            .map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned))
            .collect();
        shown.sort();
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        self.errors
            .push(FieldError::not_supported(&place.path, value, &shown));
    }
}

/// The JSON type of a value, as schemas name it.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if is_whole(number) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_whole(number: &serde_json::Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|float| float.fract() == 0.0)
}

/// A limit of a schema, such as `maxItems`.
fn limit(schema: &Value, key: &str) -> Option<usize> {
    usize::try_from(schema[key].as_u64()?).ok()
}
