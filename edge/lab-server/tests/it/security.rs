//! Who may do what.

use crate::raw::{get, send, value, write};
use http::{Request, StatusCode};
use http_body_util::Full;
use lab_server::User;
use serde_json::{Value, json};
use testkit::{Lab, lab};

async fn ask(lab: &Lab, user: User, path: &str) -> (StatusCode, Value) {
    let request = Request::get(path).body(Full::default()).expect("a request");
    let (status, _, body) = send(lab, user, request).await;
    (status, value(body).await)
}

#[tokio::test]
async fn anonymous_callers_get_health_and_nothing_else() {
    let lab = lab().await.expect("a lab");
    let anonymous = || User::anonymous();
    for path in ["/healthz", "/livez", "/readyz"] {
        let request = Request::get(path).body(Full::default()).expect("a request");
        assert_eq!(
            send(&lab, anonymous(), request).await.0,
            StatusCode::OK,
            "{path}"
        );
    }
    assert_eq!(ask(&lab, anonymous(), "/version").await.0, StatusCode::OK);
    for path in ["/api", "/api/v1/pods", "/openapi/v2", "/metrics"] {
        assert_eq!(
            ask(&lab, anonymous(), path).await.0,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_stranger_is_refused_in_upstreams_words_until_bound() {
    let lab = lab().await.expect("a lab");
    let user = || User::new("jane", &[]);
    let path = "/api/v1/namespaces/default/pods";
    let (status, answer) = ask(&lab, user(), path).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(
        answer["message"],
        "pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\""
    );
    let binding = json!({
        "metadata": {"name": "jane"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "jane"}],
    });
    let bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings";
    let (status, answer) = write(&lab, "POST", bindings, &binding).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    assert_eq!(ask(&lab, user(), path).await.0, StatusCode::OK);
    assert_eq!(
        ask(&lab, user(), "/api/v1/namespaces/default/secrets")
            .await
            .0,
        StatusCode::FORBIDDEN
    );
    write(&lab, "DELETE", &format!("{bindings}/jane"), &json!({})).await;
    assert_eq!(ask(&lab, user(), path).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn impersonation_needs_to_be_allowed() {
    let lab = lab().await.expect("a lab");
    let headers = [("impersonate-user", "jane")];
    let (status, answer) = get(&lab, "/api/v1/pods", &headers).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(
        answer["message"]
            .as_str()
            .is_some_and(|text| text.contains("\"jane\""))
    );
    let request = Request::get("/api/v1/pods").header("impersonate-user", "admin");
    let request = request.body(Full::default()).expect("a request");
    let (status, _, body) = send(&lab, User::new("jane", &[]), request).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let message = value(body).await["message"].clone();
    assert_eq!(
        message,
        "users \"admin\" is forbidden: User \"jane\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope"
    );
}

#[tokio::test]
async fn a_token_stands_for_its_account_while_that_is_there() {
    let lab = lab().await.expect("a lab");
    let accounts = "/api/v1/namespaces/default/serviceaccounts";
    let (_, answer) = write(
        &lab,
        "POST",
        &format!("{accounts}/default/token"),
        &json!({"spec": {}}),
    )
    .await;
    let token = answer["status"]["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let reviews = "/apis/authentication.k8s.io/v1/tokenreviews";
    let review = json!({"spec": {"token": token}});
    let (_, good) = write(&lab, "POST", reviews, &review).await;
    assert_eq!(good["status"]["authenticated"], true);
    assert_eq!(
        good["status"]["user"]["username"],
        "system:serviceaccount:default:default"
    );
    write(&lab, "DELETE", &format!("{accounts}/default"), &json!({})).await;
    let (_, bad) = write(&lab, "POST", reviews, &review).await;
    assert_ne!(bad["status"]["authenticated"], true, "{bad}");
}

#[tokio::test]
async fn bodies_are_bounded() {
    let lab = lab().await.expect("a lab");
    let body = json!({"metadata": {"name": "x"}, "data": {"a": "y".repeat(4 << 20)}});
    let (status, answer) =
        write(&lab, "POST", "/api/v1/namespaces/default/configmaps", &body).await;
    assert_eq!(
        (status, &answer["reason"]),
        (
            StatusCode::PAYLOAD_TOO_LARGE,
            &json!("RequestEntityTooLarge")
        )
    );
}

#[tokio::test]
async fn a_right_to_one_object_allows_to_list_and_watch_it_by_its_name() {
    let lab = lab().await.expect("a lab");
    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/rolebindings";
    let binding = json!({
        "metadata": {"name": "joe"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io", "kind": "Role",
            "name": "extension-apiserver-authentication-reader",
        },
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "joe"}],
    });
    assert_eq!(
        write(&lab, "POST", rbac, &binding).await.0,
        StatusCode::CREATED
    );
    let maps = "/api/v1/namespaces/kube-system/configmaps";
    let code = async |query: &str| {
        let path = format!("{maps}{query}");
        ask(&lab, User::new("joe", &[]), &path).await.0
    };
    let one = "?fieldSelector=metadata.name%3Dextension-apiserver-authentication";
    assert_eq!(code(one).await, StatusCode::OK);
    assert_eq!(code("").await, StatusCode::FORBIDDEN);
    assert_eq!(
        code("?fieldSelector=metadata.name%3Dother").await,
        StatusCode::FORBIDDEN
    );
}
