//! Answers to reviews of tokens and of access.

use super::{
    local_subject_access_review, self_subject_access_review, self_subject_review,
    self_subject_rules_review, subject_access_review, token_review,
};
use crate::bootstrap;
use crate::rbac::RbacIndex;
use crate::user::User;
use serde_json::{Value, json};

fn index() -> RbacIndex {
    let mut index = RbacIndex::default();
    for object in bootstrap::objects() {
        index.apply(object["kind"].as_str().unwrap(), &object);
    }
    index
}

#[test]
fn a_token_review_says_whose_token_it_is_or_why_not() {
    let review = json!({"kind": "TokenReview", "spec": {"token": "t", "audiences": ["a", "b"]}});
    let good = token_review(review.clone(), |token, audiences| {
        assert_eq!(
            (token, audiences),
            ("t", &["a".to_owned(), "b".to_owned()][..])
        );
        Ok((User::new("jane", &["dev"]), vec!["a".to_owned()]))
    });
    assert_eq!(
        good.unwrap()["status"],
        json!({"authenticated": true, "audiences": ["a"], "user": {"username": "jane", "groups": ["dev"]}})
    );
    let bad = token_review(review, |_, _| Err("invalid bearer token".to_owned())).unwrap();
    assert_eq!(
        bad["status"],
        json!({"user": {}, "error": "invalid bearer token"})
    );
    let empty = token_review(json!({}), |_, _| Err(String::new())).unwrap_err();
    assert_eq!(
        empty.message,
        "token is required for TokenReview in authentication"
    );
}

#[test]
fn access_reviews_answer_with_the_reason() {
    let spec = json!({
        "user": "system:serviceaccount:kube-system:horizontal-pod-autoscaler",
        "resourceAttributes": {"verb": "update", "group": "apps", "resource": "deployments", "subresource": "scale", "namespace": "x"},
    });
    let answer = subject_access_review(&index(), json!({"spec": spec})).unwrap();
    assert_eq!(answer["status"]["allowed"], true);
    assert!(
        answer["status"]["reason"]
            .as_str()
            .unwrap()
            .starts_with("RBAC: allowed by ClusterRoleBinding")
    );

    let path = json!({"spec": {"groups": ["system:authenticated"], "nonResourceAttributes": {"verb": "get", "path": "/api"}}});
    assert_eq!(
        subject_access_review(&index(), path).unwrap()["status"]["allowed"],
        true
    );

    let nobody = User::new("jane", &[]);
    let own = json!({"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}});
    let answer = self_subject_access_review(&index(), &nobody, own).unwrap();
    assert_eq!(answer["status"], json!({"allowed": false}));
}

#[test]
fn faulty_reviews_are_refused_in_upstreams_words() {
    let refusal = |spec: Value, metadata: Value| {
        let review = json!({"metadata": metadata, "spec": spec});
        subject_access_review(&index(), review).unwrap_err().message
    };
    let asked = json!({"verb": "get"});
    let texts = [
        refusal(json!({"user": "a"}), json!({})),
        refusal(json!({"resourceAttributes": asked}), json!({})),
        refusal(
            json!({"user": "a", "resourceAttributes": asked, "nonResourceAttributes": asked}),
            json!({}),
        ),
        refusal(
            json!({"user": "a", "resourceAttributes": asked}),
            json!({"name": "x"}),
        ),
        local_subject_access_review(
            &index(),
            "dev",
            json!({"spec": {"user": "a", "resourceAttributes": {"namespace": "prod"}}}),
        )
        .unwrap_err()
        .message,
    ];
    expect_test::expect![[r#"
        SubjectAccessReview.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified
        SubjectAccessReview.authorization.k8s.io "" is invalid: spec.user: Invalid value: "": at least one of user or group must be specified
        SubjectAccessReview.authorization.k8s.io "" is invalid: spec.nonResourceAttributes: Invalid value: {"verb":"get"}: cannot be specified in combination with resourceAttributes
        SubjectAccessReview.authorization.k8s.io "" is invalid: metadata: Invalid value: {"name":"x"}: must be empty
        LocalSubjectAccessReview.authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: Invalid value: "prod": must match metadata.namespace"#]]
    .assert_eq(&texts.join("\n"));
}

#[test]
fn a_user_learns_their_own_rules_and_name() {
    let user = User::new("jane", &["system:authenticated"]);
    let review = json!({"spec": {"namespace": "default"}});
    let answer = self_subject_rules_review(&index(), &user, review).unwrap();
    let status = &answer["status"];
    assert_eq!(status["incomplete"], false);
    assert!(
        status["resourceRules"]
            .as_array()
            .unwrap()
            .contains(&json!({
                "verbs": ["create"], "apiGroups": ["authorization.k8s.io"],
                "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            }))
    );
    assert!(!status["nonResourceRules"].as_array().unwrap().is_empty());
    assert_eq!(
        self_subject_rules_review(&index(), &user, json!({}))
            .unwrap_err()
            .message,
        "no namespace on request"
    );
    let me = self_subject_review(&user, json!({}));
    assert_eq!(me["status"]["userInfo"]["username"], "jane");
}
