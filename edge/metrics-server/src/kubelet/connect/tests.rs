//! Certificates for kubelets, and how they change.

use super::*;
use clap::Parser;
use runtime::certs::Identity;
use std::path::Path;

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    args: KubeletArgs,
}

fn made(dir: &Path, pair: &str) {
    Identity::load_or_create(dir, pair, vec!["kubelet".to_owned()]).unwrap();
}

#[test]
fn files_that_change_are_read_again_and_unusable_ones_are_not_taken() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path(), "a");
    let file = |name: &str| dir.path().join(name).display().to_string();
    let flags = [
        "x".to_owned(),
        format!("--kubelet-certificate-authority={}", file("a.crt")),
        format!("--kubelet-client-certificate={}", file("a.crt")),
        format!("--kubelet-client-key={}", file("a.key")),
    ];
    let args = Program::try_parse_from(flags).unwrap().args;
    let config = Config::new("https://127.0.0.1:1".parse().unwrap());
    let connector = Connector::new(&args, &config).unwrap();
    assert!(!connector.refresh().unwrap(), "nothing changed");

    made(dir.path(), "b");
    std::fs::copy(file("b.crt"), file("a.crt")).unwrap();
    assert!(connector.refresh().is_err(), "the key is another's");
    assert!(!connector.refresh().unwrap(), "which is told once");
    std::fs::copy(file("b.key"), file("a.key")).unwrap();
    assert!(connector.refresh().unwrap());
}
