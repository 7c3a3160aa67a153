//! Which objects of a collection a list or a watch is about.

use crate::call::Call;
use crate::kinds;
use crate::registry::Served;
use crate::stored::Stored;
use k8s::selector::LabelSelector;
use k8s::selector::fields::{FieldSelector, Term};
use k8s::status::ApiError;
use std::sync::Arc;

/// Everything that narrows a list or a watch.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    resource: Arc<Served>,
    /// Only keys that begin so.
    pub(crate) prefix: String,
    labels: LabelSelector,
    fields: FieldSelector,
}

impl Filter {
    /// The filter of a call.
    pub(crate) fn of(call: &Call) -> Result<Self, ApiError> {
        let resource = &call.resource;
        let labels = call.query.get("labelSelector").unwrap_or("");
        let labels = LabelSelector::parse(labels).map_err(ApiError::bad_request)?;
        let text = call.query.get("fieldSelector").unwrap_or("");
        let mut fields = FieldSelector::parse(text).map_err(ApiError::bad_request)?;
        for term in &fields.terms {
            kinds::check_field(resource, &term.field).map_err(ApiError::bad_request)?;
        }
        if let Some(name) = &call.path.name {
            let field = "metadata.name".to_owned();
            fields.terms.push(Term {
                field,
                equals: true,
                value: name.clone(),
            });
        }
        let namespace = match call.namespace() {
            "" => fields.exact("metadata.namespace").unwrap_or(""),
            namespace => namespace,
        };
        let prefix = match (
            resource.namespaced,
            namespace,
            fields.exact("metadata.name"),
        ) {
            (true, "", _) => String::new(),
            (_, namespace, Some(name)) => format!("{namespace}/{name}"),
            (_, namespace, None) => format!("{namespace}/"),
        };
        Ok(Self {
            resource: resource.clone(),
            prefix,
            labels,
            fields,
        })
    }

    /// Whether every object under the prefix matches.
    pub(crate) fn is_trivial(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether an object matches.
    pub(crate) fn matches(&self, stored: &Stored) -> bool {
        self.labels.matches_by(|key| stored.meta.label(key))
            && self
                .fields
                .terms
                .iter()
                .all(|term| self.field_matches(stored, term))
    }

    fn field_matches(&self, stored: &Stored, term: &Term) -> bool {
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
                kinds::field(&self.resource, stored, field).unwrap_or_default() == term.value
            }
        };
        equal == term.equals
    }
}
