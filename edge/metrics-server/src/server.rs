//! Puts the parts together and runs them until told to stop.

use crate::api::{Api, Gate};
use crate::args::{Args, ServingArgs};
use crate::cluster::{self, Cluster};
use crate::drops::Drops;
use crate::kubelet::Kubelets;
use crate::scraper::{Late, Scraper, Ticks};
use crate::telemetry::Telemetry;
use anyhow::Context;
use futures::FutureExt;
use futures::future::{BoxFuture, join};
use k8s::selector::LabelSelector;
use runtime::auth::Delegated;
use runtime::client::Observer;
use runtime::serve::{CertificateFiles, Limits, Peer, TlsSettings, follow};
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use usage::Store;

/// What upstream calls the self-signed pair in --cert-dir.
const PAIR: &str = "apiserver";

/// Runs metrics-server until `shutdown`.
pub async fn run(args: Args, shutdown: CancellationToken) -> anyhow::Result<()> {
    args.validate()?;
    args.inherited.warn_with(&args.generic.idle());
    let settings = args.serving.settings()?;
    let selector = &args.kubelet.node_selector;
    LabelSelector::parse(selector).map_err(|error| anyhow::anyhow!("--node-selector: {error}"))?;
    let resolution = args.resolution()?;
    let config = runtime::client::config(args.kubeconfig.as_deref()).await?;
    let kubelets = Kubelets::new(&args.kubelet, &config)?;
    let telemetry = Arc::new(Telemetry::new(resolution));
    let observer = observer(&telemetry);
    let client = observer.client(config)?;

    let cluster = Arc::new(RwLock::new(Cluster::default()));
    let store = match Store::keeping(resolution, args.keep_missed_scrapes) {
        store if args.serve_partial_pods => store,
        store => store.whole_pods(),
    };
    let store = Arc::new(RwLock::new(store));
    let ticks = Arc::new(Ticks::new(resolution.to_std(), Instant::now()));
    let delegated = Arc::new(args.auth.delegated(&client, Some(&observer)).await?);
    let (news, told) = watch::channel(());
    let scraper = Scraper {
        cluster: Arc::clone(&cluster),
        store: Arc::clone(&store),
        kubelets,
        telemetry: Arc::clone(&telemetry),
        ticks: Arc::clone(&ticks),
        request_timeout: args.kubelet.kubelet_request_timeout.to_std(),
        quick_start: args.quick_start,
        late: Late::default(),
        drops: Drops::default(),
        news,
    };
    let mut api = Api::new(
        Arc::clone(&cluster),
        store,
        telemetry,
        ticks,
        shutdown.clone(),
    )
    .behind(Gate::new(&args.generic)?)
    .found_at(args.generic.external_address(args.serving.secure_port));
    if args.serve_watch {
        api = api.with_watches(told, shutdown.clone());
    }
    let asked = Arc::clone(&delegated);
    let stop = later(args.generic.shutdown_delay_duration.to_std(), shutdown);
    let serving = serving(&args, &settings, Arc::new(api), delegated, &stop).await?;
    tracing::info!(%resolution, "serving metrics.k8s.io/v1beta1");
    let watching = cluster::keep(client, cluster, selector.clone(), stop.clone());
    let authorities = asked.keep_authorities(stop.clone());
    let scraping = on_its_own_thread(Arc::new(scraper), stop)?;
    let (.., scraped) = tokio::join!(watching, authorities, serving, scraping);
    scraped.context("the scraper's thread ended too early")
}

/// Counts what the Kubernetes API is asked.
fn observer(telemetry: &Arc<Telemetry>) -> Observer {
    let telemetry = Arc::clone(telemetry);
    Observer::new(move |exchange| telemetry.exchanged(exchange))
}

/// Is cancelled some time after `shutdown`: until then requests are answered, by one that is not ready.
/// Upstream: --shutdown-delay-duration, for load balancers to look elsewhere first.
fn later(delay: Duration, shutdown: CancellationToken) -> CancellationToken {
    if delay.is_zero() {
        return shutdown;
    }
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        shutdown.cancelled().await;
        tokio::time::sleep(delay).await;
        stopping.cancel();
    });
    stop
}

/// What serves until `stop`; nothing for port 0, as upstream.
async fn serving(
    args: &Args,
    settings: &TlsSettings,
    api: Arc<Api>,
    delegated: Arc<Delegated>,
    stop: &CancellationToken,
) -> anyhow::Result<BoxFuture<'static, ()>> {
    let (address, port) = (args.address(), args.serving.secure_port);
    if port == 0 {
        let stop = stop.clone();
        return Ok(async move { stop.cancelled().await }.boxed());
    }
    let listener = runtime::serve::listen(address, port).await?;
    let (tls, certificate) = certificate(&args.serving, address).tls(settings)?;
    tracing::info!(%address, port, "listening");
    let handler = move |request: http::Request<hyper::body::Incoming>| {
        let (api, delegated) = (Arc::clone(&api), Arc::clone(&delegated));
        // Nothing that is served needs a body: it is not read.
        let (head, _) = request.into_parts();
        async move {
            let peer = head.extensions.get::<Peer>().cloned();
            api.answer(&head, peer.as_ref(), &delegated, runtime::clock::now())
                .await
        }
    };
    let limits = limits(&args.serving);
    let serving = runtime::serve::serve(listener, tls, limits, handler, stop.clone());
    let following = follow(certificate, stop.clone());
    Ok(join(serving, following).map(|_| ()).boxed())
}

/// Scrapes on one thread: a request to a kubelet wakes several tasks in turn, and waking a task on
/// another thread costs more than what it then does.
fn on_its_own_thread(
    scraper: Arc<Scraper>,
    shutdown: CancellationToken,
) -> anyhow::Result<oneshot::Receiver<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the scraper's runtime")?;
    let (ended, end) = oneshot::channel();
    std::thread::Builder::new()
        .name("scraper".to_owned())
        .spawn(move || {
            runtime.block_on(scraper.run(shutdown));
            // Nobody waits when the server is gone already.
            let _ = ended.send(());
        })
        .context("cannot start the scraper's thread")?;
    Ok(end)
}

fn limits(args: &ServingArgs) -> Limits {
    let streams = args.http2_max_streams_per_connection;
    let default = Limits::default();
    Limits {
        streams: if streams == 0 {
            default.streams
        } else {
            streams
        },
        ..default
    }
}

fn certificate(args: &ServingArgs, address: std::net::IpAddr) -> CertificateFiles<'_> {
    CertificateFiles {
        dir: Some(&args.cert_dir),
        pair: PAIR,
        given: args
            .tls_cert_file
            .as_deref()
            .zip(args.tls_private_key_file.as_deref()),
        address,
    }
}

#[cfg(test)]
mod tests;
