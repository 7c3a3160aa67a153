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

#[test]
fn a_pair_that_cannot_be_used_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    for extension in ["crt", "key"] {
        std::fs::write(
            dir.path().join(format!("apiserver.{extension}")),
            "not ours",
        )
        .unwrap();
    }
    let names = vec!["localhost".to_owned()];
    assert!(Identity::load_or_create(dir.path(), "apiserver", names).is_ok());
    let left = std::fs::read_to_string(dir.path().join("apiserver.key")).unwrap();
    assert_eq!(left, "not ours");
}

#[test]
fn a_planted_link_is_replaced_and_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (victim, link) = (dir.path().join("victim"), dir.path().join("key"));
    std::fs::write(&victim, "precious").unwrap();
    std::os::unix::fs::symlink(&victim, &link).unwrap();
    write_private(&link, "secret").unwrap();
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    assert_eq!(std::fs::read_to_string(&link).unwrap(), "secret");
}
