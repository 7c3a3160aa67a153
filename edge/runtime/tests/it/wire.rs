//! A wire to an API server that can be cut and mended.

use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response};
use http_body_util::{BodyStream, StreamBody};
use kube::Client;
use kube::client::Body;
use tokio::sync::watch;

/// Whether requests come through; those under way end when it is cut.
pub(crate) struct Wire(watch::Sender<bool>);

impl Wire {
    /// A client that reaches `server` over a new wire.
    pub(crate) fn to(server: Client) -> (Self, Client) {
        let (sender, open) = watch::channel(true);
        let service = tower::service_fn(move |request: Request<Body>| {
            let (server, open) = (server.clone(), open.clone());
            async move { pass(server, request, open).await }
        });
        (Self(sender), Client::new(service, "default"))
    }

    pub(crate) fn cut(&self) {
        self.0.send_replace(false);
    }

    pub(crate) fn mend(&self) {
        self.0.send_replace(true);
    }
}

async fn pass(
    server: Client,
    request: Request<Body>,
    mut open: watch::Receiver<bool>,
) -> anyhow::Result<Response<impl http_body::Body<Data = Bytes, Error = kube::Error> + Send>> {
    anyhow::ensure!(*open.borrow(), "the wire is cut");
    let response = server.send(request).await?;
    Ok(response.map(|body| {
        let cut = async move {
            // An error means that the wire itself is gone, which ends the answer as well.
            let _ = open.wait_for(|open| !open).await;
        };
        StreamBody::new(BodyStream::new(body).take_until(Box::pin(cut)))
    }))
}
