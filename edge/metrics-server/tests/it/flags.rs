//! Flags, through the whole server: what they change in what kubelets are asked, and in what is served.

mod stage;

use serde_json::Value;
use stage::{Heard, Kubelet, Running, node, text};

const NODES: &str = "/apis/metrics.k8s.io/v1beta1/nodes";
const POD: &str = "/apis/metrics.k8s.io/v1beta1/namespaces/flags/pods/web";
/// Without it the second scrape comes after the whole resolution.
const UNHURRIED: &str = "--quick-start=false";

/// A kubelet that is always well.
async fn kubelet(address: &str) -> Kubelet {
    Kubelet::start(address, 0, |_| Some(text(100.0, &[("app", 100.0)]))).await
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| item["metadata"]["name"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_nodes_with_the_labels_are_scraped_and_served() {
    let (near, far) = (kubelet("127.0.0.1").await, kubelet("127.0.0.1").await);
    let labelled = |name: &str, port, zone: &str| {
        let mut node = node(name, &[("InternalIP", "127.0.0.1")], port);
        node["metadata"]["labels"] = serde_json::json!({"zone": zone});
        node
    };
    let nodes = vec![
        labelled("near", near.port, "a"),
        labelled("far", far.port, "b"),
    ];
    let running = Running::start(nodes, &["--node-selector=zone=a"]).await;
    running.until(&format!("{NODES}/near"), 200).await;
    assert_eq!(names(&running.get(NODES).await.1), ["near"]);
    assert_eq!(running.get(&format!("{NODES}/far")).await.0, 404);
    assert_eq!(far.heard(), []);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_wanted_kind_of_address_that_a_node_has_is_asked() {
    let one = kubelet("127.0.0.1").await;
    let answer = |_| Some(text(100.0, &[]));
    let two = Kubelet::start("127.0.0.2", one.port, answer).await;
    let addresses = [("Hostname", "127.0.0.2"), ("InternalIP", "127.0.0.1")];
    let cases = [
        ("InternalIP,Hostname", &one, &two),
        ("ExternalIP,Hostname,InternalIP", &two, &one),
    ];
    for (kinds, asked, other) in cases {
        let (before, nodes) = (other.heard().len(), vec![node("n", &addresses, one.port)]);
        let kinds = format!("--kubelet-preferred-address-types={kinds}");
        let running = Running::start(nodes, &[&kinds]).await;
        running.until(&format!("{NODES}/n"), 200).await;
        assert!(asked.heard().len() >= 2, "{kinds}");
        assert_eq!(other.heard().len(), before, "{kinds}");
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_port_is_the_flags_or_the_nodes_and_the_path_may_be_the_nodes() {
    let (flag, status) = (kubelet("127.0.0.1").await, kubelet("127.0.0.1").await);
    let port = format!("--kubelet-port={}", flag.port);
    for (of_status, asked) in [("false", &flag), ("true", &status)] {
        let mut node = node("n", &[("InternalIP", "127.0.0.1")], status.port);
        let path = format!("/of/{of_status}");
        let annotation = "metrics.k8s.io/resource-metrics-path";
        node["metadata"]["annotations"] = serde_json::json!({annotation: path});
        let by = format!("--kubelet-use-node-status-port={of_status}");
        let running = Running::start(vec![node], &[&port, &by]).await;
        running.until(&format!("{NODES}/n"), 200).await;
        let heard = asked.heard();
        let as_said = heard.len() >= 2 && heard.iter().all(|heard| heard.path == path);
        assert!(as_said, "{heard:?}");
        // The API is asked, and it is said who that is.
        let host = "rest_client_requests_total{code=\"200\",host=\"127.0.0.1:";
        running.metric(host).await;
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubelets_are_shown_the_given_certificate_and_else_the_token() {
    let kubelet = kubelet("127.0.0.1").await;
    let nodes = || vec![node("n", &[("InternalIP", "127.0.0.1")], kubelet.port)];
    let files = tempfile::tempdir().unwrap();
    let names = vec!["client".to_owned()];
    let client = runtime::certs::Identity::load_or_create(files.path(), "client", names).unwrap();
    let file = |what: &str, end: &str| {
        let file = files.path().join(format!("client.{end}"));
        format!("--kubelet-client-{what}={}", file.display())
    };
    let running =
        Running::start(nodes(), &[&file("certificate", "crt"), &file("key", "key")]).await;
    running.until(&format!("{NODES}/n"), 200).await;
    running.stop().await;
    let shown = |heard: &Heard| heard.certificates == client.chain;
    let before = kubelet.heard();
    assert!(before.len() >= 2 && before.iter().all(shown));

    let running = Running::start(nodes(), &[]).await;
    running.until(&format!("{NODES}/n"), 200).await;
    running.stop().await;
    let after = &kubelet.heard()[before.len()..];
    let told = |heard: &Heard| heard.certificates.is_empty() && heard.token == "Bearer ours";
    assert!(after.len() >= 2 && after.iter().all(told), "{after:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_misses_a_scrape_keeps_its_points_unless_it_must_not() {
    for (flags, code) in [(&[][..], 200), (&["--keep-missed-scrapes=0"], 404)] {
        let twice = |turn| (turn < 2).then(|| text(100.0, &[("app", 100.0)]));
        let kubelet = Kubelet::start("127.0.0.1", 0, twice).await;
        let nodes = vec![node("n", &[("InternalIP", "127.0.0.1")], kubelet.port)];
        let running = Running::start(nodes, flags).await;
        running.until(POD, 200).await;
        running
            .metric("metrics_server_kubelet_request_total{success=\"false\"} 1")
            .await;
        // The scrape that failed has ended.
        running
            .metric("metrics_server_manager_tick_duration_seconds_count 3")
            .await;
        for path in [POD, &format!("{NODES}/n")] {
            assert_eq!(running.get(path).await.0, code, "{path} {flags:?}");
        }
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_scrapes_hurry_unless_they_must_not() {
    for (flags, hurried) in [(&[][..], true), (&[UNHURRIED], false)] {
        let kubelet = kubelet("127.0.0.1").await;
        let nodes = vec![node("n", &[("InternalIP", "127.0.0.1")], kubelet.port)];
        let running = Running::start(nodes, flags).await;
        let node = running.until(&format!("{NODES}/n"), 200).await;
        // The figures say themselves how far apart the scrapes were: three seconds, or ten.
        let window = node["window"].as_str().unwrap();
        let seconds: f64 = window.trim_end_matches('s').parse().unwrap();
        assert_eq!(seconds < 6.0, hurried, "{window} {flags:?}");
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_with_a_counter_that_went_back_is_not_served_unless_it_must_be() {
    // Less each time, and no restart to explain it.
    let back = |turn| {
        let less = 100.0 - f64::from(u32::try_from(turn).unwrap());
        Some(text(100.0, &[("app", 100.0), ("back", less)]))
    };
    for (flags, code) in [(&[][..], 404), (&["--serve-partial-pods"], 200)] {
        let kubelet = Kubelet::start("127.0.0.1", 0, back).await;
        let nodes = vec![node("n", &[("InternalIP", "127.0.0.1")], kubelet.port)];
        let running = Running::start(nodes, flags).await;
        running.until(&format!("{NODES}/n"), 200).await;
        running
            .metric("evenkeel_metrics_server_dropped_total{reason=\"decrease\"}")
            .await;
        let (found, pod) = running.get(POD).await;
        assert_eq!(found, code, "{pod}");
        if code == 200 {
            let containers = pod["containers"].as_array().unwrap();
            let names = containers.iter().map(|container| &container["name"]);
            assert_eq!(names.collect::<Vec<_>>(), ["app"]);
        }
        running.stop().await;
    }
}
