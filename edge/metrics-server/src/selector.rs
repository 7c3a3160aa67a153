//! What narrows a list: a label selector, and a field selector over what metrics have.

use k8s::names::path_segment_problems;
use k8s::selector::LabelSelector;
use k8s::selector::fields::FieldSelector;
use k8s::status::ApiError;

const NAME: &str = "metadata.name";
const NAMESPACE: &str = "metadata.namespace";

/// Reads a query's `labelSelector`.
pub(crate) fn labels(text: &str) -> Result<LabelSelector, ApiError> {
    LabelSelector::parse(text).map_err(ApiError::bad_request)
}

/// A field selector over `metadata.name` and `metadata.namespace`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(FieldSelector);

impl Fields {
    /// Reads a query's `fieldSelector`. Upstream: DefaultMetaV1FieldSelectorConversion.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let selector = FieldSelector::parse(text).map_err(ApiError::bad_request)?;
        let unknown = |field: &&str| ![NAME, NAMESPACE].contains(field);
        let mut fields = selector.terms.iter().map(|term| term.field.as_str());
        if let Some(other) = fields.find(unknown) {
            return Err(ApiError::bad_request(format!(
                "{other:?} is not a known field selector: only {NAME:?}, {NAMESPACE:?}"
            )));
        }
        Ok(Self(selector))
    }

    /// The only name that a field selector leaves, where it is one that a path may have.
    /// Upstream: fields.Selector.RequiresExactMatch and content.IsPathSegmentName.
    pub(crate) fn exact_name(text: &str) -> Option<String> {
        let selector = FieldSelector::parse(text).ok()?;
        let mut terms = selector.terms.into_iter();
        let name = terms.find(|term| term.field == NAME && term.equals)?.value;
        path_segment_problems(&name).is_empty().then_some(name)
    }

    /// Whether an object with this namespace and name satisfies every term.
    pub(crate) fn matches(&self, namespace: &str, name: &str) -> bool {
        self.0.terms.iter().all(|term| {
            let actual = if term.field == NAME { name } else { namespace };
            (actual == term.value) == term.equals
        })
    }
}

#[cfg(test)]
mod tests;
