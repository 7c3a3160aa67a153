//! `cargo xtask bench decide`: how many decisions one core makes in a second, and how often each allocates.
//!
//! Prints figures beside the aims; judges nothing.

mod target;

use hpa::decide;
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::time::Duration;
use target::{NOW, Target};

/// Rounds a case: the fastest counts, for whatever else the machine does can only slow a round down.
const ROUNDS: usize = 25;
const ROUND: Duration = Duration::from_millis(60);

/// Pods, and the decisions a second aimed at.
const AIMS: [(usize, f64); 3] = [(15, 500_000.0), (100, 80_000.0), (1_000, 8_000.0)];

#[expect(clippy::print_stdout, reason = "figures are the benchmark's data")]
fn main() {
    println!(
        "{:<8} {:>6} {:>16} {:>12} {:>12}",
        "", "pods", "decisions/s", "aim", "allocations"
    );
    for (kind, make) in [
        ("steady", Target::steady as fn(usize) -> Target),
        ("mixed", Target::mixed),
    ] {
        for (pods, aim) in AIMS {
            let target = make(pods);
            println!(
                "{kind:<8} {pods:>6} {:>16.0} {aim:>12.0} {:>12}",
                decisions_a_second(&target),
                allocations(&target),
            );
        }
    }
}

fn once(target: &Target) {
    let target = black_box(target);
    black_box(decide(NOW, &target.spec, &target.seen, &target.history));
}

fn decisions_a_second(target: &Target) -> f64 {
    let rounds = (0..ROUNDS).map(|_| {
        let start = core_time();
        let mut decisions = 0.0;
        loop {
            // Some at a time, so that the clock costs nothing.
            (0..10).for_each(|_| once(target));
            decisions += 10.0;
            let passed = core_time().saturating_sub(start);
            if passed >= ROUND {
                return decisions / passed.as_secs_f64();
            }
        }
    });
    rounds.fold(0.0, f64::max)
}

/// How long a core has worked for this thread.
fn core_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

fn allocations(target: &Target) -> u64 {
    allocation_counter::measure(|| once(target)).count_total
}
