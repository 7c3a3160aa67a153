//! What to do next, from what there is. Nothing here asks the cluster anything.

use k8s::autoscaling::{default_v2, history};
use k8s::own_kind::{self, ADOPTED_FROM, ANOTHER, HANDOVER};
use serde_json::{Map, Value, json};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Annotations that mean something to Evenkeel.
const PREFIX: &str = "evenkeel.dev/";

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// To our kind.
    Adopt,
    /// To upstream's.
    Release,
}

impl Direction {
    /// The command that undoes it.
    pub(super) fn back(self) -> &'static str {
        match self {
            Self::Adopt => "release",
            Self::Release => "adopt",
        }
    }

    pub(super) fn done(self) -> &'static str {
        match self {
            Self::Adopt => "adopted",
            Self::Release => "released",
        }
    }

    /// The kind of what is there afterwards.
    pub(super) fn result(self) -> &'static str {
        match self {
            Self::Adopt => OWN,
            Self::Release => PLAIN,
        }
    }
}

/// As kubectl names upstream's.
pub(super) const PLAIN: &str = "horizontalpodautoscaler.autoscaling";
/// As kubectl names ours.
pub(super) const OWN: &str = "horizontalpodautoscaler.evenkeel.dev";

/// What there is of one name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Scene {
    /// In autoscaling/v2.
    pub(super) plain: Option<Value>,
    /// In evenkeel.dev/v1.
    pub(super) own: Option<Value>,
}

/// How far this run has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// What the controller is asked to repeat.
    pub(super) question: String,
    /// Which version of upstream's the status was carried over from.
    pub(super) carried: Option<String>,
}

/// One change, or wait, of the cluster.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Create ours, which stands by.
    CreateOwn(Value),
    /// Ask the controller whether it sees ours.
    Ask(Value),
    /// Wait for its answer.
    AwaitAnswer,
    /// Give ours what upstream's says of the past.
    Carry(Value),
    /// Delete upstream's, if it is still as it was.
    DeletePlain,
    /// Wait until the controller acts on ours.
    AwaitActing,
    /// Take away what only this needed.
    Tidy,
    /// Create upstream's.
    CreatePlain(Value),
    /// Wait until ours stands by.
    AwaitYielding,
    /// Delete ours.
    DeleteOwn,
    /// There is nothing to do.
    Done(Value),
    /// It cannot be done: why.
    No(String),
}

/// The next step of adopting.
pub(super) fn adopt(name: &str, scene: &Scene, progress: &Progress) -> Step {
    match (&scene.plain, &scene.own) {
        (None, None) => Step::No(not_found(PLAIN, name)),
        (None, Some(own)) if own_kind::able(own) == Some(ANOTHER) => Step::AwaitActing,
        (None, Some(own)) if !note(own, HANDOVER).is_null() => Step::Tidy,
        (None, Some(own)) => Step::Done(own.clone()),
        (Some(plain), None) => match held(plain) {
            Some(no) => Step::No(no),
            None => Step::CreateOwn(created(plain, progress)),
        },
        (Some(plain), Some(own)) => {
            if essence(&own_kind::into_plain(own)) != essence(plain) {
                return Step::No(format!(
                    "{OWN}/{name} is there already and says something else than {PLAIN}/{name}: make them say the same, or delete the one that is wrong"
                ));
            }
            if let Some(no) = held(plain) {
                return Step::No(no);
            }
            both(plain, own, progress)
        }
    }
}

/// Ours is there and stands by, or will.
fn both(plain: &Value, own: &Value, progress: &Progress) -> Step {
    let question = progress.question.as_str();
    let original = original(plain).to_string();
    if note(own, HANDOVER) != question || note(own, ADOPTED_FROM) != original.as_str() {
        return Step::Ask(json!({"metadata": {"annotations": {
            HANDOVER: question, ADOPTED_FROM: original}}}));
    }
    let answered = own["status"]["handover"] == question;
    if !answered || own_kind::able(own) != Some(ANOTHER) {
        return Step::AwaitAnswer;
    }
    if progress.carried.as_deref() != plain["metadata"]["resourceVersion"].as_str() {
        return Step::Carry(past(plain));
    }
    Step::DeletePlain
}

/// The next step of releasing.
pub(super) fn release(name: &str, scene: &Scene) -> Step {
    match (&scene.plain, &scene.own) {
        (None, None) => Step::No(not_found(OWN, name)),
        (Some(plain), None) => Step::Done(plain.clone()),
        (None, Some(own)) => match held(own) {
            Some(no) => Step::No(no),
            None => Step::CreatePlain(restored(own)),
        },
        (Some(plain), Some(own)) => {
            let never_left = adopted_from(own).is_some_and(|from| {
                let uid = &from["metadata"]["uid"];
                uid.is_string() && *uid == plain["metadata"]["uid"]
            });
            if !never_left && essence(&own_kind::into_plain(own)) != essence(plain) {
                return Step::No(format!(
                    "{PLAIN}/{name} is there already and says something else than {OWN}/{name}: make them say the same, or delete the one that is wrong"
                ));
            }
            if own_kind::able(own) == Some(ANOTHER) {
                Step::DeleteOwn
            } else {
                Step::AwaitYielding
            }
        }
    }
}

fn not_found(kind: &str, name: &str) -> String {
    format!("{kind}/{name} is not there, and neither is the other kind's")
}

/// Why an object would not be gone when it is deleted.
fn held(object: &Value) -> Option<String> {
    let finalizers = object["metadata"]["finalizers"].as_array()?;
    let names: Vec<&str> = finalizers.iter().filter_map(Value::as_str).collect();
    (!names.is_empty()).then(|| {
        format!(
            "it has finalizers ({}), so it would not go when it is deleted: remove them first",
            names.join(", ")
        )
    })
}

/// Ours as it is created.
fn created(plain: &Value, progress: &Progress) -> Value {
    let mut own = own_kind::from_plain(plain);
    let notes = &mut own["metadata"]["annotations"];
    if !notes.is_object() {
        *notes = json!({});
    }
    notes[HANDOVER] = progress.question.as_str().into();
    notes[ADOPTED_FROM] = original(plain).to_string().into();
    own
}

/// What is kept of upstream's, so that it can be made again as it was.
fn original(plain: &Value) -> Value {
    const KEPT: [&str; 6] = [
        "name",
        "namespace",
        "uid",
        "labels",
        "annotations",
        "ownerReferences",
    ];
    let metadata = KEPT.iter().filter_map(|key| {
        let value = plain["metadata"].get(*key)?.clone();
        Some(((*key).to_owned(), value))
    });
    let mut kept = json!({
        "apiVersion": "autoscaling/v2",
        "kind": own_kind::KIND,
        "metadata": metadata.collect::<Map<_, _>>(),
        "spec": plain["spec"],
    });
    // It changes with each look; that it was there is enough.
    if let Some(history) = kept["metadata"]["annotations"].get_mut(history::ANNOTATION) {
        *history = "".into();
    }
    kept
}

fn adopted_from(own: &Value) -> Option<Value> {
    serde_json::from_str(note(own, ADOPTED_FROM).as_str()?).ok()
}

fn note<'a>(object: &'a Value, name: &str) -> &'a Value {
    &object["metadata"]["annotations"][name]
}

/// Upstream's as it was, if ours still says what it said; else what ours says now, still known to `kubectl apply`.
fn restored(own: &Value) -> Value {
    let current = own_kind::into_plain(own);
    let Some(mut original) = adopted_from(own) else {
        return current;
    };
    let same = |part: &str| {
        own_kind::from_plain(&original).pointer(part)
            == own_kind::from_plain(&current).pointer(part)
    };
    let unchanged = ["/metadata", "/spec"].into_iter().all(same);
    if !unchanged {
        let mut current = current;
        if let Some(applied) = note(&original, LAST_APPLIED).as_str() {
            annotate(&mut current, LAST_APPLIED, applied);
        }
        return current;
    }
    if let Some(metadata) = original["metadata"].as_object_mut() {
        metadata.remove("uid");
    }
    if note(&original, history::ANNOTATION).is_string() {
        let now = own["status"]["history"].as_str().unwrap_or("{}");
        annotate(&mut original, history::ANNOTATION, now);
    }
    original
}

fn annotate(object: &mut Value, name: &str, text: &str) {
    let notes = &mut object["metadata"]["annotations"];
    if !notes.is_object() {
        *notes = json!({});
    }
    notes[name] = text.into();
}

/// What an autoscaler of autoscaling/v2 tells the controller to do.
fn essence(plain: &Value) -> Value {
    let mut plain = plain.clone();
    default_v2(&mut plain);
    let notes = plain["metadata"]["annotations"].as_object();
    let options = notes.into_iter().flatten().filter(|(name, _)| {
        let known = [history::ANNOTATION, ADOPTED_FROM, HANDOVER].contains(&name.as_str());
        name.starts_with(PREFIX) && !known
    });
    let options: Map<String, Value> = options.map(|(n, v)| (n.clone(), v.clone())).collect();
    json!({"spec": plain["spec"], "options": options})
}

/// What upstream's says of the past, as a change of the status of ours. Its conditions are for the controller to say.
fn past(plain: &Value) -> Value {
    const CARRIED: [&str; 4] = [
        "lastScaleTime",
        "currentReplicas",
        "desiredReplicas",
        "currentMetrics",
    ];
    let mut status: Map<String, Value> = CARRIED
        .iter()
        .map(|name| ((*name).to_owned(), plain["status"][*name].clone()))
        .collect();
    let history = note(plain, history::ANNOTATION).clone();
    status.insert("history".to_owned(), history);
    json!({"status": status})
}

/// What an autoscaler scales: group, kind and name.
pub(super) fn target(object: &Value) -> [&str; 3] {
    let target = &object["spec"]["scaleTargetRef"];
    let text = |key: &str| target[key].as_str().unwrap_or_default();
    let group = text("apiVersion")
        .split_once('/')
        .map_or("", |(group, _)| group);
    [group, text("kind"), text("name")]
}
