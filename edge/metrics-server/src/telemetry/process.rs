//! What this process takes from the machine, by the names that every Prometheus client uses. Read from `/proc` when
//! somebody asks; where there is none, nothing is said. Not here: anything of Go's runtime, which we do not have.
//!
//! Upstream: client_golang, prometheus/process_collector_procfsenabled.go.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

/// Linux counts processes' time in hundredths of a second, whatever the clock's rate.
const TICKS: f64 = 100.0;
/// What Go says where there is no limit.
const UNLIMITED: f64 = u64::MAX as f64;

/// One look at the process.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Look {
    cpu_seconds: f64,
    start_seconds: f64,
    virtual_bytes: f64,
    resident_bytes: f64,
    open_files: f64,
    max_files: f64,
    max_virtual_bytes: f64,
}

type Float = Gauge<f64, AtomicU64>;

/// The figures of the last look.
#[derive(Debug, Default)]
pub(super) struct Process {
    cpu: Counter<f64, AtomicU64>,
    start: Float,
    virtual_memory: Float,
    resident: Float,
    open_files: Float,
    max_files: Float,
    max_virtual_memory: Float,
}

impl Process {
    pub(super) fn register(&self, registry: &mut Registry) {
        if look().is_none() {
            return;
        }
        let registry = registry.sub_registry_with_prefix("process");
        // The format adds "_total".
        let help = "CPU time, of the user and the system, in seconds";
        registry.register("cpu_seconds", help, self.cpu.clone());
        let gauges = [
            (
                "start_time_seconds",
                "When the process began, in seconds since 1970",
                &self.start,
            ),
            (
                "virtual_memory_bytes",
                "Size of virtual memory in bytes",
                &self.virtual_memory,
            ),
            (
                "virtual_memory_max_bytes",
                "Most virtual memory in bytes",
                &self.max_virtual_memory,
            ),
            (
                "resident_memory_bytes",
                "Size of resident memory in bytes",
                &self.resident,
            ),
            ("open_fds", "Open file descriptors", &self.open_files),
            ("max_fds", "Most open file descriptors", &self.max_files),
        ];
        for (name, help, gauge) in gauges {
            registry.register(name, help, gauge.clone());
        }
        self.refresh();
    }

    /// Looks again.
    pub(super) fn refresh(&self) {
        let Some(look) = look() else {
            return;
        };
        // Of two that look at once the later counts: numbers that are not negative are in the order of their bits.
        let bits = look.cpu_seconds.max(0.0).to_bits();
        self.cpu.inner().fetch_max(bits, Ordering::Relaxed);
        self.start.set(look.start_seconds);
        self.virtual_memory.set(look.virtual_bytes);
        self.resident.set(look.resident_bytes);
        self.open_files.set(look.open_files);
        self.max_files.set(look.max_files);
        self.max_virtual_memory.set(look.max_virtual_bytes);
    }

    /// When the process began.
    pub(super) fn start_seconds(&self) -> f64 {
        self.start.get()
    }
}

fn look() -> Option<Look> {
    let text = |file: &str| fs::read_to_string(file).ok();
    let read = read(
        &text("/proc/self/stat")?,
        &text("/proc/self/status")?,
        &text("/proc/self/limits")?,
        &text("/proc/stat")?,
    )?;
    // Minus the one that reads this folder.
    let files = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    Some(Look {
        open_files: files.saturating_sub(1) as f64,
        ..read
    })
}

/// From the texts of `/proc`, as proc(5) has them.
fn read(stat: &str, status: &str, limits: &str, machine: &str) -> Option<Look> {
    // The program's name may hold anything, but not what is after its last parenthesis.
    let (_, fields) = stat.rsplit_once(") ")?;
    let field = |number: usize| -> Option<f64> {
        // The first after the name is the third.
        fields.split(' ').nth(number - 3)?.parse().ok()
    };
    let after = |text: &str, name: &str| -> Option<String> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next().map(str::to_owned)
    };
    let kib = |name: &str| after(status, name).and_then(|size| size.parse::<f64>().ok());
    let limit = |name: &str| match after(limits, name)?.as_str() {
        "unlimited" => Some(UNLIMITED),
        number => number.parse().ok(),
    };
    let booted: f64 = after(machine, "btime ")?.parse().ok()?;
    Some(Look {
        cpu_seconds: (field(14)? + field(15)?) / TICKS,
        start_seconds: booted + field(22)? / TICKS,
        virtual_bytes: kib("VmSize:")? * 1024.0,
        resident_bytes: kib("VmRSS:")? * 1024.0,
        open_files: 0.0,
        max_files: limit("Max open files")?,
        max_virtual_bytes: limit("Max address space")?,
    })
}

#[cfg(test)]
mod tests;
