//! What a pod needs before its first container: an address, volumes, tokens, its hosts file.

use crate::environment::References;
use crate::host::Host;
use crate::hosts::{self, Owner};
use crate::volumes::{self, Filling};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, PodSpec, Secret, ServiceAccount};
use kube::Api;
use kube::api::PostParams;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

/// How long a question to the API may take.
const API_TIMEOUT: Duration = Duration::from_secs(10);
/// A token's life, as admission asks for it. Upstream: tokenExpirationSeconds in serviceaccount
/// admission (one hour and a bit).
const TOKEN_SECONDS: i64 = 3_607;

/// A prepared pod.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    /// Its address.
    pub address: Ipv4Addr,
    /// Its volumes' places on the host.
    pub volumes: BTreeMap<String, PathBuf>,
    /// Its `/etc/hosts`.
    pub hosts: PathBuf,
    /// Whose that is.
    pub owner: Owner,
}

/// Why a pod cannot be prepared yet: the volume, and a sentence.
pub(super) type Failure = (Option<String>, String);

/// Prepares volumes and files; asking again overwrites them.
pub(super) async fn prepare(
    host: &Host,
    pod: &Pod,
    address: Ipv4Addr,
) -> Result<Prepared, Failure> {
    let spec = pod.spec.clone().unwrap_or_default();
    let directory = host.pod_directory(pod.metadata.uid.as_deref().unwrap_or_default());
    let plain = |message: String| (None, message);
    std::fs::create_dir_all(&directory)
        .map_err(|e| plain(format!("cannot make {}: {e}", directory.display())))?;
    let references = references(host, pod, &volume_references(&spec))
        .await
        .map_err(plain)?;
    let tokens = tokens(host, pod, &spec).await.map_err(plain)?;
    let filling = Filling {
        pod,
        references: &references,
        tokens: &tokens,
        ca_pem: &host.config.ca_pem,
    };
    let mut places = BTreeMap::new();
    for volume in spec.volumes.iter().flatten() {
        let place = volumes::fill(volume, &directory.join("volumes"), filling)
            .map_err(|why| (Some(volume.name.clone()), why))?;
        places.insert(volume.name.clone(), place);
    }
    let owner = owner(pod, &spec, address);
    let hosts = directory.join("hosts");
    let services = host.cluster.borrow().clone().unwrap_or_default();
    hosts::write(&hosts, &hosts::text(&owner, &services))
        .map_err(|e| plain(format!("cannot write {}: {e}", hosts.display())))?;
    Ok(Prepared {
        address,
        volumes: places,
        hosts,
        owner,
    })
}

/// Renews the pod's tokens in place.
pub(super) async fn renew_tokens(
    host: &Host,
    pod: &Pod,
    prepared: &Prepared,
) -> Result<(), Failure> {
    prepare(host, pod, prepared.address).await.map(drop)
}

fn owner(pod: &Pod, spec: &PodSpec, address: Ipv4Addr) -> Owner {
    let aliases = spec.host_aliases.iter().flatten();
    Owner {
        namespace: pod.metadata.namespace.clone().unwrap_or_default(),
        address: address.into(),
        hostname: hostname(pod),
        aliases: aliases
            .map(|a| (a.ip.clone(), a.hostnames.clone().unwrap_or_default()))
            .collect(),
    }
}

/// The pod's host name: its own, or its name, at most 63 characters long.
pub(super) fn hostname(pod: &Pod) -> String {
    let own = pod.spec.as_ref().and_then(|s| s.hostname.clone());
    let name = own
        .or_else(|| pod.metadata.name.clone())
        .unwrap_or_default();
    let short: String = name.chars().take(63).collect();
    short.trim_end_matches(['-', '.']).to_owned()
}

#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub config_maps: BTreeSet<String>,
    pub secrets: BTreeSet<String>,
}

fn volume_references(spec: &PodSpec) -> Wanted {
    let mut wanted = Wanted::default();
    for volume in spec.volumes.iter().flatten() {
        wanted
            .config_maps
            .extend(volume.config_map.iter().map(|s| s.name.clone()));
        wanted
            .secrets
            .extend(volume.secret.iter().filter_map(|s| s.secret_name.clone()));
        let projected = volume
            .projected
            .iter()
            .flat_map(|p| p.sources.iter().flatten());
        for source in projected {
            wanted
                .config_maps
                .extend(source.config_map.iter().map(|s| s.name.clone()));
            wanted
                .secrets
                .extend(source.secret.iter().map(|s| s.name.clone()));
        }
    }
    wanted
}

/// Reads ConfigMaps and Secrets; those that do not exist are not in the answer.
pub(super) async fn references(
    host: &Host,
    pod: &Pod,
    wanted: &Wanted,
) -> Result<References, String> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
    let read = async {
        let mut found = References::default();
        let maps: Api<ConfigMap> = Api::namespaced(host.config.client.clone(), namespace);
        for name in &wanted.config_maps {
            if let Some(map) = maps.get_opt(name).await? {
                found.config_maps.insert(name.clone(), map);
            }
        }
        let secrets: Api<Secret> = Api::namespaced(host.config.client.clone(), namespace);
        for name in &wanted.secrets {
            if let Some(secret) = secrets.get_opt(name).await? {
                found.secrets.insert(name.clone(), secret);
            }
        }
        Ok::<_, kube::Error>(found)
    };
    match tokio::time::timeout(API_TIMEOUT, read).await {
        Ok(result) => result.map_err(|e| e.to_string()),
        Err(_) => Err(format!("the API did not answer within {API_TIMEOUT:?}")),
    }
}

/// Tokens by audience; the empty audience is the API's.
async fn tokens(
    host: &Host,
    pod: &Pod,
    spec: &PodSpec,
) -> Result<BTreeMap<String, String>, String> {
    let sources = spec
        .volumes
        .iter()
        .flatten()
        .filter_map(|v| v.projected.as_ref())
        .flat_map(|p| p.sources.iter().flatten())
        .filter_map(|s| s.service_account_token.as_ref());
    let audiences: BTreeSet<String> = sources
        .map(|s| s.audience.clone().unwrap_or_default())
        .collect();
    let mut tokens = BTreeMap::new();
    for audience in audiences {
        let token = token(host, pod, spec, &audience).await?;
        tokens.insert(audience, token);
    }
    Ok(tokens)
}

async fn token(host: &Host, pod: &Pod, spec: &PodSpec, audience: &str) -> Result<String, String> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
    let account = spec
        .service_account_name
        .as_deref()
        .filter(|n| !n.is_empty());
    let account = account.unwrap_or("default");
    let request = TokenRequest {
        spec: Some(TokenRequestSpec {
            audiences: (!audience.is_empty()).then(|| vec![audience.to_owned()]),
            expiration_seconds: Some(TOKEN_SECONDS),
            bound_object_ref: Some(k8s_openapi::api::authentication::v1::BoundObjectReference {
                api_version: Some("v1".to_owned()),
                kind: Some("Pod".to_owned()),
                name: pod.metadata.name.clone(),
                uid: pod.metadata.uid.clone(),
            }),
        }),
        ..TokenRequest::default()
    };
    let api: Api<ServiceAccount> = Api::namespaced(host.config.client.clone(), namespace);
    let parameters = PostParams::default();
    let asked = api.create_token_request(account, &parameters, &request);
    let answer = tokio::time::timeout(API_TIMEOUT, asked)
        .await
        .map_err(|_| format!("the API gave no token within {API_TIMEOUT:?}"))?;
    let why = |e: kube::Error| format!("failed to fetch token: {e}");
    answer
        .map_err(why)?
        .status
        .and_then(|s| s.token)
        .ok_or_else(|| "failed to fetch token".to_owned())
}
