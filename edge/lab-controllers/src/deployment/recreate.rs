//! Recreate: all old pods end before the first new one starts.
//!
//! Upstream: pkg/controller/deployment/recreate.go (v1.36).

use super::plan::{View, Work, is_recreate};
use super::template::replicas;
use crate::meta;
use crate::pods;

/// Whether a new set may be made: always, unless old pods must end first.
pub(crate) fn may_start(work: &Work<'_>, view: &View) -> bool {
    !is_recreate(work.spec)
        || work.old.iter().all(|set| replicas(set) == 0) && !old_pods_run(work, view)
}

/// One step: the old sets to nothing; then, when their pods have ended, the new one to full size.
pub(crate) fn step(work: &mut Work<'_>, view: &View) {
    let active: Vec<_> = work
        .old
        .iter()
        .filter(|set| replicas(set) > 0)
        .map(|set| meta::name(set).to_owned())
        .collect();
    for name in &active {
        work.resize(name, 0);
    }
    if !active.is_empty() || old_pods_run(work, view) {
        return;
    }
    let wanted = work.wanted();
    if let Some(name) = work.new.as_ref().map(|set| meta::name(set).to_owned()) {
        work.resize(&name, wanted);
    }
}

fn old_pods_run(work: &Work<'_>, view: &View) -> bool {
    let new = work.new.as_ref().map(meta::uid);
    let old = view
        .sets
        .iter()
        .filter(|(_, set)| Some(meta::uid(&**set)) != new);
    old.flat_map(|(pods, _)| pods)
        .any(|pod| !pods::is_finished(pod))
}
