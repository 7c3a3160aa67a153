//! One request about a resource, with everything its handler needs to know.

use crate::body::{Body, json, json_bytes};
use crate::negotiate::Form;
use crate::path::{Query, ResourcePath};
use crate::registry::Served;
use crate::server::Inner;
use crate::stored::Stored;
use crate::{backend, render};
use http::{HeaderMap, Response, StatusCode};
use jiff::Timestamp;
use k8s::status::ApiError;
use lab_auth::User;
use serde_json::Value;
use std::sync::Arc;

/// A request about a resource.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) inner: Arc<Inner>,
    pub(crate) resource: Arc<Served>,
    pub(crate) path: ResourcePath,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) user: User,
    pub(crate) form: Form,
    pub(crate) now: Timestamp,
}

impl Call {
    /// The namespace of the path; empty for cluster-scoped resources and lists of all namespaces.
    pub(crate) fn namespace(&self) -> &str {
        if self.resource.namespaced {
            self.path.namespace.as_deref().unwrap_or("")
        } else {
            ""
        }
    }

    /// The object's name in the path.
    pub(crate) fn name(&self) -> &str {
        self.path.name.as_deref().unwrap_or("")
    }

    /// The store's key of the path's object.
    pub(crate) fn key(&self) -> Arc<str> {
        backend::key(self.namespace(), self.name())
    }

    /// The object of the path.
    pub(crate) fn current(&self) -> Result<Arc<Stored>, ApiError> {
        let found = self
            .inner
            .backend
            .get(&self.resource.collection, &self.key());
        found.ok_or_else(|| self.not_found())
    }

    /// 404 for the object of the path.
    pub(crate) fn not_found(&self) -> ApiError {
        ApiError::not_found(self.resource.named(), self.name())
    }

    /// Whether nothing is to be kept.
    pub(crate) fn dry_run(&self) -> Result<bool, ApiError> {
        let mut values = self
            .query
            .all("dryRun")
            .filter(|value| !value.is_empty())
            .peekable();
        if values.peek().is_none() {
            return Ok(false);
        }
        if values.all(|value| value == "All") {
            return Ok(true);
        }
        Err(ApiError::bad_request(
            "invalid dryRun: only All is supported",
        ))
    }

    /// Answers with a stored object in the form that was asked for.
    pub(crate) fn answer(
        &self,
        code: StatusCode,
        stored: &Stored,
    ) -> Result<Response<Body>, ApiError> {
        match self.form {
            Form::Object if !self.resource.converts(stored) => {
                Ok(json_bytes(code, stored.bytes().clone()))
            }
            _ => Ok(json(code, &render::object(self, stored)?)),
        }
    }

    /// Answers with a value that is not stored (yet).
    pub(crate) fn answer_value(
        &self,
        code: StatusCode,
        value: Value,
    ) -> Result<Response<Body>, ApiError> {
        Ok(json(code, &render::value(self, value)?))
    }
}
