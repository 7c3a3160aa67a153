//! The last two points of every node and container, and what they say.
//!
//! A tick is [`Store::begin`], [`Store::take`] for each node that answered, [`Store::end`]. What a node
//! no longer names is forgotten at once. The points of a node that did not answer are kept for as many
//! ticks as [`Store::keeping`] says: none as upstream, whose storage replaces its maps wholesale
//! (pkg/storage/{node,pod}.go), so that one failed scrape costs three.

use crate::drops::{Dropped, Of, Why};
use crate::rate::{NEVER, Point, Usage, usage};
use crate::scrape::{PodPoints, Scrape};
use std::collections::BTreeMap;
use std::sync::Arc;
use units::Duration;

/// A container younger than this gives no rate from its start: the figure would be wild.
const FRESH_MIN: i64 = 10_000_000_000;

/// Points of nodes and containers.
#[derive(Debug)]
pub struct Store {
    resolution: i64,
    /// Ticks without an answer before a node's points are forgotten.
    kept: u32,
    /// Whether pods are served without the containers that have no figure.
    partial: bool,
    tick: u32,
    /// Counts pods' new samples.
    stamp: u64,
    /// When each node answered last.
    answered: BTreeMap<Arc<str>, u32>,
    nodes: BTreeMap<Box<str>, Node>,
    /// By namespace, then by name.
    pods: BTreeMap<Box<str>, BTreeMap<Box<str>, Pod>>,
}

#[derive(Debug)]
struct Node {
    seen: u32,
    points: Points,
}

#[derive(Debug)]
struct Pod {
    seen: u32,
    /// When it had a new sample last, by [`Store::stamp`].
    changed: u64,
    /// Who named it last.
    node: Arc<str>,
    /// Sorted by name.
    containers: Vec<(Box<str>, Points)>,
}

#[derive(Debug, Clone, Copy)]
struct Points {
    last: Point,
    previous: Option<Point>,
}

/// What a pod uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodUsage<'a> {
    /// The end of the oldest container's window, nanoseconds since the epoch; [`NEVER`] without containers.
    pub at: i64,
    /// The length of that window, in nanoseconds.
    pub window: i64,
    /// Containers by name. One whose counter went back is left out, or with [`Store::whole_pods`] the pod is.
    pub containers: Vec<(&'a str, Usage)>,
}

/// How many points can be served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Nodes.
    pub nodes: usize,
    /// Containers.
    pub containers: usize,
}

impl Store {
    /// An empty store for samples that come every `resolution`, as upstream's.
    pub fn new(resolution: Duration) -> Self {
        Self::keeping(resolution, 0)
    }

    /// One that keeps a node's points while it misses up to `ticks` ticks.
    ///
    /// Differs from upstream: there a failed scrape hides the node's pods until two more succeed. A kept
    /// point carries its own timestamp, so nobody can take it for a new one.
    pub fn keeping(resolution: Duration, ticks: u32) -> Self {
        Self {
            resolution: resolution.nanos(),
            kept: ticks,
            partial: true,
            tick: 0,
            stamp: 0,
            answered: BTreeMap::new(),
            nodes: BTreeMap::new(),
            pods: BTreeMap::new(),
        }
    }

    /// Serves a pod whole or not at all.
    ///
    /// Differs from upstream: there a container whose counter went back is left out while the pod's others
    /// are served, and who adds them up, as the HPA controller does, gets too little and may scale down.
    /// A pod that is not served counts as missing, which never scales down.
    pub fn whole_pods(self) -> Self {
        Self {
            partial: false,
            ..self
        }
    }

    /// Begins a tick.
    pub fn begin(&mut self) {
        self.tick = self.tick.wrapping_add(1);
    }

    /// Takes what `node` answered, and says what of it is of no use. A second answer for a node or pod within a tick is
    /// ignored.
    pub fn take<'s>(&mut self, node: &str, scrape: &Scrape<'s>) -> Vec<Dropped<'s>> {
        let mut dropped = scrape.dropped.clone();
        let name = match self.answered.get_key_value(node) {
            Some((name, _)) => Arc::clone(name),
            None => Arc::from(node),
        };
        self.answered.insert(Arc::clone(&name), self.tick);
        if let Some(point) = scrape.node {
            let why = self.take_node(node, point);
            dropped.extend(why.map(|why| Dropped { of: Of::Node, why }));
        }
        for pod in &scrape.pods {
            self.take_pod(&name, pod, &mut dropped);
        }
        dropped
    }

    /// Counts pods' new samples: a pod that gets one later has a greater stamp than all have now.
    pub fn stamp(&self) -> u64 {
        self.stamp
    }

    /// Pods that had a new sample after `stamp`, sorted: namespace, name.
    pub fn changed_after(&self, stamp: u64) -> impl Iterator<Item = (&str, &str)> {
        self.pods.iter().flat_map(move |(namespace, pods)| {
            let changed = pods.iter().filter(move |(_, pod)| pod.changed > stamp);
            changed.map(move |(name, _)| (&**namespace, &**name))
        })
    }

    /// Ends a tick: what is gone, and what was not heard of for too long, is forgotten.
    pub fn end(&mut self) {
        let (tick, kept, answered) = (self.tick, self.kept, &self.answered);
        let stays = |seen: u32, node: &str| {
            let heard = answered.get(node).is_some_and(|last| *last == tick);
            seen == tick || (!heard && tick.wrapping_sub(seen) <= kept)
        };
        self.nodes.retain(|name, node| stays(node.seen, name));
        self.pods.retain(|_, pods| {
            pods.retain(|_, pod| stays(pod.seen, &pod.node));
            !pods.is_empty()
        });
        self.answered
            .retain(|_, last| tick.wrapping_sub(*last) <= kept);
    }

    fn take_node(&mut self, name: &str, new: Point) -> Option<Why> {
        let seen = self.tick;
        match self.nodes.get_mut(name) {
            None => {
                let points = Points {
                    last: new,
                    previous: None,
                };
                self.nodes.insert(name.into(), Node { seen, points });
                None
            }
            Some(node) if node.seen == seen => Some(Why::Duplicate),
            Some(node) => {
                let known = node.points;
                let Points { last, previous } = known;
                let previous = if new.at > last.at {
                    Some(last)
                } else {
                    previous.filter(|previous| previous.at < new.at)
                };
                let points = Points {
                    last: new,
                    previous,
                };
                *node = Node { seen, points };
                points.useless(Some(&known))
            }
        }
    }

    fn take_pod<'s>(
        &mut self,
        node: &Arc<str>,
        new: &PodPoints<'s>,
        dropped: &mut Vec<Dropped<'s>>,
    ) {
        let (seen, resolution) = (self.tick, self.resolution);
        if !self.pods.contains_key(new.namespace) {
            self.pods.insert(new.namespace.into(), BTreeMap::new());
        }
        let Some(pods) = self.pods.get_mut(new.namespace) else {
            return;
        };
        match pods.get_mut(new.name) {
            None => {
                self.stamp += 1;
                let containers = new
                    .containers
                    .iter()
                    .map(|(name, point)| {
                        let previous = from_start(point, resolution);
                        (
                            (*name).into(),
                            Points {
                                last: *point,
                                previous,
                            },
                        )
                    })
                    .collect();
                let node = Arc::clone(node);
                pods.insert(
                    new.name.into(),
                    Pod {
                        seen,
                        changed: self.stamp,
                        node,
                        containers,
                    },
                );
            }
            Some(pod) if pod.seen == seen => dropped.push(Dropped {
                of: Of::Pod {
                    namespace: new.namespace,
                    pod: new.name,
                },
                why: Why::Duplicate,
            }),
            Some(pod) => {
                pod.node = Arc::clone(node);
                if pod.is_news(new) {
                    self.stamp += 1;
                    pod.changed = self.stamp;
                }
                pod.take(new, (seen, resolution), dropped);
            }
        }
    }

    /// How many points can be served now.
    pub fn counts(&self) -> Counts {
        let pods = self.pods.values().flat_map(BTreeMap::values);
        Counts {
            nodes: self
                .nodes
                .values()
                .filter(|node| node.points.previous.is_some())
                .count(),
            containers: pods
                .flat_map(|pod| &pod.containers)
                .filter(|(_, points)| points.previous.is_some())
                .count(),
        }
    }

    /// Whether metrics of both kinds can be served: some node and some container have two points.
    /// Upstream: Storage.Ready (pkg/storage/storage.go).
    pub fn ready(&self) -> bool {
        let counts = self.counts();
        counts.nodes > 0 && counts.containers > 0
    }

    /// Whether all that the last tick named can be served. A container that has just started is served from
    /// its first sample on; those beside it are not, so that one figure says nothing of the others.
    pub fn settled(&self) -> bool {
        let named = |seen: u32| seen == self.tick;
        let mut nodes = self.nodes.values().filter(|node| named(node.seen));
        let pods = self.pods.values().flat_map(BTreeMap::values);
        let mut containers = pods
            .filter(|pod| named(pod.seen))
            .flat_map(|pod| &pod.containers);
        !self.answered.is_empty()
            && nodes.all(|node| node.points.previous.is_some())
            && containers.all(|(_, points)| points.previous.is_some())
    }

    /// What a node uses.
    pub fn node(&self, name: &str) -> Option<Usage> {
        self.nodes.get(name)?.points.usage()
    }

    /// What a pod uses; none while one of its containers has a single point.
    pub fn pod(&self, namespace: &str, name: &str) -> Option<PodUsage<'_>> {
        let pod = self.pods.get(namespace)?.get(name)?;
        if pod
            .containers
            .iter()
            .any(|(_, points)| points.previous.is_none())
        {
            return None;
        }
        let containers: Vec<(&str, Usage)> = pod
            .containers
            .iter()
            .filter_map(|(name, points)| Some((&**name, points.usage()?)))
            .collect();
        if !self.partial && containers.len() < pod.containers.len() {
            return None;
        }
        let oldest = containers
            .iter()
            .map(|(_, usage)| usage)
            .min_by_key(|usage| usage.at);
        let (at, window) = oldest.map_or((NEVER, 0), |usage| (usage.at, usage.window));
        Some(PodUsage {
            at,
            window,
            containers,
        })
    }
}

impl Points {
    fn usage(&self) -> Option<Usage> {
        usage(&self.last, self.previous.as_ref()?).ok()
    }

    /// Why these, that came after `known`, give no figure, where one was to be expected.
    fn useless(&self, known: Option<&Self>) -> Option<Why> {
        match (&self.previous, known) {
            (Some(previous), _) => usage(&self.last, previous).err().map(Why::Decrease),
            (None, Some(known)) => {
                let continues = self.last.started < known.last.at;
                (continues && known.previous.is_some()).then_some(Why::Older)
            }
            (None, None) => None,
        }
    }
}

impl Pod {
    /// Whether any sample is not the one that is known already: kubelets may measure less often than they are asked.
    fn is_news(&self, new: &PodPoints<'_>) -> bool {
        let known = self.containers.iter().map(|(_, points)| points.last.at);
        !self.has_just(new) || known.ne(new.containers.iter().map(|(_, point)| point.at))
    }

    fn take<'s>(
        &mut self,
        new: &PodPoints<'s>,
        (seen, resolution): (u32, i64),
        dropped: &mut Vec<Dropped<'s>>,
    ) {
        let any_previous = self
            .containers
            .iter()
            .any(|(_, points)| points.previous.is_some());
        let mut after = |name: &'s str, point: &Point, known: Option<&Points>| {
            let previous = from_start(point, resolution)
                .or_else(|| known.and_then(|known| known.before(point, any_previous)));
            let now = Points {
                last: *point,
                previous,
            };
            dropped.extend(now.useless(known).map(|why| Dropped {
                of: new.container(name),
                why,
            }));
            now
        };
        self.seen = seen;
        if self.has_just(new) {
            for ((_, points), (name, point)) in self.containers.iter_mut().zip(&new.containers) {
                *points = after(name, point, Some(points));
            }
            return;
        }
        let mut old = std::mem::take(&mut self.containers);
        self.containers.reserve_exact(new.containers.len());
        for (name, point) in &new.containers {
            let known = old.iter().position(|(old_name, _)| **old_name == **name);
            let known = known.map(|index| old.swap_remove(index));
            let now = after(name, point, known.as_ref().map(|(_, points)| points));
            let name = known.map_or_else(|| (*name).into(), |(name, _)| name);
            self.containers.push((name, now));
        }
    }

    /// Whether these are the containers that are known, which hardly ever changes.
    fn has_just(&self, new: &PodPoints<'_>) -> bool {
        let names = self.containers.iter().map(|(name, _)| &**name);
        names.eq(new.containers.iter().map(|(name, _)| *name))
    }
}

impl Points {
    /// The point that comes before `new`, which continues these.
    fn before(&self, new: &Point, any_previous: bool) -> Option<Point> {
        if new.started >= self.last.at {
            // Restarted: what was counted before is another life.
            return None;
        }
        if new.at > self.last.at {
            return Some(self.last);
        }
        match self.previous {
            Some(previous) => (previous.at < new.at).then_some(previous),
            // Upstream reads a missing map entry as the zero point here, and serves the average since
            // the year 1. Nothing else of the pod is harmed by it, and it heals with the next sample.
            None => any_previous.then_some(Point::UNKNOWN),
        }
    }
}

/// A container that started within this resolution had used nothing at its start: one sample will do.
fn from_start(point: &Point, resolution: i64) -> Option<Point> {
    let age = point.at.saturating_sub(point.started);
    (point.started < point.at && (FRESH_MIN..resolution).contains(&age)).then_some(Point {
        at: point.started,
        cpu: 0,
        ..*point
    })
}

#[cfg(test)]
mod tests;
