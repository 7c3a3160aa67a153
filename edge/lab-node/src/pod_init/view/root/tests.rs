//! What a pod sees as its root.

use super::*;

#[test]
fn mounts_are_read_with_their_odd_characters() {
    let line = r"36 35 98:0 / /mnt/with\040space rw,noatime master:1 - ext3 /dev/root rw";
    let expected = HostMount {
        at: PathBuf::from("/mnt/with space"),
        kind: "ext3".to_owned(),
    };
    assert_eq!(parse_mount(line), Some(expected));
    assert_eq!(parse_mount("nonsense"), None);
    assert!(!host_mounts().unwrap().is_empty());
}
