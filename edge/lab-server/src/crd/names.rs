//! Which of the names that a definition asks for it gets: nobody else in its group may have them.
//!
//! Upstream: apiextensions-apiserver/pkg/controller/status/naming_controller.go.

use super::condition::{self, Condition};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What other definitions of a group have.
#[derive(Debug, Default)]
pub(super) struct Taken {
    resources: BTreeSet<String>,
    kinds: BTreeSet<String>,
}

impl Taken {
    /// The names that the other definitions of a definition's group were given.
    pub(super) fn by_others<'a>(definition: &Value, all: impl Iterator<Item = &'a Value>) -> Self {
        let mut taken = Self::default();
        let others = all.filter(|other| {
            other["spec"]["group"] == definition["spec"]["group"]
                && other["metadata"]["name"] != definition["metadata"]["name"]
        });
        for other in others {
            let names = &other["status"]["acceptedNames"];
            let text = |key: &str| names[key].as_str().map(str::to_owned);
            taken.resources.extend(text("plural"));
            taken.resources.extend(text("singular"));
            taken.resources.extend(list(&names["shortNames"]));
            taken.kinds.extend(text("kind"));
            taken.kinds.extend(text("listKind"));
        }
        taken
    }
}

fn list(value: &Value) -> Vec<String> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(|one| one.as_str().map(str::to_owned))
        .collect()
}

fn in_use(name: &str) -> String {
    format!("{name:?} is already in use")
}

/// Gives a definition the names that are free, and says so in its status.
pub(super) fn accept(definition: &mut Value, taken: &Taken, now: Timestamp) {
    let wanted = definition["spec"]["names"].clone();
    let mut given = definition["status"]["acceptedNames"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let problem = give(&wanted, taken, &mut given);
    definition["status"]["acceptedNames"] = Value::Object(given);
    let accepted = match problem {
        Some((reason, message)) => Condition::new("NamesAccepted", false, reason, message),
        None => Condition::new("NamesAccepted", true, "NoConflicts", "no conflicts found"),
    };
    condition::set(definition, &accepted, now);
    if condition::is_true(definition, "Established") {
        return;
    }
    let established = if accepted.status {
        let words = "the initial names have been accepted";
        Condition::new("Established", true, "InitialNamesAccepted", words)
    } else {
        let words = "not all names are accepted";
        Condition::new("Established", false, "NotAccepted", words)
    };
    condition::set(definition, &established, now);
}

/// Notes what is free in `given`; returns the last conflict.
fn give(
    wanted: &Value,
    taken: &Taken,
    given: &mut Map<String, Value>,
) -> Option<(&'static str, String)> {
    let mut problem = None;
    for (key, reason, used) in [
        ("plural", "PluralConflict", &taken.resources),
        ("singular", "SingularConflict", &taken.resources),
        ("shortNames", "ShortNamesConflict", &taken.resources),
        ("kind", "KindConflict", &taken.kinds),
        ("listKind", "ListKindConflict", &taken.kinds),
    ] {
        let names = match &wanted[key] {
            Value::String(name) => vec![name.clone()],
            other => list(other),
        };
        let conflicts: Vec<String> = names
            .iter()
            .filter(|name| used.contains(*name))
            .map(|name| in_use(name))
            .collect();
        match conflicts.as_slice() {
            [] => copy(wanted, given, key),
            [one] => problem = Some((reason, one.clone())),
            many => problem = Some((reason, format!("[{}]", many.join(", ")))),
        }
    }
    copy(wanted, given, "categories");
    problem
}

fn copy(wanted: &Value, given: &mut Map<String, Value>, key: &str) {
    match &wanted[key] {
        Value::Null => given.remove(key),
        value => given.insert(key.to_owned(), value.clone()),
    };
}

/// Adds the storage version to the versions that objects may be stored in.
pub(super) fn note_storage_version(definition: &mut Value) {
    let versions = definition["spec"]["versions"].as_array();
    let mut versions = versions.into_iter().flatten();
    let Some(storage) = versions.find(|version| version["storage"] == true) else {
        return;
    };
    let name = storage["name"].clone();
    match definition["status"]["storedVersions"].as_array_mut() {
        Some(known) if known.contains(&name) => {}
        Some(known) => known.push(name),
        None => definition["status"]["storedVersions"] = json!([name]),
    }
}
