//! Services: their endpoints, and the addresses of balancers.

use crate::deployment::deployment;
use crate::lab::Lab;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Endpoints, Service, ServiceAccount};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_pods_of_a_service_become_its_endpoints() -> anyhow::Result<()> {
    let lab = Lab::start().await?;
    let mut web = deployment("web", 2, "one");
    web["spec"]["template"]["spec"]["containers"][0]["ports"] =
        json!([{"name": "http", "containerPort": 8080}]);
    lab.create::<Deployment>(web).await?;
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "type": "LoadBalancer",
                 "ports": [{"port": 80, "targetPort": "http"}]},
    });
    lab.create::<Service>(service).await?;
    let endpoints = lab
        .eventually("two addresses", || async {
            let endpoints = lab.api::<Endpoints>().get_opt("web").await?;
            let subset = endpoints.and_then(|e| e.subsets).and_then(|mut s| s.pop());
            let ready = subset.filter(|s| s.addresses.as_ref().is_some_and(|a| a.len() == 2));
            Ok(ready)
        })
        .await?;
    assert_eq!(endpoints.ports.unwrap_or_default()[0].port, 8080);
    let slice = lab
        .eventually("a slice", || async {
            let slices = lab.list::<EndpointSlice>().await?;
            let full = |slice: &EndpointSlice| {
                let endpoints = slice.endpoints.iter().flatten();
                endpoints
                    .filter(|e| e.conditions.as_ref().and_then(|c| c.ready) == Some(true))
                    .count()
                    == 2
            };
            Ok(slices
                .into_iter()
                .find(|slice| slice.metadata.generate_name.is_some() && full(slice)))
        })
        .await?;
    assert_eq!(slice.address_type, "IPv4");
    let address = lab
        .eventually("an external address", || async {
            let status = lab.api::<Service>().get("web").await?.status;
            let ingress = status.and_then(|s| s.load_balancer).and_then(|b| b.ingress);
            Ok(ingress.and_then(|i| i.first().and_then(|i| i.ip.clone())))
        })
        .await?;
    assert_eq!(address, "127.99.1.1");
    lab.delete::<Service>("web").await?;
    lab.eventually("no endpoints", || async {
        let endpoints = lab.api::<Endpoints>().get_opt("web").await?;
        let slices = lab.list::<EndpointSlice>().await?;
        let ours = slices
            .iter()
            .any(|slice| slice.metadata.generate_name.is_some());
        Ok((endpoints.is_none() && !ours).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_namespace_gets_its_account_and_the_authority() -> anyhow::Result<()> {
    let lab = Lab::without_nodes().await?;
    lab.eventually("the account and the map", || async {
        let account = lab.api::<ServiceAccount>().get_opt("default").await?;
        let map = lab.api::<ConfigMap>().get_opt("kube-root-ca.crt").await?;
        let pem = map
            .and_then(|map| map.data)
            .and_then(|data| data.get("ca.crt").cloned());
        Ok((account.is_some() && pem.as_deref() == Some("the certificate")).then_some(()))
    })
    .await?;
    lab.delete::<ServiceAccount>("default").await?;
    lab.eventually("a new account", || async {
        lab.api::<ServiceAccount>()
            .get_opt("default")
            .await
            .map_err(Into::into)
    })
    .await?;
    Ok(())
}
