//! `kill -9` in the middle of writes: nothing that was acknowledged is lost.

use crate::lab::{Lab, eventually, pause};
use crate::tools;
use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Creates objects until it is stopped or the server goes; returns what was acknowledged.
fn write_until(
    kubectl: crate::lab::Kubectl,
    writer: usize,
    stop: Arc<AtomicBool>,
) -> BTreeSet<String> {
    let mut acknowledged = BTreeSet::new();
    for index in 0..10_000 {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("w{writer}-{index}");
        let done = kubectl.output(&["create", "configmap", &name, "--from-literal=k=v"]);
        if !done.status.success() {
            break;
        }
        acknowledged.insert(name);
    }
    acknowledged
}

#[test]
fn nothing_acknowledged_is_lost_and_watches_resume() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let data_dir = format!("--data-dir={}", data.path().display());
    let mut lab = Lab::start(&[&data_dir]);
    let kubectl = lab.kubectl(&program);
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..3)
        .map(|writer| {
            let (kubectl, stop) = (kubectl.clone(), Arc::clone(&stop));
            thread::spawn(move || write_until(kubectl, writer, stop))
        })
        .collect();
    pause(Duration::from_secs(3));
    lab.kill();
    stop.store(true, Ordering::Relaxed);
    let acknowledged: BTreeSet<String> = writers
        .into_iter()
        .flat_map(|writer| writer.join().unwrap())
        .collect();
    assert!(
        acknowledged.len() > 5,
        "too few writes to prove anything: {acknowledged:?}"
    );

    lab.restart(&[&data_dir]);
    let kubectl = lab.kubectl(&program);
    let there = kubectl.ok(&["get", "configmaps", "-o", "name"]);
    let there: BTreeSet<&str> = there
        .lines()
        .filter_map(|l| l.strip_prefix("configmap/"))
        .collect();
    let lost: Vec<_> = acknowledged
        .iter()
        .filter(|name| !there.contains(name.as_str()))
        .collect();
    assert!(lost.is_empty(), "lost {lost:?}");
    watch_sees_new_objects(&kubectl);
}

/// A watch from before the newest version goes on after a restart.
fn watch_sees_new_objects(kubectl: &crate::lab::Kubectl) {
    let mut command = kubectl.command(&["get", "configmaps", "--watch-only", "-o", "name"]);
    let mut watch = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = watch.stdout.take().unwrap();
    let reader = thread::spawn(move || {
        use std::io::Read;
        let mut seen = [0_u8; 64];
        let length = output.read(&mut seen).unwrap_or(0);
        String::from_utf8_lossy(&seen[..length]).into_owned()
    });
    let created = eventually(|| {
        let name = format!("after-{}", std::process::id());
        kubectl.output(&["delete", "configmap", &name, "--ignore-not-found"]);
        kubectl.output(&["create", "configmap", &name]);
        reader.is_finished()
    });
    let _ = watch.kill();
    let _ = watch.wait();
    assert!(created, "the watch saw nothing");
    assert!(reader.join().unwrap().starts_with("configmap/after-"));
}
