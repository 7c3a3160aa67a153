//! How files look: a head, a bound on size, nothing left lying about.

use super::root;
use std::path::{Path, PathBuf};

/// Lines of a file of source code, its tests aside.
const LINES_MAX: usize = 500;

/// Words that may not be merged, written apart so that this file does not hold them.
const BANNED: &[(&str, &str)] = &[
    (concat!("FIX", "ME"), "mend it"),
    (concat!("todo", "!("), "write it"),
    (concat!("dbg", "!("), "use tracing"),
];

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for layer in ["pure", "edge", "xtask"] {
        walk(&root().join(layer), &mut found);
    }
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder)
        .expect("a folder of the workspace is readable")
        .flatten()
    {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn is_test(path: &Path) -> bool {
    path.iter()
        .any(|part| part == "tests" || part == "tests.rs")
}

/// Every file with what is wrong with it.
fn problems(check: impl Fn(&Path, &str) -> Option<String>) -> Vec<String> {
    let checked = sources().into_iter().filter_map(|path| {
        let text = std::fs::read_to_string(&path).expect("sources are utf-8");
        check(&path, &text).map(|problem| format!("{}: {problem}", path.display()))
    });
    checked.collect()
}

#[test]
fn every_file_says_first_what_it_is() {
    let found =
        problems(|_, text| (!text.starts_with("//! ")).then(|| "has no //! head".to_owned()));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_file_outgrows_its_reader() {
    let found = problems(|path, text| {
        let lines = text.lines().count();
        (lines > LINES_MAX && !is_test(path)).then(|| format!("{lines} lines, {LINES_MAX} at most"))
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn nothing_unfinished_is_merged() {
    let found = problems(|_, text| {
        let hit = BANNED.iter().find(|(word, _)| text.contains(word));
        hit.map(|(word, advice)| format!("has {word} ({advice})"))
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn modules_are_files_beside_their_folder() {
    let found = problems(|path, _| {
        path.ends_with("mod.rs")
            .then(|| "use foo.rs and foo/".to_owned())
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_test_is_ignored() {
    let found = problems(|_, text| {
        let ignored = concat!("#[", "ignore");
        text.contains(ignored)
            .then(|| "has an ignored test; say at run time what cannot run".to_owned())
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}
