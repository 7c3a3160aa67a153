//! What simulated containers use: steady amounts that follow from their names, so that any figure
//! that is served for them can be checked.

/// What one container uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steady {
    /// Thousandths of a core.
    pub cpu_milli: u64,
    /// Bytes of memory.
    pub memory: u64,
}

/// What a container of this name uses: 10 to 99 thousandths of a core, 16 to 127 MiB.
///
/// FNV-1a of `namespace/pod/container`, 64 bits: its remainder by 90 is the CPU beyond 10m, its upper
/// half's by 112 the memory beyond 16 MiB.
pub fn of(namespace: &str, pod: &str, container: &str) -> Steady {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let parts = [namespace, "/", pod, "/", container];
    for byte in parts.iter().flat_map(|part| part.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    Steady {
        cpu_milli: 10 + hash % 90,
        memory: (16 + (hash >> 32) % 112) << 20,
    }
}

/// The counter of such a container, in nanoseconds of a core, this many nanoseconds after its start.
pub fn counter(steady: Steady, age_nanos: u64) -> u64 {
    let nanos = u128::from(age_nanos) * u128::from(steady.cpu_milli) / 1_000;
    u64::try_from(nanos).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
