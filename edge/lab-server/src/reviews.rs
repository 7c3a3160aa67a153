//! The review APIs: questions about tokens, users and what they may do. Nothing is stored.

use crate::body::{self, Reply};
use crate::call::Call;
use crate::registry::Served;
use crate::tokens;
use crate::verbs::input;
use http::StatusCode;
use k8s::status::ApiError;
use lab_auth::review;

/// Whether a resource is a review.
pub(crate) fn has(resource: &Served) -> bool {
    matches!(
        resource.group.as_str(),
        "authentication.k8s.io" | "authorization.k8s.io"
    )
}

/// Answers a review.
pub(crate) fn answer(call: &Call, bytes: &[u8]) -> Reply {
    let mut asked = input::parse(call, bytes)?;
    input::check_place(call, &mut asked)?;
    let access = &call.inner.access;
    let index = access.index(&call.inner.backend);
    let answer = match call.resource.resource.as_str() {
        "tokenreviews" => review::token_review(asked, |token, audiences| {
            tokens::verify(
                &access.tokens,
                &call.inner.backend,
                call.now,
                token,
                audiences,
            )
        })?,
        "subjectaccessreviews" => review::subject_access_review(&index, asked)?,
        "localsubjectaccessreviews" => {
            review::local_subject_access_review(&index, call.namespace(), asked)?
        }
        "selfsubjectaccessreviews" => {
            review::self_subject_access_review(&index, &call.user, asked)?
        }
        "selfsubjectrulesreviews" => review::self_subject_rules_review(&index, &call.user, asked)?,
        "selfsubjectreviews" => review::self_subject_review(&call.user, asked),
        _ => return Err(ApiError::method_not_allowed()),
    };
    Ok(body::json(StatusCode::CREATED, &answer))
}
