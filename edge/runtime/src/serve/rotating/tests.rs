//! Files change under a running server.

use super::*;

#[test]
fn a_new_pair_is_taken_and_a_broken_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let names = || vec!["localhost".to_owned()];
    Identity::load_or_create(dir.path(), "a", names()).unwrap();
    Identity::load_or_create(dir.path(), "b", names()).unwrap();
    let at = |name: &str| dir.path().join(name);
    let rotating = Rotating::new(at("a.crt"), at("a.key")).unwrap();
    assert!(!rotating.refresh().unwrap());

    std::fs::copy(at("b.crt"), at("a.crt")).unwrap();
    assert!(rotating.refresh().is_err(), "the key is still the old one");
    std::fs::copy(at("b.key"), at("a.key")).unwrap();
    assert!(rotating.refresh().unwrap());

    std::fs::write(at("a.crt"), "").unwrap();
    assert!(rotating.refresh().is_err());
    let served = rotating.current.read().unwrap().cert.clone();
    assert_eq!(served, crate::certs::read_chain(&at("b.crt")).unwrap());
}
