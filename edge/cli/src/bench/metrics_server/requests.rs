//! Lists of pods' metrics: what each costs the server.

use crate::args::BenchMetricsServerArgs;
use crate::bench::process::{Process, Used};
use anyhow::{Context, Result, ensure};
use http_body_util::BodyExt;
use kube::{Client, Config};
use std::time::Duration;
use tokio::time::Instant;

/// One request.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    path: String,
    /// How many pods the answer must have.
    pods: usize,
    /// How often it is asked for.
    times: usize,
    /// Whether each time with a connection of its own, its TLS session included.
    connect: bool,
}

/// What a request costs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Seconds of the server's CPU.
    pub(super) cpu: f64,
    /// Seconds until all was read.
    pub(super) median: f64,
    pub(super) bytes: usize,
}

impl Wanted {
    fn total(args: &BenchMetricsServerArgs) -> usize {
        usize::from(args.nodes) * usize::from(args.pods_per_node)
    }

    /// All pods.
    pub(super) fn all(args: &BenchMetricsServerArgs) -> Self {
        Self {
            path: "/apis/metrics.k8s.io/v1beta1/pods".to_owned(),
            pods: Self::total(args),
            times: 20,
            connect: false,
        }
    }

    /// The pods of the first namespace.
    pub(super) fn namespace(args: &BenchMetricsServerArgs) -> Self {
        Self {
            path: "/apis/metrics.k8s.io/v1beta1/namespaces/simulated-1/pods".to_owned(),
            pods: Self::total(args).min(300),
            times: 100,
            connect: false,
        }
    }

    /// The pods of the first app, as the HPA controller asks for them.
    pub(super) fn app(args: &BenchMetricsServerArgs) -> Self {
        let path =
            "/apis/metrics.k8s.io/v1beta1/namespaces/simulated-1/pods?labelSelector=app%3Dapp-1";
        Self {
            path: path.to_owned(),
            pods: Self::total(args).min(15),
            times: 100,
            connect: true,
        }
    }
}

/// Whether the answer has as many pods as it should.
pub(super) async fn ready(client: &Client, wanted: &Wanted) -> bool {
    get(client, &wanted.path)
        .await
        .is_ok_and(|body| pods(&body) == wanted.pods)
}

/// Asks again and again; what the server does anyway, `idle` seconds of CPU a second, is taken off.
pub(super) async fn measure(
    config: &Config,
    wanted: Wanted,
    server: &Process,
    idle: f64,
) -> Result<Cost> {
    let kept = Client::try_from(config.clone())?;
    let body = get(&kept, &wanted.path).await?;
    let found = pods(&body);
    ensure!(
        found == wanted.pods,
        "{} has {found} pods, not {}",
        wanted.path,
        wanted.pods
    );
    let (mut took, mut idled) = (Vec::new(), Duration::ZERO);
    let (begun, before) = (Instant::now(), server.used()?);
    for _ in 0..wanted.times {
        let client = if wanted.connect {
            Client::try_from(config.clone())?
        } else {
            kept.clone()
        };
        let asked = Instant::now();
        get(&client, &wanted.path).await?;
        took.push(asked.elapsed());
    }
    idled += begun.elapsed();
    let after = server.used()?;
    took.sort_unstable();
    let median = took.get(took.len() / 2).copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a hundred")]
    let times = wanted.times as f64;
    let cpu = Used::between(before, after) - idle * idled.as_secs_f64();
    Ok(Cost {
        cpu: cpu.max(0.0) / times,
        median: median.as_secs_f64(),
        bytes: body.len(),
    })
}

/// A pod's metrics have one `window`, whatever else they say.
fn pods(body: &[u8]) -> usize {
    let needle = b"\"window\":";
    body.windows(needle.len())
        .filter(|part| part == needle)
        .count()
}

async fn get(client: &Client, path: &str) -> Result<Vec<u8>> {
    let request = http::Request::get(path)
        .header("accept", "application/json")
        .body(kube::client::Body::empty())?;
    let answer = tokio::time::timeout(TIMEOUT, async {
        let response = client.send(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "{path}: {status}");
        Ok(body.to_vec())
    });
    answer.await.context("the server did not answer in time")?
}
