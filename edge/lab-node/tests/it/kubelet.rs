//! A node's HTTPS server, asked over the wire as others ask it.

pub(crate) mod cluster;
mod wire;

use cluster::Cluster;
use futures::{SinkExt, StreamExt};
use http::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

const DEADLINE: Duration = Duration::from_secs(20);

fn pod(name: &str, script: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {
            "nodeName": "node-1",
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "containers": [{
                "name": "main", "image": "busybox", "command": ["sh", "-c", script],
                "stdin": true, "stdinOnce": true,
            }],
        },
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_let_in_unknown_and_everyone_only_as_far_as_rbac_says() {
    let cluster = Cluster::start(121).await;
    let (status, body) = cluster.nobody().get("/healthz").await;
    assert_eq!((status.as_u16(), body.as_str()), (401, "Unauthorized"));

    let (status, body) = cluster.user("jane").get("/pods").await;
    let why = "Forbidden (user=jane, verb=get, resource=nodes, subresource(s)=[pods proxy])\n";
    assert_eq!((status.as_u16(), body.as_str()), (403, why));

    cluster.allow("joe", &["nodes/pods", "nodes/metrics"]).await;
    let joe = cluster.user("joe");
    for (path, expected) in [
        ("/pods", 200),
        ("/metrics/resource", 200),
        ("/stats/summary", 403),
        ("/healthz", 403),
        ("/containerLogs/default/web/main", 403),
    ] {
        assert_eq!(joe.get(path).await.0.as_u16(), expected, "{path}");
    }

    cluster.allow("ann", &["nodes/proxy"]).await;
    let ann = cluster.user("ann");
    for (path, expected) in [
        ("/pods", 200),
        ("/healthz", 200),
        ("/metrics/resource", 403),
    ] {
        assert_eq!(ann.get(path).await.0.as_u16(), expected, "{path}");
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pods_figures_and_logs_are_there_for_whom_they_concern() {
    let cluster = Cluster::start(122).await;
    cluster
        .run(&pod("web", "echo one; echo two; exec sleep 1000"))
        .await;
    let admin = cluster.admin();

    let (_, text) = admin.get("/metrics/resource").await;
    let labels = r#"{container="main",namespace="default",pod="web"}"#;
    for name in [
        "cpu_usage_seconds_total",
        "memory_working_set_bytes",
        "start_time_seconds",
    ] {
        assert!(
            text.contains(&format!("\ncontainer_{name}{labels} ")),
            "{name} in {text}"
        );
    }
    let (_, text) = admin.get("/stats/summary").await;
    let summary: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(summary["node"]["nodeName"], "node-1");
    assert_eq!(summary["pods"][0]["podRef"]["name"], "web");
    assert!(summary["pods"][0]["memory"]["workingSetBytes"].as_u64() > Some(0));
    let (_, text) = admin.get("/pods").await;
    let pods: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&pods["kind"], &pods["items"][0]["metadata"]["name"]),
        (&json!("PodList"), &json!("web"))
    );

    let log = "/containerLogs/default/web/main";
    admin.until(log, |text| text == "one\ntwo\n").await;
    assert_eq!(admin.get(&format!("{log}?tailLines=1")).await.1, "two\n");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_refused_in_the_kubelets_words() {
    let cluster = Cluster::start(120).await;
    cluster.run(&pod("web", "exec sleep 1000")).await;
    let admin = cluster.admin();
    for (path, code, why) in [
        (
            "/containerLogs/default/nope/main",
            404,
            r#"pod "nope" does not exist"#,
        ),
        (
            "/containerLogs/default/web/nope",
            404,
            r#"container "nope" not found in pod "web""#,
        ),
        (
            "/containerLogs/default/web/main?previous=true",
            400,
            r#"previous terminated container "main" in pod "web" not found"#,
        ),
        (
            "/containerLogs/default/web/main?tailLines=x",
            422,
            r#"Invalid request: tailLines must be a number, not "x""#,
        ),
        ("/exec/default/nope/main", 404, "pod does not exist"),
        (
            "/exec/default/web/nope",
            500,
            r#"container not found ("nope")"#,
        ),
        (
            "/exec/default/web/main?command=true&output=1",
            400,
            "Upgrade request required",
        ),
        ("/nothing", 404, "404: Page Not Found"),
    ] {
        let (status, body) = admin.get(path).await;
        assert_eq!((status.as_u16(), body.as_str()), (code, why), "{path}");
    }
    assert_eq!(
        admin.send("POST", "/pods").await.0,
        StatusCode::METHOD_NOT_ALLOWED
    );
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commands_streams_and_exit_code_reach_the_client_however_slow_it_is() {
    let cluster = Cluster::start(123).await;
    cluster.run(&pod("web", "exec sleep 1000")).await;
    let admin = cluster.admin();

    let path = "/exec/default/web/main?command=sh&command=-c&command=cat%3B+echo+bad+%3E%262%3B+exit+3\
                &input=1&output=1&error=1";
    let mut socket = admin.websocket(path).await;
    socket
        .send(Message::binary(b"\x00ping".to_vec()))
        .await
        .unwrap();
    // The end of standard input.
    socket.send(Message::binary(vec![255, 0])).await.unwrap();
    let heard = hear(socket, Duration::ZERO).await;
    assert_eq!(
        (text(&heard, 1), text(&heard, 2)),
        ("ping".to_owned(), "bad\n".to_owned())
    );
    let status: Value = serde_json::from_str(&text(&heard, 3)).unwrap();
    assert_eq!(status["reason"], "NonZeroExitCode");
    assert_eq!(status["details"]["causes"][0]["message"], "3");

    let size = 4_000_000;
    let path = format!(
        "/exec/default/web/main?command=head&command=-c&command={size}&command=/dev/zero&output=1"
    );
    let socket = admin.websocket(&path).await;
    let heard = hear(socket, Duration::from_secs(1)).await;
    assert_eq!(
        heard[1].len(),
        size,
        "what the command has left behind is not cut off"
    );

    let socket = admin
        .websocket("/exec/default/web/main?command=no-such-program&output=1")
        .await;
    let heard = hear(socket, Duration::ZERO).await;
    let status: Value = serde_json::from_str(&text(&heard, 3)).unwrap();
    assert!(
        status["message"]
            .as_str()
            .unwrap()
            .contains("unable to start container process"),
        "{status}"
    );
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_attaches_has_the_containers_own_streams() {
    let cluster = Cluster::start(124).await;
    cluster.run(&pod("echo", "exec cat")).await;
    let mut socket = cluster
        .admin()
        .websocket("/attach/default/echo/main?input=1&output=1&error=1")
        .await;
    socket
        .send(Message::binary(b"\x00over here\n".to_vec()))
        .await
        .unwrap();
    socket.send(Message::binary(vec![255, 0])).await.unwrap();
    // With stdinOnce the program has had its input, and ends.
    let heard = hear(socket, Duration::ZERO).await;
    assert_eq!(text(&heard, 1), "over here\n");
    assert_eq!(
        serde_json::from_str::<Value>(&text(&heard, 3)).unwrap()["status"],
        "Success"
    );
    cluster.until_phase("echo", "Succeeded").await;
    cluster.stop().await;
}

/// All that comes on channels 0 to 3, by a client that begins to listen only after a while.
async fn hear(mut socket: wire::Socket, late: Duration) -> [Vec<u8>; 4] {
    tokio::time::sleep(late).await;
    let mut heard = <[Vec<u8>; 4]>::default();
    let listening = async {
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Binary(bytes) = message
                && let Some((channel @ 0..4, rest)) = bytes.split_first()
            {
                heard[usize::from(*channel)].extend_from_slice(rest);
            }
        }
    };
    timeout(DEADLINE, listening)
        .await
        .expect("the connection ends");
    heard
}

fn text(heard: &[Vec<u8>; 4], channel: usize) -> String {
    String::from_utf8(heard[channel].clone()).unwrap()
}
