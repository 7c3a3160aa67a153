//! The documents that upstream serves as web services: which path is which, by which method, and in which forms.
//! What they say is in [`super::discovery`].
//!
//! Upstream: apiserver/pkg/server/handler.go, director and serviceErrorHandler, and go-restful's rules (v1.36): a
//! path below a service is answered by that service, if only with an error.

use super::negotiate::{self, ALL, Form, Media, media_names};
use super::{Reply, discovery, status};
use http::Method;
use http::header::ACCEPT;
use http::request::Parts;
use k8s::status::ApiError;

const GROUPS: &str = "/apis";
const GROUP: &str = "/apis/metrics.k8s.io";
const RESOURCES: &str = "/apis/metrics.k8s.io/v1beta1";
const VERSION: &str = "/version";

/// Answers `path` if it is, or is below, one of these services.
pub(super) fn answer(path: &str, head: &Parts, address: &str) -> Option<Reply> {
    let below = |service: &str| {
        path.strip_prefix(service)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let (forms, answer): (&[Media], &dyn Fn() -> Reply) = match path.trim_end_matches('/') {
        GROUPS => (ALL, &|| discovery::groups(head, address)),
        GROUP => (ALL, &|| discovery::group(head)),
        RESOURCES => (ALL, &|| discovery::resources(head)),
        VERSION => (&[Media::Json], &discovery::version),
        _ if below(GROUP) || below(VERSION) => {
            return Some(status::reply(head, &ApiError::path_not_found()));
        }
        _ => return None,
    };
    let refused = match head.method == Method::GET {
        true => acceptable(head, forms, "").err(),
        false => Some(ApiError::method_not_allowed()),
    };
    Some(refused.map_or_else(answer, |error| status::reply(head, &error)))
}

/// Whether a request to the list of groups gets all that is in them.
pub(super) fn is_aggregated(head: &Parts) -> bool {
    let form = || negotiate::discovery(head).map(|agreed| agreed.form);
    head.method == Method::GET
        && acceptable(head, ALL, "").is_ok()
        && form().is_ok_and(|form| form == Form::Discovery)
}

/// Refuses a client that names no form that there is; parameters, such as `as`, are looked at later. `more` is
/// said of what can be had besides.
///
/// Upstream: go-restful, Route.matchesAccept, which knows `*/*` and no other wildcard, and reads one header.
pub(super) fn acceptable(head: &Parts, forms: &[Media], more: &str) -> Result<(), ApiError> {
    let accept = head.headers.get(ACCEPT);
    let accept = accept.and_then(|value| value.to_str().ok());
    let accept = accept.filter(|value| !value.is_empty()).unwrap_or("*/*");
    let named = accept.split(',').any(|clause| {
        let range = clause.split(';').next().unwrap_or_default().trim();
        range == "*/*" || forms.iter().any(|form| form.content_type() == range)
    });
    if named {
        return Ok(());
    }
    let names = media_names(forms);
    Err(ApiError {
        message: format!("406: Not Acceptable\n\nAvailable representations: {names}{more}"),
        details: Some(serde_json::json!({})),
        ..ApiError::not_acceptable("")
    })
}
