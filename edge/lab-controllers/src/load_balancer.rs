//! LoadBalancer services: each gets an address of its own.
//!
//! Upstream: staging/src/k8s.io/cloud-provider/controllers/service/controller.go (v1.36). Differs
//! from upstream: there is nothing to clean up, so services bear no finalizer.

use crate::engine::cache::ObjectKey;
use crate::engine::queue::Queue;
use crate::engine::writer::Writer;
use crate::engine::{Error, Next, Reconciler};
use crate::hub::{self, Hub, Setup};
use crate::meta;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Service;
use runtime::events::Recorder;
use runtime::network::LabNetwork;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

struct Controller {
    hub: Arc<Hub>,
    services: Writer<Service>,
    events: Recorder,
    network: LabNetwork,
}

pub(crate) fn start(setup: &mut Setup<'_>, network: LabNetwork) {
    let client = setup.client("service-controller");
    let hub = setup.hub.clone();
    let queue = Arc::new(Queue::default());
    hub::queue_itself(&mut setup.on.services, &queue);
    let controller = Controller {
        services: Writer::new(client.clone(), hub.services.clone()),
        events: setup.recorder("service-controller", client),
        hub,
        network,
    };
    setup.controller(controller, &queue);
}

/// Whether the service wants a balancer, and from us.
fn wants_balancer(service: &Service) -> bool {
    service.spec.as_ref().is_some_and(|spec| {
        spec.type_.as_deref() == Some("LoadBalancer") && spec.load_balancer_class.is_none()
    })
}

/// The addresses that the service has.
fn addresses(service: &Service) -> impl Iterator<Item = &str> {
    let status = service
        .status
        .as_ref()
        .and_then(|status| status.load_balancer.as_ref());
    let ingress = status
        .and_then(|status| status.ingress.as_ref())
        .into_iter()
        .flatten();
    ingress.filter_map(|ingress| ingress.ip.as_deref())
}

/// The lowest address that no service has; the one asked for if it is one of ours and free.
fn allocate(network: LabNetwork, used: &BTreeSet<String>, wish: Option<&str>) -> Option<Ipv4Addr> {
    let mut free = (0..LabNetwork::LOAD_BALANCERS_MAX)
        .filter_map(|index| network.load_balancer(index))
        .filter(|address| !used.contains(&address.to_string()));
    let wished = free
        .clone()
        .find(|address| wish == Some(address.to_string().as_str()));
    wished.or_else(|| free.next())
}

/// What the service's balancer should become; `None` if it is right.
fn plan(service: &Service, all: &[Arc<Service>], network: LabNetwork) -> Option<Value> {
    let has = addresses(service).next().is_some();
    if !wants_balancer(service) {
        // A change of type gives the address back; a class of its own is another's business.
        let typed = service.spec.as_ref().and_then(|spec| spec.type_.as_deref());
        return (has && typed != Some("LoadBalancer")).then(|| json!({"loadBalancer": null}));
    }
    if has {
        return None;
    }
    let used = all
        .iter()
        .flat_map(|other| addresses(other).map(str::to_owned))
        .collect();
    let wish = service
        .spec
        .as_ref()
        .and_then(|spec| spec.load_balancer_ip.as_deref());
    let address = allocate(network, &used, wish)?.to_string();
    Some(json!({"loadBalancer": {"ingress": [{"ip": address, "ipMode": "VIP"}]}}))
}

impl Reconciler for Controller {
    const NAME: &'static str = "service-lb";
    /// One at a time: two services must not get one address.
    const WORKERS: usize = 1;

    async fn reconcile(&self, key: &ObjectKey, _now: Timestamp) -> Result<Next, Error> {
        let service = self
            .hub
            .services
            .get(key)
            .filter(|service| !meta::is_deleted(&**service));
        let Some(service) = service else {
            return Ok(Next::Done);
        };
        let Some(status) = plan(&service, &self.hub.services.all(), self.network) else {
            return Ok(Next::Done);
        };
        let ensuring = wants_balancer(&service);
        if ensuring {
            self.events
                .normal(&*service, "EnsuringLoadBalancer", "Ensuring load balancer");
        }
        self.services
            .patch_status(key, &json!({ "status": status }))
            .await?;
        if ensuring {
            self.events
                .normal(&*service, "EnsuredLoadBalancer", "Ensured load balancer");
        }
        Ok(Next::Done)
    }
}

#[cfg(test)]
mod tests;
