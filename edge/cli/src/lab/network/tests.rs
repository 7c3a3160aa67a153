//! Two labs never share addresses.

use super::claim;

#[test]
fn two_claims_have_different_blocks() {
    let (first, second) = (claim(None).unwrap(), claim(None).unwrap());
    assert_ne!(first.network(), second.network());
}

#[test]
fn a_data_directory_keeps_its_block() {
    let folder = tempfile::tempdir().unwrap();
    let first = claim(Some(folder.path())).unwrap();
    let block = first.network();
    let refused = claim(Some(folder.path())).unwrap_err();
    assert!(
        format!("{refused:#}").contains("another lab uses"),
        "{refused:#}"
    );
    drop(first);
    assert_eq!(claim(Some(folder.path())).unwrap().network(), block);
}

#[test]
fn a_spoilt_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("network"), "seven").unwrap();
    let refused = claim(Some(folder.path())).unwrap_err();
    assert!(
        refused.to_string().contains("does not hold a block number"),
        "{refused}"
    );
}
