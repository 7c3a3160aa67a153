//! What is written down, and what is removed.

use super::{State, remove};
use crate::plan::{Plan, Settings};
use runtime::network::LabNetwork;

#[test]
fn what_was_written_is_read_again_and_only_that_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan {
        dir: folder.path().join("state"),
        network: LabNetwork::new(120).unwrap(),
    };
    lab_auth::pki::private_directory(&plan.dir).unwrap();
    assert!(State::read(&plan.dir).unwrap().is_none());
    crate::pki::write(&plan).unwrap();
    let state = State::new(&plan, "/bin/true".into(), Settings::default());
    state.write(&plan.dir).unwrap();
    let read = State::of(&plan.dir).unwrap();
    assert_eq!(
        read.plan(&plan.dir).unwrap().server(),
        "https://127.120.0.2:6443"
    );
    assert!(read.kubeconfig.is_file());

    let other = plan.dir.join("notes.txt");
    std::fs::write(&other, "mine").unwrap();
    remove(&plan.dir).unwrap();
    let left: Vec<_> = std::fs::read_dir(&plan.dir).unwrap().flatten().collect();
    assert_eq!(left.len(), 1);
    std::fs::remove_file(other).unwrap();
    remove(&plan.dir).unwrap();
    assert!(!plan.dir.exists());
}
