//! Service-account tokens against the objects they are bound to.

use crate::backend::{self, Backend};
use jiff::Timestamp;
use lab_auth::User;
use lab_auth::tokens::{BoundObject, Tokens};

/// Whom a token stands for now, and for which of the audiences.
pub(crate) fn verify(
    tokens: &Tokens,
    backend: &Backend,
    now: Timestamp,
    token: &str,
    audiences: &[String],
) -> Result<(User, Vec<String>), String> {
    let verified = tokens
        .verify(now, token, audiences)
        .map_err(|error| error.to_string())?;
    verified
        .check_bound(|kind, namespace, name| {
            let (collection, namespace) = match kind {
                BoundObject::ServiceAccount => ("/serviceaccounts", namespace),
                BoundObject::Pod => ("/pods", namespace),
                BoundObject::Node => ("/nodes", ""),
                BoundObject::Secret => ("/secrets", namespace),
            };
            let found = backend.get(collection, &backend::key(namespace, name));
            found
                .filter(|stored| !stored.meta.going)
                .map(|stored| stored.meta.uid.to_string())
        })
        .map_err(|error| error.to_string())?;
    Ok((verified.user, verified.audiences))
}
