//! Certificates are made once, kept private, and read with care.

use super::*;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_missing_pair_is_made_once_and_its_key_is_private() {
    let dir = tempfile::tempdir().unwrap();
    let names = || vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let first = Identity::load_or_create(dir.path(), "apiserver", names()).unwrap();
    let second = Identity::load_or_create(dir.path(), "apiserver", names()).unwrap();
    assert_eq!(first.chain, second.chain);
    let mode = std::fs::metadata(dir.path().join("apiserver.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_directory_that_cannot_be_written_still_gives_a_certificate() {
    let names = vec!["localhost".to_owned()];
    assert!(Identity::load_or_create(Path::new("/proc/none"), "apiserver", names).is_ok());
}

#[test]
fn a_text_without_certificates_is_refused() {
    assert!(parse_chain(b"hello").is_err());
}
