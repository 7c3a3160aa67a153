//! What the parts are started with.

use super::{Part, Plan, Settings};
use runtime::network::LabNetwork;
use std::path::PathBuf;

fn plan() -> Plan {
    Plan {
        dir: PathBuf::from("/state"),
        network: LabNetwork::new(120).unwrap(),
    }
}

#[test]
fn a_part_begins_with_its_name_and_ends_with_what_was_asked_for() {
    let asked = |flag: &str| vec![flag.to_owned()];
    let settings = Settings {
        without: vec!["a".to_owned(), "b".to_owned()],
        api_server_flag: asked("--v=1"),
        controller_manager_flag: asked("--v=2"),
        scheduler_flag: asked("--v=3"),
    };
    let ends = ["--v=1", "--v=2", "--v=3"];
    let others = &Part::ALL[1..];
    for (part, last) in others.iter().zip(ends) {
        let arguments = plan().arguments(*part, &settings);
        assert_eq!(arguments.first().unwrap(), part.name());
        assert_eq!(arguments.last().unwrap(), last);
    }
    let manager = plan().arguments(Part::KubeControllerManager, &settings);
    assert!(manager.contains(&"--controllers=*,-a,-b".to_owned()));
}

#[test]
fn what_is_asked_for_stands_instead_of_ours() {
    let settings = Settings {
        without: vec!["a".to_owned()],
        controller_manager_flag: vec!["--controllers=one,two".to_owned()],
        ..Settings::default()
    };
    let manager = plan().arguments(Part::KubeControllerManager, &settings);
    let told = manager
        .iter()
        .filter(|flag| flag.starts_with("--controllers="));
    assert_eq!(told.collect::<Vec<_>>(), ["--controllers=one,two"]);
}

#[test]
fn every_part_listens_in_the_block_of_a_lab_that_may_join() {
    for part in Part::ALL {
        let arguments = plan().arguments(part, &Settings::default()).join(" ");
        assert!(arguments.contains("127.120.0.2"), "{arguments}");
    }
    let server = plan().arguments(Part::KubeApiserver, &Settings::default());
    assert!(server.contains(&"--service-cluster-ip-range=127.120.64.0/18".to_owned()));
}
