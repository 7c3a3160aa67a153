//! Certificates of kubelets, from whoever signs `kubernetes.io/kubelet-serving` in the cluster.
//!
//! The lab asks as the node and approves as the administrator. Where nobody signs, an authority of the lab's own
//! does, and the log says what follows from that.

use super::super::nodes::{Certificate, node_name};
use super::Access;
use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::ByteString;
use k8s_openapi::api::certificates::v1::{
    CertificateSigningRequest, CertificateSigningRequestSpec,
};
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use lab_auth::User;
use lab_auth::pki::{Authority, Request};
use runtime::clock::now;
use runtime::network::LabNetwork;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

/// As many simulated nodes share one: thousands of requests would tell nobody anything.
const SHARED: u16 = 100;
/// Requests under way at once.
const CONCURRENT: usize = 16;
/// How long a signature may take.
const SIGNED_IN: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(50);

/// One certificate: the nodes that it is for, with their addresses; the first asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted(Vec<(String, Ipv4Addr)>);

/// By node.
pub(super) type Certificates = BTreeMap<String, Arc<Certificate>>;

/// A certificate for each node, one for many simulated ones.
pub(super) fn wanted(network: LabNetwork, nodes: u8, simulated: u16) -> Vec<Wanted> {
    let own = (1..=nodes).map(|number| Wanted(vec![(node_name(number), network.node(number))]));
    let simulated: Vec<(String, Ipv4Addr)> = (0..simulated)
        .filter_map(|index| {
            let name = lab_node::simulated::Config::name(index);
            Some((name, network.simulated(index)?))
        })
        .collect();
    let shared = simulated.chunks(SHARED.into());
    own.chain(shared.map(|nodes| Wanted(nodes.to_vec())))
        .collect()
}

/// Gets them all.
pub(super) async fn get(access: &Access, wanted: Vec<Wanted>) -> Result<Certificates> {
    let signed: Vec<(Wanted, Option<Certificate>)> = stream::iter(wanted)
        .map(|wanted| async move {
            let signed = signed(access, &wanted).await?;
            Ok::<_, anyhow::Error>((wanted, signed))
        })
        .buffered(CONCURRENT)
        .try_collect()
        .await?;
    let mut found = Certificates::new();
    let own = match signed.iter().all(|(_, signed)| signed.is_some()) {
        true => None,
        false => Some(own_authority()?),
    };
    for (wanted, signed) in signed {
        let made = match (signed, &own) {
            (Some(signed), _) => signed,
            (None, Some(own)) => self_made(own, &wanted)?,
            (None, None) => continue,
        };
        let made = Arc::new(made);
        let nodes = wanted.0.into_iter();
        found.extend(nodes.map(|(name, _)| (name, Arc::clone(&made))));
    }
    Ok(found)
}

/// A node's.
pub(super) fn of(certificates: &Certificates, node: &str) -> Result<Certificate> {
    let found = certificates.get(node).map(|found| (**found).clone());
    found.with_context(|| format!("no certificate was made for {node}"))
}

fn own_authority() -> Result<Authority> {
    tracing::error!(
        "nobody signs kubelets' certificates here, so they are of the lab's own authority: kubectl logs and exec need \
         a kube-apiserver without --kubelet-certificate-authority, metrics-server needs --kubelet-insecure-tls; or \
         run kube-controller-manager with --cluster-signing-cert-file and --cluster-signing-key-file"
    );
    Ok(Authority::in_memory(now())?)
}

fn self_made(own: &Authority, wanted: &Wanted) -> Result<Certificate> {
    let names: Vec<&str> = wanted.0.iter().map(|(name, _)| name.as_str()).collect();
    let addresses: Vec<IpAddr> = wanted
        .0
        .iter()
        .map(|(_, address)| (*address).into())
        .collect();
    let user = format!("system:node:{}", names.first().copied().unwrap_or_default());
    let made = own.serving_certificate(now(), &user, &names, &addresses)?;
    Ok((made.certificate_pem, made.key_pem))
}

/// What the cluster signs, if it does in time.
async fn signed(access: &Access, wanted: &Wanted) -> Result<Option<Certificate>> {
    let (names, addresses): (Vec<String>, Vec<IpAddr>) = wanted
        .0
        .iter()
        .map(|(name, address)| (name.clone(), IpAddr::from(*address)))
        .unzip();
    let node = names.first().context("a certificate for nobody")?;
    let request = Request::kubelet_serving(node, &names, &addresses)?;
    let groups = &["system:nodes", "system:authenticated"];
    let asking = access.as_user(User::new(format!("system:node:{node}"), groups))?;
    let name = ask(asking, &request)
        .await
        .with_context(|| format!("cannot ask for a certificate for {node}"))?;
    let requests: Api<CertificateSigningRequest> = Api::all(access.admin()?);
    approve(&requests, &name)
        .await
        .with_context(|| format!("cannot approve the certificate of {node}"))?;
    let certificate = tokio::time::timeout(SIGNED_IN, issued(&requests, &name)).await;
    match certificate {
        Ok(certificate) => Ok(Some((certificate?, request.key_pem))),
        Err(_) => Ok(None),
    }
}

/// Makes the request as the node itself: the signer checks who asks.
async fn ask(client: Client, request: &Request) -> kube::Result<String> {
    let usages = ["digital signature", "server auth"].map(str::to_owned);
    let made = CertificateSigningRequest {
        metadata: ObjectMeta {
            generate_name: Some("csr-".to_owned()),
            ..ObjectMeta::default()
        },
        spec: CertificateSigningRequestSpec {
            request: ByteString(request.request_pem.clone().into_bytes()),
            signer_name: "kubernetes.io/kubelet-serving".to_owned(),
            usages: Some(usages.to_vec()),
            ..CertificateSigningRequestSpec::default()
        },
        status: None,
    };
    let api: Api<CertificateSigningRequest> = Api::all(client);
    let made = api.create(&PostParams::default(), &made).await?;
    Ok(made.metadata.name.unwrap_or_default())
}

async fn approve(requests: &Api<CertificateSigningRequest>, name: &str) -> kube::Result<()> {
    let approved = json!({"status": {"conditions": [{
        "type": "Approved", "status": "True", "reason": "LabNode",
        "message": "a node of an evenkeel lab, approved by who started it",
    }]}});
    let (parameters, patch) = (PatchParams::default(), Patch::Merge(approved));
    let asked = requests.patch_approval(name, &parameters, &patch);
    asked.await.map(drop)
}

/// Waits for the signature; the caller gives it a limit.
async fn issued(requests: &Api<CertificateSigningRequest>, name: &str) -> Result<String> {
    loop {
        let status = requests.get(name).await?.status;
        if let Some(ByteString(pem)) = status.and_then(|status| status.certificate) {
            return String::from_utf8(pem).context("the certificate that was signed is no text");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests;
