//! One pass over a Deployment: what to create, resize, annotate, and what its status is.
//!
//! Upstream: pkg/controller/deployment/{deployment_controller,sync}.go (v1.36).

use super::{history, recreate, rolling, scale, status, template};
use crate::meta;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStatus, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::sync::Arc;

/// A Deployment with its ReplicaSets, and the pods of each.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) deployment: Arc<Deployment>,
    pub(crate) sets: Vec<(Vec<Arc<Pod>>, Arc<ReplicaSet>)>,
}

/// One write.
#[derive(Debug)]
pub(crate) enum Effect {
    Create(Box<ReplicaSet>),
    Update {
        set: Box<ReplicaSet>,
        /// What to tell of it.
        event: Option<String>,
    },
    Delete(Arc<ReplicaSet>),
    /// The deployment itself, with other annotations.
    Annotate(Box<Deployment>),
}

/// What to do.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) effects: Vec<Effect>,
    pub(crate) status: DeploymentStatus,
    /// When time alone changes the answer.
    pub(crate) look_again: Option<Timestamp>,
}

/// The sets of a pass, with the sizes that the pass has given them so far.
pub(crate) struct Work<'a> {
    pub(crate) deployment: &'a Deployment,
    pub(crate) spec: &'a DeploymentSpec,
    /// The set of the current template.
    pub(crate) new: Option<ReplicaSet>,
    /// All others, oldest first.
    pub(crate) old: Vec<ReplicaSet>,
    pub(crate) effects: Vec<Effect>,
}

impl Work<'_> {
    /// The deployment's replicas.
    pub(crate) fn wanted(&self) -> i32 {
        self.spec.replicas.unwrap_or(1)
    }

    /// All sets, the new one last.
    pub(crate) fn all(&self) -> impl Iterator<Item = &ReplicaSet> {
        self.old.iter().chain(&self.new)
    }

    /// The replicas that all sets ask for together.
    pub(crate) fn total(&self) -> i32 {
        self.all().map(template::replicas).sum()
    }

    /// Gives the set `name` a size; false if it has that already.
    pub(crate) fn resize(&mut self, name: &str, size: i32) -> bool {
        let surge = max_surge(self.spec);
        let Some(set) = self
            .old
            .iter_mut()
            .chain(&mut self.new)
            .find(|set| meta::name(*set) == name)
        else {
            return false;
        };
        let before = template::replicas(set);
        let wanted = self.spec.replicas.unwrap_or(1);
        let annotated = history::set_size_annotations(set, wanted, surge);
        if before == size && !annotated {
            return false;
        }
        set.spec.get_or_insert_default().replicas = Some(size);
        let direction = if before < size { "up" } else { "down" };
        let event = (before != size)
            .then(|| format!("Scaled {direction} replica set {name} from {before} to {size}"));
        self.push_update(name, event);
        before != size
    }

    /// Queues the write of a set; several changes of one pass are one write.
    fn push_update(&mut self, name: &str, event: Option<String>) {
        let Some(set) = self.all().find(|set| meta::name(*set) == name).cloned() else {
            return;
        };
        let earlier = self.effects.iter_mut().find_map(|effect| match effect {
            Effect::Update { set, event } if meta::name(&**set) == name => Some((set, event)),
            _ => None,
        });
        match earlier {
            Some((old, text)) => {
                **old = set;
                *text = event.or_else(|| text.take());
            }
            None => self.effects.push(Effect::Update {
                set: Box::new(set),
                event,
            }),
        }
    }
}

/// Decides one pass.
pub(crate) fn plan(view: &View, now: Timestamp) -> Plan {
    let deployment = &*view.deployment;
    let Some(spec) = &deployment.spec else {
        let status = deployment.status.clone().unwrap_or_default();
        return Plan {
            effects: Vec::new(),
            status,
            look_again: None,
        };
    };
    let mut work = sort_sets(view, spec);
    if meta::is_deleted(deployment) {
        return finish(work, Finish::Counts, now);
    }
    let paused = spec.paused == Some(true);
    let scaling = scale::is_scaling(&work);
    let may_create = !paused && !scaling && recreate::may_start(&work, view);
    if !adopt_revision(&mut work, may_create) {
        return finish(work, Finish::Counts, now);
    }
    if paused || scaling {
        scale::scale(&mut work);
        if paused {
            history::clean_up(&mut work);
        }
        return finish(work, Finish::Counts, now);
    }
    if is_recreate(spec) {
        recreate::step(&mut work, view);
    } else {
        rolling::step(&mut work);
    }
    finish(work, Finish::Rollout, now)
}

fn sort_sets<'a>(view: &'a View, spec: &'a DeploymentSpec) -> Work<'a> {
    let mut old: Vec<ReplicaSet> = view.sets.iter().map(|(_, set)| (**set).clone()).collect();
    old.sort_by_key(|set| (meta::created(set), meta::name(set).to_owned()));
    // In rare cases several sets have the template; the oldest is taken.
    let new = old
        .iter()
        .position(|set| template::is_of(set, &view.deployment));
    let new = new.map(|index| old.remove(index));
    Work {
        deployment: &view.deployment,
        spec,
        new,
        old,
        effects: Vec::new(),
    }
}

/// Brings the new set into being and its revision up to date. False if the deployment's own
/// annotations must be written first. Upstream: getNewReplicaSet.
fn adopt_revision(work: &mut Work<'_>, may_create: bool) -> bool {
    let revision = work.old.iter().map(history::revision).max().unwrap_or(0) + 1;
    let Some(mut set) = work.new.take() else {
        if may_create {
            create(work, revision);
        }
        return true;
    };
    let mut changed = history::set_annotations(&mut set, work.deployment, revision);
    let min_ready = work.spec.min_ready_seconds;
    let set_spec = set.spec.get_or_insert_default();
    if set_spec.min_ready_seconds.unwrap_or(0) != min_ready.unwrap_or(0) {
        set_spec.min_ready_seconds = min_ready;
        changed = true;
    }
    let name = meta::name(&set).to_owned();
    let revision = history::revision(&set);
    work.new = Some(set);
    if changed {
        work.push_update(&name, None);
    }
    match history::with_revision(work.deployment, revision) {
        Some(annotated) => {
            work.effects.push(Effect::Annotate(Box::new(annotated)));
            false
        }
        None => true,
    }
}

fn create(work: &mut Work<'_>, revision: i64) {
    let mut set = template::replica_set(work.deployment);
    let wanted = work.wanted();
    history::set_annotations(&mut set, work.deployment, revision);
    history::set_size_annotations(&mut set, wanted, max_surge(work.spec));
    let size = if is_recreate(work.spec) {
        wanted
    } else {
        rolling::new_size(work, 0)
    };
    set.spec.get_or_insert_default().replicas = Some(size);
    work.effects.push(Effect::Create(Box::new(set)));
}

/// How the status is made: of counts alone, or with the progress of a rollout.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finish {
    Counts,
    Rollout,
}

fn finish(mut work: Work<'_>, how: Finish, now: Timestamp) -> Plan {
    let creating = work
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::Create(_)));
    let mut status = status::counts(&work, now);
    status::note_pause(work.deployment, &mut status, now);
    let mut look_again = None;
    if how == Finish::Rollout && !creating {
        status::note_progress(&work, &mut status, now);
        look_again = status::deadline(work.deployment, &status, now);
        if status::is_complete(work.deployment, &status) {
            history::clean_up(&mut work);
        }
    }
    if creating {
        // The answer to the creation writes the status, and brings us back.
        status = work.deployment.status.clone().unwrap_or_default();
    }
    Plan {
        effects: work.effects,
        status,
        look_again,
    }
}

/// Whether all pods are to be stopped before new ones start.
pub(crate) fn is_recreate(spec: &DeploymentSpec) -> bool {
    let strategy = spec
        .strategy
        .as_ref()
        .and_then(|strategy| strategy.type_.as_deref());
    strategy == Some("Recreate")
}

/// A number, or a percentage of `total`, rounded. What is not a percentage counts as 0, as the API
/// server lets none through.
pub(crate) fn scaled(value: Option<&IntOrString>, total: i32, up: bool) -> i32 {
    match value {
        Some(IntOrString::Int(number)) => *number,
        Some(IntOrString::String(text)) => {
            let percent = text
                .strip_suffix('%')
                .and_then(|text| text.parse::<i64>().ok());
            let hundredfold = percent.unwrap_or(0) * i64::from(total);
            let rounded = if up {
                (hundredfold + 99).div_euclid(100)
            } else {
                hundredfold / 100
            };
            i32::try_from(rounded).unwrap_or(i32::MAX)
        }
        None => 0,
    }
}

/// Surge and unavailability in pods. Upstream: ResolveFenceposts.
fn fenceposts(spec: &DeploymentSpec) -> (i32, i32) {
    let rolling = spec
        .strategy
        .as_ref()
        .and_then(|strategy| strategy.rolling_update.as_ref());
    let total = spec.replicas.unwrap_or(1);
    let surge = scaled(rolling.and_then(|r| r.max_surge.as_ref()), total, true);
    let unavailable = scaled(
        rolling.and_then(|r| r.max_unavailable.as_ref()),
        total,
        false,
    );
    // Both may round to zero, and then nothing could ever move.
    if surge == 0 && unavailable == 0 {
        (0, 1)
    } else {
        (surge, unavailable)
    }
}

/// The pods that there may be beyond the replicas.
pub(crate) fn max_surge(spec: &DeploymentSpec) -> i32 {
    if is_recreate(spec) {
        0
    } else {
        fenceposts(spec).0
    }
}

/// The pods that may be missing from the replicas.
pub(crate) fn max_unavailable(spec: &DeploymentSpec) -> i32 {
    let replicas = spec.replicas.unwrap_or(1);
    if is_recreate(spec) || replicas == 0 {
        0
    } else {
        fenceposts(spec).1.min(replicas)
    }
}
