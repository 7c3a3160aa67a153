//! Kubernetes' nodes and pods in the words of `node_plan`.

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::core::v1::{
    Container, Node, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, Toleration,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use node_plan::{Amounts, Effect, Operator, Preference, Requirement, Taint, Term};
use std::collections::BTreeMap;

type Quantities = BTreeMap<String, Quantity>;

/// An amount in the unit that `node_plan` counts in: thousandths for cpu, else whole.
fn amount(resource: &str, quantity: &Quantity) -> i64 {
    let Ok(parsed) = quantity.0.parse::<units::Quantity>() else {
        return 0;
    };
    if resource == "cpu" {
        parsed.milli_value()
    } else {
        parsed.value()
    }
}

fn amounts(quantities: Option<&Quantities>) -> Amounts {
    let each = quantities.into_iter().flatten();
    each.map(|(name, quantity)| (name.clone(), amount(name, quantity)))
        .collect()
}

fn add(sum: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        *sum.entry(name.clone()).or_default() += amount;
    }
}

fn raise(most: &mut Amounts, other: &Amounts) {
    for (name, amount) in other {
        let held = most.entry(name.clone()).or_default();
        *held = (*held).max(*amount);
    }
}

fn container_requests(container: &Container) -> Amounts {
    amounts(
        container
            .resources
            .as_ref()
            .and_then(|resources| resources.requests.as_ref()),
    )
}

/// What a pod requests: its containers together, or an init container if that needs more.
/// Upstream: k8s.io/component-helpers/resource, PodRequests (v1.36).
pub(crate) fn requests(pod: &Pod) -> Amounts {
    let Some(spec) = &pod.spec else {
        return Amounts::new();
    };
    let mut total = Amounts::new();
    for container in &spec.containers {
        add(&mut total, &container_requests(container));
    }
    let mut sidecars = Amounts::new();
    let mut init = Amounts::new();
    for container in spec.init_containers.iter().flatten() {
        let mut requests = container_requests(container);
        if container.restart_policy.as_deref() == Some("Always") {
            add(&mut sidecars, &requests);
            requests = sidecars.clone();
        } else {
            add(&mut requests, &sidecars);
        }
        raise(&mut init, &requests);
    }
    add(&mut total, &sidecars);
    raise(&mut total, &init);
    add(&mut total, &amounts(spec.overhead.as_ref()));
    total
}

/// A node without its pods.
pub(crate) fn node(node: &Node) -> node_plan::Node {
    let spec = node.spec.as_ref();
    let status = node.status.as_ref();
    let mut allocatable = amounts(status.and_then(|status| status.allocatable.as_ref()));
    let pods = allocatable.remove("pods").unwrap_or(110);
    let taints = spec
        .and_then(|spec| spec.taints.as_ref())
        .into_iter()
        .flatten();
    node_plan::Node {
        name: node.metadata.name.clone().unwrap_or_default(),
        labels: node.metadata.labels.clone().unwrap_or_default(),
        taints: taints.filter_map(taint).collect(),
        unschedulable: spec.and_then(|spec| spec.unschedulable) == Some(true),
        allocatable,
        requested: Amounts::new(),
        pods: (pods, 0),
        siblings: 0,
    }
}

/// A taint; `None` if its effect is not known.
pub(crate) fn taint(taint: &core::Taint) -> Option<Taint> {
    Some(Taint {
        key: taint.key.clone(),
        value: taint.value.clone().unwrap_or_default(),
        effect: effect(&taint.effect)?,
    })
}

fn effect(text: &str) -> Option<Effect> {
    match text {
        "NoSchedule" => Some(Effect::NoSchedule),
        "PreferNoSchedule" => Some(Effect::PreferNoSchedule),
        "NoExecute" => Some(Effect::NoExecute),
        _ => None,
    }
}

/// A pod to place.
pub(crate) fn pod(pod: &Pod) -> node_plan::Pod {
    let spec = pod.spec.clone().unwrap_or_default();
    let (required, preferred) = affinity(&spec);
    node_plan::Pod {
        requests: requests(pod),
        required,
        preferred,
        tolerations: tolerations(spec.tolerations.as_deref()),
        node_selector: spec.node_selector.unwrap_or_default(),
    }
}

fn tolerations(tolerations: Option<&[Toleration]>) -> Vec<node_plan::Toleration> {
    tolerations.into_iter().flatten().map(toleration).collect()
}

pub(crate) fn toleration(toleration: &Toleration) -> node_plan::Toleration {
    let exists = toleration.operator.as_deref() == Some("Exists");
    node_plan::Toleration {
        key: toleration.key.clone().unwrap_or_default(),
        value: (!exists).then(|| toleration.value.clone().unwrap_or_default()),
        effect: toleration.effect.as_deref().and_then(effect),
    }
}

fn affinity(spec: &PodSpec) -> (Option<Vec<Term>>, Vec<Preference>) {
    let Some(affinity) = spec
        .affinity
        .as_ref()
        .and_then(|affinity| affinity.node_affinity.as_ref())
    else {
        return (None, Vec::new());
    };
    let required = affinity
        .required_during_scheduling_ignored_during_execution
        .as_ref();
    let preferred = affinity
        .preferred_during_scheduling_ignored_during_execution
        .as_ref();
    let preferred = preferred.into_iter().flatten().map(|preferred| Preference {
        weight: preferred.weight.into(),
        term: term(&preferred.preference),
    });
    (
        required.map(|selector| selector.node_selector_terms.iter().map(term).collect()),
        preferred.collect(),
    )
}

fn term(term: &NodeSelectorTerm) -> Term {
    let requirements = |list: Option<&Vec<NodeSelectorRequirement>>| {
        list.into_iter().flatten().filter_map(requirement).collect()
    };
    Term {
        labels: requirements(term.match_expressions.as_ref()),
        fields: requirements(term.match_fields.as_ref()),
    }
}

fn requirement(requirement: &NodeSelectorRequirement) -> Option<Requirement> {
    let operator = match requirement.operator.as_str() {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        "Gt" => Operator::Gt,
        "Lt" => Operator::Lt,
        _ => return None,
    };
    Some(Requirement {
        key: requirement.key.clone(),
        operator,
        values: requirement.values.clone().unwrap_or_default(),
    })
}
