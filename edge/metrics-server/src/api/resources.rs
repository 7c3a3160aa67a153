//! get and list of nodes and pods.
//!
//! Upstream: pkg/api/{node,pod}.go.

use super::negotiate::{self, Agreed, Form};
use super::render::{Include, Item, Kind, Writer, writer};
use super::{Api, Reply, Wanted, encode, options, query, services};
use crate::cluster::{Cluster, Labels};
use crate::selector::{self, Fields};
use http::request::Parts;
use http::{Method, StatusCode};
use jiff::Timestamp;
use k8s::selector::LabelSelector;
use k8s::status::{ApiError, GroupResource};
use std::sync::PoisonError;
use usage::{PodUsage, Store};

const NODES: GroupResource<'_> = GroupResource {
    group: "",
    // Upstream's lister says it in the singular.
    resource: "node",
};
const PODS: GroupResource<'_> = GroupResource {
    group: "",
    resource: "pods",
};
const NODE_METRICS: GroupResource<'_> = GroupResource {
    group: "metrics.k8s.io",
    resource: "nodemetrics",
};
const POD_METRICS: GroupResource<'_> = GroupResource {
    group: "metrics.k8s.io",
    resource: "podmetrics",
};

/// How upstream says that lists might be watched.
const STREAMS: &str =
    ", application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";

/// Refuses a client that names no form of one object, or of a list.
pub(super) fn acceptable(head: &Parts, single: bool) -> Result<(), ApiError> {
    services::acceptable(head, negotiate::ALL, if single { "" } else { STREAMS })
}

impl Wanted<'_> {
    /// What the path leads to; nothing where it leads nowhere.
    pub(super) fn kind(&self) -> Option<Kind> {
        let kind = match (self.resource, self.namespace.is_empty()) {
            ("nodes", true) => Kind::Node,
            ("pods", _) => Kind::Pod,
            _ => return None,
        };
        let pods_everywhere = kind == Kind::Pod && self.namespace.is_empty();
        let nowhere = !self.rest.is_empty() || (pods_everywhere && !self.name.is_empty());
        (!nowhere).then_some(kind)
    }
}

impl Api {
    pub(super) fn resource(
        &self,
        head: &Parts,
        wanted: &Wanted<'_>,
        now: Timestamp,
    ) -> Result<Reply, ApiError> {
        let kind = wanted.kind().ok_or_else(ApiError::path_not_found)?;
        if head.method != Method::GET {
            return Err(ApiError::method_not_allowed());
        }
        let query = head.uri.query().unwrap_or_default();
        let single = !wanted.name.is_empty();
        acceptable(head, single)?;
        let watch = !single && query::flag(query, "watch");
        if !single {
            options::check(query, watch)?;
        }
        if watch {
            if let Some(watches) = self.watches.as_ref().filter(|_| kind == Kind::Pod) {
                return self.watch(watches, head, wanted);
            }
            return Err(ApiError::method_not_supported(
                wanted.group_resource(),
                "watch",
            ));
        }
        let agreed = negotiate::objects(head)?;
        let body = self.body(kind, wanted, (agreed, query), now)?;
        agreed.fits(kind.name(), single)?;
        Ok(encode::reply(head, StatusCode::OK, agreed, body))
    }

    fn body(
        &self,
        kind: Kind,
        wanted: &Wanted<'_>,
        (agreed, query): (Agreed, &str),
        now: Timestamp,
    ) -> Result<Vec<u8>, ApiError> {
        let include = include(agreed.form, query)?;
        let mut writer = writer(kind, (agreed.form, agreed.media), include, now);
        let cluster = self.cluster.read().unwrap_or_else(PoisonError::into_inner);
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        let mut served = Served {
            api: self,
            now,
            store: &store,
            writer: &mut *writer,
        };
        match (kind, wanted.name.is_empty()) {
            (Kind::Node, false) => served.node(&cluster, wanted.name)?,
            (Kind::Pod, false) => served.pod(&cluster, wanted)?,
            (kind, true) => {
                let picked = Picked::new(query)?;
                served.writer.begin_list();
                match kind {
                    Kind::Node => served.nodes(&cluster, &picked),
                    Kind::Pod => served.pods(&cluster, &picked, wanted.namespace),
                }
                served.writer.end_list();
            }
        }
        drop((store, cluster));
        Ok(writer.finish())
    }
}

/// What a table's rows carry. Upstream: ValidateTableOptions.
pub(super) fn include(form: Form, query: &str) -> Result<Include, ApiError> {
    let wanted = query::value(query, "includeObject").unwrap_or_default();
    match &*wanted {
        "None" => Ok(Include::Nothing),
        "Object" => Ok(Include::Object),
        other if !matches!(other, "" | "Metadata") && matches!(form, Form::Table(_)) => {
            Err(ApiError::bad_request(format!(
                "Unable to convert to Table as requested: includeObject: Invalid value: {other:?}: \
                 must be 'Metadata', 'Object', 'None', or empty"
            )))
        }
        _ => Ok(Include::Metadata),
    }
}

/// The selectors of a list.
pub(super) struct Picked {
    labels: LabelSelector,
    fields: Fields,
}

impl Picked {
    pub(super) fn new(query: &str) -> Result<Self, ApiError> {
        let labels = query::value(query, "labelSelector").unwrap_or_default();
        let fields = query::value(query, "fieldSelector").unwrap_or_default();
        Ok(Self {
            labels: selector::labels(&labels)?,
            fields: Fields::parse(&fields)?,
        })
    }

    pub(super) fn matches(&self, namespace: &str, name: &str, labels: &Labels) -> bool {
        self.labels.matches_by(|key| labels.get(key)) && self.fields.matches(namespace, name)
    }
}

/// One answer in the making.
struct Served<'a> {
    api: &'a Api,
    now: Timestamp,
    store: &'a Store,
    writer: &'a mut dyn Writer,
}

impl Served<'_> {
    fn node(&mut self, cluster: &Cluster, name: &str) -> Result<(), ApiError> {
        let node = cluster
            .node(name)
            .ok_or_else(|| ApiError::not_found(NODES, name))?;
        let usage = self
            .store
            .node(name)
            .ok_or_else(|| ApiError::not_found(NODE_METRICS, name))?;
        self.fresh(usage.at);
        self.writer.one(&Item::node(node, &usage));
        Ok(())
    }

    fn nodes(&mut self, cluster: &Cluster, picked: &Picked) {
        for node in cluster.nodes() {
            let matches = picked.matches("", &node.name, &node.labels);
            if let Some(usage) = matches.then(|| self.store.node(&node.name)).flatten() {
                self.fresh(usage.at);
                self.writer.item(&Item::node(node, &usage));
            }
        }
    }

    fn pod(&mut self, cluster: &Cluster, wanted: &Wanted<'_>) -> Result<(), ApiError> {
        let Wanted {
            namespace, name, ..
        } = *wanted;
        let labels = cluster
            .pod(namespace, name)
            .ok_or_else(|| ApiError::not_found(PODS, name))?;
        let usage = self
            .store
            .pod(namespace, name)
            .ok_or_else(|| ApiError::not_found(POD_METRICS, &format!("{namespace}/{name}")))?;
        self.fresh(usage.at);
        self.writer.one(&Item::pod(namespace, name, labels, &usage));
        Ok(())
    }

    fn pods(&mut self, cluster: &Cluster, picked: &Picked, namespace: &str) {
        let namespace = (!namespace.is_empty()).then_some(namespace);
        for (namespace, name, labels) in cluster.pods(namespace) {
            let matches = picked.matches(namespace, name, labels);
            let usage: Option<PodUsage<'_>> =
                matches.then(|| self.store.pod(namespace, name)).flatten();
            if let Some(usage) = usage {
                self.fresh(usage.at);
                self.writer
                    .item(&Item::pod(namespace, name, labels, &usage));
            }
        }
    }

    fn fresh(&self, at: i64) {
        let age = self.now.as_nanosecond().saturating_sub(i128::from(at));
        self.api.telemetry.served(age as f64 / 1e9);
    }
}
