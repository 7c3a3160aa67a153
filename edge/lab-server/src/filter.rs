//! Which objects of a collection a list or a watch is about.

use crate::call::Call;
use crate::kinds;
use crate::registry::Served;
use crate::selector::{FieldTerm, Fields, Labels};
use crate::stored::Stored;
use k8s::status::ApiError;
use std::sync::Arc;

/// Everything that narrows a list or a watch.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    resource: Arc<Served>,
    /// Only keys that begin so.
    pub(crate) prefix: String,
    labels: Labels,
    fields: Fields,
}

impl Filter {
    /// The filter of a call.
    pub(crate) fn of(call: &Call) -> Result<Self, ApiError> {
        let labels = Labels::parse(call.query.get("labelSelector").unwrap_or(""))?;
        let mut fields = Fields::parse(call.query.get("fieldSelector").unwrap_or(""))?;
        let probe = serde_json::json!({});
        for term in &fields.0 {
            let meta = matches!(term.field.as_str(), "metadata.name" | "metadata.namespace");
            if !meta && kinds::field(&call.resource, &probe, &term.field).is_none() {
                return Err(unsupported(&call.resource, &term.field));
            }
        }
        if let Some(name) = &call.path.name {
            let (field, value) = ("metadata.name".to_owned(), name.clone());
            fields.0.push(FieldTerm {
                field,
                value,
                equal: true,
            });
        }
        let namespace = match call.namespace() {
            "" => fields.exact("metadata.namespace").unwrap_or(""),
            namespace => namespace,
        };
        let prefix = match (
            call.resource.namespaced,
            namespace,
            fields.exact("metadata.name"),
        ) {
            (true, "", _) => String::new(),
            (_, namespace, Some(name)) => format!("{namespace}/{name}"),
            (_, namespace, None) => format!("{namespace}/"),
        };
        Ok(Self {
            resource: call.resource.clone(),
            prefix,
            labels,
            fields,
        })
    }

    /// Whether every object under the prefix matches.
    pub(crate) fn is_trivial(&self) -> bool {
        self.labels.is_empty() && self.fields.0.is_empty()
    }

    /// Whether an object matches.
    pub(crate) fn matches(&self, stored: &Stored) -> bool {
        self.labels.matches(|key| stored.meta.label(key))
            && self
                .fields
                .0
                .iter()
                .all(|term| self.field_matches(stored, term))
    }

    fn field_matches(&self, stored: &Stored, term: &FieldTerm) -> bool {
        let kept = stored
            .meta
            .fields
            .iter()
            .find(|(field, _)| **field == *term.field);
        let equal = match (term.field.as_str(), kept) {
            ("metadata.name", _) => *stored.meta.name == *term.value,
            ("metadata.namespace", _) => *stored.meta.namespace == *term.value,
            (_, Some((_, value))) => **value == *term.value,
            (field, None) => {
                let value = kinds::field(&self.resource, &stored.value(), field);
                value.unwrap_or_default() == term.value
            }
        };
        equal == term.equal
    }
}

fn unsupported(resource: &Served, field: &str) -> ApiError {
    let version = resource.api_version();
    ApiError::bad_request(format!(
        "Unable to find {:?} that match label selector \"\", field selector {field:?}: field label not supported: {field}",
        format!("{version}, Resource={}", resource.resource),
    ))
}
