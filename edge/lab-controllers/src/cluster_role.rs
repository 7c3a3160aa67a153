//! ClusterRoles that are made of others.
//!
//! Upstream: pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go (v1.36).

use crate::engine::cache::ObjectKey;
use crate::engine::queue::Queue;
use crate::engine::{Error, Next, Reconciler};
use crate::hub::{Hub, Setup};
use crate::meta;
use jiff::Timestamp;
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};
use kube::api::PostParams;
use kube::{Api, Client};
use std::sync::Arc;

struct Controller {
    hub: Arc<Hub>,
    client: Client,
}

pub(crate) fn start(setup: &mut Setup<'_>) {
    let hub = setup.hub.clone();
    let queue = Arc::new(Queue::default());
    // Any role may be part of any aggregate; there are few aggregates.
    let (roles, aggregates) = (hub.cluster_roles.clone(), queue.clone());
    setup.on.cluster_roles.on(move |_| {
        for role in roles
            .all()
            .iter()
            .filter(|role| role.aggregation_rule.is_some())
        {
            aggregates.add(ObjectKey::of(&**role));
        }
    });
    let client = setup.client("clusterrole-aggregation-controller");
    setup.controller(Controller { hub, client }, &queue);
}

/// The rules of all other roles that the aggregate selects, in order of name, each once.
fn rules(aggregate: &ClusterRole, roles: &[Arc<ClusterRole>]) -> Result<Vec<PolicyRule>, Error> {
    let selectors = aggregate
        .aggregation_rule
        .as_ref()
        .and_then(|r| r.cluster_role_selectors.as_ref());
    let mut rules = Vec::new();
    for selector in selectors.into_iter().flatten() {
        let selector = meta::selector(selector)?;
        let parts = roles.iter().filter(|role| {
            meta::name(&***role) != meta::name(aggregate) && meta::matches(&selector, &***role)
        });
        for rule in parts.flat_map(|role| role.rules.iter().flatten()) {
            if !rules.contains(rule) {
                rules.push(rule.clone());
            }
        }
    }
    Ok(rules)
}

impl Reconciler for Controller {
    const NAME: &'static str = "clusterrole-aggregation";
    const WORKERS: usize = 1;

    async fn reconcile(&self, key: &ObjectKey, _now: Timestamp) -> Result<Next, Error> {
        let role = self
            .hub
            .cluster_roles
            .get(key)
            .filter(|role| !meta::is_deleted(&**role));
        let Some(role) = role.filter(|role| role.aggregation_rule.is_some()) else {
            return Ok(Next::Done);
        };
        let rules = rules(&role, &self.hub.cluster_roles.all())?;
        if role.rules.as_deref().unwrap_or_default() == rules {
            return Ok(Next::Done);
        }
        let changed = ClusterRole {
            rules: Some(rules),
            ..(*role).clone()
        };
        let api: Api<ClusterRole> = Api::all(self.client.clone());
        let written = api
            .replace(&key.name, &PostParams::default(), &changed)
            .await?;
        self.hub.cluster_roles.wrote(written);
        Ok(Next::Done)
    }
}
