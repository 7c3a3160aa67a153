//! A client that keeps what the API answered, word for word.

use http::Request;
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};

/// What was answered since it was last asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Witness(Arc<Mutex<Vec<Value>>>);

impl Witness {
    /// All good answers that were JSON; they are then forgotten.
    pub(super) fn take(&self) -> Vec<Value> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *answers)
    }

    fn hear(&self, body: &[u8]) {
        if let Ok(value) = serde_json::from_slice(body) {
            let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            answers.push(value);
        }
    }
}

/// A client that asks through another one.
pub(super) fn watch(inner: Client, namespace: &str) -> (Client, Witness) {
    let witness = Witness::default();
    let hears = witness.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (inner, hears) = (inner.clone(), hears.clone());
        async move {
            let (head, body) = inner.send(request).await?.into_parts();
            let bytes = body.collect().await?.to_bytes();
            if head.status.is_success() {
                hears.hear(&bytes);
            }
            Ok::<_, kube::Error>(http::Response::from_parts(head, Body::from(bytes)))
        }
    });
    (Client::new(service, namespace), witness)
}
