//! How often something is said.

use super::*;

#[test]
fn of_each_kind_a_line_a_minute_says_how_many_there_were() {
    let drops = Drops::default();
    let start = Instant::now();
    let due = |kind, seconds| drops.due(kind, start + Duration::from_secs(seconds));
    assert_eq!(due("older", 0), Some(1));
    assert_eq!(due("decrease", 1), Some(1), "another kind");
    assert_eq!(due("older", 1), None);
    assert_eq!(due("older", 59), None);
    assert_eq!(due("older", 60), Some(3));
}
