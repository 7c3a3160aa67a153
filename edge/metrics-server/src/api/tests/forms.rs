//! The forms of an answer. The bytes were made by Kubernetes' own encoders (v1.36) from the same objects.

use super::*;
use expect_test::expect;
use http::HeaderMap;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    USER_AGENT, VARY,
};
use std::io::Read;

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
const POD: &str = "/apis/metrics.k8s.io/v1beta1/namespaces/eks-work/pods/web-1";
const PODS: &str = "/apis/metrics.k8s.io/v1beta1/pods";
const NODES: &str = "/apis/metrics.k8s.io/v1beta1/nodes";
const YOUNG: &str = "/apis/metrics.k8s.io/v1beta1/namespaces/eks-work/pods/young";

fn accepting(path: &str, accept: &str) -> (u16, HeaderMap, Vec<u8>) {
    exchange(&api(2), Request::get(path).header(ACCEPT, accept))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn protobuf(path: &str, code: u16, expected: &str) {
    let (got, headers, body) = accepting(path, PROTOBUF);
    assert_eq!(
        (got, &headers[CONTENT_TYPE]),
        (code, &PROTOBUF.parse().unwrap())
    );
    assert_eq!(hex(&body), expected.replace(' ', ""), "{path}");
}

fn text(path: &str, accept: &str) -> String {
    String::from_utf8(accepting(path, accept).2).unwrap()
}

#[test]
fn protocol_buffers_are_upstreams_byte_for_byte() {
    protobuf(
        POD,
        200,
        "6b3873000a240a166d6574726963732e6b38732e696f2f76316265746131120a506f644d65747269637312a3010a390a \
             057765622d3112001a08656b732d776f726b22002a0032003800420808d4c3d9ca0610005a0a0a036170701203776562 \
             5a060a016e120131120808cfc3d9ca0610001a060880acc7f03722260a03617070120d0a0363707512060a043230306d \
             12100a066d656d6f727912060a0436344d69222c0a0773696465636172120c0a0363707512050a0335306d12130a066d \
             656d6f727912090a07313030303030301a002200",
    );
    protobuf(
        PODS,
        200,
        "6b3873000a280a166d6574726963732e6b38732e696f2f76316265746131120e506f644d6574726963734c697374129a \
             020a060a0012001a0012a3010a390a057765622d3112001a08656b732d776f726b22002a0032003800420808d4c3d9ca \
             0610005a0a0a0361707012037765625a060a016e120131120808cfc3d9ca0610001a060880acc7f03722260a03617070 \
             120d0a0363707512060a043230306d12100a066d656d6f727912060a0436344d69222c0a0773696465636172120c0a03 \
             63707512050a0335306d12130a066d656d6f727912090a0731303030303030126a0a310a057765622d3212001a08656b \
             732d776f726b22002a0032003800420808d4c3d9ca0610005a0a0a036170701203776562120808cfc3d9ca0610001a06 \
             0880acc7f03722230a03617070120d0a0363707512060a043130306d120d0a066d656d6f727912030a01351a002200",
    );
    protobuf(
        NODES,
        200,
        "6b3873000a290a166d6574726963732e6b38732e696f2f76316265746131120f4e6f64654d6574726963734c69737412 \
             740a060a0012001a00126a0a390a066e6f64652d3112001a0022002a0032003800420808d4c3d9ca0610005a190a106b \
             756265726e657465732e696f2f6f7312056c696e7578120808cfc3d9ca0610001a060880acc7f037220a0a0363707512 \
             030a0131220f0a066d656d6f727912050a033147691a002200",
    );
    protobuf(
        YOUNG,
        404,
        "6b3873000a0c0a02763112065374617475731286010a060a0012001a0012074661696c7572651a34706f646d65747269 \
             63732e6d6574726963732e6b38732e696f2022656b732d776f726b2f796f756e6722206e6f7420666f756e6422084e6f \
             74466f756e642a300a0e656b732d776f726b2f796f756e67120e6d6574726963732e6b38732e696f1a0a706f646d6574 \
             72696373280032003094031a002200",
    );
}

#[test]
fn discovery_in_protocol_buffers_is_upstreams_byte_for_byte() {
    protobuf(
        "/apis/metrics.k8s.io",
        200,
        "6b3873000a0e0a027631120841504947726f757012560a0e6d6574726963732e6b38732e696f12210a166d6574726963 \
         732e6b38732e696f2f763162657461311207763162657461311a210a166d6574726963732e6b38732e696f2f76316265 \
         7461311207763162657461311a002200",
    );
    protobuf(
        "/apis/metrics.k8s.io/v1beta1",
        200,
        "6b3873000a150a027631120f4150495265736f757263654c69737412700a166d6574726963732e6b38732e696f2f7631 \
         6265746131122b0a056e6f64657310001a0b4e6f64654d657472696373220b0a036765740a046c697374320042004a00 \
         520012290a04706f647310011a0a506f644d657472696373220b0a036765740a046c697374320042004a0052001a0022 \
         00",
    );
    let at_once = format!("{PROTOBUF};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
    let (code, headers, body) = accepting("/apis", &at_once);
    assert_eq!(
        (code, headers[CONTENT_TYPE].to_str().unwrap()),
        (200, &*at_once)
    );
    assert_eq!(
        hex(&body),
        "6b3873000a2f0a16617069646973636f766572792e6b38732e696f2f7632121541504947726f7570446973636f766572 \
         794c69737412a4010a060a0012001a001299010a1e0a0e6d6574726963732e6b38732e696f12001a0022002a00320038 \
         00420012770a077631626574613112300a056e6f64657312110a0012001a0b4e6f64654d6574726963731a07436c7573 \
         74657222002a036765742a046c69737412310a04706f647312100a0012001a0a506f644d6574726963731a0a4e616d65 \
         73706163656422002a036765742a046c6973741a0743757272656e741a002200"
        .replace(' ', "")
    );
}

#[test]
fn who_has_all_of_discovery_is_told_so() {
    let at_once = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let (_, headers, _) = accepting("/apis", at_once);
    let tag = headers[ETAG].to_str().unwrap();
    let again = Request::get("/apis").header(ACCEPT, at_once);
    let (code, headers, body) = exchange(&api(2), again.header(IF_NONE_MATCH, tag));
    assert_eq!(
        (code, body.len(), headers.contains_key(CONTENT_TYPE)),
        (304, 0, false)
    );
    assert_eq!(headers[CACHE_CONTROL], "public");
}

#[test]
fn yaml_is_upstreams() {
    expect![[r#"
        apiVersion: metrics.k8s.io/v1beta1
        items:
        - containers:
          - name: app
            usage:
              cpu: 200m
              memory: 64Mi
          - name: sidecar
            usage:
              cpu: 50m
              memory: "1000000"
          metadata:
            creationTimestamp: "2026-01-01T12:00:20Z"
            labels:
              app: web
              "n": "1"
            name: web-1
            namespace: eks-work
          timestamp: "2026-01-01T12:00:15Z"
          window: 15s
        - containers:
          - name: app
            usage:
              cpu: 100m
              memory: "5"
          metadata:
            creationTimestamp: "2026-01-01T12:00:20Z"
            labels:
              app: web
            name: web-2
            namespace: eks-work
          timestamp: "2026-01-01T12:00:15Z"
          window: 15s
        kind: PodMetricsList
        metadata: {}
    "#]]
    .assert_eq(&text(PODS, "application/yaml"));
    expect![[r#"
        apiVersion: metrics.k8s.io/v1beta1
        items:
        - metadata:
            creationTimestamp: "2026-01-01T12:00:20Z"
            labels:
              kubernetes.io/os: linux
            name: node-1
          timestamp: "2026-01-01T12:00:15Z"
          usage:
            cpu: "1"
            memory: 1Gi
          window: 15s
        kind: NodeMetricsList
        metadata: {}
    "#]]
    .assert_eq(&text(NODES, "application/yaml"));
    expect![[r#"
        apiVersion: v1
        code: 404
        details:
          group: metrics.k8s.io
          kind: podmetrics
          name: eks-work/young
        kind: Status
        message: podmetrics.metrics.k8s.io "eks-work/young" not found
        metadata: {}
        reason: NotFound
        status: Failure
    "#]]
    .assert_eq(&text(YOUNG, "application/yaml"));
}

#[test]
fn people_get_json_with_many_lines() {
    let request = Request::get(NODES).header(USER_AGENT, "curl/8.5.0");
    expect![[r#"
        {
          "kind": "NodeMetricsList",
          "apiVersion": "metrics.k8s.io/v1beta1",
          "metadata": {},
          "items": [
            {
              "metadata": {
                "name": "node-1",
                "creationTimestamp": "2026-01-01T12:00:20Z",
                "labels": {
                  "kubernetes.io/os": "linux"
                }
              },
              "timestamp": "2026-01-01T12:00:15Z",
              "window": "15s",
              "usage": {
                "cpu": "1",
                "memory": "1Gi"
              }
            }
          ]
        }"#]]
    .assert_eq(&ask(&api(2), request).1);
    let request = Request::get(format!("{NODES}?pretty=false")).header(USER_AGENT, "curl/8.5.0");
    assert_eq!(ask(&api(2), request).1.lines().count(), 1);
    let odd = r#"{"a":[],"b":{},"c":"\\\"{,","d":[1,2]}"#;
    let lines = encode::indented(odd.as_bytes());
    let read: serde_json::Value = serde_json::from_slice(&lines).unwrap();
    assert_eq!(
        read,
        serde_json::from_str::<serde_json::Value>(odd).unwrap()
    );
    assert_eq!(lines, serde_json::to_vec_pretty(&read).unwrap());
}

#[test]
fn an_error_is_json_in_gos_order() {
    expect![[r#"
        {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"podmetrics.metrics.k8s.io \"eks-work/young\" not found","reason":"NotFound","details":{"name":"eks-work/young","group":"metrics.k8s.io","kind":"podmetrics"},"code":404}
    "#]]
    .assert_eq(&get(&api(2), YOUNG).1);
}

#[test]
fn a_form_that_we_lack_is_refused_in_json_for_people() {
    let (code, headers, body) = accepting(NODES, "text/html");
    assert_eq!(
        (code, &headers[CONTENT_TYPE]),
        (406, &"application/json".parse().unwrap())
    );
    expect![[r#"
        {
          "kind": "Status",
          "apiVersion": "v1",
          "metadata": {},
          "status": "Failure",
          "message": "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch",
          "reason": "NotAcceptable",
          "details": {},
          "code": 406
        }"#]]
    .assert_eq(std::str::from_utf8(&body).unwrap());
    assert_eq!(accepting("/version", PROTOBUF).0, 406);
}

#[test]
fn the_first_form_that_can_be_had_is_taken() {
    let kind = |path, accept: &str| {
        let (_, headers, _) = accepting(path, accept);
        headers[CONTENT_TYPE].to_str().unwrap().to_owned()
    };
    let protobuf_first = format!("{PROTOBUF},application/json");
    assert_eq!(kind(NODES, &protobuf_first), PROTOBUF);
    assert_eq!(kind("/apis", &protobuf_first), PROTOBUF);
    assert_eq!(kind(NODES, "text/html, */*;q=0.1"), "application/json");
    assert_eq!(
        kind(NODES, "application/json;q=0.5, application/yaml"),
        "application/yaml"
    );
    // There is no table in protocol buffers.
    let table = format!("{PROTOBUF};as=Table;v=v1;g=meta.k8s.io,application/json");
    assert!(text(NODES, &table).starts_with(r#"{"kind":"NodeMetricsList""#));
    assert_eq!(
        accepting(NODES, "application/json;as=Table;v=v7;g=meta.k8s.io").0,
        406
    );
    // An error has no form of its own.
    assert_eq!(kind(YOUNG, TABLE), "application/json");
}

#[test]
fn a_tables_rows_carry_what_is_asked_for() {
    let rows = |include: &str| {
        let table = text(&format!("{NODES}?includeObject={include}"), TABLE);
        serde_json::from_str::<serde_json::Value>(&table).unwrap()
    };
    assert_eq!(rows("None")["rows"][0]["object"], serde_json::Value::Null);
    assert_eq!(rows("Object")["rows"][0]["object"]["usage"]["cpu"], "1");
    assert_eq!(
        rows("")["rows"][0]["object"]["kind"],
        "PartialObjectMetadata"
    );
    assert_eq!(
        rows("All")["message"],
        "Unable to convert to Table as requested: includeObject: Invalid value: \"All\": must be \
         'Metadata', 'Object', 'None', or empty"
    );
}

/// An API over so many pods.
fn crowd(pods: usize) -> Api {
    let api = api(2);
    let mut cluster = api.cluster.write().unwrap();
    let mut store = api.store.write().unwrap();
    for millis in [NOON, NOON + 15_000] {
        let mut lines = String::new();
        for index in 0..pods {
            let of = format!("{{container=\"app\",namespace=\"crowd\",pod=\"pod-{index}\"}}");
            let used = millis / 1000;
            lines += &format!("container_cpu_usage_seconds_total{of} {used} {millis}\n");
            lines += &format!("container_memory_working_set_bytes{of} 4096 {millis}\n");
            cluster.put_pod("crowd", &format!("pod-{index}"), BTreeMap::new());
        }
        store.begin();
        store.take("node-1", &scrape::read(&lines, 0).unwrap());
        store.end();
    }
    drop((cluster, store));
    api
}

#[test]
fn long_answers_are_compressed_for_who_can_read_that() {
    let crowd = crowd(1000);
    let request = |encoding: &str| {
        let path = "/apis/metrics.k8s.io/v1beta1/namespaces/crowd/pods";
        exchange(&crowd, Request::get(path).header(ACCEPT_ENCODING, encoding))
    };
    let (_, headers, plain) = request("br");
    assert!(plain.len() > 128 * 1024 && !headers.contains_key(CONTENT_ENCODING));
    let (_, headers, refused) = request("br, gzip;q=0.0");
    assert!(refused == plain && !headers.contains_key(CONTENT_ENCODING));
    let (_, headers, short) = request("deflate, gzip;q=1.0");
    assert_eq!(
        (&headers[CONTENT_ENCODING], &headers[VARY]),
        (
            &"gzip".parse().unwrap(),
            &"Accept-Encoding".parse().unwrap()
        )
    );
    let mut read = Vec::new();
    flate2::read::GzDecoder::new(&*short)
        .read_to_end(&mut read)
        .unwrap();
    assert!(read == plain && short.len() < plain.len() / 10);
    // Upstream's limit: shorter answers are sent as they are.
    let (_, headers, _) = exchange(&api(2), Request::get(PODS).header(ACCEPT_ENCODING, "gzip"));
    assert!(!headers.contains_key(CONTENT_ENCODING));
}
