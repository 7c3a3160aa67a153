//! Names, ordinals and volumes of a set's pods.

use crate::meta;
use crate::pods;
use crate::revisions::{LABEL, template_of};
use k8s_openapi::api::apps::v1::{ControllerRevision, StatefulSet};
use k8s_openapi::api::core::v1::{EmptyDirVolumeSource, Pod, PodSpec, Volume};

/// The pod's ordinal in `set`, if its name gives it one.
pub(super) fn ordinal(set: &StatefulSet, pod: &Pod) -> Option<i32> {
    let rest = meta::name(pod)
        .strip_prefix(meta::name(set))?
        .strip_prefix('-')?;
    rest.parse().ok()
}

/// The name of the pod's revision.
pub(super) fn revision(pod: &Pod) -> Option<&str> {
    pod.metadata.labels.as_ref()?.get(LABEL).map(String::as_str)
}

/// The pod for `ordinal` from a revision's template.
pub(super) fn pod(set: &StatefulSet, revision: &ControllerRevision, ordinal: i32) -> Option<Pod> {
    let mut pod = pods::from_template(&template_of(revision)?, set);
    let name = format!("{}-{ordinal}", meta::name(set));
    pod.metadata.generate_name = None;
    pod.metadata.name = Some(name.clone());
    let labels = pod.metadata.labels.get_or_insert_default();
    labels.insert(LABEL.into(), meta::name(revision).to_owned());
    labels.insert("statefulset.kubernetes.io/pod-name".into(), name.clone());
    labels.insert("apps.kubernetes.io/pod-index".into(), ordinal.to_string());
    let spec = pod.spec.get_or_insert_default();
    spec.hostname = Some(name);
    spec.subdomain = set.spec.as_ref().and_then(|spec| spec.service_name.clone());
    add_volumes(set, spec);
    Some(pod)
}

fn add_volumes(set: &StatefulSet, spec: &mut PodSpec) {
    let claims = set
        .spec
        .as_ref()
        .and_then(|spec| spec.volume_claim_templates.as_ref());
    for claim in claims.into_iter().flatten() {
        let name = meta::name(claim).to_owned();
        let volumes = spec.volumes.get_or_insert_default();
        volumes.retain(|volume| volume.name != name);
        let empty_dir = Some(EmptyDirVolumeSource::default());
        volumes.push(Volume {
            name,
            empty_dir,
            ..Volume::default()
        });
    }
}
