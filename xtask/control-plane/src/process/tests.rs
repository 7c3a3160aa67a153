//! Processes: found again by what they are, not by their number alone.

use super::{How, end, runs, start};
use std::path::Path;

#[test]
fn a_process_is_known_by_its_words_and_ends_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let (binary, words) = (Path::new("/bin/sleep"), vec!["600".to_owned()]);
    for how in [How::Asked, How::Killed] {
        let mut child = start(binary, &words, &folder.path().join("log")).unwrap();
        let pid = child.id();
        assert!(runs(pid, binary, &words));
        assert!(!runs(pid, binary, &["601".to_owned()]), "another's words");
        end(pid, how, || runs(pid, binary, &words)).unwrap();
        child.wait().unwrap();
        assert!(!runs(pid, binary, &words));
    }
}
