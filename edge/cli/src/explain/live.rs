//! A snapshot of a cluster, gathered as the controller would look.

use super::{BadInput, now, print, witness};
use crate::args::ExplainArgs;
use anyhow::{Context, Result};
use hpa::{Reading, ScaleStep};
use hpa_controller::{Kind, Look, ReplicaSet};
use k8s::own_kind;
use k8s::selector::LabelSelector;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, Client};
use record::{Choice, Documents, Snapshot, Unavailable};
use serde_json::{Value, json};
use std::time::Duration;
use witness::Witness;

/// The autoscaler itself must be there within this time.
const TIMEOUT: Duration = Duration::from_secs(15);
/// What a saved snapshot is called before it has a file.
const SOURCE: &str = "the cluster";
/// How many autoscalers of the namespace are asked whether they claim the same pods.
const AUTOSCALERS_MAX: u32 = 500;
/// What kubectl writes for itself.
const NOISE: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Everything about one autoscaler; nothing when there is none of that name.
pub(super) async fn gather(
    object: &[String],
    args: &ExplainArgs,
) -> Result<Option<(Documents, Snapshot)>> {
    let (kind, name) = name_of(object)?;
    let config =
        runtime::client::config_for_people(args.kubeconfig.as_deref(), args.context.as_deref())
            .await
            .map_err(|e| BadInput(said(&e)))?;
    let namespace = args.namespace.clone();
    let namespace = namespace.unwrap_or_else(|| config.default_namespace.clone());
    let client = Client::try_from(config).context("cannot set up the Kubernetes client")?;
    let Some(found) = autoscaler(&client, &namespace, (kind, name)).await? else {
        return Ok(None);
    };
    let mut gathered = Gathered::default();
    gathered.look(client, &namespace, &found).await?;
    gathered.objects.insert(0, found);
    let at = now();
    gathered.objects.push(json!({
        "apiVersion": "evenkeel.dev/v1alpha1",
        "kind": "DecisionContext",
        "now": jiff::Timestamp::from_nanosecond(at.nanos())?.to_string(),
        "otherAutoscalers": gathered.others,
        "unavailable": gathered.unavailable,
    }));
    let mut documents = Documents::default();
    for object in gathered.objects {
        documents.add(SOURCE, object)?;
    }
    let choice = Choice { hpa: None, now: at };
    let snapshot = Snapshot::read(&documents, choice)?;
    Ok(Some((documents, snapshot)))
}

/// What was tried and what stood in the way, without what lies between and repeats both.
pub(crate) fn said(error: &anyhow::Error) -> String {
    match error.chain().count() {
        1 => error.to_string(),
        _ => format!("{error}: {}", error.root_cause()),
    }
}

/// `hpa/NAME` or `hpa NAME`, and what else kubectl takes for it; `ehpa` is ours.
pub(crate) fn name_of(object: &[String]) -> Result<(Kind, &str), BadInput> {
    let wrong = || {
        BadInput(format!(
            "{:?} is no autoscaler: write hpa/NAME",
            object.join(" ")
        ))
    };
    let (kind, name) = match object {
        [both] => both.split_once('/').ok_or_else(wrong)?,
        [kind, name] => (kind.as_str(), name.as_str()),
        _ => return Err(wrong()),
    };
    let kind = kind.to_ascii_lowercase();
    let (word, group) = kind.split_once('.').unwrap_or((&kind, ""));
    let known = ["hpa", "horizontalpodautoscaler", "horizontalpodautoscalers"];
    let own =
        word == own_kind::SHORT || (known.contains(&word) && group.ends_with(own_kind::GROUP));
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if !(own || known.contains(&word)) || name.is_empty() || !name.chars().all(plain) {
        return Err(wrong());
    }
    let kind = if own {
        Kind::Evenkeel
    } else {
        Kind::Autoscaling
    };
    Ok((kind, name))
}

async fn autoscaler(
    client: &Client,
    namespace: &str,
    (kind, name): (Kind, &str),
) -> Result<Option<Value>> {
    let version = kind.api_version();
    let path = format!("/apis/{version}/namespaces/{namespace}/horizontalpodautoscalers/{name}");
    let request = http::Request::get(path)
        .body(Vec::new())
        .map_err(|e| BadInput(format!("-n {namespace}: {e}")))?;
    let asked = tokio::time::timeout(TIMEOUT, client.request::<Value>(request)).await;
    match asked.context("the cluster did not answer within 15s")? {
        Ok(mut object) => {
            tidy(&mut object);
            Ok(Some(object))
        }
        Err(kube::Error::Api(status)) if status.code == 404 => {
            print::warn(&format!("{} (namespace {namespace})", status.message));
            Ok(None)
        }
        Err(error) => Err(error).context("cannot get the autoscaler"),
    }
}

/// Takes out what says nothing and only takes room.
fn tidy(object: &mut Value) {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.remove(NOISE);
        }
    }
}

/// What was found.
#[derive(Default)]
struct Gathered {
    objects: Vec<Value>,
    /// Autoscalers that claim some of the same pods.
    others: Vec<String>,
    unavailable: Unavailable,
}

impl Gathered {
    async fn look(&mut self, client: Client, namespace: &str, object: &Value) -> Result<()> {
        let own = object["apiVersion"] == own_kind::API_VERSION;
        let plain = if own {
            own_kind::to_plain(object)
        } else {
            object.clone()
        };
        let object: HorizontalPodAutoscaler = serde_json::from_value(plain)
            .context("the cluster's autoscaler is of an unknown form")?;
        let all = Api::<HorizontalPodAutoscaler>::namespaced(client.clone(), namespace);
        let (client, witness) = witness::watch(client, namespace);
        let look = Look::new(client, namespace);
        let scale = match look.scale(&object.spec.scale_target_ref).await {
            Ok(scale) => scale,
            Err(problem) => {
                // What follows from the reference alone need not be said.
                if problem.context != ScaleStep::ApiVersion {
                    self.unavailable.scale = Some(problem.error);
                }
                return Ok(());
            }
        };
        let text = scale.status.as_ref().and_then(|s| s.selector.clone());
        self.objects.push(scale_object(&scale)?);
        let Some(selector) = text.filter(|t| !t.is_empty() && LabelSelector::parse(t).is_ok())
        else {
            return Ok(());
        };
        match look.pods(&selector).await {
            Ok(pods) => {
                match look.replica_sets(&object, &scale, &pods).await {
                    Ok(sets) => self
                        .objects
                        .extend(sets.iter().map(|set| replica_set(set, namespace))),
                    Err(error) => self.unavailable.pods = Some(error),
                }
                self.objects.extend(pods.iter().map(plain_pod));
                self.others = others(&look, all, &object, &pods).await;
            }
            Err(error) => self.unavailable.pods = Some(error),
        }
        self.metrics(&look, &witness, &selector, &object).await;
        Ok(())
    }

    async fn metrics(
        &mut self,
        look: &Look,
        witness: &Witness,
        selector: &str,
        object: &HorizontalPodAutoscaler,
    ) {
        witness.take();
        match look.resource_metrics(selector).await {
            Ok(_) => self.objects.extend(pod_metrics(&witness.take())),
            Err(error) => self.unavailable.resource_metrics = Some(error),
        }
        let metrics = object.spec.metrics.as_deref().unwrap_or_default();
        for (index, metric) in metrics.iter().enumerate() {
            let error = match look.metric(metric, selector).await {
                Reading::Resource => continue,
                Reading::Pods(read) => read.err(),
                Reading::Object(read) => read.err(),
                Reading::External(read) => read.err(),
            };
            match (error, list(&witness.take(), index)) {
                (Some(error), _) => {
                    self.unavailable.metrics.insert(index, error);
                }
                (None, list) => self.objects.extend(list),
            }
        }
    }
}

/// The other autoscalers whose targets select some of these pods: upstream's controller then does nothing.
async fn others(
    look: &Look,
    all: Api<HorizontalPodAutoscaler>,
    own: &HorizontalPodAutoscaler,
    pods: &[Pod],
) -> Vec<String> {
    let params = ListParams::default().limit(AUTOSCALERS_MAX);
    let listed = tokio::time::timeout(TIMEOUT, all.list(&params)).await;
    let mut all = match listed {
        Ok(Ok(list)) => list.items,
        Ok(Err(error)) => {
            print::warn(&format!(
                "whether other autoscalers claim the same pods is not known: {error}"
            ));
            return Vec::new();
        }
        Err(_) => return Vec::new(),
    };
    all.retain(|other| other.metadata.name != own.metadata.name);
    look.picking(&all, pods).await
}

fn scale_object(scale: &k8s_openapi::api::autoscaling::v1::Scale) -> Result<Value> {
    let mut object = serde_json::to_value(scale)?;
    object["apiVersion"] = "autoscaling/v1".into();
    object["kind"] = "Scale".into();
    tidy(&mut object);
    Ok(object)
}

/// Of a ReplicaSet only whose it is.
fn replica_set(set: &ReplicaSet, namespace: &str) -> Value {
    let owners = set.controller.as_ref().map_or(json!([]), |c| json!([c]));
    json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": set.name, "namespace": namespace, "uid": set.uid, "ownerReferences": owners},
    })
}

/// Of a pod only what decisions read: the rest is large, and may be nobody else's business.
fn plain_pod(pod: &Pod) -> Value {
    let whole = json!(pod);
    let (metadata, spec, status) = (&whole["metadata"], &whole["spec"], &whole["status"]);
    let only = |from: &Value, names: &[&str]| -> Value {
        let kept = names.iter().filter(|name| !from[**name].is_null());
        kept.map(|name| ((*name).to_owned(), from[*name].clone()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let each = |list: &Value, names: &[&str]| -> Vec<Value> {
        let items = list.as_array().map_or(&[][..], Vec::as_slice);
        items.iter().map(|item| only(item, names)).collect()
    };
    let mut kept = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": only(metadata, &["name", "namespace", "labels", "creationTimestamp", "deletionTimestamp", "ownerReferences"]),
        "spec": only(spec, &["resources", "overhead"]),
        "status": only(status, &["phase", "startTime"]),
    });
    kept["spec"]["containers"] = each(&spec["containers"], &["name", "resources"]).into();
    let first = each(
        &spec["initContainers"],
        &["name", "resources", "restartPolicy"],
    );
    if !first.is_empty() {
        kept["spec"]["initContainers"] = first.into();
    }
    let fields = ["type", "status", "lastTransitionTime"];
    let mut conditions = each(&status["conditions"], &fields);
    conditions.retain(|c| c["type"] == "Ready");
    kept["status"]["conditions"] = conditions.into();
    kept
}

/// The items of a PodMetricsList.
fn pod_metrics(answers: &[Value]) -> Vec<Value> {
    let lists = answers.iter().filter_map(|a| a["items"].as_array());
    let item = |item: &Value| {
        let mut item = item.clone();
        item["apiVersion"] = "metrics.k8s.io/v1beta1".into();
        item["kind"] = "PodMetrics".into();
        tidy(&mut item);
        item
    };
    lists.flatten().map(item).collect()
}

/// The list that answered a metric; discovery may have been asked before it.
fn list(answers: &[Value], index: usize) -> Option<Value> {
    let is_list = |a: &&Value| {
        matches!(
            a["kind"].as_str(),
            Some("MetricValueList" | "ExternalMetricValueList")
        )
    };
    let mut list = answers.iter().rfind(is_list)?.clone();
    list["metadata"]["annotations"]["evenkeel.dev/metric"] = index.to_string().into();
    Some(list)
}
