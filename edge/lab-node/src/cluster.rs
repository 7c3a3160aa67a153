//! Services and their endpoints, as every node needs them: for `/etc/hosts`, for environment
//! variables, for the proxy.

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{Service, ServiceSpec};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use kube::runtime::reflector::{self, Store};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// How long changes are gathered before they are told.
const GATHER: Duration = Duration::from_millis(30);

/// One port of a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePort {
    /// Its name; may be empty.
    pub name: String,
    /// The port that clients use.
    pub port: u16,
    /// The port on every node, if any.
    pub node_port: Option<u16>,
    /// Whether it is TCP.
    pub tcp: bool,
    /// Who is ready to serve it.
    pub endpoints: Vec<SocketAddr>,
}

/// One Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceView {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its cluster address; a headless one has none.
    pub cluster_ip: Option<IpAddr>,
    /// Its LoadBalancer's addresses.
    pub load_balancers: Vec<IpAddr>,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// What its name means: its cluster address, or those of its pods.
    pub addresses: Vec<IpAddr>,
    /// Names of single pods of a headless Service.
    pub host_names: Vec<(String, IpAddr)>,
    /// How long a client stays with the endpoint that it had, if it does (`sessionAffinity: ClientIP`).
    pub affinity: Option<Duration>,
}

/// All Services, sorted by namespace and name.
pub type ClusterView = Arc<Vec<ServiceView>>;

/// Keeps a view up to date until `shutdown`.
pub fn watch(
    client: &Client,
    shutdown: &CancellationToken,
) -> watch::Receiver<Option<ClusterView>> {
    let (tell, told) = watch::channel(None);
    let changed = Arc::new(Notify::new());
    let services = reflect::<Service>(client, &changed, shutdown);
    let slices = reflect::<EndpointSlice>(client, &changed, shutdown);
    let shutdown = shutdown.clone();
    tokio::spawn(async move {
        let ready = async {
            services.wait_until_ready().await.is_ok() && slices.wait_until_ready().await.is_ok()
        };
        tokio::select! { _ = ready => {}, () = shutdown.cancelled() => return }
        loop {
            let now = view(&services, &slices);
            tell.send_if_modified(|before| {
                let differs = before.as_deref() != Some(&now);
                if differs {
                    *before = Some(Arc::new(now));
                }
                differs
            });
            tokio::select! {
                () = changed.notified() => tokio::time::sleep(GATHER).await,
                () = shutdown.cancelled() => return,
            }
        }
    });
    told
}

fn reflect<K>(client: &Client, changed: &Arc<Notify>, shutdown: &CancellationToken) -> Store<K>
where
    K: kube::Resource<DynamicType = ()> + Clone + std::fmt::Debug + Send + Sync + 'static,
    K: serde::de::DeserializeOwned,
{
    let (store, writer) = reflector::store();
    let events = watcher(Api::<K>::all(client.clone()), watcher::Config::default())
        .default_backoff()
        .reflect(writer);
    let (changed, shutdown) = (Arc::clone(changed), shutdown.clone());
    tokio::spawn(async move {
        let mut events = std::pin::pin!(events);
        loop {
            let event = tokio::select! {
                event = events.try_next() => event,
                () = shutdown.cancelled() => return,
            };
            match event {
                Ok(Some(_)) => changed.notify_one(),
                Ok(None) => return,
                Err(error) => tracing::debug!(%error, "watch interrupted"),
            }
        }
    });
    store
}

fn view(services: &Store<Service>, slices: &Store<EndpointSlice>) -> Vec<ServiceView> {
    let mut by_service: BTreeMap<(String, String), Vec<Arc<EndpointSlice>>> = BTreeMap::new();
    for slice in slices.state() {
        let labels = slice.metadata.labels.as_ref();
        let Some(name) = labels.and_then(|l| l.get("kubernetes.io/service-name")) else {
            continue;
        };
        let namespace = slice.metadata.namespace.clone().unwrap_or_default();
        by_service
            .entry((namespace, name.clone()))
            .or_default()
            .push(slice);
    }
    let mut views: Vec<ServiceView> = services
        .state()
        .iter()
        .map(|service| {
            let key = (
                service.metadata.namespace.clone().unwrap_or_default(),
                service.metadata.name.clone().unwrap_or_default(),
            );
            let slices = by_service.get(&key).map(Vec::as_slice).unwrap_or_default();
            service_view(key, service, slices)
        })
        .collect();
    views.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    views
}

fn service_view(
    (namespace, name): (String, String),
    service: &Service,
    slices: &[Arc<EndpointSlice>],
) -> ServiceView {
    let spec = service.spec.clone().unwrap_or_default();
    let cluster_ip = spec.cluster_ip.as_deref().and_then(|ip| ip.parse().ok());
    let ingress = service
        .status
        .as_ref()
        .and_then(|s| s.load_balancer.as_ref()?.ingress.as_ref());
    let load_balancers = ingress
        .into_iter()
        .flatten()
        .filter_map(|i| i.ip.as_ref()?.parse().ok());
    let publish = spec.publish_not_ready_addresses == Some(true);
    let host_names = if cluster_ip.is_none() {
        host_names(slices, publish)
    } else {
        vec![]
    };
    let mut addresses: Vec<IpAddr> = cluster_ip.into_iter().collect();
    if addresses.is_empty() {
        addresses = slices
            .iter()
            .flat_map(|s| s.endpoints.iter().flatten())
            .filter(|e| publish || is_ready(e))
            .flat_map(|e| e.addresses.iter().filter_map(|a| a.parse().ok()))
            .collect();
        addresses.sort();
        addresses.dedup();
    }
    let affinity = affinity(&spec);
    let ports = spec
        .ports
        .unwrap_or_default()
        .into_iter()
        .filter_map(|port| {
            let port_name = port.name.clone().unwrap_or_default();
            Some(ServicePort {
                port: u16::try_from(port.port).ok()?,
                node_port: port.node_port.and_then(|p| u16::try_from(p).ok()),
                tcp: port.protocol.as_deref().is_none_or(|p| p == "TCP"),
                endpoints: endpoints(slices, &port_name, publish),
                name: port_name,
            })
        });
    let ports = ports.collect();
    ServiceView {
        namespace,
        name,
        cluster_ip,
        load_balancers: load_balancers.collect(),
        ports,
        addresses,
        host_names,
        affinity,
    }
}

fn is_ready(endpoint: &Endpoint) -> bool {
    endpoint
        .conditions
        .as_ref()
        .is_none_or(|c| c.ready != Some(false))
}

/// Upstream: serviceapi.DefaultClientIPServiceAffinitySeconds.
const AFFINITY_SECONDS: u64 = 10_800;

fn affinity(spec: &ServiceSpec) -> Option<Duration> {
    let wanted = spec.session_affinity.as_deref() == Some("ClientIP");
    let config = spec.session_affinity_config.as_ref();
    let seconds = config.and_then(|c| u64::try_from(c.client_ip.as_ref()?.timeout_seconds?).ok());
    wanted.then(|| Duration::from_secs(seconds.unwrap_or(AFFINITY_SECONDS)))
}

/// Who serves the port of this name: the ready ones; without any, those that still serve while they end.
///
/// Upstream: CategorizeEndpoints (pkg/proxy/topology.go).
fn endpoints(slices: &[Arc<EndpointSlice>], name: &str, publish: bool) -> Vec<SocketAddr> {
    let ready = endpoints_that(slices, name, |endpoint| publish || is_ready(endpoint));
    if ready.is_empty() {
        return endpoints_that(slices, name, is_serving_to_its_end);
    }
    ready
}

fn is_serving_to_its_end(endpoint: &Endpoint) -> bool {
    let conditions = endpoint.conditions.as_ref();
    conditions.is_some_and(|c| c.serving == Some(true) && c.terminating == Some(true))
}

fn endpoints_that(
    slices: &[Arc<EndpointSlice>],
    name: &str,
    wanted: impl Fn(&Endpoint) -> bool,
) -> Vec<SocketAddr> {
    let mut found = Vec::new();
    for slice in slices {
        let ports = slice.ports.iter().flatten();
        let port = ports
            .filter(|p| p.name.as_deref().unwrap_or_default() == name)
            .find_map(|p| u16::try_from(p.port?).ok());
        let Some(port) = port else { continue };
        for endpoint in slice.endpoints.iter().flatten().filter(|e| wanted(e)) {
            let addresses = endpoint
                .addresses
                .iter()
                .filter_map(|a| a.parse::<IpAddr>().ok());
            found.extend(addresses.map(|ip| SocketAddr::new(ip, port)));
        }
    }
    found.sort();
    found.dedup();
    found
}

fn host_names(slices: &[Arc<EndpointSlice>], publish: bool) -> Vec<(String, IpAddr)> {
    let endpoints = slices
        .iter()
        .flat_map(|s| s.endpoints.iter().flatten())
        .filter(|e| publish || is_ready(e));
    let mut names: Vec<(String, IpAddr)> = endpoints
        .filter_map(|e| Some((e.hostname.clone()?, e.addresses.first()?.parse().ok()?)))
        .collect();
    names.sort();
    names
}

/// Waits for the first complete view.
pub async fn first(view: &mut watch::Receiver<Option<ClusterView>>) -> Option<ClusterView> {
    view.wait_for(Option::is_some).await.ok()?.clone()
}

/// A stream of views, for those who act on each.
pub fn changes(
    view: watch::Receiver<Option<ClusterView>>,
) -> impl futures::Stream<Item = ClusterView> + Send {
    futures::stream::unfold((view, true), |(mut view, first)| async move {
        if !first {
            view.changed().await.ok()?;
        }
        let now = view.wait_for(Option::is_some).await.ok()?.clone();
        view.mark_unchanged();
        Some((now, (view, false)))
    })
    .filter_map(|view| async move { view })
}
