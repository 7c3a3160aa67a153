//! Burning a set amount of CPU.

use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// CPU time of this thread. It stands still while the thread is throttled or waits, so a request
/// costs the same under any limit.
pub fn thread_cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Hashes until this thread has used `cost` more CPU; returns the hash, so that the work is not
/// optimised away.
pub fn burn(cost: Duration) -> u64 {
    let end = thread_cpu_time() + cost;
    let mut hash = 0xcbf2_9ce4_8422_2325;
    while thread_cpu_time() < end {
        hash = black_box(mix(hash));
    }
    hash
}

/// A few microseconds of FNV-1a.
fn mix(mut hash: u64) -> u64 {
    for byte in 0..4_096_u64 {
        hash = (hash ^ (byte & 0xff)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash
}

/// Reads `5ms`, `1s`, `250us` or `0`.
pub fn parse_cost(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a CPU time: write for example 5ms, 250us or 1s");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match unit {
        "us" | "µs" => Ok(Duration::from_micros(number)),
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        _ => Err(wrong()),
    }
}
