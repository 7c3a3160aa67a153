//! One version of a custom resource, as the registry has it.

use super::pattern::Patterns;
use super::{condition, defaults, deletion};
use crate::backend::Payload;
use crate::registry::{Registry, Served};
use crate::stored::Stored;
use k8s::status::FieldError;
use lab_kinds::resources::{Resource, Subresource};
use lab_kinds::table::custom::CustomTable;
use lab_schema::schema::CrdSchema;
use lab_schema::{Schema, TypeRef};
use serde_json::Value;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// In the order of discovery. Upstream: customresource_discovery_controller.go.
const VERBS: [&str; 8] = [
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "create",
    "update",
    "watch",
];
const SUBRESOURCE_VERBS: [&str; 3] = ["get", "patch", "update"];

/// What is particular to a custom resource in one version.
#[derive(Debug)]
pub(crate) struct Custom {
    /// The definition it comes from, as far as it matters here.
    origin: (String, u64),
    /// Objects that were stored before this revision may not be as the schema wants them.
    since: u64,
    /// `openAPIV3Schema`.
    pub(super) schema: Value,
    graph: Schema,
    pub(crate) table: CustomTable,
    pub(crate) selectable: Vec<Value>,
    pub(crate) scale: Option<Scale>,
    pub(super) patterns: Patterns,
    /// Cancelled when the version is no longer served so.
    pub(crate) ended: CancellationToken,
}

/// Where a custom resource has its replicas, as JSON pointers.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    pub(crate) spec: String,
    pub(crate) status: String,
    pub(crate) selector: Option<String>,
}

impl Scale {
    /// Writes the wanted replicas.
    pub(crate) fn set(&self, object: &mut Value, replicas: i64) {
        let mut place = object;
        for step in self.spec.split('/').skip(1) {
            if !place.is_object() {
                *place = Value::Object(serde_json::Map::new());
            }
            place = &mut place[step];
        }
        *place = replicas.into();
    }
}

impl Custom {
    /// The type of its objects.
    pub(crate) fn root(&self, resource: &Resource) -> Option<TypeRef<'_>> {
        self.graph
            .root(&resource.group, &resource.version, &resource.kind)
    }

    /// Whether a stored object must be looked at before it is shown in a version.
    pub(crate) fn converts(&self, api_version: &str, stored: &Stored) -> bool {
        let head = format!(r#"{{"apiVersion":"{api_version}","#);
        stored.revision < self.since || !stored.bytes().starts_with(head.as_bytes())
    }

    /// Brings an object that was stored to this version, as its schema wants it.
    pub(crate) fn renew(&self, resource: &Resource, api_version: &str, object: &mut Value) {
        object["apiVersion"] = api_version.into();
        if let Some(of) = self.root(resource)
            && let Err(error) = lab_schema::fields::decode(of, object)
        {
            tracing::warn!(
                error,
                kind = resource.kind,
                "an object does not fit its definition"
            );
        }
        self.default(object);
    }

    /// Fills in defaults.
    pub(crate) fn default(&self, object: &mut Value) {
        defaults::apply_root(&self.schema, object);
    }

    /// What is wrong with an object; what was so before is left alone.
    pub(crate) fn validate(&self, old: Option<&Value>, object: &Value) -> Vec<FieldError> {
        super::validate::object(self, old, object)
    }
}

/// The versions of a definition that are served; those that did not change are the same as in the
/// registry before.
pub(crate) fn served(stored: &Payload, before: &Registry) -> Vec<Served> {
    let definition = stored.value();
    if !condition::is_true(&definition, "Established") {
        return Vec::new();
    }
    let versions = definition["spec"]["versions"].as_array();
    let versions: Vec<&Value> = versions.into_iter().flatten().collect();
    let storage = versions.iter().find(|version| version["storage"] == true);
    let Some(storage) = storage.and_then(|version| version["name"].as_str()) else {
        return Vec::new();
    };
    let origin = (stored.meta.uid.to_string(), fingerprint(&definition));
    let mut all = Vec::new();
    for version in versions {
        if version["served"] != true {
            continue;
        }
        let api = resource(&definition, version);
        let known = before
            .find(&api.group, &api.version, &api.resource)
            .and_then(|served| served.custom.clone())
            .filter(|custom| custom.origin == origin);
        let custom =
            known.unwrap_or_else(|| Arc::new(custom(&api, version, &origin, stored.revision)));
        all.push(Served::of_definition(api, storage, custom));
    }
    all
}

fn fingerprint(definition: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    definition["spec"].to_string().hash(&mut hasher);
    definition["status"]["acceptedNames"]
        .to_string()
        .hash(&mut hasher);
    hasher.finish()
}

fn custom(api: &Resource, version: &Value, origin: &(String, u64), since: u64) -> Custom {
    let schema = version["schema"]["openAPIV3Schema"].clone();
    let graph = Schema::from_crd(&crd_schema(api, &schema));
    Custom {
        origin: origin.clone(),
        since,
        graph,
        table: CustomTable::of_version(version),
        selectable: version["selectableFields"]
            .as_array()
            .cloned()
            .unwrap_or_default(),
        scale: scale(version),
        patterns: Patterns::of(&schema),
        ended: CancellationToken::new(),
        schema,
    }
}

fn crd_schema<'a>(api: &'a Resource, schema: &'a Value) -> CrdSchema<'a> {
    CrdSchema {
        group: &api.group,
        version: &api.version,
        kind: &api.kind,
        plural: &api.resource,
        namespaced: api.namespaced,
        schema,
    }
}

/// The schemas of all custom resources, for OpenAPI documents.
pub(crate) fn custom_schemas(registry: &Registry) -> Vec<CrdSchema<'_>> {
    let custom = |served: &'_ Arc<Served>| served.custom.is_some();
    registry
        .all()
        .filter(|served| custom(served))
        .filter_map(|served| {
            let custom = served.custom.as_ref()?;
            Some(crd_schema(served, &custom.schema))
        })
        .collect()
}

fn scale(version: &Value) -> Option<Scale> {
    let scale = &version["subresources"]["scale"];
    let pointer = |key: &str| Some(scale[key].as_str()?.replace('.', "/"));
    Some(Scale {
        spec: pointer("specReplicasPath")?,
        status: pointer("statusReplicasPath")?,
        selector: pointer("labelSelectorPath"),
    })
}

fn resource(definition: &Value, version: &Value) -> Resource {
    let names = &definition["status"]["acceptedNames"];
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let list = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(text).collect()
    };
    let going = deletion::is_going(definition);
    // Nothing is to be added to what is being deleted.
    let verbs = VERBS.iter().filter(|verb| !going || **verb != "create");
    Resource {
        group: text(&definition["spec"]["group"]),
        version: text(&version["name"]),
        resource: text(&names["plural"]),
        kind: text(&names["kind"]),
        namespaced: definition["spec"]["scope"] == "Namespaced",
        singular: text(&names["singular"]),
        short_names: list(&names["shortNames"]),
        categories: list(&names["categories"]),
        verbs: verbs.map(|verb| (*verb).to_owned()).collect(),
        subresources: subresources(&text(&names["kind"]), &version["subresources"]),
    }
}

fn subresources(kind: &str, wanted: &Value) -> Vec<Subresource> {
    let verbs = || SUBRESOURCE_VERBS.map(str::to_owned).to_vec();
    let mut all = Vec::new();
    if wanted["scale"].is_object() {
        all.push(Subresource {
            name: "scale".to_owned(),
            kind: "Scale".to_owned(),
            group: "autoscaling".to_owned(),
            version: "v1".to_owned(),
            verbs: verbs(),
        });
    }
    if wanted["status"].is_object() {
        all.push(Subresource {
            name: "status".to_owned(),
            kind: kind.to_owned(),
            group: String::new(),
            version: String::new(),
            verbs: verbs(),
        });
    }
    all
}
