//! `/metrics` of both: what both have is of one type, with the same labels and buckets, and counts the same requests;
//! what only one has is listed here, with the reason.

use super::ask::ask;
use super::scene::{Scene, Server};
use super::table::Request;
use std::collections::{BTreeMap, BTreeSet};

/// What upstream has and we do not, by the beginning of names.
const LACKING: [(&str, &str); 26] = [
    ("go_", "there is no Go runtime"),
    (
        "process_network_",
        "not the process's own: all of its network namespace",
    ),
    ("aggregator_", "about the aggregator's discovery"),
    ("apiextensions_", "about custom resources"),
    ("apiserver_audit_", "there is no audit log"),
    ("apiserver_cel_", "there are no rules in CEL"),
    (
        "apiserver_client_certificate_expiration_",
        "certificates are the API server's to count",
    ),
    ("apiserver_envelope_", "nothing is stored"),
    ("apiserver_impersonation_", "a rarity of its own"),
    ("apiserver_kube_aggregator_", "there are no backends"),
    ("apiserver_request_filter_", "there is one filter"),
    (
        "apiserver_request_sli_",
        "the same as the request's duration: nothing is admitted",
    ),
    ("apiserver_storage_", "nothing is stored"),
    ("apiserver_tls_", "logged instead"),
    ("apiserver_validation_", "nothing is validated"),
    ("apiserver_webhooks_", "there are no webhooks"),
    (
        "authenticated_user_requests",
        "names nobody: all are called other",
    ),
    (
        "authentication_token_cache_",
        "kept answers show as reviews that were not asked for",
    ),
    ("cardinality_", "about Go's metrics library"),
    ("field_validation_", "nothing is written"),
    (
        "node_collector_",
        "another program's, linked into the same library",
    ),
    ("rest_client_", "all but requests and their duration"),
    ("workqueue_", "about Go's work queues"),
    ("disabled_metrics_", "about Go's metrics library"),
    ("hidden_metrics_", "about Go's metrics library"),
    ("registered_metrics_", "about Go's metrics library"),
];
/// What grows alike in both when both are asked alike.
const COUNTED: [&str; 3] = [
    "apiserver_request_total",
    "authentication_attempts",
    "authorization_attempts_total",
];

/// One metric: its type, and its series by their labels.
#[derive(Debug, Default)]
struct Metric {
    kind: String,
    series: BTreeMap<String, f64>,
}

impl Metric {
    /// Names of labels, and the bounds of buckets.
    fn shape(&self) -> (BTreeSet<&str>, BTreeSet<&str>) {
        let labels = || {
            let lists = self
                .series
                .keys()
                .filter_map(|series| series.split_once('{'));
            lists.flat_map(|(_, labels)| pairs(labels.trim_end_matches('}')))
        };
        let names = labels().map(|(name, _)| name).collect();
        let bounds = labels().filter(|(name, _)| *name == "le");
        (names, bounds.map(|(_, bound)| bound).collect())
    }
}

fn pairs(labels: &str) -> impl Iterator<Item = (&str, &str)> {
    // No value here has such a sequence within.
    let pairs = labels.split("\",").filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let (name, value) = pair.split_once("=\"").unwrap();
        (name, value.trim_end_matches('"'))
    })
}

/// All metrics of a server at one moment.
#[derive(Debug)]
pub(super) struct Figures(BTreeMap<String, Metric>);

/// What a server's `/metrics` says now.
pub(super) fn of(scene: &Scene, server: &Server) -> Figures {
    let answer = ask(scene, server, &Request::of("/metrics"), None);
    assert_eq!(answer.status, 200, "{}", server.name);
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let mut metrics: BTreeMap<String, Metric> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            current = name.to_owned();
            metrics.entry(current.clone()).or_default().kind = kind.to_owned();
        } else if !line.starts_with('#') {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let metric = metrics.get_mut(&current).unwrap();
            metric.series.insert(sorted(series), value.parse().unwrap());
        }
    }
    Figures(metrics)
}

/// The labels' order says nothing; bounds are numbers.
fn sorted(series: &str) -> String {
    let Some((name, labels)) = series.split_once('{') else {
        return series.to_owned();
    };
    let mut labels: Vec<String> = pairs(labels.trim_end_matches('}'))
        .map(|(name, value)| match (name, value.parse::<f64>()) {
            ("le", Ok(bound)) => format!("le=\"{bound}\""),
            _ => format!("{name}=\"{value}\""),
        })
        .collect();
    labels.sort();
    format!("{name}{{{}}}", labels.join(","))
}

/// Holds that both are the same, and counted the same between two moments.
pub(super) fn agree(before: &[Figures; 2], after: &[Figures; 2]) {
    let [upstream, ours] = after;
    let mut wrong = Vec::new();
    let mut lacking = BTreeSet::new();
    for (name, metric) in &upstream.0 {
        match ours.0.get(name) {
            None => wrong.extend(reason(name, &mut lacking)),
            Some(other) if metric.kind != other.kind => {
                wrong.push(format!("{name} is no {}", other.kind));
            }
            Some(other) if metric.shape() != other.shape() => {
                wrong.push(format!(
                    "{name}: {:?}, not {:?}",
                    metric.shape(),
                    other.shape()
                ));
            }
            Some(_) => {}
        }
    }
    let known = LACKING.iter().map(|(beginning, _)| *beginning);
    let found = known.filter(|beginning| !lacking.contains(beginning));
    wrong.extend(found.map(|beginning| format!("{beginning}* is lacking no more")));
    let theirs = |name: &&String| upstream.0.contains_key(*name) || name.starts_with("evenkeel_");
    let others = ours.0.keys().filter(|name| !theirs(name));
    wrong.extend(others.map(|name| format!("upstream has no {name}")));
    for name in COUNTED {
        let counted = |index: usize| counted(&before[index].0, &after[index].0, name);
        if counted(0) != counted(1) {
            wrong.push(format!("{name}: {:#?}, not {:#?}", counted(0), counted(1)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Notes why we lack a metric; complains where nobody knows.
fn reason(name: &str, lacking: &mut BTreeSet<&'static str>) -> Option<String> {
    let known = LACKING
        .iter()
        .find(|(beginning, _)| name.starts_with(beginning));
    match known {
        Some((beginning, why)) => {
            assert!(!why.is_empty());
            lacking.insert(beginning);
            None
        }
        None => Some(format!(
            "upstream has {name}, and nobody says why we do not"
        )),
    }
}

/// How much each series grew; but for pages that only Go has, and for pods that only we let be watched.
fn counted(
    before: &BTreeMap<String, Metric>,
    after: &BTreeMap<String, Metric>,
    name: &str,
) -> BTreeMap<String, f64> {
    let empty = Metric::default();
    let before = before.get(name).unwrap_or(&empty);
    let grown = after[name].series.iter().map(|(series, value)| {
        let before = before.series.get(series).copied().unwrap_or_default();
        (series.clone(), value - before)
    });
    grown
        .filter(|(series, grown)| {
            let watched = series.contains("resource=\"pods\"") && series.contains("\"WATCH\"");
            *grown > 0.0 && !watched && !series.contains("statusz")
        })
        .collect()
}
