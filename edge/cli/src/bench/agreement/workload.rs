//! The workloads that both controllers look at, and the load that is put on them.

use crate::bench::hpa::plane::Plane;
use crate::bench::hpa::targets::{merge, put};
use crate::bench::process::Process;
use anyhow::Result;
use kube::Client;
use serde_json::{Value, json};
use std::fmt;
use std::path::Path;
use std::time::Duration;

const NAMESPACE: &str = "agreement";

/// What happens, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Base,
    High,
    Rollout,
    NoMetrics,
    MetricsAgain,
    Restart,
    Low,
}

impl Phase {
    pub(super) const ALL: [Self; 7] = [
        Self::Base,
        Self::High,
        Self::Rollout,
        Self::NoMetrics,
        Self::MetricsAgain,
        Self::Restart,
        Self::Low,
    ];

    pub(super) fn lasts(self) -> Duration {
        Duration::from_secs(match self {
            Self::Base | Self::High | Self::Rollout => 50,
            Self::NoMetrics => 30,
            Self::MetricsAgain | Self::Restart => 45,
            Self::Low => 75,
        })
    }

    /// Load, as a part of the base load.
    fn part(self) -> f64 {
        match self {
            Self::Base => 1.0,
            Self::Low => 0.4,
            _ => 2.4,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Base => "base load",
            Self::High => "load rises",
            Self::Rollout => "a rollout",
            Self::NoMetrics => "metrics-server is gone",
            Self::MetricsAgain => "metrics-server is back",
            Self::Restart => "both controllers restart",
            Self::Low => "load falls",
        })
    }
}

/// A Deployment with an autoscaler; what it has to do is shared by its pods.
#[derive(Debug, Clone)]
pub(super) struct Workload {
    name: &'static str,
    /// Thousandths of a core at base load.
    load: f64,
}

/// Simulated nodes that run the pods.
pub(super) fn nodes(plane: &Plane, folder: &Path) -> Result<Process> {
    let program = vec![std::env::current_exe()?.into_os_string(), "lab".into()];
    let flags = [
        format!("--control-plane={}", plane.kubeconfig.display()),
        "--nodes=0".to_owned(),
        "--simulated-nodes=4".to_owned(),
        "--pods-per-node=0".to_owned(),
    ];
    Process::start(program, &flags, folder.join("lab.log"))
}

/// Makes them all.
pub(super) async fn create(client: &Client) -> Result<Vec<Workload>> {
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    put(client, "/api/v1/namespaces", NAMESPACE, namespace).await?;
    let mut all = Vec::new();
    for (name, replicas, load, spec) in specifications() {
        let deployments = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments");
        put(client, &deployments, name, deployment(name, replicas)).await?;
        let autoscalers =
            format!("/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers");
        put(client, &autoscalers, name, autoscaler(name, spec)).await?;
        all.push(Workload { name, load });
    }
    Ok(all)
}

/// Name, replicas, load, and what of the autoscaler's specification is not the usual.
fn specifications() -> Vec<(&'static str, u32, f64, Value)> {
    let cpu = |kind: &str, field: &str, value: Value| json!([{"type": "Resource", "resource": {"name": "cpu", "target": {"type": kind, field: value}}}]);
    vec![
        ("utilization", 3, 240.0, json!({})),
        (
            "average-value",
            2,
            150.0,
            json!({"metrics": cpu("AverageValue", "averageValue", json!("70m"))}),
        ),
        (
            "container",
            4,
            300.0,
            json!({"metrics": [{"type": "ContainerResource", "containerResource": {
                "name": "cpu", "container": "main", "target": {"type": "Utilization", "averageUtilization": 70},
            }}]}),
        ),
        (
            "slow-down",
            3,
            250.0,
            json!({"behavior": {"scaleDown": {"stabilizationWindowSeconds": 20,
                "policies": [{"type": "Pods", "value": 1, "periodSeconds": 15}]}}}),
        ),
        (
            "slow-up",
            3,
            250.0,
            json!({"behavior": {"scaleUp": {"stabilizationWindowSeconds": 10,
                "policies": [{"type": "Percent", "value": 50, "periodSeconds": 15}]}}}),
        ),
        ("narrow", 3, 260.0, json!({"maxReplicas": 5})),
        (
            "two-metrics",
            3,
            240.0,
            json!({"metrics": [
                {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}},
                {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "120Mi"}}},
            ]}),
        ),
        (
            "tolerant",
            4,
            330.0,
            json!({"behavior": {"scaleUp": {"tolerance": "0.3"}, "scaleDown": {"tolerance": "0.25"}}}),
        ),
    ]
}

fn deployment(name: &str, replicas: u32) -> Value {
    let labels = json!({"app": name});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": {lab_node::simulated::CPU: "50m"}},
                "spec": {
                    "automountServiceAccountToken": false, "terminationGracePeriodSeconds": 0,
                    "containers": [{"name": "main", "image": "simulated",
                        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}],
                },
            },
        },
    })
}

fn autoscaler(name: &str, other: Value) -> Value {
    let mut spec = json!({
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": 2, "maxReplicas": 20,
        "metrics": [{"type": "Resource", "resource": {
            "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60},
        }}],
    });
    for (field, value) in other.as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name}, "spec": spec})
}

impl Workload {
    /// Shares the phase's load among the pods that run.
    pub(super) async fn load(&self, client: &Client, phase: Phase) -> Result<()> {
        let path = format!(
            "/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=app%3D{}",
            self.name
        );
        let list: Value = client
            .request(http::Request::get(path).body(Vec::new())?)
            .await?;
        let running = list["items"].as_array().into_iter().flatten();
        let running: Vec<&Value> = running
            .filter(|pod| {
                pod["status"]["phase"] == "Running"
                    && pod["metadata"]["deletionTimestamp"].is_null()
            })
            .collect();
        let count = u32::try_from(running.len().max(1)).unwrap_or(u32::MAX);
        let each = format!("{:.0}m", self.load * phase.part() / f64::from(count));
        let patch = json!({"metadata": {"annotations": {lab_node::simulated::CPU: each}}});
        for pod in running {
            let metadata = &pod["metadata"];
            if metadata["annotations"][lab_node::simulated::CPU] == each.as_str() {
                continue;
            }
            let name = metadata["name"].as_str().unwrap_or_default();
            let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/{name}");
            // Pods come and go.
            drop(merge(client, &path, &patch).await);
        }
        Ok(())
    }

    /// Replaces all pods by new ones.
    pub(super) async fn roll_out(&self, client: &Client) -> Result<()> {
        let path = format!(
            "/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{}",
            self.name
        );
        let again = json!({"kubectl.kubernetes.io/restartedAt": runtime::clock::now().to_string()});
        let patch = json!({"spec": {"template": {"metadata": {"annotations": again}}}});
        merge(client, &path, &patch).await
    }
}
