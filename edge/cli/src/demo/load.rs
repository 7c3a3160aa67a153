//! The demo's load: real HTTP requests at a set rate, a new connection each, as `wget` in a loop makes.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Requests under way at once; past that the load waits, as clients with few connections do.
const IN_FLIGHT_MAX: usize = 64;
/// The longest one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// A load that runs until it is dropped or its token is cancelled.
#[derive(Debug)]
pub(crate) struct Load {
    rate: watch::Sender<f64>,
    answered: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
}

impl Load {
    /// Begins at no requests a second.
    pub(crate) fn start(target: SocketAddr, shutdown: CancellationToken) -> Self {
        let (rate, changes) = watch::channel(0.0);
        let load = Self {
            rate,
            answered: Arc::default(),
            failed: Arc::default(),
        };
        let counters = (Arc::clone(&load.answered), Arc::clone(&load.failed));
        tokio::spawn(async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = drive(target, changes, counters) => {}
            }
        });
        load
    }

    /// Asks for `requests_per_second` from now on.
    pub(crate) fn set_rate(&self, requests_per_second: f64) {
        self.rate.send_replace(requests_per_second);
    }

    /// What is asked for now.
    pub(crate) fn rate(&self) -> f64 {
        *self.rate.borrow()
    }

    /// Requests answered with success so far.
    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Requests that were refused, timed out or got an error.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

async fn drive(
    target: SocketAddr,
    mut rate: watch::Receiver<f64>,
    (answered, failed): (Arc<AtomicU64>, Arc<AtomicU64>),
) {
    let places = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
    loop {
        let now = *rate.borrow_and_update();
        if now <= 0.0 {
            if rate.changed().await.is_err() {
                return;
            }
            continue;
        }
        let pause = tokio::time::sleep(Duration::from_secs_f64(1.0 / now));
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let (answered, failed) = (Arc::clone(&answered), Arc::clone(&failed));
        tokio::spawn(async move {
            let answer = tokio::time::timeout(REQUEST_TIMEOUT, request(target)).await;
            let counter = if matches!(answer, Ok(Ok(()))) {
                answered
            } else {
                failed
            };
            counter.fetch_add(1, Ordering::Relaxed);
            drop(place);
        });
        tokio::select! {
            () = pause => {}
            changed = rate.changed() => if changed.is_err() { return },
        }
    }
}

async fn request(target: SocketAddr) -> anyhow::Result<()> {
    let stream = TcpStream::connect(target).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let task = tokio::spawn(connection);
    let request = http::Request::get("/health")
        .header("host", target.to_string())
        .header("connection", "close")
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    anyhow::ensure!(
        response.status().is_success(),
        "status {}",
        response.status()
    );
    response.into_body().collect().await?;
    task.abort();
    Ok(())
}
