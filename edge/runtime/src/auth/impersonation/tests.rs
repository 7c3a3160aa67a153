//! Who may be whom, and what they are told who may not.

use super::*;
use crate::auth::Options;
use http::{Request, Response};
use kube::Client;
use kube::client::Body;

/// An API that allows a SubjectAccessReview when its body has all of `needed`.
fn allowing(needed: &'static [&'static str]) -> Delegated {
    let service = tower::service_fn(move |request: Request<Body>| async move {
        let body = request.into_body().collect_bytes().await;
        let text = String::from_utf8_lossy(&body.unwrap_or_default()).into_owned();
        let allowed = needed.iter().all(|part| text.contains(part));
        let answer = serde_json::json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "metadata": {}, "spec": {}, "status": {"allowed": allowed},
        });
        Ok::<_, std::convert::Infallible>(Response::new(Body::from(
            answer.to_string().into_bytes(),
        )))
    });
    Delegated::new(Client::new(service, "default"), Options::default())
}

async fn ask(delegated: &Delegated, pairs: &[(&'static str, &str)]) -> Result<User, ApiError> {
    let ada = User {
        name: "ada".to_owned(),
        ..User::default()
    };
    let headers = pairs
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect();
    let pods = Attributes {
        verb: "list",
        group: "metrics.k8s.io",
        version: "v1beta1",
        resource: "pods",
        ..Attributes::default()
    };
    delegated.impersonate(ada, &headers, &pods).await
}

#[tokio::test]
async fn who_may_impersonate_a_user_becomes_that_user() {
    let delegated = allowing(&[
        r#""verb":"impersonate""#,
        r#""resource":"users""#,
        r#""name":"bob""#,
    ]);
    let user = ask(&delegated, &[("impersonate-user", "bob")])
        .await
        .unwrap();
    assert_eq!(
        (user.name.as_str(), user.groups),
        ("bob", vec!["system:authenticated".to_owned()])
    );
    assert_eq!(ask(&delegated, &[]).await.unwrap().name, "ada");
}

#[tokio::test]
async fn each_group_and_extra_has_to_be_allowed() {
    let users = allowing(&[r#""verb":"impersonate""#, r#""resource":"users""#]);
    let everything = allowing(&[r#""verb":"impersonate""#]);
    for more in [
        ("impersonate-group", "dev"),
        ("impersonate-uid", "7"),
        ("impersonate-extra-scopes", "view"),
    ] {
        let wanted = [("impersonate-user", "bob"), more];
        assert_eq!(
            ask(&users, &wanted).await.unwrap_err().code,
            403,
            "{more:?}"
        );
        let user = ask(&everything, &wanted).await.unwrap();
        assert_eq!(user.groups.contains(&"dev".to_owned()), more.1 == "dev");
        assert_eq!(user.uid == "7", more.1 == "7");
        assert_eq!(user.extra.contains_key("scopes"), more.1 == "view");
    }
}

#[tokio::test]
async fn a_service_account_has_its_own_groups() {
    let delegated = allowing(&[
        r#""verb":"impersonate""#,
        r#""resource":"serviceaccounts""#,
        r#""namespace":"shop""#,
    ]);
    let wanted = [("impersonate-user", "system:serviceaccount:shop:web")];
    let user = ask(&delegated, &wanted).await.unwrap();
    assert_eq!(
        user.groups,
        [
            "system:serviceaccounts",
            "system:serviceaccounts:shop",
            "system:authenticated"
        ]
    );
}

#[tokio::test]
async fn who_may_not_is_told_so_in_upstreams_words() {
    let delegated = allowing(&["never"]);
    let error = ask(&delegated, &[("impersonate-user", "bob")])
        .await
        .unwrap_err();
    assert_eq!(
        error.message,
        "pods.metrics.k8s.io is forbidden: User \"ada\" cannot impersonate-on:user-info:list resource \
         \"pods\" in API group \"metrics.k8s.io\" at the cluster scope"
    );
    let error = ask(&delegated, &[("impersonate-group", "dev")])
        .await
        .unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (
            400,
            "requested &user.DefaultInfo{Name:\"\", UID:\"\", Groups:[]string{\"dev\"}, \
             Extra:map[string][]string(nil)} without impersonating a user name"
        )
    );
}
