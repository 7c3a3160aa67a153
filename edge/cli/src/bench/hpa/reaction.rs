//! From a step in usage to the scale that is written: a hundred autoscalers or so, steps at scattered moments.

use super::plane::Plane;
use super::sides;
use super::targets::{self, merge, name, namespace};
use crate::args::BenchHpaArgs;
use crate::bench::metrics_server::say;
use anyhow::{Context, Result};
use futures::{AsyncBufReadExt, StreamExt, TryStreamExt, stream};
use kube::Client;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// What each pod uses before and after its step; it requests 100m, and 60 % are wanted.
const BEFORE: &str = "50m";
const AFTER: &str = "200m";
/// Over how long the steps are scattered.
const SCATTER: Duration = Duration::from_secs(60);
/// How long a reaction is waited for.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long usage before the step is left to become usual.
const SETTLE: Duration = Duration::from_secs(45);
/// Patches under way at once.
const CONCURRENT: usize = 16;

/// When each app's usage stepped, or its scale was written.
type Moments = Arc<Mutex<HashMap<String, Instant>>>;

/// Measures each side in turn.
pub(super) async fn measure(
    plane: &Plane,
    client: &Client,
    args: &BenchHpaArgs,
    folder: &Path,
) -> Result<()> {
    for side in super::chosen(args.of) {
        let all = 1..=args.hpas;
        use_cpu(client, all.clone(), args.pods, BEFORE).await?;
        targets::create(client, args).await?;
        let mut running = sides::start(plane, client, side, args, folder).await?;
        sides::decided(client, args.hpas, &mut running).await?;
        sleep(SETTLE).await;
        let written = Moments::default();
        let watching = tokio::spawn(watch(client.clone(), args.pods, Arc::clone(&written)));
        let stepped = steps(client, args).await?;
        let deadline = Instant::now() + PATIENCE;
        while lock(&written).len() < args.hpas as usize && Instant::now() < deadline {
            sleep(Duration::from_millis(200)).await;
        }
        watching.abort();
        running.end().await?;
        print(side, &stepped, &lock(&written));
    }
    Ok(())
}

fn lock(moments: &Moments) -> std::sync::MutexGuard<'_, HashMap<String, Instant>> {
    moments.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Each app's pods use more from a moment of their own.
async fn steps(client: &Client, args: &BenchHpaArgs) -> Result<HashMap<String, Instant>> {
    let begun = Instant::now();
    stream::iter(1..=args.hpas)
        .map(|app| async move {
            sleep_until(begun + moment(app)).await;
            let at = Instant::now();
            use_cpu(client, app..=app, args.pods, AFTER).await?;
            Ok((name(app), at))
        })
        .buffer_unordered(args.hpas as usize)
        .try_collect()
        .await
}

/// Scattered, and the same for every run: multiples of the golden ratio.
fn moment(app: u32) -> Duration {
    SCATTER.mul_f64((f64::from(app) * 0.618_033_988_749_895).fract())
}

/// Says what all pods of these apps use from now on.
async fn use_cpu(
    client: &Client,
    apps: std::ops::RangeInclusive<u32>,
    pods: u32,
    amount: &str,
) -> Result<()> {
    let all = apps.flat_map(|app| (1..=pods).map(move |pod| (app, pod)));
    let patch = json!({"metadata": {"annotations": {lab_node::simulated::CPU: amount}}});
    stream::iter(all)
        .map(|(app, pod)| {
            let (namespace, name, patch) = (namespace(app), name(app), &patch);
            async move {
                let path = format!("/api/v1/namespaces/{namespace}/pods/{name}-{pod}");
                merge(client, &path, patch).await
            }
        })
        .buffer_unordered(CONCURRENT)
        .try_collect()
        .await
}

/// Notes when each Deployment first wants more replicas.
async fn watch(client: Client, pods: u32, written: Moments) -> Result<()> {
    let path = "/apis/apps/v1/deployments?watch=true";
    let request = http::Request::get(path).body(Vec::new())?;
    let stream = client.request_stream(request).await;
    let mut lines = stream.context("cannot watch Deployments")?.lines();
    while let Some(line) = lines.next().await {
        let event: Value = serde_json::from_str(&line?)?;
        let object = &event["object"];
        if object["spec"]["replicas"].as_u64() > Some(pods.into()) {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            let mut written = lock(&written);
            written.entry(name.to_owned()).or_insert_with(Instant::now);
        }
    }
    Ok(())
}

fn print(
    side: sides::Side,
    stepped: &HashMap<String, Instant>,
    written: &HashMap<String, Instant>,
) {
    let mut took: Vec<Duration> = stepped
        .iter()
        .filter_map(|(app, at)| Some(written.get(app)?.saturating_duration_since(*at)))
        .collect();
    took.sort_unstable();
    let missing = stepped.len() - took.len();
    let at = |percent: usize| {
        let index = (took.len().saturating_sub(1)) * percent / 100;
        took.get(index).map_or(f64::NAN, Duration::as_secs_f64)
    };
    say(&format!(
        "{:<10} from step to scale: p10 {:>5.1} s  p50 {:>5.1} s  p90 {:>5.1} s  max {:>5.1} s  ({} of {}{})",
        format!("{side:?}"),
        at(10),
        at(50),
        at(90),
        at(100),
        took.len(),
        stepped.len(),
        if missing > 0 {
            ": the others never"
        } else {
            ""
        },
    ));
}
