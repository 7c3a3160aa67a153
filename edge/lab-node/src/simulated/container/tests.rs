//! Counters.

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_268_800 + seconds).unwrap()
}

#[test]
fn a_counter_goes_on_from_where_it_was_when_the_use_changes() {
    let uses = Steady {
        cpu_milli: 100,
        memory: 7,
    };
    let mut container = Container::new("c", uses, at(0));
    assert_eq!(container.cpu(at(10)), 1_000_000_000);
    container.use_cpu(500, at(10));
    assert_eq!(container.cpu(at(10)), 1_000_000_000);
    assert_eq!(container.cpu(at(12)), 2_000_000_000);
    container.use_cpu(500, at(14));
    container.use_cpu(0, at(16));
    assert_eq!(container.cpu(at(60)), 4_000_000_000);
    assert_eq!(container.memory(), 7);
}
