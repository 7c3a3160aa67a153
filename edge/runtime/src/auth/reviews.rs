//! TokenReview and SubjectAccessReview: the questions put to the Kubernetes API.

use super::cache::{Key, digest};
use super::{Attributes, User};
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec};
use k8s_openapi::api::authorization::v1::{
    NonResourceAttributes, ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::api::{Api, PostParams};
use kube::{Client, core::ObjectMeta};

/// What a SubjectAccessReview answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) allowed: bool,
    pub(super) reason: String,
}

/// The user a token speaks for; none when the API does not accept it.
pub(super) async fn token(client: &Client, token: &str) -> kube::Result<Option<User>> {
    let review = TokenReview {
        metadata: ObjectMeta::default(),
        spec: TokenReviewSpec {
            token: token.to_owned(),
            audiences: None,
        },
        status: None,
    };
    let api: Api<TokenReview> = Api::all(client.clone());
    let status = api
        .create(&PostParams::default(), &review)
        .await?
        .status
        .unwrap_or_default();
    if let Some(error) = status.error.filter(|error| !error.is_empty()) {
        tracing::debug!(error, "a token was not accepted");
    }
    Ok(status.authenticated.unwrap_or(false).then(|| {
        let user = status.user.unwrap_or_default();
        User {
            name: user.username.unwrap_or_default(),
            uid: user.uid.unwrap_or_default(),
            groups: user.groups.unwrap_or_default(),
            extra: user.extra.unwrap_or_default(),
        }
    }))
}

/// Whether `user` may do what `attributes` say.
pub(super) async fn access(
    client: &Client,
    user: &User,
    attributes: &Attributes<'_>,
) -> kube::Result<Decision> {
    let review = SubjectAccessReview {
        metadata: ObjectMeta::default(),
        spec: spec(user, attributes),
        status: None,
    };
    let api: Api<SubjectAccessReview> = Api::all(client.clone());
    let status = api
        .create(&PostParams::default(), &review)
        .await?
        .status
        .unwrap_or_default();
    Ok(Decision {
        allowed: status.allowed,
        reason: status.reason.unwrap_or_default(),
    })
}

fn spec(user: &User, attributes: &Attributes<'_>) -> SubjectAccessReviewSpec {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut spec = SubjectAccessReviewSpec {
        user: Some(user.name.clone()),
        uid: some(&user.uid),
        groups: Some(user.groups.clone()),
        extra: Some(user.extra.clone()),
        ..SubjectAccessReviewSpec::default()
    };
    if attributes.resource.is_empty() {
        spec.non_resource_attributes = Some(NonResourceAttributes {
            path: some(attributes.path),
            verb: some(attributes.verb),
        });
    } else {
        spec.resource_attributes = Some(ResourceAttributes {
            verb: some(attributes.verb),
            group: some(attributes.group),
            version: some(attributes.version),
            resource: some(attributes.resource),
            subresource: some(attributes.subresource),
            namespace: some(attributes.namespace),
            name: some(attributes.name),
            ..ResourceAttributes::default()
        });
    }
    spec
}

/// What the answer depends on.
pub(super) fn key(user: &User, attributes: &Attributes<'_>) -> Key {
    let Attributes {
        verb,
        path,
        group,
        version,
        resource,
        subresource,
        namespace,
        name,
    } = *attributes;
    let path = if resource.is_empty() { path } else { "" };
    let groups = user.groups.join("\n");
    let extra = format!("{:?}", user.extra);
    digest(&[
        &user.name,
        &user.uid,
        &groups,
        &extra,
        verb,
        path,
        group,
        version,
        resource,
        subresource,
        namespace,
        name,
    ])
}
