//! The schemas of a document: k8s-openapi's, with the extensions that upstream's have.

use crate::schema::{CrdSchema, MergeFact, MergeFacts, RootKind, facts, generate, is_atomic};
use serde_json::{Map, Value, json};

/// Which OpenAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    V2,
    V3,
}

impl Form {
    /// Where schemas are in the document.
    fn path(self) -> &'static str {
        match self {
            Self::V2 => "/definitions",
            Self::V3 => "/components/schemas",
        }
    }

    fn reference(self, name: &str) -> Value {
        json!({"$ref": format!("#{}/{name}", self.path())})
    }

    /// A reference with a description of its own.
    fn described(self, name: &str, description: &str) -> Value {
        let mut property = self.reference(name);
        property["description"] = description.into();
        self.settle(property)
    }

    /// Brings a property into upstream's form: in v3 a described reference is an `allOf`.
    fn settle(self, mut property: Value) -> Value {
        if self == Self::V3
            && let Some(fields) = property.as_object_mut()
            && fields.len() > 1
            && let Some(reference) = fields.remove("$ref")
        {
            fields.insert("allOf".into(), json!([{"$ref": reference}]));
        }
        property
    }
}

const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const LIST_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const INT_OR_STRING: &str = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";

const API_VERSION: &str = "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources";
const KIND: &str = "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";
const METADATA: &str = "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

/// The schemas that the given kinds need, by name.
pub(super) fn all(form: Form, kinds: &[&RootKind], crds: &[CrdSchema<'_>]) -> Map<String, Value> {
    let mut schemas = generate(form.path(), kinds.iter().copied());
    let facts = facts();
    for (name, schema) in &mut schemas {
        decorate(form, name, schema, &facts);
    }
    for kind in kinds {
        let name = (kind.definition)();
        let gvk = (kind.group, kind.version, kind.kind);
        if let Some(schema) = schemas.get_mut(&*name) {
            schema[GVK] = gvk_extension(gvk, "");
            if (kind.group, kind.kind) != ("", "Event") {
                unrequire(schema, "metadata");
            }
        }
        if kind.listed {
            schemas.insert(format!("{name}List"), list(form, &name, gvk));
        }
    }
    for crd in crds {
        let name = custom_name(crd);
        let gvk = (crd.group, crd.version, crd.kind);
        schemas.insert(format!("{name}List"), list(form, &name, gvk));
        schemas.insert(name, custom(form, crd));
    }
    schemas
}

const GVK: &str = "x-kubernetes-group-version-kind";

fn gvk_extension((group, version, kind): (&str, &str, &str), suffix: &str) -> Value {
    json!([{"group": group, "kind": format!("{kind}{suffix}"), "version": version}])
}

/// Types that embed LocalObjectReference upstream, whose name is optional.
const REFERENCES: &[&str] = &[
    "core.v1.ConfigMapEnvSource",
    "core.v1.ConfigMapKeySelector",
    "core.v1.ConfigMapProjection",
    "core.v1.ConfigMapVolumeSource",
    "core.v1.LocalObjectReference",
    "core.v1.SecretEnvSource",
    "core.v1.SecretKeySelector",
    "core.v1.SecretProjection",
];

/// Adds what k8s-openapi leaves out.
fn decorate(form: Form, name: &str, schema: &mut Value, facts: &MergeFacts) {
    if name.contains(".apiextensions.v1.JSON")
        && !name.ends_with(".JSONSchemaProps")
        && let Some(any) = schema.as_object_mut()
    {
        // Upstream says of these only what they are for: any value goes.
        any.retain(|key, _| key == "description");
    }
    if name == QUANTITY || name == INT_OR_STRING {
        number_or_string(form, name, schema);
        return;
    }
    if is_atomic(name) {
        schema["x-kubernetes-map-type"] = "atomic".into();
    }
    if REFERENCES.iter().any(|suffix| name.ends_with(suffix)) {
        unrequire(schema, "name");
    }
    let facts = facts.get(name);
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (field, property) in properties.into_iter().flatten() {
        if let Some(fact) = facts.and_then(|facts| facts.get(field.as_str())) {
            extend(property, fact);
        }
        *property = form.settle(property.take());
    }
}

/// k8s-openapi requires what a Go client always sends, where upstream does not.
fn unrequire(schema: &mut Value, field: &str) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    if let Some(required) = object.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| name != field);
        if required.is_empty() {
            object.remove("required");
        }
    }
}

/// Upstream: OpenAPISchemaType and OpenAPIV3OneOfTypes of Quantity and IntOrString.
fn number_or_string(form: Form, name: &str, schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    fields.remove("x-kubernetes-int-or-string");
    if name == INT_OR_STRING {
        fields.insert("format".into(), "int-or-string".into());
    }
    match form {
        Form::V2 => fields.insert("type".into(), "string".into()),
        Form::V3 if name == QUANTITY => fields.insert(
            "oneOf".into(),
            json!([{"type": "string"}, {"type": "number"}]),
        ),
        Form::V3 => fields.insert(
            "oneOf".into(),
            json!([{"type": "integer"}, {"type": "string"}]),
        ),
    };
}

fn extend(property: &mut Value, fact: &MergeFact) {
    let texts = [
        ("x-kubernetes-list-type", fact.list_type),
        ("x-kubernetes-map-type", fact.map_type),
        ("x-kubernetes-patch-strategy", fact.patch_strategy),
        ("x-kubernetes-patch-merge-key", fact.patch_merge_key),
    ];
    for (extension, value) in texts {
        if let Some(value) = value {
            property[extension] = value.into();
        }
    }
    if !fact.list_map_keys.is_empty() {
        property["x-kubernetes-list-map-keys"] = json!(fact.list_map_keys);
    }
}

fn list(form: Form, of: &str, gvk: (&str, &str, &str)) -> Value {
    let kind = gvk.2;
    json!({
        "description": format!("{kind}List is a list of {kind}"),
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string", "description": API_VERSION},
            "items": {"type": "array", "items": form.reference(of), "description": format!("items is the list of {kind} objects")},
            "kind": {"type": "string", "description": KIND},
            "metadata": form.described(LIST_META, "Standard list metadata."),
        },
        GVK: gvk_extension(gvk, "List"),
    })
}

/// `com.example.v1.Toy`. Upstream: apiextensions-apiserver/pkg/controller/openapi/builder.
fn custom_name(crd: &CrdSchema<'_>) -> String {
    let group: Vec<&str> = crd.group.rsplit('.').collect();
    format!("{}.{}.{}", group.join("."), crd.version, crd.kind)
}

fn custom(form: Form, crd: &CrdSchema<'_>) -> Value {
    let mut schema = if crd.schema.is_object() {
        crd.schema.clone()
    } else {
        json!({"type": "object"})
    };
    if form == Form::V2 {
        simplify(&mut schema);
    }
    if !schema["properties"].is_object() {
        schema["properties"] = json!({});
    }
    let properties = &mut schema["properties"];
    properties["apiVersion"] = json!({"type": "string", "description": API_VERSION});
    properties["kind"] = json!({"type": "string", "description": KIND});
    properties["metadata"] = form.described(OBJECT_META, METADATA);
    schema[GVK] = gvk_extension((crd.group, crd.version, crd.kind), "");
    schema
}

/// Takes away what OpenAPI v2, or kubectl's reading of it, does not know.
///
/// Upstream: apiextensions-apiserver/pkg/controller/openapi/v2/conversion.go.
fn simplify(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    for gone in [
        "nullable",
        "anyOf",
        "oneOf",
        "not",
        "allOf",
        "default",
        "x-kubernetes-validations",
    ] {
        fields.remove(gone);
    }
    let open = fields.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
    let either = fields.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true));
    if open || either {
        for gone in [
            "properties",
            "items",
            "additionalProperties",
            "type",
            "required",
        ] {
            fields.remove(gone);
        }
    }
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                properties.values_mut().for_each(simplify);
            }
            ("items" | "additionalProperties", part) => simplify(part),
            _ => {}
        }
    }
}
