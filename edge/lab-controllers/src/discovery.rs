//! Which kinds the API serves, built-in, custom and aggregated.

use crate::engine::Error;
use futures::future::join_all;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIGroup, APIResource, APIResourceList};
use kube::Client;
use kube::core::ApiResource;

/// One kind in its preferred version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) resource: ApiResource,
    pub(crate) namespaced: bool,
    verbs: Vec<String>,
}

impl Served {
    /// Whether the kind can be asked to `verb`.
    pub(crate) fn can(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }
}

/// What could be learnt, and what went wrong with the rest (an aggregated API that is down, say).
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    pub(crate) kinds: Vec<Served>,
    pub(crate) failures: Vec<String>,
}

/// Asks the API for every kind.
pub(crate) async fn discover(client: &Client) -> Result<Discovery, Error> {
    let core = client.list_core_api_resources("v1").await?;
    let mut discovery = Discovery {
        kinds: served("", "v1", core),
        failures: Vec::new(),
    };
    let groups = client.list_api_groups().await?.groups;
    let asked = groups
        .iter()
        .filter_map(preferred)
        .map(|(group, version)| async move {
            let name = format!("{group}/{version}");
            (group, version, client.list_api_group_resources(&name).await)
        });
    for (group, version, answer) in join_all(asked).await {
        match answer {
            Ok(list) => discovery.kinds.extend(served(group, version, list)),
            Err(error) => discovery
                .failures
                .push(format!("{group}/{version}: {error}")),
        }
    }
    // The same objects under an older name.
    discovery.kinds.retain(|kind| {
        !(kind.resource.group == "events.k8s.io" && kind.resource.plural == "events")
    });
    Ok(discovery)
}

fn preferred(group: &APIGroup) -> Option<(&str, &str)> {
    let version = group
        .preferred_version
        .as_ref()
        .or(group.versions.first())?;
    Some((&group.name, &version.version))
}

fn served(group: &str, version: &str, list: APIResourceList) -> Vec<Served> {
    let own = |resource: &APIResource| !resource.name.contains('/');
    let kind = |resource: APIResource| Served {
        resource: ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version: if group.is_empty() {
                version.to_owned()
            } else {
                format!("{group}/{version}")
            },
            kind: resource.kind,
            plural: resource.name,
        },
        namespaced: resource.namespaced,
        verbs: resource.verbs,
    };
    list.resources.into_iter().filter(own).map(kind).collect()
}
