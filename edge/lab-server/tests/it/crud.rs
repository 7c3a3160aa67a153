//! create, get, update: what is kept, what is refused, in upstream's words.

use crate::raw::{get, write};
use expect_test::expect;
use http::StatusCode;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};
use testkit::lab;

fn config_map(name: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": {"a": "b"}})).expect("valid")
}

#[tokio::test]
async fn an_object_is_created_read_changed_and_refused_when_stale() {
    let lab = lab().await.expect("a lab");
    let maps: Api<ConfigMap> = Api::default_namespaced(lab.client.clone());
    let params = PostParams::default();
    let made = maps.create(&params, &config_map("x")).await.expect("new");
    assert!(made.metadata.uid.is_some() && made.metadata.creation_timestamp.is_some());

    let again = maps
        .create(&params, &config_map("x"))
        .await
        .expect_err("there already");
    expect![[r#"ApiError: configmaps "x" already exists: AlreadyExists"#]]
        .assert_eq(again.to_string().split(" (").next().expect("text"));

    let mut changed = made.clone();
    changed
        .data
        .get_or_insert_default()
        .insert("c".into(), "d".into());
    let changed = maps.replace("x", &params, &changed).await.expect("current");
    assert_ne!(
        changed.metadata.resource_version,
        made.metadata.resource_version
    );

    let mut late = made.clone();
    late.data
        .get_or_insert_default()
        .insert("late".into(), "yes".into());
    let stale = maps.replace("x", &params, &late).await.expect_err("stale");
    expect![[r#"ApiError: Operation cannot be fulfilled on configmaps "x": the object has been modified; please apply your changes to the latest version and try again: Conflict"#]]
        .assert_eq(stale.to_string().split(" (").next().expect("text"));
}

#[tokio::test]
async fn a_change_that_changes_nothing_leaves_the_version() {
    let lab = lab().await.expect("a lab");
    let maps: Api<ConfigMap> = Api::default_namespaced(lab.client.clone());
    let made = maps
        .create(&PostParams::default(), &config_map("x"))
        .await
        .expect("new");
    let same = maps
        .replace("x", &PostParams::default(), &made)
        .await
        .expect("current");
    assert_eq!(
        same.metadata.resource_version,
        made.metadata.resource_version
    );
}

#[tokio::test]
async fn names_are_generated_and_dry_runs_leave_nothing() {
    let lab = lab().await.expect("a lab");
    let path = "/api/v1/namespaces/default/configmaps";
    let body = json!({"metadata": {"generateName": "gen-"}});
    let (status, made) = write(&lab, "POST", path, &body).await;
    assert_eq!(status, StatusCode::CREATED);
    let name = made["metadata"]["name"].as_str().expect("named");
    assert!(name.starts_with("gen-") && name.len() == 9, "{name}");

    let dry = format!("{path}?dryRun=All");
    let (status, _) = write(&lab, "POST", &dry, &json!({"metadata": {"name": "dry"}})).await;
    assert_eq!(status, StatusCode::CREATED);
    let (status, _) = get(&lab, &format!("{path}/dry"), &[]).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_does_not_fit_the_path_is_refused() {
    let lab = lab().await.expect("a lab");
    let path = "/api/v1/namespaces/default/configmaps";
    let rows: [(&str, Value, u16, &str); 5] = [
        (
            path,
            json!({"apiVersion": "v2", "kind": "ConfigMap"}),
            400,
            "the API version in the data (v2) does not match the expected API version (v1)",
        ),
        (
            path,
            json!({"metadata": {"name": "x", "namespace": "other"}}),
            400,
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
        (
            "/api/v1/namespaces/none/configmaps",
            json!({"metadata": {"name": "x"}}),
            404,
            "namespaces \"none\" not found",
        ),
        (
            "/api/v1/namespaces/default/nothing",
            json!({}),
            404,
            "the server could not find the requested resource",
        ),
        (
            path,
            json!({"metadata": {"name": "x", "resourceVersion": "5"}}),
            400,
            "resourceVersion should not be set on objects to be created",
        ),
    ];
    for (path, body, code, message) in rows {
        let (status, answer) = write(&lab, "POST", path, &body).await;
        assert_eq!(
            (status.as_u16(), answer["message"].as_str()),
            (code, Some(message)),
            "{body}"
        );
    }
}

#[tokio::test]
async fn two_versions_of_one_resource_are_the_same_objects() {
    let lab = lab().await.expect("a lab");
    let body = json!({
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 2, "maxReplicas": 5, "targetCPUUtilizationPercentage": 50,
        },
    });
    let base = "/namespaces/default/horizontalpodautoscalers";
    let (status, made) = write(&lab, "POST", &format!("/apis/autoscaling/v1{base}"), &body).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert_eq!(made["spec"]["targetCPUUtilizationPercentage"], 50);
    let (_, v2) = get(&lab, &format!("/apis/autoscaling/v2{base}/web"), &[]).await;
    assert_eq!(
        v2["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"],
        50
    );
    assert_eq!(
        v2["metadata"]["resourceVersion"],
        made["metadata"]["resourceVersion"]
    );
}

#[tokio::test]
async fn a_scale_is_read_and_written() {
    let lab = lab().await.expect("a lab");
    let path = "/apis/apps/v1/namespaces/default/deployments";
    let body = json!({
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
        },
    });
    let (status, made) = write(&lab, "POST", path, &body).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let scale = format!("{path}/web/scale");
    let (_, mut found) = get(&lab, &scale, &[]).await;
    assert_eq!(
        (&found["spec"]["replicas"], &found["status"]["selector"]),
        (&json!(2), &json!("app=web"))
    );
    found["spec"]["replicas"] = 5.into();
    let (status, written) = write(&lab, "PUT", &scale, &found).await;
    assert_eq!(
        (status, &written["spec"]["replicas"]),
        (StatusCode::OK, &json!(5))
    );
    let (_, stale) = write(&lab, "PUT", &scale, &found).await;
    assert_eq!(stale["reason"], "Conflict");
    let (_, web) = get(&lab, &format!("{path}/web"), &[]).await;
    assert_eq!(
        (&web["spec"]["replicas"], &web["metadata"]["generation"]),
        (&json!(5), &json!(2))
    );
}

#[tokio::test]
async fn a_pod_is_bound_once() {
    let lab = lab().await.expect("a lab");
    let pods = "/api/v1/namespaces/default/pods";
    let pod =
        json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let (status, made) = write(&lab, "POST", pods, &pod).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let binding = json!({"target": {"kind": "Node", "name": "node-1"}});
    let (status, _) = write(&lab, "POST", &format!("{pods}/p/binding"), &binding).await;
    assert_eq!(status, StatusCode::CREATED);
    let (_, bound) = get(&lab, &format!("{pods}/p"), &[]).await;
    assert_eq!(bound["spec"]["nodeName"], "node-1");
    assert_eq!(bound["status"]["conditions"][0]["type"], "PodScheduled");
    let (_, again) = write(&lab, "POST", &format!("{pods}/p/binding"), &binding).await;
    expect![[r#"Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "node-1""#]]
        .assert_eq(again["message"].as_str().expect("text"));
}

#[tokio::test]
async fn a_pod_gets_the_token_of_its_account() {
    let lab = lab().await.expect("a lab");
    let pods = "/api/v1/namespaces/default/pods";
    let mut pod =
        json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let (_, made) = write(&lab, "POST", pods, &pod).await;
    let volume = &made["spec"]["volumes"][0];
    let mount = &made["spec"]["containers"][0]["volumeMounts"][0];
    assert_eq!(volume["name"], mount["name"], "{made}");
    assert!(
        volume["name"]
            .as_str()
            .expect("text")
            .starts_with("kube-api-access-")
    );
    assert_eq!(
        volume["projected"]["sources"].as_array().map(Vec::len),
        Some(3)
    );
    assert_eq!(
        mount["mountPath"],
        "/var/run/secrets/kubernetes.io/serviceaccount"
    );

    pod["metadata"]["name"] = "without".into();
    pod["spec"]["automountServiceAccountToken"] = false.into();
    let (_, made) = write(&lab, "POST", pods, &pod).await;
    assert!(made["spec"]["volumes"].is_null(), "{made}");
}
