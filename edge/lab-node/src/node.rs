//! The node itself: its object, its lease, and one worker for each of its pods.

pub(crate) mod object;
mod sandbox;

use crate::cgroup::Cgroups;
use crate::cluster;
use crate::config::Config;
use crate::events::{Kind, Recorder};
use crate::host::{Addresses, Host, Registry};
use crate::process::Launcher;
use crate::worker::{self, Update};
use anyhow::Context;
use futures::TryStreamExt;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::runtime::{WatchStreamExt, watcher};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long pods' processes may take to end when the lab does.
const DRAIN: Duration = Duration::from_secs(5);

/// Runs a node until `shutdown`; then its pods' processes are killed.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let host = Arc::new(host(config, &shutdown).await?);
    let server = crate::server::start(Arc::clone(&host), shutdown.clone()).await?;
    let node = object::register(&host, &shutdown).await?;
    host.events
        .node(&node, (Kind::Normal, "Starting"), "Starting kubelet.");
    tell_what_is_missing(&host, &node);
    let beats = tokio::spawn(object::keep_alive(
        Arc::clone(&host),
        node,
        shutdown.clone(),
    ));
    let proxy = tokio::spawn(crate::proxy::run(Arc::clone(&host), shutdown.clone()));
    pods(&host, &shutdown).await;
    drop(beats.await);
    drop(proxy.await);
    drop(server.await);
    host.cgroups.remove();
    Ok(())
}

/// Says what this machine does not let pods have: on each Node, and once in the log.
fn tell_what_is_missing(host: &Host, node: &Node) {
    let limits = host.cgroups.missing();
    let limits = (!limits.is_empty())
        .then(|| format!("no control groups to write to: {}", limits.join("; ")));
    let files = sandbox::missing(host.sandbox).map(str::to_owned);
    for (reason, message) in [("NoControlGroups", limits), ("NoPodFileSystem", files)] {
        let Some(message) = message else { continue };
        host.events.node(node, (Kind::Warning, reason), &message);
        if host.config.number == 1 {
            tracing::warn!("{message}");
        }
    }
}

async fn host(config: Config, shutdown: &CancellationToken) -> anyhow::Result<Host> {
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("cannot make {}", config.data_dir.display()))?;
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&config.data_dir, private)?;
    // Terminals of pods are often read by programs: no escape sequences around what is pasted.
    std::fs::write(
        config.data_dir.join("inputrc"),
        "set enable-bracketed-paste off\n",
    )?;
    let launcher = Launcher::new(config.executable.clone(), config.data_dir.join("run"))
        .with_context(|| format!("cannot use {}", config.data_dir.display()))?;
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let name = format!("evenkeel-{}-{}", config.network.block(), config.number);
    let cgroups = Cgroups::detect(Path::new("/sys/fs/cgroup"), &own, &name);
    let sandbox = sandbox::detect(&launcher, &config.data_dir).await;
    Ok(Host {
        cluster: cluster::watch(&config.proxy_client, shutdown),
        events: Recorder::new(config.client.clone(), &config.name),
        addresses: Addresses::new(config.network.block(), config.number),
        pods: Registry::default(),
        launcher,
        sandbox,
        cgroups,
        config,
    })
}

type Workers = BTreeMap<String, watch::Sender<Update>>;

/// Gives every pod of this node a worker.
async fn pods(host: &Arc<Host>, shutdown: &CancellationToken) {
    let api: Api<Pod> = Api::all(host.config.client.clone());
    let mine = watcher::Config::default().fields(&format!("spec.nodeName={}", host.config.name));
    let mut events = std::pin::pin!(watcher(api, mine).default_backoff());
    let mut workers = Workers::new();
    let mut tasks: JoinSet<String> = JoinSet::new();
    let mut listed: Option<Vec<String>> = None;
    loop {
        let event = tokio::select! {
            event = events.try_next() => event,
            Some(done) = tasks.join_next() => {
                if let Ok(uid) = done {
                    workers.remove(&uid);
                }
                continue;
            }
            () = shutdown.cancelled() => break,
        };
        match event {
            Ok(Some(watcher::Event::Init)) => listed = Some(Vec::new()),
            Ok(Some(watcher::Event::InitApply(pod))) => {
                if let Some(listed) = &mut listed {
                    listed.extend(pod.metadata.uid.clone());
                }
                apply(host, &mut workers, &mut tasks, pod, shutdown);
            }
            Ok(Some(watcher::Event::InitDone)) => {
                let listed = listed.take().unwrap_or_default();
                remove_leftovers(host, &listed);
                for (uid, worker) in &workers {
                    if !listed.contains(uid) {
                        worker.send_modify(|update| update.gone = true);
                    }
                }
            }
            Ok(Some(watcher::Event::Apply(pod))) => {
                apply(host, &mut workers, &mut tasks, pod, shutdown);
            }
            Ok(Some(watcher::Event::Delete(pod))) => {
                let worker = pod.metadata.uid.as_ref().and_then(|uid| workers.get(uid));
                if let Some(worker) = worker {
                    worker.send_modify(|update| update.gone = true);
                }
            }
            Ok(None) => break,
            Err(error) => tracing::debug!(%error, "watch of pods interrupted"),
        }
    }
    let ended = async { while tasks.join_next().await.is_some() {} };
    drop(tokio::time::timeout(DRAIN, ended).await);
}

fn apply(
    host: &Arc<Host>,
    workers: &mut Workers,
    tasks: &mut JoinSet<String>,
    pod: Pod,
    shutdown: &CancellationToken,
) {
    let Some(uid) = pod.metadata.uid.clone() else {
        return;
    };
    let update = Update {
        pod: Arc::new(pod),
        gone: false,
    };
    if let Some(worker) = workers.get(&uid) {
        worker.send_replace(update);
        return;
    }
    let (sender, updates) = watch::channel(update);
    workers.insert(uid.clone(), sender);
    let (host, shutdown) = (Arc::clone(host), shutdown.clone());
    tasks.spawn(async move {
        worker::run(host, updates, shutdown).await;
        uid
    });
}

/// Removes the directories of pods that went while the lab was down.
fn remove_leftovers(host: &Host, listed: &[String]) {
    let Ok(entries) = std::fs::read_dir(host.config.data_dir.join("pods")) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !listed.contains(&name) {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}
