//! The controller as a program of its own: it stands for election, works while it leads, and can be asked how it is.

use crate::admin::Admin;
use crate::args::{Args, ServingFlags};
use crate::config::Config;
use crate::decision_log;
use crate::fleet;
use anyhow::bail;
use k8s_openapi::api::core::v1::EventSource;
use kube::Client;
use runtime::events::Recorder;
use runtime::lease::{Candidate, Ended};
use runtime::serve::{CertificateFiles, Limits, TlsSettings, follow, listen, serve};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What upstream calls the self-signed pair in --cert-dir.
const PAIR: &str = "kube-controller-manager";

/// Runs the controller as its flags say, until `shutdown`.
pub async fn operate(args: Args, shutdown: CancellationToken) -> anyhow::Result<()> {
    args.validate()?;
    args.inherited.warn();
    let client = runtime::client::connect(args.kubeconfig.as_deref()).await?;
    let log = args.decision_log.as_deref().map(decision_log::to);
    let config = Config {
        flags: args.hpa.clone(),
        on_decision: log.transpose()?,
        shadow: args.shadow,
        decide_on_samples: args.decide_on_samples,
        serve: args.serve.clone(),
        ..Config::default()
    };
    let tasks = TaskTracker::new();
    // A shadow changes nothing, not even a lease: several may look at the same time.
    let candidate = (args.leader.leader_elect && !args.shadow).then(|| {
        let source = EventSource {
            component: Some(args.leader.leader_elect_resource_name.clone()),
            host: None,
        };
        let (recorder, scribe) = Recorder::new(client.clone(), source);
        tasks.spawn(scribe.run());
        Candidate::new(client.clone(), args.leader.terms(), recorder)
    });
    // Until the lease is released, the others are not ready to be asked: this one still is.
    let served = CancellationToken::new();
    let _end = served.clone().drop_guard();
    if args.serving.secure_port != 0 {
        let standing = candidate.as_ref().map(Candidate::standing);
        let admin = Admin::new(&config.monitor, standing.as_ref(), shutdown.clone());
        start_serving(&args, &client, admin, &tasks, &served).await?;
    }
    let ended = work(client, config, candidate, shutdown).await;
    served.cancel();
    tasks.close();
    // Events and answers that are under way.
    if tokio::time::timeout(Limits::default().drain, tasks.wait())
        .await
        .is_err()
    {
        tracing::debug!("what was served did not end in time");
    }
    match ended {
        Ended::Told => Ok(()),
        Ended::Work => bail!("the controller's loop has ended, which it should not: see its log"),
    }
}

async fn work(
    client: Client,
    config: Config,
    candidate: Option<Candidate>,
    shutdown: CancellationToken,
) -> Ended {
    let Some(candidate) = candidate else {
        fleet::run(client, config, shutdown.clone()).await;
        return if shutdown.is_cancelled() {
            Ended::Told
        } else {
            Ended::Work
        };
    };
    let work = move |term| fleet::run(client.clone(), config.clone(), term);
    candidate.run(shutdown, work).await
}

async fn start_serving(
    args: &Args,
    client: &Client,
    admin: Admin,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let (address, port) = (args.serving.address(), args.serving.secure_port);
    let listener = listen(address, port).await?;
    let (tls, certificate) = files(&args.serving).tls(&TlsSettings::default())?;
    tracing::info!(%address, port, "serving probes and metrics");
    let delegated = Arc::new(args.auth.delegated(client, None).await?);
    let (asked, watching) = (Arc::clone(&delegated), stop.clone());
    tasks.spawn(async move { asked.keep_authorities(watching).await });
    tasks.spawn(follow(certificate, stop.clone()));
    let admin = Arc::new(admin);
    let handler = move |request: http::Request<hyper::body::Incoming>| {
        let (admin, delegated) = (Arc::clone(&admin), Arc::clone(&delegated));
        // Nothing that is served needs a body: it is not read.
        let (head, _) = request.into_parts();
        async move { admin.answer(&head, &delegated, runtime::clock::now()).await }
    };
    tasks.spawn(serve(
        listener,
        tls,
        Limits::default(),
        handler,
        stop.clone(),
    ));
    Ok(())
}

fn files(serving: &ServingFlags) -> CertificateFiles<'_> {
    CertificateFiles {
        dir: serving.cert_dir.as_deref(),
        pair: PAIR,
        given: serving
            .tls_cert_file
            .as_deref()
            .zip(serving.tls_private_key_file.as_deref()),
        address: serving.address(),
    }
}
