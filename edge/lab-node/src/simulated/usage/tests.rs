//! The rule, as documented.

use super::{Steady, counter, of};

#[test]
fn what_a_container_uses_follows_from_its_name_and_stays() {
    let names = (0..1_000).map(|index| of("simulated", &format!("pod-{index}"), "main"));
    let all: Vec<Steady> = names.collect();
    assert!(all.iter().all(|used| (10..100).contains(&used.cpu_milli)));
    assert!(
        all.iter()
            .all(|used| (16 << 20..128 << 20).contains(&used.memory))
    );
    let different: std::collections::BTreeSet<u64> =
        all.iter().map(|used| used.cpu_milli).collect();
    assert_eq!(different.len(), 90, "every amount occurs");
    assert_eq!(all[7], of("simulated", "pod-7", "main"));
}

#[test]
fn counters_grow_by_what_is_used() {
    let steady = Steady {
        cpu_milli: 250,
        memory: 0,
    };
    assert_eq!(counter(steady, 0), 0);
    assert_eq!(counter(steady, 4_000_000_000), 1_000_000_000);
    assert_eq!(counter(steady, u64::MAX), u64::MAX / 4);
}
