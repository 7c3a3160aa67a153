//! The graph of a custom resource's type, from its definition's `openAPIV3Schema`.
//!
//! Upstream: apiextensions-apiserver/pkg/apiserver/schema/structural.go (v1.36).

use super::build::{Builder, is_required};
use super::{Field, ListMerge, Scalar, Schema, Shape, Strategy, Struct, Type, TypeId, TypeRef};
use serde_json::Value;
use std::sync::Arc;

/// How deep a schema may nest; more is cut to "any value".
const MAX_DEPTH: usize = 64;

/// One version of a custom resource, with its schema.
#[derive(Debug, Clone, Copy)]
pub struct CrdSchema<'a> {
    /// API group.
    pub group: &'a str,
    /// Version.
    pub version: &'a str,
    /// Kind.
    pub kind: &'a str,
    /// Plural resource name.
    pub plural: &'a str,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// The version's `openAPIV3Schema`; null keeps every field.
    pub schema: &'a Value,
}

impl Schema {
    /// The graph of one version of a custom resource.
    pub fn from_crd(crd: &CrdSchema<'_>) -> Self {
        let mut builder = Builder::default();
        let id = if crd.schema.is_object() {
            object(&mut builder, crd.schema, true, 0)
        } else {
            let fields = root_fields(&mut builder, Vec::new());
            builder.add(Type::Struct(Struct {
                name: "".into(),
                fields: fields.into(),
                open: true,
                atomic: false,
            }))
        };
        builder.root([crd.group, crd.version, crd.kind], id);
        builder.finish()
    }
}

fn flag(schema: &Value, extension: &str) -> bool {
    schema[extension] == true
}

fn object(builder: &mut Builder<'_>, object: &Value, root: bool, depth: usize) -> TypeId {
    let mut fields = Vec::new();
    for (name, schema) in object["properties"].as_object().into_iter().flatten() {
        let type_id = type_of(builder, schema, depth + 1);
        let required = is_required(name, &object["required"]);
        let (name, patch) = (builder.name(name), Strategy::default());
        fields.push(Field {
            name,
            type_id,
            patch,
            required,
        });
    }
    if root || flag(object, "x-kubernetes-embedded-resource") {
        fields = root_fields(builder, fields);
    }
    builder.add(Type::Struct(Struct {
        name: "".into(),
        fields: fields.into(),
        open: flag(object, "x-kubernetes-preserve-unknown-fields"),
        atomic: object["x-kubernetes-map-type"] == "atomic",
    }))
}

/// Every object has these three, whatever the schema says of them.
fn root_fields(builder: &mut Builder<'_>, mut fields: Vec<Field>) -> Vec<Field> {
    fields.retain(|f| !["apiVersion", "kind", "metadata"].contains(&&*f.name));
    let text = builder.add(Type::Scalar(Scalar::String));
    let meta = Schema::builtin()
        .root("", "v1", "ConfigMap")
        .and_then(|config_map| config_map.child("metadata"))
        .map_or(text, |meta| import(builder, meta));
    for (name, type_id) in [("apiVersion", text), ("kind", text), ("metadata", meta)] {
        let (name, patch) = (builder.name(name), Strategy::default());
        fields.push(Field {
            name,
            type_id,
            patch,
            required: false,
        });
    }
    fields.sort_by(|a, b| a.name.cmp(&b.name));
    fields
}

/// Copies a type that does not refer to itself from another graph.
fn import(builder: &mut Builder<'_>, from: TypeRef<'_>) -> TypeId {
    let copy = match from.shape() {
        Shape::Scalar(scalar) => Type::Scalar(scalar),
        Shape::Map(value, atomic) => Type::Map {
            value: import(builder, value),
            atomic,
        },
        Shape::List(items, merge) => Type::List {
            items: import(builder, items),
            merge: merge.clone(),
        },
        Shape::Struct(object) => {
            let mut fields = Vec::new();
            for field in &object.inner.fields {
                let of = TypeRef {
                    schema: from.schema,
                    id: field.type_id,
                };
                fields.push(Field {
                    type_id: import(builder, of),
                    ..field.clone()
                });
            }
            Type::Struct(Struct {
                fields: fields.into(),
                ..object.inner.clone()
            })
        }
    };
    builder.add(copy)
}

fn type_of(builder: &mut Builder<'_>, schema: &Value, depth: usize) -> TypeId {
    if depth > MAX_DEPTH {
        return builder.add(Type::Scalar(Scalar::Any));
    }
    if flag(schema, "x-kubernetes-int-or-string") {
        return builder.add(Type::Scalar(Scalar::IntOrString));
    }
    let new = match schema["type"].as_str() {
        Some("object") => {
            let values = &schema["additionalProperties"];
            if values.is_object() || values == true {
                let atomic = schema["x-kubernetes-map-type"] == "atomic";
                Type::Map {
                    value: type_of(builder, values, depth + 1),
                    atomic,
                }
            } else {
                return object(builder, schema, false, depth);
            }
        }
        Some("array") => {
            let items = type_of(builder, &schema["items"], depth + 1);
            Type::List {
                items,
                merge: list_merge(builder, schema),
            }
        }
        Some("string") => Type::Scalar(Scalar::String),
        Some("boolean") => Type::Scalar(Scalar::Bool),
        Some("integer") => Type::Scalar(Scalar::Int64),
        Some("number") => Type::Scalar(Scalar::Float),
        _ => Type::Scalar(Scalar::Any),
    };
    builder.add(new)
}

fn list_merge(builder: &mut Builder<'_>, schema: &Value) -> ListMerge {
    match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => ListMerge::Set,
        Some("map") => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array();
            let keys: Vec<Arc<str>> = keys
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(|key| builder.name(key))
                .collect();
            ListMerge::Map(keys.into())
        }
        _ => ListMerge::Atomic,
    }
}
