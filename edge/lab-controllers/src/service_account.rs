//! A service account `default` in every namespace.
//!
//! Upstream: pkg/controller/serviceaccount/serviceaccounts_controller.go (v1.36).

use crate::engine::cache::ObjectKey;
use crate::engine::queue::Queue;
use crate::engine::writer::Writer;
use crate::engine::{Error, Next, Reconciler};
use crate::hub::{self, Setup};
use crate::meta;
use crate::replica_set::is_namespace_going;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::core::ObjectMeta;
use std::sync::Arc;

struct Controller {
    hub: Arc<hub::Hub>,
    accounts: Writer<ServiceAccount>,
}

pub(crate) fn start(setup: &mut Setup<'_>) {
    let hub = setup.hub.clone();
    let queue = Arc::new(Queue::default());
    hub::queue_itself(&mut setup.on.namespaces, &queue);
    queue_namespace_on_removal(setup, &queue);
    let client = setup.client("service-account-controller");
    let accounts = Writer::new(client, hub.service_accounts.clone());
    setup.controller(Controller { hub, accounts }, &queue);
}

fn queue_namespace_on_removal(setup: &mut Setup<'_>, queue: &Arc<Queue>) {
    let queue = queue.clone();
    setup.on.service_accounts.on(move |change| {
        if let Some(gone) = change.old.filter(|_| change.new.is_none()) {
            queue.add(ObjectKey::new("", meta::namespace(&**gone)));
        }
    });
}

/// Whether things may be made in the namespace.
pub(crate) fn is_active(namespace: &Namespace) -> bool {
    let phase = namespace
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref());
    !meta::is_deleted(namespace) && phase != Some("Terminating")
}

impl Reconciler for Controller {
    const NAME: &'static str = "serviceaccount";
    const WORKERS: usize = 1;

    async fn reconcile(&self, key: &ObjectKey, _now: Timestamp) -> Result<Next, Error> {
        let active = self
            .hub
            .namespaces
            .get(key)
            .is_some_and(|namespace| is_active(&namespace));
        let account = ObjectKey::new(key.name.clone(), "default");
        if !active || self.hub.service_accounts.get(&account).is_some() {
            return Ok(Next::Done);
        }
        let metadata = ObjectMeta {
            name: Some(account.name),
            namespace: Some(account.namespace),
            ..ObjectMeta::default()
        };
        let made = ServiceAccount {
            metadata,
            ..ServiceAccount::default()
        };
        match self.accounts.create(&made).await {
            Err(error) if error.code() != Some(409) && !is_namespace_going(&error) => Err(error),
            _ => Ok(Next::Done),
        }
    }
}
