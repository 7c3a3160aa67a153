//! Builds the graph from JSON schemas.

use super::merge_keys::{MergeFacts, facts};
use super::{Field, KINDS, ListMerge, RootKind, Scalar, Schema, Strategy, Struct, Type, TypeId};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ListMeta, ObjectMeta};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// Every definition that the given kinds need, with descriptions, by name; references begin with `#` and `path`.
pub(crate) fn generate<'k>(
    path: &'static str,
    kinds: impl Iterator<Item = &'k RootKind>,
) -> Map<String, Value> {
    let mut settings = SchemaSettings::openapi3();
    settings.definitions_path = path.into();
    settings.transforms.clear();
    let mut generator = SchemaGenerator::new(settings);
    for kind in kinds {
        (kind.generate)(&mut generator);
    }
    // Lists and custom resources need these two, whatever the kinds.
    generator.subschema_for::<ListMeta>();
    generator.subschema_for::<ObjectMeta>();
    generator.take_definitions(false)
}

/// Whether server-side apply owns the type as a whole.
pub(crate) fn is_atomic(definition: &str) -> bool {
    ATOMIC_TYPES.contains(&definition)
}

/// The graph of all built-in kinds.
pub(super) fn builtin() -> Schema {
    let definitions = generate("/definitions", KINDS.iter());
    let mut builder = Builder {
        definitions: Some(&definitions),
        facts: facts(),
        ..Builder::default()
    };
    for kind in KINDS {
        let id = builder.definition(&(kind.definition)());
        builder.root([kind.group, kind.version, kind.kind], id);
    }
    builder.finish()
}

/// A graph under construction; equal types and names are shared.
#[derive(Default)]
pub(super) struct Builder<'d> {
    pub(super) schema: Schema,
    definitions: Option<&'d Map<String, Value>>,
    facts: MergeFacts,
    by_definition: HashMap<String, TypeId>,
    by_type: HashMap<Type, TypeId>,
    names: HashMap<Arc<str>, ()>,
}

impl Builder<'_> {
    pub(super) fn finish(mut self) -> Schema {
        self.schema.roots.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.schema.types.shrink_to_fit();
        self.schema
    }

    /// Gives a kind its type.
    pub(super) fn root(&mut self, kind: [&str; 3], id: TypeId) {
        let name = kind.map(|part| self.name(part));
        self.schema.roots.push((name, id));
    }

    /// A shared name.
    pub(super) fn name(&mut self, name: &str) -> Arc<str> {
        if let Some((known, ())) = self.names.get_key_value(name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = name.into();
        self.names.insert(Arc::clone(&new), ());
        new
    }

    /// A shared type.
    pub(super) fn add(&mut self, new: Type) -> TypeId {
        if let Some(known) = self.by_type.get(&new) {
            return *known;
        }
        let id = self.reserve();
        self.schema.types[id.0 as usize] = new.clone();
        self.by_type.insert(new, id);
        id
    }

    /// A place for a type that may refer to itself.
    pub(super) fn reserve(&mut self) -> TypeId {
        let id = TypeId(u32::try_from(self.schema.types.len()).unwrap_or(u32::MAX));
        self.schema.types.push(Type::Scalar(Scalar::Any));
        id
    }

    pub(super) fn set(&mut self, id: TypeId, to: Type) {
        self.schema.types[id.0 as usize] = to;
    }

    fn definition(&mut self, name: &str) -> TypeId {
        if let Some(known) = self.by_definition.get(name) {
            return *known;
        }
        if let Some(scalar) = scalar_by_name(name) {
            return self.add(Type::Scalar(scalar));
        }
        let id = self.reserve();
        self.by_definition.insert(name.to_owned(), id);
        let Some(schema) = self.definitions.and_then(|all| all.get(name)) else {
            return id;
        };
        if is_object(schema) {
            let object = self.object(name, schema);
            self.set(id, object);
        }
        id
    }

    fn object(&mut self, name: &str, object: &Value) -> Type {
        let mut fields = Vec::new();
        for (field, schema) in object["properties"].as_object().into_iter().flatten() {
            let fact = self
                .facts
                .get_mut(name)
                .and_then(|facts| facts.remove(field.as_str()));
            let type_id = match &fact {
                // Bytes are a list to Go, and a string in JSON.
                Some(fact) if fact.list_type.is_some() && schema["items"].is_object() => {
                    let items = self.type_of(&schema["items"]);
                    let merge = fact.list();
                    self.add(Type::List { items, merge })
                }
                Some(fact) if fact.map_type == Some("atomic") => self.atomic_map(schema),
                _ => self.type_of(schema),
            };
            let patch = fact.map_or_else(Strategy::default, |fact| fact.strategy());
            let required = is_required(field, &object["required"]);
            fields.push(Field {
                name: self.name(field),
                type_id,
                patch,
                required,
            });
        }
        Type::Struct(Struct {
            name: self.name(name),
            fields: fields.into(),
            open: false,
            atomic: is_atomic(name),
        })
    }

    fn atomic_map(&mut self, schema: &Value) -> TypeId {
        let value = self.type_of(&schema["additionalProperties"]);
        self.add(Type::Map {
            value,
            atomic: true,
        })
    }

    fn type_of(&mut self, schema: &Value) -> TypeId {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap_or_default();
            return self.definition(name);
        }
        let new = match (schema["type"].as_str(), schema["format"].as_str()) {
            (Some("string"), Some("byte")) => Type::Scalar(Scalar::Bytes),
            (Some("string"), _) => Type::Scalar(Scalar::String),
            (Some("boolean"), _) => Type::Scalar(Scalar::Bool),
            (Some("integer"), Some("int32")) => Type::Scalar(Scalar::Int32),
            (Some("integer"), _) => Type::Scalar(Scalar::Int64),
            (Some("number"), _) => Type::Scalar(Scalar::Float),
            (Some("array"), _) => Type::List {
                items: self.type_of(&schema["items"]),
                merge: ListMerge::Atomic,
            },
            (Some("object"), _) if schema["additionalProperties"].is_object() => Type::Map {
                value: self.type_of(&schema["additionalProperties"]),
                atomic: false,
            },
            _ => Type::Scalar(Scalar::Any),
        };
        self.add(new)
    }
}

/// Whether a definition is a struct; the others (`JSON`, `JSONSchemaPropsOrBool`) hold any value.
fn is_object(schema: &Value) -> bool {
    schema["type"] == "object"
}

/// Whether a JSON schema's list of required fields has this one.
pub(super) fn is_required(field: &str, required: &Value) -> bool {
    required
        .as_array()
        .is_some_and(|all| all.iter().any(|name| name == field))
}

/// Definitions that are one value to every user of the graph.
fn scalar_by_name(definition: &str) -> Option<Scalar> {
    if definition == "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON" {
        return Some(Scalar::Any);
    }
    match definition.strip_prefix("io.k8s.apimachinery.pkg.")? {
        "api.resource.Quantity" => Some(Scalar::Quantity),
        "util.intstr.IntOrString" => Some(Scalar::IntOrString),
        "apis.meta.v1.Time" => Some(Scalar::Time),
        "apis.meta.v1.MicroTime" => Some(Scalar::MicroTime),
        "apis.meta.v1.FieldsV1" | "runtime.RawExtension" => Some(Scalar::Any),
        _ => None,
    }
}

/// Types marked `+structType=atomic` upstream: server-side apply owns them as a whole.
const ATOMIC_TYPES: &[&str] = &[
    "io.k8s.api.admissionregistration.v1.MatchResources",
    "io.k8s.api.admissionregistration.v1.NamedRuleWithOperations",
    "io.k8s.api.admissionregistration.v1.ParamKind",
    "io.k8s.api.admissionregistration.v1.ParamRef",
    "io.k8s.api.admissionregistration.v1.Variable",
    "io.k8s.api.autoscaling.v1.CrossVersionObjectReference",
    "io.k8s.api.core.v1.ConfigMapKeySelector",
    "io.k8s.api.core.v1.EndpointAddress",
    "io.k8s.api.core.v1.EndpointPort",
    "io.k8s.api.core.v1.FileKeySelector",
    "io.k8s.api.core.v1.LocalObjectReference",
    "io.k8s.api.core.v1.NodeSelector",
    "io.k8s.api.core.v1.NodeSelectorTerm",
    "io.k8s.api.core.v1.ObjectFieldSelector",
    "io.k8s.api.core.v1.ObjectReference",
    "io.k8s.api.core.v1.ResourceFieldSelector",
    "io.k8s.api.core.v1.ScopeSelector",
    "io.k8s.api.core.v1.SecretKeySelector",
    "io.k8s.api.core.v1.SecretReference",
    "io.k8s.api.core.v1.TopologySelectorTerm",
    "io.k8s.api.core.v1.TypedLocalObjectReference",
    "io.k8s.api.discovery.v1.EndpointPort",
    "io.k8s.api.networking.v1.ServiceBackendPort",
    "io.k8s.api.rbac.v1.RoleRef",
    "io.k8s.api.rbac.v1.Subject",
    "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector",
    "io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference",
];
