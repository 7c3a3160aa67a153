//! A running pod whose images were changed: the part of a container's spec that may change.
//!
//! Upstream: computePodActions (containerChanged, pkg/kubelet/kuberuntime/kuberuntime_manager.go).

use super::Worker;
use crate::facts::Role;
use std::sync::Arc;

impl Worker {
    /// Takes over the images of the pod as it is now, and ends containers that run another one.
    ///
    /// Differs from upstream: with `restartPolicy: Never` such a container is not started again.
    pub(super) fn take_images(&mut self) {
        let update = Arc::clone(&self.update.pod);
        let Some(spec) = &update.spec else { return };
        let all = spec
            .init_containers
            .iter()
            .flatten()
            .chain(&spec.containers);
        for (index, container) in all.enumerate() {
            let (Some(known), Some(facts)) =
                (self.containers.get_mut(index), self.facts.get_mut(index))
            else {
                return;
            };
            if known.name != container.name || known.image == container.image {
                continue;
            }
            *known = Arc::new(container.clone());
            facts.image = container.image.clone().unwrap_or_default();
            facts.start_failed_at = None;
            if facts.state.is_running() && facts.role != Role::Init && !facts.stopping {
                let name = &container.name;
                self.kill(
                    index,
                    &format!("Container {name} definition changed, will be restarted"),
                );
            }
        }
    }
}
