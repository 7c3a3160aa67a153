//! The certificate authority in every namespace, as ConfigMap `kube-root-ca.crt`.
//!
//! Upstream: pkg/controller/certificates/rootcacertpublisher/publisher.go (v1.36).

use crate::engine::cache::ObjectKey;
use crate::engine::queue::Queue;
use crate::engine::writer::Writer;
use crate::engine::{Error, Next, Reconciler};
use crate::hub::{self, Hub, Setup};
use crate::meta;
use crate::replica_set::is_namespace_going;
use crate::service_account::is_active;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::core::ObjectMeta;
use std::sync::Arc;

const NAME: &str = "kube-root-ca.crt";
const DESCRIPTION: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when \
                           using internal endpoints such as the internal service IP or \
                           kubernetes.default.svc. No other usage is guaranteed across \
                           distributions of Kubernetes clusters.";

struct Controller {
    hub: Arc<Hub>,
    config_maps: Writer<ConfigMap>,
    root_ca: String,
}

pub(crate) fn start(setup: &mut Setup<'_>, root_ca: String) {
    let hub = setup.hub.clone();
    let queue = Arc::new(Queue::default());
    hub::queue_itself(&mut setup.on.namespaces, &queue);
    let namespaces = queue.clone();
    setup.on.config_maps.on(move |change| {
        if let Some(map) = change.any() {
            namespaces.add(ObjectKey::new("", meta::namespace(&**map)));
        }
    });
    let client = setup.client("root-ca-cert-publisher");
    let config_maps = Writer::new(client, hub.config_maps.clone());
    setup.controller(
        Controller {
            hub,
            config_maps,
            root_ca,
        },
        &queue,
    );
}

fn config_map(namespace: &str, root_ca: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(NAME.into()),
            namespace: Some(namespace.into()),
            annotations: Some(
                [(
                    "kubernetes.io/description".to_owned(),
                    DESCRIPTION.to_owned(),
                )]
                .into(),
            ),
            ..ObjectMeta::default()
        },
        data: Some([("ca.crt".to_owned(), root_ca.to_owned())].into()),
        ..ConfigMap::default()
    }
}

impl Reconciler for Controller {
    const NAME: &'static str = "root-ca-cert-publisher";
    const WORKERS: usize = 1;

    async fn reconcile(&self, key: &ObjectKey, _now: Timestamp) -> Result<Next, Error> {
        if !self
            .hub
            .namespaces
            .get(key)
            .is_some_and(|namespace| is_active(&namespace))
        {
            return Ok(Next::Done);
        }
        let wanted = config_map(&key.name, &self.root_ca);
        let written = match self
            .hub
            .config_maps
            .get(&ObjectKey::new(key.name.clone(), NAME))
        {
            None => self.config_maps.create(&wanted).await,
            Some(held) if held.data == wanted.data => return Ok(Next::Done),
            Some(held) => {
                let changed = ConfigMap {
                    data: wanted.data,
                    ..(*held).clone()
                };
                self.config_maps.update(&changed).await
            }
        };
        match written {
            Err(error) if !is_namespace_going(&error) => Err(error),
            _ => Ok(Next::Done),
        }
    }
}
