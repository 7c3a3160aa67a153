//! Pods from their creation to their end, as the API tells them.

use crate::kubelet::cluster::Cluster;
use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Event, Pod, Secret, Service};
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const DEADLINE: Duration = Duration::from_secs(30);

fn pod(name: &str, spec: Value) -> Pod {
    let mut spec = spec;
    spec["nodeName"] = "node-1".into();
    if spec["terminationGracePeriodSeconds"].is_null() {
        spec["terminationGracePeriodSeconds"] = 1.into();
    }
    serde_json::from_value(json!({"metadata": {"name": name}, "spec": spec})).unwrap()
}

/// A container that runs a script.
fn script(name: &str, script: &str) -> Value {
    json!({"name": name, "image": "busybox", "command": ["sh", "-c", script]})
}

fn with(mut container: Value, more: Value) -> Value {
    container
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    container
}

struct Pods {
    cluster: Cluster,
    api: Api<Pod>,
}

impl Pods {
    async fn start(block: u8) -> Self {
        let cluster = Cluster::start(block).await;
        let api = Api::default_namespaced(cluster.client());
        Self { cluster, api }
    }

    async fn create(&self, name: &str, spec: Value) {
        self.api
            .create(&PostParams::default(), &pod(name, spec))
            .await
            .unwrap();
    }

    async fn until(&self, name: &str, what: &str, holds: impl Fn(&Pod) -> bool) -> Pod {
        let end = Instant::now() + DEADLINE;
        loop {
            let pod = self.api.get(name).await.unwrap();
            if holds(&pod) {
                return pod;
            }
            assert!(
                Instant::now() < end,
                "{name} is not {what}: {:?}",
                pod.status
            );
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn until_gone(&self, name: &str) {
        let end = Instant::now() + DEADLINE;
        while self.api.get_opt(name).await.unwrap().is_some() {
            assert!(Instant::now() < end, "{name} does not go");
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn reasons(&self, name: &str) -> Vec<String> {
        let events: Api<Event> = Api::default_namespaced(self.cluster.client());
        let of = ListParams::default().fields(&format!("involvedObject.name={name}"));
        let list = events.list(&of).await.unwrap();
        list.items.into_iter().filter_map(|e| e.reason).collect()
    }
}

fn first(pod: &Pod) -> Option<&ContainerStatus> {
    pod.status.as_ref()?.container_statuses.as_ref()?.first()
}

fn state(pod: &Pod) -> ContainerState {
    first(pod).and_then(|s| s.state.clone()).unwrap_or_default()
}

fn waiting(pod: &Pod) -> String {
    state(pod)
        .waiting
        .and_then(|w| w.reason)
        .unwrap_or_default()
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod
        .status
        .iter()
        .flat_map(|s| s.conditions.iter().flatten());
    conditions
        .into_iter()
        .any(|c| c.type_ == "Ready" && c.status == "True")
}

fn phase(pod: &Pod) -> &str {
    pod.status
        .as_ref()
        .and_then(|s| s.phase.as_deref())
        .unwrap_or_default()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// A volume of the host, to see what a pod did.
fn seen(directory: &Path) -> (Value, Value) {
    let volume = json!([{"name": "seen", "hostPath": {"path": directory}}]);
    let mount = json!({"volumeMounts": [{"name": "seen", "mountPath": directory}]});
    (volume, mount)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_becomes_ready_and_its_deletion_ends_it_in_order() {
    let pods = Pods::start(100).await;
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().display();
    let (volumes, mount) = seen(directory.path());
    let text = format!(
        "trap 'echo asked >> {place}/order; exit 0' TERM; sleep 300 & echo $! > {place}/child; \
         touch /tmp/ready; while :; do sleep 0.05; done"
    );
    let container = with(script("app", &text), mount);
    let container = with(
        container,
        json!({
            "readinessProbe": {"exec": {"command": ["test", "-e", "/tmp/ready"]}, "periodSeconds": 1},
            "lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", format!("echo hook >> {place}/order")]}}},
        }),
    );
    let spec =
        json!({"containers": [container], "volumes": volumes, "terminationGracePeriodSeconds": 20});
    pods.create("app", spec).await;
    let ready = pods.until("app", "ready", is_ready).await;
    let status = ready.status.unwrap();
    assert_eq!(status.phase.as_deref(), Some("Running"));
    assert_eq!(status.host_ip.as_deref(), Some("127.100.0.11"));
    assert_eq!(status.pod_ip.as_deref(), Some("127.100.128.2"));
    let child = read(&directory.path().join("child"));
    assert!(Path::new("/proc").join(child.trim()).exists());

    pods.api
        .delete("app", &DeleteParams::default())
        .await
        .unwrap();
    pods.until_gone("app").await;
    assert_eq!(read(&directory.path().join("order")), "hook\nasked\n");
    assert!(
        !Path::new("/proc").join(child.trim()).exists(),
        "its child was left"
    );
    let reasons = pods.reasons("app").await;
    for reason in ["Pulled", "Created", "Started", "Killing"] {
        assert!(
            reasons.iter().any(|r| r == reason),
            "{reason} in {reasons:?}"
        );
    }
    pods.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn init_containers_sidecars_and_volumes_come_in_order_and_a_finished_pod_ends_its_sidecars() {
    let pods = Pods::start(101).await;
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().display();
    let (volumes, mount) = seen(directory.path());
    let say = |name: &str, text: &str| {
        with(
            script(name, &format!("echo {name} >> {place}/order; {text}")),
            mount.clone(),
        )
    };
    let sidecar = with(
        say(
            "side",
            "trap 'echo bye >> $0/order; exit 0' TERM; while :; do sleep 0.05; done",
        ),
        json!({"restartPolicy": "Always"}),
    );
    let sidecar = with(sidecar, json!({"args": [place.to_string()]}));
    let spec = json!({
        "initContainers": [say("one", ":"), sidecar, say("two", ":")],
        "containers": [say("app", ":")],
        "restartPolicy": "Never", "volumes": volumes,
    });
    pods.create("app", spec).await;
    let done = pods
        .until("app", "done", |pod| phase(pod) == "Succeeded")
        .await;
    assert_eq!(
        read(&directory.path().join("order")),
        "one\nside\ntwo\napp\nbye\n"
    );
    assert_eq!(
        state(&done).terminated.unwrap().reason.as_deref(),
        Some("Completed")
    );
    pods.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_container_is_started_again_then_backs_off() {
    let pods = Pods::start(102).await;
    pods.create(
        "app",
        json!({"containers": [script("app", "echo hi; exit 3")]}),
    )
    .await;
    let pod = pods
        .until("app", "backing off", |pod| {
            waiting(pod) == "CrashLoopBackOff"
        })
        .await;
    let status = first(&pod).unwrap();
    assert_eq!(status.restart_count, 1);
    let last = status.last_state.clone().unwrap().terminated.unwrap();
    assert_eq!((last.exit_code, last.reason.as_deref()), (3, Some("Error")));
    let uid = pod.metadata.uid.as_deref().unwrap();
    let said = format!("back-off 10s restarting failed container=app pod=app_default({uid})");
    assert_eq!(
        status.state.clone().unwrap().waiting.unwrap().message,
        Some(said)
    );
    pods.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_start_says_why() {
    let pods = Pods::start(103).await;
    let missing =
        json!([{"name": "A", "valueFrom": {"secretKeyRef": {"name": "none", "key": "k"}}}]);
    for (name, container, expected) in [
        (
            "image",
            json!({"name": "c", "image": "nginx:1"}),
            "ImagePullBackOff",
        ),
        (
            "env",
            with(script("c", ":"), json!({"env": missing})),
            "CreateContainerConfigError",
        ),
        (
            "command",
            json!({"name": "c", "image": "busybox", "command": ["/none"]}),
            "CrashLoopBackOff",
        ),
    ] {
        pods.create(name, json!({"containers": [container]})).await;
        pods.until(name, expected, |pod| waiting(pod) == expected)
            .await;
    }
    let image = pods.api.get("image").await.unwrap();
    let message = state(&image).waiting.unwrap().message.unwrap();
    assert!(message.contains("images.yaml"), "{message}");
    let command = pods.api.get("command").await.unwrap();
    let last = first(&command)
        .unwrap()
        .last_state
        .clone()
        .unwrap()
        .terminated
        .unwrap();
    assert_eq!(
        (last.exit_code, last.reason.as_deref()),
        (128, Some("StartError"))
    );
    assert!(
        last.message
            .unwrap()
            .ends_with(r#"exec: "/none": stat /none: no such file or directory"#)
    );
    pods.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_comes_late_is_found() {
    let pods = Pods::start(109).await;
    let env = json!([{"name": "A", "valueFrom": {"secretKeyRef": {"name": "late", "key": "k"}}}]);
    let container = with(script("app", "sleep 60"), json!({"env": env}));
    pods.create("app", json!({"containers": [container]})).await;
    pods.until("app", "waiting", |pod| {
        waiting(pod) == "CreateContainerConfigError"
    })
    .await;
    let secrets: Api<Secret> = Api::default_namespaced(pods.cluster.client());
    let late: Secret =
        serde_json::from_value(json!({"metadata": {"name": "late"}, "stringData": {"k": "v"}}))
            .unwrap();
    secrets.create(&PostParams::default(), &late).await.unwrap();
    pods.until("app", "running", |pod| phase(pod) == "Running")
        .await;
    // The wait was told once, however often the Secret was looked for.
    let reasons = pods.reasons("app").await;
    let failed = reasons.iter().filter(|reason| *reason == "Failed").count();
    assert_eq!(failed, 1, "{reasons:?}");
    pods.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_decide_who_is_started_ready_and_alive() {
    let pods = Pods::start(104).await;
    let probe = |file: &str| json!({"exec": {"command": ["test", "-e", file]}, "periodSeconds": 1, "failureThreshold": 1});
    let text = "touch /tmp/alive; sleep 1; touch /tmp/started; sleep 1; touch /tmp/ready; sleep 2; rm /tmp/alive; sleep 60";
    let container = with(
        script("app", text),
        json!({
            "startupProbe": {"exec": {"command": ["test", "-e", "/tmp/started"]}, "periodSeconds": 1, "failureThreshold": 30},
            "readinessProbe": probe("/tmp/ready"),
            "livenessProbe": probe("/tmp/alive"),
        }),
    );
    pods.create("app", json!({"containers": [container]})).await;
    pods.until("app", "running", |pod| state(pod).running.is_some())
        .await;
    let started = |pod: &Pod| first(pod).is_some_and(|s| s.started == Some(true));
    let pod = pods.until("app", "started", started).await;
    assert!(
        !is_ready(&pod),
        "a started container is not ready before its probe says so"
    );
    pods.until("app", "ready", is_ready).await;
    let again = |pod: &Pod| first(pod).is_some_and(|s| s.restart_count == 1);
    pods.until("app", "started again", again).await;
    pods.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_past_its_deadline_fails() {
    let pods = Pods::start(105).await;
    let spec = json!({"containers": [script("app", "sleep 60")], "activeDeadlineSeconds": 1});
    pods.create("app", spec).await;
    let pod = pods
        .until("app", "failed", |pod| phase(pod) == "Failed")
        .await;
    assert_eq!(
        pod.status.unwrap().reason.as_deref(),
        Some("DeadlineExceeded")
    );
    pods.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_services_name_resolves_in_pods_that_were_there_before_it() {
    let pods = Pods::start(106).await;
    let text =
        "until getent hosts web.default.svc.cluster.local && getent hosts web; do sleep 0.1; done";
    let spec = json!({"containers": [script("app", text)], "restartPolicy": "Never"});
    pods.create("app", spec).await;
    pods.until("app", "running", |pod| phase(pod) == "Running")
        .await;
    let service = json!({"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 8080}]}});
    let services: Api<Service> = Api::default_namespaced(pods.cluster.client());
    let service: Service = serde_json::from_value(service).unwrap();
    services
        .create(&PostParams::default(), &service)
        .await
        .unwrap();
    pods.until("app", "done", |pod| phase(pod) == "Succeeded")
        .await;
    pods.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_gets_its_service_account_and_its_limits() {
    let pods = Pods::start(107).await;
    // Each check has its own exit code.
    let text = "cd \"$EVENKEEL_SERVICE_ACCOUNT_DIR\" || exit 10; test -s token || exit 11; \
         test -s ca.crt || exit 12; test \"$(cat namespace)\" = default || exit 13; \
         test \"$EVENKEEL_POD_IP\" = 127.107.128.2 || exit 14; \
         test -n \"$KUBERNETES_SERVICE_HOST\" || exit 15; test \"$CORES\" = 2 || exit 16; \
         a=x; while test ${#a} -lt 200000000; do a=$a$a; done";
    let container = with(
        script("app", text),
        json!({
            "env": [{"name": "CORES", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}],
            "resources": {"limits": {"cpu": "1500m", "memory": "64Mi"}},
        }),
    );
    pods.create(
        "app",
        json!({"containers": [container], "restartPolicy": "Never"}),
    )
    .await;
    let done = |pod: &Pod| matches!(phase(pod), "Succeeded" | "Failed");
    let pod = pods.until("app", "done", done).await;
    let end = state(&pod).terminated.unwrap();
    let limited = rustix::process::geteuid().is_root() && Path::new("/sys/fs/cgroup").exists();
    let expected = if limited { "OOMKilled" } else { "Completed" };
    assert_eq!(end.reason.as_deref(), Some(expected), "{end:?}");
    pods.cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_image_replaces_the_container() {
    let pods = Pods::start(108).await;
    let spec = json!({"containers": [script("app", "sleep 60")]});
    pods.create("app", spec).await;
    pods.until("app", "running", |pod| phase(pod) == "Running")
        .await;
    let change = json!({"spec": {"containers": [{"name": "app", "image": "alpine:3"}]}});
    let parameters = PatchParams::default();
    pods.api
        .patch("app", &parameters, &Patch::Strategic(change))
        .await
        .unwrap();
    let replaced = |pod: &Pod| {
        state(pod).running.is_some()
            && first(pod).is_some_and(|s| s.restart_count == 1 && s.image == "alpine:3")
    };
    pods.until("app", "replaced", replaced).await;
    pods.cluster.stop().await;
}
