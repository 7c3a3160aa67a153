//! Walks an object beside its type: drops what Go would not keep, and says what is wrong.

use super::{json_word, scalar};
use crate::TypeRef;
use crate::schema::{Scalar, Shape, StructRef};
use serde_json::{Map, Value, json};
use std::fmt;

/// What decoding found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decoded {
    /// `unknown field "spec.foo"`, in order of names.
    pub unknown: Vec<String>,
}

/// Decodes an object from JSON. The error is Go's text for the first value of a wrong type.
pub fn decode(of: TypeRef<'_>, object: &mut Value) -> Result<Decoded, String> {
    Walk {
        style: Style::Json,
        unknown: Vec::new(),
        error: None,
    }
    .run(of, object)
}

/// Decodes an object that a strategic merge patch made: the same, with the texts of Go's converter.
///
/// Upstream: apimachinery/pkg/runtime/converter.go.
pub fn decode_patched(of: TypeRef<'_>, object: &mut Value) -> Result<Decoded, String> {
    Walk {
        style: Style::Converter,
        unknown: Vec::new(),
        error: None,
    }
    .run(of, object)
}

/// Whose error texts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Json,
    Converter,
}

struct Walk {
    style: Style,
    unknown: Vec<String>,
    error: Option<String>,
}

/// Where in the object a value is.
#[derive(Clone, Copy)]
struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root,
    /// A field of a struct.
    Field(&'p str),
    /// A key of a map: Go's type errors leave it out.
    Key(&'p str),
    Index(usize),
}

impl<'p> Path<'p> {
    fn then(&'p self, step: Step<'p>) -> Self {
        Path {
            parent: Some(self),
            step,
        }
    }

    /// `spec.template.spec.containers.env.value`. Upstream: UnmarshalTypeError.Field.
    fn fields(&self) -> String {
        let mut out = self.parent.map(Path::fields).unwrap_or_default();
        if let Step::Field(name) = self.step {
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(name);
        }
        out
    }
}

/// `spec.template.spec.containers[0].env[1].value`.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else {
            return Ok(());
        };
        parent.fmt(f)?;
        match self.step {
            Step::Root => Ok(()),
            Step::Index(at) => write!(f, "[{at}]"),
            Step::Field(name) | Step::Key(name) => {
                let dot = if parent.parent.is_some() { "." } else { "" };
                write!(f, "{dot}{name}")
            }
        }
    }
}

/// A value's place: its type, the struct that it is in, its path.
#[derive(Clone, Copy)]
struct Place<'a, 'p> {
    of: TypeRef<'a>,
    owner: Option<StructRef<'a>>,
    path: &'p Path<'p>,
}

impl Walk {
    fn run(mut self, of: TypeRef<'_>, object: &mut Value) -> Result<Decoded, String> {
        let root = Path {
            parent: None,
            step: Step::Root,
        };
        self.value(
            Place {
                of,
                owner: None,
                path: &root,
            },
            object,
        );
        match self.error {
            Some(error) => Err(error),
            None => Ok(Decoded {
                unknown: self.unknown,
            }),
        }
    }

    fn value(&mut self, place: Place<'_, '_>, value: &mut Value) {
        match (place.of.shape(), value) {
            (Shape::Struct(object), Value::Object(fields)) => self.object(place, object, fields),
            (Shape::Map(values, _), Value::Object(entries)) => {
                for (key, value) in entries.iter_mut() {
                    self.child(
                        Place {
                            of: values,
                            ..place
                        },
                        Step::Key(key),
                        value,
                    );
                }
            }
            (Shape::List(items, _), Value::Array(values)) => {
                for (at, value) in values.iter_mut().enumerate() {
                    self.child(Place { of: items, ..place }, Step::Index(at), value);
                }
            }
            (Shape::Scalar(scalar), value) => self.scalar(place, scalar, value),
            (_, value) => self.mismatch(place, value),
        }
    }

    /// An element; null becomes the type's zero value, as in Go.
    fn child(&mut self, place: Place<'_, '_>, step: Step<'_>, value: &mut Value) {
        if value.is_null() {
            *value = zero(place.of);
            return;
        }
        let path = place.path.then(step);
        self.value(
            Place {
                path: &path,
                ..place
            },
            value,
        );
    }

    fn object<'a>(
        &mut self,
        place: Place<'a, '_>,
        object: StructRef<'a>,
        fields: &mut Map<String, Value>,
    ) {
        fields.retain(|name, value| {
            let path = place.path.then(Step::Field(name));
            let Some(field) = object.field(name) else {
                if !object.is_open() {
                    self.unknown.push(format!("unknown field \"{path}\""));
                }
                return object.is_open();
            };
            if value.is_null() {
                // A custom resource may hold null; a Go struct can't.
                return is_custom(object) && name != "metadata";
            }
            self.value(
                Place {
                    of: field.of,
                    owner: Some(object),
                    path: &path,
                },
                value,
            );
            true
        });
    }

    fn scalar(&mut self, place: Place<'_, '_>, scalar: Scalar, value: &mut Value) {
        match scalar::accept(scalar, value) {
            scalar::Verdict::Keep => {}
            scalar::Verdict::Become(new) => *value = new,
            scalar::Verdict::Mismatch => self.mismatch(place, value),
            scalar::Verdict::Malformed(text) => {
                if !place.owner.is_some_and(is_custom) {
                    self.fail(text);
                }
            }
        }
    }

    fn mismatch(&mut self, place: Place<'_, '_>, value: &Value) {
        // A custom resource's values are judged by its schema's validation, not by decoding.
        if self.error.is_some() || place.owner.is_some_and(is_custom) {
            return;
        }
        let wanted = go_type(place.of);
        let text = match (self.style, place.owner) {
            (Style::Converter, _) => converter_text(place.of, value, &wanted),
            (Style::Json, None) => {
                format!(
                    "json: cannot unmarshal {} into Go value of type {wanted}",
                    shown(place.of, value)
                )
            }
            (Style::Json, Some(owner)) => format!(
                "json: cannot unmarshal {} into Go struct field {}.{} of type {wanted}",
                shown(place.of, value),
                owner.go_name(),
                place.path.fields(),
            ),
        };
        self.fail(text);
    }

    fn fail(&mut self, text: String) {
        self.error.get_or_insert(text);
    }
}

fn is_custom(object: StructRef<'_>) -> bool {
    object.definition().is_empty()
}

/// The value as Go's error names it: a number that does not fit is shown.
fn shown(of: TypeRef<'_>, value: &Value) -> String {
    let numeric = matches!(
        of.shape(),
        Shape::Scalar(Scalar::Int32 | Scalar::Int64 | Scalar::Float)
    );
    match value {
        Value::Number(number) if numeric => format!("number {number}"),
        other => json_word(other).to_owned(),
    }
}

/// Upstream: converter.go fromUnstructured. Go can convert numbers to text, so it says that it won't.
fn converter_text(of: TypeRef<'_>, value: &Value, wanted: &str) -> String {
    let got = match value {
        Value::Number(n) if n.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::Object(_) => "map",
        Value::Array(_) => "slice",
        other => json_word(other),
    };
    match (of.shape(), value) {
        (Shape::Struct(_), _) => format!("cannot restore struct from: {got}"),
        (Shape::Map(..), _) => format!("cannot restore map from {got}"),
        (Shape::List(..), _) => format!("cannot restore slice from {got}"),
        (Shape::Scalar(Scalar::String), Value::Number(n)) if !n.is_f64() => {
            format!("cannot convert {got} to {wanted}")
        }
        (Shape::Scalar(Scalar::Int32 | Scalar::Int64), Value::Number(_)) => {
            format!("cannot convert {got} to {wanted}")
        }
        (Shape::Scalar(_), _) => format!("unrecognized type: {wanted}"),
    }
}

/// A type as Go prints it: `[]v1.Container`.
fn go_type(of: TypeRef<'_>) -> String {
    match of.shape() {
        Shape::Struct(object) => {
            let mut parts = object.definition().rsplit('.');
            let (name, package) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
            format!("{package}.{name}")
        }
        Shape::Map(value, _) => match value.shape() {
            Shape::Scalar(Scalar::Quantity) => "v1.ResourceList".to_owned(),
            _ => format!("map[string]{}", go_type(value)),
        },
        Shape::List(items, _) => format!("[]{}", go_type(items)),
        Shape::Scalar(scalar) => scalar::go_name(scalar).to_owned(),
    }
}

/// What Go makes of null inside a list or a map.
fn zero(of: TypeRef<'_>) -> Value {
    match of.shape() {
        Shape::Struct(object) if is_custom(object) => Value::Null,
        Shape::Struct(_) => json!({}),
        Shape::Scalar(Scalar::String | Scalar::Bytes) => json!(""),
        Shape::Scalar(Scalar::Quantity) => json!("0"),
        Shape::Scalar(Scalar::Int32 | Scalar::Int64 | Scalar::Float) => json!(0),
        Shape::Scalar(Scalar::Bool) => json!(false),
        _ => Value::Null,
    }
}
