//! What one kubelet said, reduced to the points that can be served.
//!
//! Upstream: decodeBatch (pkg/scraper/client/resource/decode.go).

use crate::drops::{Dropped, Of, Why};
use crate::rate::{Point, to_i64, to_u64};
use crate::text::{Labels, Sample, TextError, samples};
use std::collections::BTreeMap;

/// One node's answer. Names are borrowed from the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scrape<'a> {
    /// The node itself, if complete.
    pub node: Option<Point>,
    /// Pods whose containers are all complete.
    pub pods: Vec<PodPoints<'a>>,
    /// What is not complete.
    pub dropped: Vec<Dropped<'a>>,
}

/// The containers of one pod, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodPoints<'a> {
    /// The pod's namespace.
    pub namespace: &'a str,
    /// The pod's name.
    pub name: &'a str,
    /// Container names and points, sorted by name.
    pub containers: Vec<(&'a str, Point)>,
}

/// A container's namespace, pod and name, in this order or another.
type Key<'a> = (&'a str, &'a str, &'a str);

#[derive(Debug)]
struct Container<'a> {
    key: Key<'a>,
    point: Point,
    /// As its last line had them.
    labels: Option<Labels<'a>>,
}

/// Gathers points from samples in any order.
///
/// Kubelets name the same containers in the same order in each family: after the first family, the next
/// container is found where the last one was, by the very text of its labels.
#[derive(Debug, Default)]
pub struct Gather<'a> {
    node: Option<Point>,
    /// As they came.
    containers: Vec<Container<'a>>,
    /// Where each is; by pod, container and namespace, as pods' names differ early.
    index: BTreeMap<Key<'a>, usize>,
    /// The one that will come next, if the text goes on as before.
    next: usize,
}

/// Reads the text of `/metrics/resource`. Samples without a timestamp count as measured at
/// `requested_millis`, when the request was sent.
pub fn read(text: &str, requested_millis: i64) -> Result<Scrape<'_>, TextError> {
    let mut gather = Gather::default();
    let mut samples = samples(text);
    while let Some(sample) = samples.next() {
        gather.take(&sample?, requested_millis);
        samples.expect(gather.next_labels());
    }
    Ok(gather.finish())
}

impl<'a> Gather<'a> {
    fn take(&mut self, sample: &Sample<'a>, requested_millis: i64) {
        // Upstream multiplies without a check; a wrapped time is as useless as a refused one.
        let at = sample
            .timestamp_millis
            .unwrap_or(requested_millis)
            .wrapping_mul(1_000_000);
        match sample.name {
            "node_cpu_usage_seconds_total" => {
                let node = self.node();
                (node.cpu, node.at) = (to_u64(sample.value * 1e9), at);
            }
            "node_memory_working_set_bytes" => {
                let node = self.node();
                (node.memory, node.at) = (to_u64(sample.value), at);
            }
            "container_cpu_usage_seconds_total" => {
                let Some(point) = self.container(sample) else {
                    return;
                };
                (point.cpu, point.at) = (to_u64(sample.value * 1e9), at);
            }
            "container_memory_working_set_bytes" => {
                let Some(point) = self.container(sample) else {
                    return;
                };
                (point.memory, point.at) = (to_u64(sample.value), at);
            }
            "container_start_time_seconds" => {
                let Some(point) = self.container(sample) else {
                    return;
                };
                point.started = to_i64(sample.value * 1e9);
            }
            // Whatever else is said of containers is said of all, in their order.
            _ if sample.expected => {
                self.go_on(self.next);
            }
            _ => {}
        }
    }

    /// The node's point, to be filled.
    pub fn node(&mut self) -> &mut Point {
        self.node.get_or_insert(Point::UNKNOWN)
    }

    /// A container's point, to be filled.
    pub fn point(&mut self, namespace: &'a str, pod: &'a str, container: &'a str) -> &mut Point {
        let at = self.find((namespace, pod, container));
        &mut self.go_on(at).point
    }

    /// Where a container is, from now on.
    fn find(&mut self, key: Key<'a>) -> usize {
        let at = match self.containers.get(self.next) {
            // Names of containers repeat, those of pods differ early.
            Some(next) if next.key.1 == key.1 && next.key == key => self.next,
            _ => {
                let (namespace, pod, container) = key;
                let place = self.index.entry((pod, container, namespace));
                *place.or_insert(self.containers.len())
            }
        };
        if at == self.containers.len() {
            self.containers.push(Container {
                key,
                point: Point::UNKNOWN,
                labels: None,
            });
        }
        at
    }

    /// The container at this place, after which the next one is expected.
    fn go_on(&mut self, at: usize) -> &mut Container<'a> {
        self.next = at + 1;
        if self.next == self.containers.len() {
            self.next = 0;
        }
        &mut self.containers[at]
    }

    /// The labels of the container that will come next, if the text goes on as before.
    fn next_labels(&self) -> Option<Labels<'a>> {
        self.containers.get(self.next)?.labels
    }

    fn container(&mut self, sample: &Sample<'a>) -> Option<&mut Point> {
        if sample.expected {
            return Some(&mut self.go_on(self.next).point);
        }
        let (mut namespace, mut pod, mut container) = (None, None, None);
        for (name, value) in sample.labels.iter() {
            match name {
                "namespace" => namespace = Some(value),
                "pod" => pod = Some(value),
                "container" => container = Some(value),
                _ => {}
            }
        }
        let at = self.find((namespace?, pod?, container?));
        let container = self.go_on(at);
        container.labels = Some(sample.labels);
        Some(&mut container.point)
    }

    /// Leaves out an incomplete node, and every pod with an incomplete container.
    pub fn finish(mut self) -> Scrape<'a> {
        self.containers
            .sort_unstable_by_key(|container| container.key);
        let mut pods: Vec<PodPoints<'a>> = Vec::new();
        for Container { key, point, .. } in self.containers {
            let (namespace, name, container) = key;
            match pods.last_mut() {
                Some(pod) if pod.namespace == namespace && pod.name == name => {
                    pod.containers.push((container, point));
                }
                _ => pods.push(PodPoints {
                    namespace,
                    name,
                    containers: vec![(container, point)],
                }),
            }
        }
        let node = self.node.filter(Point::is_complete);
        let mut dropped = Vec::new();
        if node.is_none() {
            dropped.push(incomplete(Of::Node));
        }
        pods.retain(|pod| {
            let known = dropped.len();
            dropped.extend(pod.incomplete());
            dropped.len() == known
        });
        Scrape {
            node,
            pods,
            dropped,
        }
    }
}

impl<'a> PodPoints<'a> {
    fn incomplete(&self) -> impl Iterator<Item = Dropped<'a>> {
        let containers = self.containers.iter();
        let wanting = containers.filter(|(_, point)| !point.is_complete());
        wanting.map(|&(container, _)| incomplete(self.container(container)))
    }

    /// One of its containers.
    pub(crate) fn container(&self, container: &'a str) -> Of<'a> {
        Of::Container {
            namespace: self.namespace,
            pod: self.name,
            container,
        }
    }
}

fn incomplete(of: Of<'_>) -> Dropped<'_> {
    Dropped {
        of,
        why: Why::Incomplete,
    }
}

#[cfg(test)]
mod tests;
