//! Which certificate is served, whatever the disk allows.

use super::*;

fn made_in(dir: Option<&Path>) -> Option<Arc<Rotating>> {
    let files = CertificateFiles {
        dir,
        pair: "apiserver",
        given: None,
        address: [0, 0, 0, 0].into(),
    };
    files.tls(&TlsSettings::default()).unwrap().1
}

#[test]
fn a_directory_that_cannot_be_written_or_is_not_named_is_no_reason_not_to_serve() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for dir in [Some(file.path().join("certs")), None] {
        let followed = made_in(dir.as_deref());
        assert!(followed.is_none(), "there are no files to follow");
    }
}

#[test]
fn a_certificate_that_was_made_is_followed_as_one_that_was_given() {
    let dir = tempfile::tempdir().unwrap();
    assert!(made_in(Some(dir.path())).is_some());
    assert!(dir.path().join("apiserver.key").is_file());
}
