//! Groups that other servers answer: passed on in the caller's name, watched, and shown in discovery.

mod backend;

use crate::raw::{admin, get, send, value, write};
use backend::Backend;
use expect_test::expect;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use lab_server::User;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::{Lab, lab};
use tokio::time::{Instant, sleep};

const APISERVICE: &str = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io";
const NODES: &str = "/apis/metrics.k8s.io/v1beta1/nodes";
const PATIENCE: Duration = Duration::from_secs(20);

async fn register(lab: &Lab, trust: Value) {
    let mut object = json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {
            "service": {"name": "metrics-server", "namespace": "kube-system"},
            "group": "metrics.k8s.io", "version": "v1beta1",
            "groupPriorityMinimum": 100, "versionPriority": 100,
        },
    });
    for (key, value) in trust.as_object().into_iter().flatten() {
        object["spec"][key] = value.clone();
    }
    let path = "/apis/apiregistration.k8s.io/v1/apiservices";
    let (status, body) = write(lab, "POST", path, &object).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
}

async fn service(lab: &Lab, port: u16) {
    let object = json!({
        "metadata": {"name": "metrics-server"},
        "spec": {"ports": [{"name": "https", "port": port, "targetPort": 4443}]},
    });
    let path = "/api/v1/namespaces/kube-system/services";
    let (status, body) = write(lab, "POST", path, &object).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
}

fn slice(address: std::net::SocketAddr, ready: bool) -> Value {
    json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {
            "name": "metrics-server-x", "labels": {"kubernetes.io/service-name": "metrics-server"},
        },
        "endpoints": [{"addresses": [address.ip().to_string()], "conditions": {"ready": ready}}],
        "ports": [{"name": "https", "port": address.port(), "protocol": "TCP"}],
    })
}

async fn endpoints(lab: &Lab, address: std::net::SocketAddr, ready: bool) {
    let path = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices";
    let object = slice(address, ready);
    let (status, body) = write(lab, "POST", path, &object).await;
    if status == StatusCode::CONFLICT {
        let path = format!("{path}/metrics-server-x");
        let (status, body) = write(lab, "PUT", &path, &object).await;
        assert_eq!(status, StatusCode::OK, "{body}");
    } else {
        assert_eq!(status, StatusCode::CREATED, "{body}");
    }
}

/// Waits until the APIService's condition has a reason, and returns the condition.
async fn condition(lab: &Lab, reason: &str) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (_, object) = get(lab, APISERVICE, &[]).await;
        let condition = object["status"]["conditions"][0].clone();
        if condition["reason"] == reason {
            return condition;
        }
        assert!(Instant::now() < deadline, "no {reason}, but {condition}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Everything in place, and found to be available.
async fn available() -> (Lab, Backend) {
    let lab = lab().await.expect("a lab");
    let backend = Backend::start().await;
    service(&lab, 443).await;
    endpoints(&lab, backend.address, true).await;
    register(&lab, json!({"insecureSkipTLSVerify": true})).await;
    condition(&lab, "Passed").await;
    (lab, backend)
}

#[tokio::test]
async fn the_condition_says_what_is_missing_until_all_checks_pass() {
    let lab = lab().await.expect("a lab");
    let backend = Backend::start().await;
    let mut said = Vec::new();
    let mut note = |condition: Value| {
        let text = |key: &str| condition[key].as_str().unwrap_or("").to_owned();
        let address = backend.address.to_string();
        let message = text("message").replace(&address, "ADDRESS");
        said.push(format!("{} {}: {message}", text("status"), text("reason")));
    };
    register(&lab, json!({"insecureSkipTLSVerify": true})).await;
    note(condition(&lab, "ServiceNotFound").await);
    service(&lab, 444).await;
    note(condition(&lab, "ServicePortError").await);
    let path = "/api/v1/namespaces/kube-system/services/metrics-server";
    let ports = json!({"spec": {"ports": [{"name": "https", "port": 443, "targetPort": 4443}]}});
    write(&lab, "PATCH", path, &ports).await;
    note(condition(&lab, "EndpointsNotFound").await);
    endpoints(&lab, backend.address, false).await;
    note(condition(&lab, "MissingEndpoints").await);
    backend.fail(true);
    endpoints(&lab, backend.address, true).await;
    note(condition(&lab, "FailedDiscoveryCheck").await);
    backend.fail(false);
    note(condition(&lab, "Passed").await);
    expect![[r#"
        False ServiceNotFound: service/metrics-server in "kube-system" is not present
        False ServicePortError: service/metrics-server in "kube-system" is not listening on port 443
        False EndpointsNotFound: cannot find endpointslices for service/metrics-server in "kube-system"
        False MissingEndpoints: endpointslices for service/metrics-server in "kube-system" have no addresses with port name "https"
        False FailedDiscoveryCheck: failing or missing response from https://ADDRESS/apis/metrics.k8s.io/v1beta1: bad status from https://ADDRESS/apis/metrics.k8s.io/v1beta1: 503
        True Passed: all checks passed
    "#]]
    .assert_eq(&(said.join("\n") + "\n"));
}

#[tokio::test]
async fn an_unchanged_verdict_is_not_written_again() {
    let (lab, _backend) = available().await;
    let (_, before) = get(&lab, APISERVICE, &[]).await;
    // Wakes the controller, and leads to the same verdict.
    let path = "/api/v1/namespaces/kube-system/services/metrics-server";
    write(
        &lab,
        "PATCH",
        path,
        &json!({"metadata": {"labels": {"a": "b"}}}),
    )
    .await;
    let (status, _) = get(&lab, NODES, &[]).await;
    assert_eq!(status, StatusCode::OK);
    let (_, after) = get(&lab, APISERVICE, &[]).await;
    assert_eq!(before, after);
}

#[tokio::test]
async fn local_apiservices_say_so() {
    let lab = lab().await.expect("a lab");
    let path = "/apis/apiregistration.k8s.io/v1/apiservices/v1.apps";
    let (_, object) = get(&lab, path, &[]).await;
    let condition = &object["status"]["conditions"][0];
    assert_eq!(condition["reason"], "Local");
    assert_eq!(
        condition["message"],
        "Local APIServices are always available"
    );
}

#[tokio::test]
async fn a_backend_is_told_who_asks_and_nothing_else_of_the_caller() {
    let (lab, backend) = available().await;
    let mut user = User::new("jane", &["system:masters", "dev team"]);
    user.uid = "u-1".to_owned();
    user.extra.insert(
        "example.com/Scopes".to_owned(),
        vec!["a".to_owned(), "b".to_owned()],
    );
    let request = Request::get(format!("{NODES}?labelSelector=a%3Db"))
        .header("authorization", "Bearer secret")
        .header("x-remote-user", "admin")
        .header("x-remote-extra-evil", "yes")
        .header("accept", "application/json;as=Table")
        .body(Full::default())
        .expect("a request");
    let (status, _, body) = send(&lab, user, request).await;
    assert_eq!(status, StatusCode::OK);
    expect![[r#"
        GET /apis/metrics.k8s.io/v1beta1/nodes?labelSelector=a%3Db
        certificate: front-proxy-client
        accept: application/json;as=Table
        x-remote-extra-example.com%2fscopes: a
        x-remote-extra-example.com%2fscopes: b
        x-remote-group: system:masters
        x-remote-group: dev team
        x-remote-group: system:authenticated
        x-remote-uid: u-1
        x-remote-user: jane
    "#]]
    .assert_eq(value(body).await["seen"].as_str().expect("text"));
    drop(backend);
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    let (lab, _backend) = available().await;
    let payload = "x".repeat(1 << 20);
    let request = Request::post("/apis/metrics.k8s.io/v1beta1/echo")
        .body(Full::from(payload.clone()))
        .expect("a request");
    let (_, _, body) = send(&lab, admin(), request).await;
    let echoed = body.collect().await.expect("readable").to_bytes();
    assert_eq!(echoed.len(), payload.len());

    let request = Request::get("/apis/metrics.k8s.io/v1beta1/nodes?watch=true")
        .body(Full::default())
        .expect("a request");
    let (_, _, mut body) = send(&lab, admin(), request).await;
    // The first piece comes while the stream is still open.
    let frame = tokio::time::timeout(PATIENCE, body.frame()).await;
    let piece = frame.expect("in time").expect("a frame").expect("readable");
    assert_eq!(piece.into_data().expect("data"), "one\n");
}

#[tokio::test]
async fn rbac_comes_before_the_backend() {
    let (lab, _backend) = available().await;
    let request = Request::get(NODES)
        .body(Full::default())
        .expect("a request");
    let (status, _, body) = send(&lab, User::new("joe", &[]), request).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    expect![[r#"nodes.metrics.k8s.io is forbidden: User "joe" cannot list resource "nodes" in API group "metrics.k8s.io" at the cluster scope"#]]
        .assert_eq(value(body).await["message"].as_str().expect("text"));
}

#[tokio::test]
async fn who_does_not_answer_is_unavailable() {
    let (lab, backend) = available().await;
    let address = backend.address;
    drop(backend);
    let ask = || async {
        let request = Request::get(NODES)
            .body(Full::default())
            .expect("a request");
        let (status, headers, body) = send(&lab, admin(), request).await;
        if status == StatusCode::SERVICE_UNAVAILABLE {
            assert_eq!(headers["content-type"], "text/plain; charset=utf-8");
        }
        let bytes = body.collect().await.expect("readable").to_bytes();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    };
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (_, text) = ask().await;
        // A kept connection may answer once more, or break; new ones are refused.
        if text
            == format!(
                "error trying to reach service: dial tcp {address}: connect: connection refused\n"
            )
        {
            break;
        }
        assert!(Instant::now() < deadline, "{text}");
    }
    endpoints(&lab, address, false).await;
    condition(&lab, "MissingEndpoints").await;
    let (status, text) = ask().await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(text, "service unavailable\n");
}

#[tokio::test]
async fn a_bundle_vouches_for_the_service_s_name() {
    use base64::Engine;
    let lab = lab().await.expect("a lab");
    let backend = Backend::start().await;
    service(&lab, 443).await;
    endpoints(&lab, backend.address, true).await;
    let bundle = base64::engine::general_purpose::STANDARD.encode(&backend.certificate);
    register(&lab, json!({"caBundle": bundle})).await;
    condition(&lab, "Passed").await;
    let (status, _) = get(&lab, NODES, &[]).await;
    assert_eq!(status, StatusCode::OK);

    let other = Backend::start().await;
    let bundle = base64::engine::general_purpose::STANDARD.encode(&other.certificate);
    write(
        &lab,
        "PATCH",
        APISERVICE,
        &json!({"spec": {"caBundle": bundle}}),
    )
    .await;
    let request = Request::get(NODES)
        .body(Full::default())
        .expect("a request");
    let (status, _, body) = send(&lab, admin(), request).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let bytes = body.collect().await.expect("readable").to_bytes();
    let text = String::from_utf8_lossy(&bytes);
    assert!(
        text.starts_with(
            "error trying to reach service: tls: failed to verify certificate: x509: "
        ),
        "{text}"
    );
}

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

async fn discovered(lab: &Lab) -> Value {
    let (_, document) = get(lab, "/apis", &[("accept", AGGREGATED)]).await;
    let groups = document["items"].as_array().expect("groups").clone();
    let of_metrics = |group: &&Value| group["metadata"]["name"] == "metrics.k8s.io";
    groups.iter().find(of_metrics).expect("the group")["versions"][0].clone()
}

#[tokio::test]
async fn discovery_lists_the_group_whether_or_not_somebody_answers() {
    let lab = lab().await.expect("a lab");
    register(&lab, json!({"insecureSkipTLSVerify": true})).await;
    condition(&lab, "ServiceNotFound").await;
    let stale = discovered(&lab).await;
    assert_eq!(stale, json!({"version": "v1beta1", "freshness": "Stale"}));
    let (_, groups) = get(&lab, "/apis", &[]).await;
    let last = groups["groups"]
        .as_array()
        .expect("groups")
        .last()
        .expect("one");
    assert_eq!(last["name"], "metrics.k8s.io");
    assert_eq!(
        last["preferredVersion"]["groupVersion"],
        "metrics.k8s.io/v1beta1"
    );
    let (_, group) = get(&lab, "/apis/metrics.k8s.io", &[]).await;
    assert_eq!(group["kind"], "APIGroup");

    let backend = Backend::start().await;
    service(&lab, 443).await;
    endpoints(&lab, backend.address, true).await;
    condition(&lab, "Passed").await;
    expect![[r#"
        {
          "freshness": "Current",
          "resources": [
            {
              "resource": "nodes",
              "responseKind": {
                "group": "metrics.k8s.io",
                "kind": "NodeMetrics",
                "version": "v1beta1"
              },
              "scope": "Cluster",
              "singularResource": "",
              "subresources": [
                {
                  "responseKind": {
                    "group": "other",
                    "kind": "Log",
                    "version": "v2"
                  },
                  "subresource": "log",
                  "verbs": [
                    "get"
                  ]
                }
              ],
              "verbs": [
                "get",
                "list"
              ]
            }
          ],
          "version": "v1beta1"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&discovered(&lab).await).expect("JSON"));

    endpoints(&lab, backend.address, false).await;
    condition(&lab, "MissingEndpoints").await;
    let stale = discovered(&lab).await;
    assert_eq!(stale["freshness"], "Stale");
    assert_eq!(stale["resources"][0]["resource"], "nodes");

    write(&lab, "DELETE", APISERVICE, &json!({})).await;
    let (_, groups) = get(&lab, "/apis", &[]).await;
    let all = groups["groups"].as_array().expect("groups");
    assert!(all.iter().all(|group| group["name"] != "metrics.k8s.io"));
    let (status, _) = get(&lab, NODES, &[]).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_openapi_document_of_a_backend_is_passed_on() {
    let (lab, _backend) = available().await;
    let (_, index) = get(&lab, "/openapi/v3", &[]).await;
    let entry = &index["paths"]["apis/metrics.k8s.io/v1beta1"];
    let path = entry["serverRelativeURL"].as_str().expect("an entry");
    assert_eq!(path, "/openapi/v3/apis/metrics.k8s.io/v1beta1?hash=1");
    let (status, document) = get(&lab, path, &[]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(document["openapi"], "3.0.0");
}
