//! How requests are treated, whatever they ask for: methods, parameters, limits, headers.

use super::*;
use clap::Parser;
use runtime::auth::User;
use std::time::Duration as StdDuration;

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    generic: crate::args::GenericArgs,
}

fn gate(flags: &[&str]) -> Gate {
    let flags = std::iter::once("x").chain(flags.iter().copied());
    Gate::new(&Program::try_parse_from(flags).unwrap().generic).unwrap()
}

fn head(request: http::request::Builder) -> Parts {
    request.body(()).unwrap().into_parts().0
}

#[test]
fn resources_and_discovery_have_no_head_and_the_others_do() {
    let api = api(2);
    for (path, code) in [
        ("/apis/metrics.k8s.io/v1beta1/nodes", 405),
        ("/apis/metrics.k8s.io/v1beta1/nodes/node-1", 405),
        ("/apis", 405),
        ("/version", 405),
        ("/openapi/v2", 200),
        ("/livez/ping", 200),
    ] {
        assert_eq!(ask(&api, Request::head(path)).0, code, "{path}");
    }
}

#[test]
fn probes_are_answered_by_upstreams_rules() {
    let api = api(2);
    assert_eq!(ask(&api, Request::post("/livez/ping")).0, 200);
    assert_eq!(ask(&api, Request::post("/metrics")).0, 200);
    assert_eq!(get(&api, "/livez/"), (404, get(&api, "/").1));
    let waiting = "internal server error: 1 informers not started yet: [/v1, Resource=pods]\n";
    for probe in ["livez", "readyz", "healthz"] {
        let path = format!("/{probe}/metadata-informer-sync");
        assert_eq!(get(&api, &path), (500, waiting.to_owned()));
    }
    // Of nodes and pods, nodes come first.
    assert_eq!(
        get(&api, "/readyz/metric-informer-sync").1,
        "internal server error: cache for node informer has not synced\n"
    );
}

#[test]
fn parameters_that_cannot_be_are_refused_in_upstreams_words() {
    for (query, code, message) in [
        (
            "limit=many",
            400,
            r#"strconv.ParseInt: parsing "many": invalid syntax"#,
        ),
        (
            "timeoutSeconds=99999999999999999999",
            400,
            r#"strconv.ParseInt: parsing "99999999999999999999": value out of range"#,
        ),
        (
            "resourceVersionMatch=Exact",
            422,
            r#"ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"#,
        ),
        (
            "sendInitialEvents=true",
            422,
            r#"ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"#,
        ),
        (
            "watch=true&sendInitialEvents=true",
            422,
            r#"ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"#,
        ),
        (
            "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
            405,
            r#"watch is not supported on resources of kind "pods.metrics.k8s.io""#,
        ),
    ] {
        let (found, status) = metrics(&format!("/pods?{query}"));
        assert_eq!(
            (found, status["message"].as_str()),
            (code, Some(message)),
            "{query}"
        );
    }
    assert_eq!(metrics("/pods?limit=1").0, 200);
}

#[test]
fn metadata_is_had_in_the_form_that_fits() {
    let one = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    let list = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    let base = "/apis/metrics.k8s.io/v1beta1";
    for (path, accept, code, message) in [
        ("/nodes/node-1", one, 200, None),
        ("/nodes", list, 200, None),
        (
            "/nodes",
            one,
            406,
            Some(
                "you requested PartialObjectMetadata, but the requested object is a list (*metrics.NodeMetricsList)",
            ),
        ),
        (
            "/namespaces/eks-work/pods/web-1",
            list,
            406,
            Some(
                "you requested PartialObjectMetadataList, but the requested object is not a list (*metrics.PodMetrics)",
            ),
        ),
        (
            "",
            "text/html",
            406,
            Some(
                "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, \
                 application/vnd.kubernetes.protobuf",
            ),
        ),
    ] {
        let request = Request::get(format!("{base}{path}")).header(ACCEPT, accept);
        let (found, body) = ask(&api(2), request);
        let status: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            (found, status["message"].as_str()),
            (code, message),
            "{path} {accept}"
        );
    }
}

#[test]
fn a_list_of_one_name_is_a_request_for_that_name() {
    let list = Wanted::new("/apis/metrics.k8s.io/v1beta1/namespaces/a/pods");
    for (query, name) in [
        ("fieldSelector=metadata.name%3Dweb", Some("web")),
        (
            "fieldSelector=metadata.namespace%3Da,metadata.name%3D%3Dweb",
            Some("web"),
        ),
        ("fieldSelector=metadata.name!%3Dweb", None),
        ("fieldSelector=metadata.name%3Da%252Fb", None),
        ("fieldSelector=metadata.name%3Dweb&limit=x", None),
        ("", None),
    ] {
        assert_eq!(list.narrowed(query).as_deref(), name, "{query}");
    }
    let get = Wanted::new("/apis/metrics.k8s.io/v1beta1/namespaces/a/pods/b");
    assert_eq!(get.narrowed("fieldSelector=metadata.name%3Dweb"), None);
}

#[test]
fn all_answers_have_upstreams_headers() {
    let gate = gate(&["--strict-transport-security-directives=max-age=9,preload"]);
    let asked = head(Request::get("/livez"));
    let answer = gate.dressed(&asked, text(StatusCode::OK, String::new()));
    let headers = answer.headers();
    assert_eq!(headers["cache-control"], "no-cache, private");
    assert_eq!(headers["strict-transport-security"], "max-age=9; preload");
    assert_eq!(headers["audit-id"].len(), 36);

    let asked = head(Request::get("/livez").header("audit-id", "mine"));
    let refused = status::reply(
        &asked,
        &ApiError {
            code: 403,
            ..ApiError::unauthorized()
        },
    );
    let refused = gate.dressed(&asked, refused);
    assert_eq!(refused.headers()["audit-id"], "mine");
    assert_eq!(refused.headers()["x-content-type-options"], "nosniff");
}

#[test]
fn beyond_the_limit_requests_are_sent_away_but_watches_and_masters_are_not() {
    let gate = gate(&["--max-requests-inflight=1"]);
    let asked = head(Request::get("/apis"));
    let user = User::anonymous();
    let first = gate.enter(&asked, "get", &user).unwrap();
    let refused = gate.enter(&asked, "get", &user).unwrap_err();
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert!(gate.enter(&asked, "watch", &user).is_ok());
    let master = User {
        groups: vec!["system:masters".to_owned()],
        ..User::anonymous()
    };
    assert!(gate.enter(&asked, "get", &master).is_ok());
    drop(first);
    assert!(gate.enter(&asked, "get", &user).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_given_up() {
    let gate = gate(&["--request-timeout=5s"]);
    let asked = head(Request::get("/apis?timeout=1h"));
    let reply = gate.within(&asked, "get", std::future::pending()).await;
    assert_eq!(reply.status(), 504);
    let asked = head(Request::get("/apis?timeout=soon"));
    let reply = gate.within(&asked, "get", std::future::pending()).await;
    assert_eq!(reply.status(), 400);
    let watch = gate.within(&asked, "watch", std::future::pending());
    let waited = tokio::time::timeout(StdDuration::from_secs(3_600), watch).await;
    assert!(waited.is_err(), "a watch may take as long as it wants");
}
