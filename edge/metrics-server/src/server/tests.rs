//! Which certificate is served, whatever the disk allows.

use super::*;
use clap::Parser;

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    args: Args,
}

fn serving(flag: &str) -> ServingArgs {
    Program::try_parse_from(["metrics-server", flag])
        .unwrap()
        .args
        .serving
}

#[test]
fn a_certificate_directory_that_cannot_be_written_is_no_reason_not_to_serve() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let inside_a_file = format!("--cert-dir={}", file.path().join("certs").display());
    let (_, followed) = tls(&serving(&inside_a_file), [0, 0, 0, 0].into()).unwrap();
    assert!(followed.is_none(), "there are no files to follow");
}

#[test]
fn a_certificate_that_was_made_is_followed_as_one_that_was_given() {
    let dir = tempfile::tempdir().unwrap();
    let flag = format!("--cert-dir={}", dir.path().display());
    let (_, followed) = tls(&serving(&flag), [0, 0, 0, 0].into()).unwrap();
    assert!(followed.is_some());
    assert!(dir.path().join("apiserver.key").is_file());
}
