//! Endpoints and EndpointSlices: the addresses behind each Service that has a selector.
//!
//! Upstream: pkg/controller/endpoint/endpoints_controller.go and
//! staging/src/k8s.io/endpointslice (v1.36).

mod backends;
mod object;
mod slices;

pub(crate) use slices::Records;

use crate::engine::cache::{Change, ObjectKey};
use crate::engine::queue::Queue;
use crate::engine::writer::Writer;
use crate::engine::{Error, Next, Reconciler};
use crate::hub::{self, Hub, Setup};
use crate::meta;
use crate::replica_set::is_namespace_going;
use backends::Backend;
use futures::future::try_join;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Endpoints, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use std::sync::Arc;

struct Controller {
    hub: Arc<Hub>,
    records: Records,
    endpoints: Writer<Endpoints>,
    slices: Writer<EndpointSlice>,
}

pub(crate) fn start(setup: &mut Setup<'_>, records: Records) {
    let hub = setup.hub.clone();
    let queue = Arc::new(Queue::default());
    hub::queue_itself(&mut setup.on.services, &queue);
    if records == Records::Addresses {
        hub::queue_itself(&mut setup.on.endpoints, &queue);
    }
    hub::queue_owner(&mut setup.on.endpoint_slices, &queue, "Service");
    queue_for_pods(setup, &queue);
    let controller = Controller {
        records,
        endpoints: Writer::new(setup.client("endpoint-controller"), hub.endpoints.clone()),
        slices: Writer::new(
            setup.client("endpointslice-controller"),
            hub.endpoint_slices.clone(),
        ),
        hub,
    };
    setup.controller(controller, &queue);
}

/// A pod concerns the services that select it, before or after its change.
fn queue_for_pods(setup: &mut Setup<'_>, queue: &Arc<Queue>) {
    let (hub, queue) = (setup.hub.clone(), queue.clone());
    setup.on.pods.on(move |change: &Change<'_, Pod>| {
        let Some(pod) = change.any() else {
            return;
        };
        for service in hub.services.in_namespace(meta::namespace(&**pod)) {
            let Some(selector) = backends::selector(&service) else {
                continue;
            };
            if change.both().any(|pod| meta::has_labels(&**pod, selector)) {
                queue.add(ObjectKey::of(&*service));
            }
        }
    });
}

impl Reconciler for Controller {
    const NAME: &'static str = "endpoints";

    async fn reconcile(&self, key: &ObjectKey, _now: Timestamp) -> Result<Next, Error> {
        let Some(service) = self.hub.services.get(key) else {
            self.forget(key).await?;
            return Ok(Next::Done);
        };
        if meta::is_deleted(&*service) {
            return Ok(Next::Done);
        }
        let Some(selector) = backends::selector(&service) else {
            return Ok(Next::Done);
        };
        let mut pods = self.hub.pods.in_namespace(&key.namespace);
        pods.retain(|pod| meta::has_labels(&**pod, selector));
        let backends = backends::of(&service, &pods);
        let written = try_join(
            self.write_endpoints(key, &service, &backends),
            self.write_slices(&service, &backends),
        );
        match written.await {
            Err(error) if !is_namespace_going(&error) => Err(error),
            _ => Ok(Next::Done),
        }
    }
}

impl Controller {
    /// The slices go with their owner; Endpoints have none, and bear the service's name.
    async fn forget(&self, key: &ObjectKey) -> Result<(), Error> {
        match self
            .hub
            .endpoints
            .get(key)
            .filter(|endpoints| object::is_managed(endpoints))
        {
            Some(endpoints) => self.endpoints.delete(&*endpoints).await,
            None => Ok(()),
        }
    }

    async fn write_endpoints(
        &self,
        key: &ObjectKey,
        service: &Service,
        backends: &[Backend],
    ) -> Result<(), Error> {
        if self.records == Records::Names {
            return Ok(());
        }
        let wanted = object::endpoints(service, backends);
        match self.hub.endpoints.get(key) {
            None => {
                self.endpoints.create(&wanted).await?;
            }
            Some(held) => {
                if let Some(changed) = object::changed(&held, wanted) {
                    self.endpoints.update(&changed).await?;
                }
            }
        }
        Ok(())
    }

    async fn write_slices(&self, service: &Service, backends: &[Backend]) -> Result<(), Error> {
        let namespace = meta::namespace(service);
        let held = self
            .hub
            .endpoint_slices
            .controlled_by(namespace, meta::uid(service));
        let plan = slices::plan(service, &held, backends, self.records);
        for slice in &plan.create {
            self.slices.create(slice).await?;
        }
        for slice in &plan.update {
            self.slices.update(slice).await?;
        }
        for slice in &plan.delete {
            self.slices.delete(&**slice).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
