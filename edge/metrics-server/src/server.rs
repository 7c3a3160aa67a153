//! Puts the parts together and runs them until told to stop.

use crate::api::Api;
use crate::args::{Args, ServingArgs};
use crate::cluster::{self, Cluster};
use crate::kubelet::Kubelets;
use crate::scraper::{Late, Scraper, Ticks};
use crate::telemetry::Telemetry;
use anyhow::Context;
use k8s::selector::LabelSelector;
use runtime::auth::Delegated;
use runtime::serve::{CertificateFiles, Limits, Peer, follow};
use std::sync::{Arc, RwLock};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use usage::Store;

/// What upstream calls the self-signed pair in --cert-dir.
const PAIR: &str = "apiserver";

/// Runs metrics-server until `shutdown`.
pub async fn run(args: Args, shutdown: CancellationToken) -> anyhow::Result<()> {
    args.validate()?;
    args.inherited.warn();
    let selector = &args.kubelet.node_selector;
    LabelSelector::parse(selector).map_err(|error| anyhow::anyhow!("--node-selector: {error}"))?;
    let resolution = args.resolution()?;
    let config = runtime::client::config(args.kubeconfig.as_deref()).await?;
    let kubelets = Kubelets::new(&args.kubelet, &config)?;
    let client = kube::Client::try_from(config).context("cannot set up the Kubernetes client")?;

    let cluster = Arc::new(RwLock::new(Cluster::default()));
    let store = match Store::keeping(resolution, args.keep_missed_scrapes) {
        store if args.serve_partial_pods => store,
        store => store.whole_pods(),
    };
    let store = Arc::new(RwLock::new(store));
    let telemetry = Arc::new(Telemetry::new(resolution));
    let ticks = Arc::new(Ticks::new(resolution.to_std(), Instant::now()));
    let delegated = Arc::new(Delegated::new(client.clone(), args.auth.options()?));
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
        news,
    };
    let mut api = Api::new(
        Arc::clone(&cluster),
        store,
        telemetry,
        ticks,
        shutdown.clone(),
    );
    if args.serve_watch {
        api = api.with_watches(told, shutdown.clone());
    }
    let api = Arc::new(api);

    let address = args.address();
    let listener = TcpListener::bind((address, args.serving.secure_port))
        .await
        .with_context(|| {
            format!(
                "cannot listen on {address}, port {}: set --bind-address and --secure-port",
                args.serving.secure_port
            )
        })?;
    let (tls, certificate) = certificate(&args.serving, address).tls()?;
    tracing::info!(%address, port = args.serving.secure_port, %resolution, "serving metrics.k8s.io/v1beta1");

    let watching = cluster::keep(client, cluster, selector.clone(), shutdown.clone());
    let asked = Arc::clone(&delegated);
    let authorities = asked.keep_authorities(shutdown.clone());
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
    let serving = runtime::serve::serve(listener, tls, limits, handler, shutdown.clone());
    let following = follow(certificate, shutdown.clone());
    let scraping = on_its_own_thread(Arc::new(scraper), shutdown)?;
    let (.., scraped) = tokio::join!(watching, authorities, following, serving, scraping);
    scraped.context("the scraper's thread ended too early")
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
