//! The `kubernetes` Service, and the endpoints behind it: this server.
//!
//! Upstream: pkg/controlplane/controller/kubernetesservice.

use crate::server::Inner;
use serde_json::{Value, json};

/// The Service and its endpoints.
pub(crate) fn objects(inner: &Inner) -> Vec<Value> {
    let metadata = json!({"name": "kubernetes", "namespace": "default"});
    let labels = json!({"component": "apiserver", "provider": "kubernetes"});
    let port = inner.address.port();
    let address = inner.address.ip().to_string();
    let cluster_ip = inner
        .network
        .service(0)
        .map(|ip| ip.to_string())
        .unwrap_or_default();
    let with = |extra: Value| {
        let mut metadata = metadata.clone();
        metadata["labels"] = extra;
        metadata
    };
    vec![
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": with(labels),
            "spec": {
                "type": "ClusterIP", "clusterIP": cluster_ip, "clusterIPs": [cluster_ip],
                "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
                "internalTrafficPolicy": "Cluster", "sessionAffinity": "None",
                "ports": [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": port}],
            },
            "status": {"loadBalancer": {}},
        }),
        json!({
            "apiVersion": "v1", "kind": "Endpoints",
            "metadata": with(json!({"endpointslice.kubernetes.io/skip-mirror": "true"})),
            "subsets": [{
                "addresses": [{"ip": address}],
                "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
            }],
        }),
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": with(json!({"kubernetes.io/service-name": "kubernetes"})),
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address], "conditions": {"ready": true}}],
            "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
        }),
    ]
}
