//! A temporary folder is new, private, and goes.

use super::Home;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_temporary_folder_is_private_and_goes() {
    let homes = ["evenkeel-test", "evenkeel-test"].map(|name| Home::temporary(name).unwrap());
    let paths = homes.each_ref().map(|home| home.path().to_owned());
    assert_ne!(paths[0], paths[1]);
    for path in &paths {
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        std::fs::write(path.join("file"), "").unwrap();
    }
    drop(homes);
    assert!(paths.iter().all(|path| !path.exists()));
}
