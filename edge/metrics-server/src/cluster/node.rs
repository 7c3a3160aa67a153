//! What a scrape needs to know of a node.

use super::Labels;
use k8s_openapi::api::core::v1;

/// Overrides the path of the resource metrics; simulated nodes use it.
const PATH_ANNOTATION: &str = "metrics.k8s.io/resource-metrics-path";

/// A node, reduced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) name: Box<str>,
    pub(crate) labels: Labels,
    /// Type and address, in the status's order.
    pub(crate) addresses: Vec<(Box<str>, Box<str>)>,
    /// The port in the status; 0 without one.
    pub(crate) port: u16,
    pub(crate) ready: bool,
    /// Where the resource metrics are, when not at the usual path.
    pub(crate) path: Option<Box<str>>,
}

impl Node {
    pub(crate) fn from_api(node: v1::Node) -> Option<Self> {
        let metadata = node.metadata;
        let status = node.status.unwrap_or_default();
        let port = status
            .daemon_endpoints
            .and_then(|endpoints| endpoints.kubelet_endpoint)
            .map_or(0, |endpoint| endpoint.port);
        let mut conditions = status.conditions.unwrap_or_default().into_iter();
        let ready = conditions.find(|condition| condition.type_ == "Ready");
        let addresses = status.addresses.unwrap_or_default().into_iter();
        let path = metadata
            .annotations
            .and_then(|mut all| all.remove(PATH_ANNOTATION));
        Some(Self {
            name: metadata.name?.into(),
            labels: Labels::new(metadata.labels.unwrap_or_default()),
            addresses: addresses
                .map(|a| (a.type_.into(), a.address.into()))
                .collect(),
            port: u16::try_from(port).unwrap_or(0),
            ready: ready.is_some_and(|condition| condition.status == "True"),
            path: path.filter(|path| !path.is_empty()).map(Into::into),
        })
    }

    /// The address of the first wanted type that the node has. Upstream: pkg/utils/address_resolver.go.
    pub(crate) fn address(&self, wanted: &[String]) -> Option<&str> {
        wanted.iter().find_map(|wanted| {
            let mut addresses = self.addresses.iter();
            addresses
                .find(|(kind, _)| **kind == **wanted)
                .map(|(_, address)| &**address)
        })
    }
}
