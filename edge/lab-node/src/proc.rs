//! Reading `/proc`: process trees, their CPU time and memory.

use std::collections::BTreeMap;

/// Clock ticks a second in `/proc/PID/stat`; Linux has shown 100 to programs on every architecture
/// for twenty years.
const TICK_NANOS: u64 = 10_000_000;

#[cfg(test)]
mod tests;

/// What a process and those it has waited for have used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProcessUsage {
    /// CPU time, that of collected children included.
    pub cpu_nanos: u64,
    /// Resident memory that is its own: anonymous and shared memory, not mapped files.
    pub memory_bytes: u64,
}

/// One line of `/proc/PID/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    parent: i32,
    own_ticks: u64,
    /// Of children that it has waited for, and theirs.
    collected_ticks: u64,
}

/// The children of all threads of a process.
pub fn children(pid: i32) -> Vec<i32> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for thread in threads.flatten() {
        match std::fs::read_to_string(thread.path().join("children")) {
            Ok(list) => found.extend(
                list.split_whitespace()
                    .filter_map(|p| p.parse::<i32>().ok()),
            ),
            // A kernel without CONFIG_PROC_CHILDREN: look at everyone's parent instead.
            Err(_) => return children_by_scan(pid),
        }
    }
    found
}

fn children_by_scan(parent: i32) -> Vec<i32> {
    all_stats()
        .into_iter()
        .filter(|(_, stat)| stat.parent == parent)
        .map(|(pid, _)| pid)
        .collect()
}

fn all_stats() -> BTreeMap<i32, Stat> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return BTreeMap::new();
    };
    let pids = entries
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?))).collect()
}

fn stat(pid: i32) -> Option<Stat> {
    parse_stat(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The command's name may have spaces and parentheses: fields count from the last `)`.
fn parse_stat(line: &str) -> Option<Stat> {
    let (_, rest) = line.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    // state ppid … utime(14) stime(15) cutime(16) cstime(17), of which state is field 3.
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own_ticks: number(11)? + number(12)?,
        collected_ticks: number(13)? + number(14)?,
    })
}

/// Usage of the processes below `supervisor`, those that have ended included: orphans are adopted
/// and collected by the supervisor, so nothing is lost.
///
/// Live processes are told in nanoseconds; what has ended counts in ticks, so the sum may be a tick
/// less than a moment ago for each process or thread that has ended since.
pub fn tree_usage(supervisor: i32) -> ProcessUsage {
    let mut total = ProcessUsage::default();
    let mut todo = vec![supervisor];
    let mut seen = 0_u32;
    while let Some(pid) = todo.pop() {
        seen += 1;
        if seen > 100_000 {
            break;
        }
        if let Some(stat) = stat(pid) {
            total.cpu_nanos += if pid == supervisor {
                // Its own work is not the container's; what it has collected is.
                stat.collected_ticks * TICK_NANOS
            } else {
                (stat.own_ticks * TICK_NANOS).max(threads_nanos(pid))
                    + stat.collected_ticks * TICK_NANOS
            };
        }
        if pid != supervisor {
            total.memory_bytes += own_memory(pid);
        }
        todo.extend(children(pid));
    }
    total
}

/// CPU time of the threads that live, from the scheduler, where the kernel tells.
fn threads_nanos(pid: i32) -> u64 {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return 0;
    };
    let time = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    threads.flatten().filter_map(time).sum()
}

fn own_memory(pid: i32) -> u64 {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{pid}/status")) else {
        return 0;
    };
    memory_in_status(&status)
}

fn memory_in_status(status: &str) -> u64 {
    let kilobytes = |line: &str| line.split_whitespace().nth(1)?.parse::<u64>().ok();
    let own = status
        .lines()
        .filter(|l| l.starts_with("RssAnon:") || l.starts_with("RssShmem:"));
    own.filter_map(kilobytes).sum::<u64>() * 1024
}

/// The machine's CPU time and memory in use.
pub fn machine_usage() -> ProcessUsage {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    ProcessUsage {
        cpu_nanos: machine_cpu(&stat),
        memory_bytes: machine_memory(&meminfo),
    }
}

/// Everything but idle and iowait (fields 4 and 5); guest time is in user time already.
fn machine_cpu(stat: &str) -> u64 {
    let Some(line) = stat.lines().find(|l| l.starts_with("cpu ")) else {
        return 0;
    };
    let ticks: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .filter_map(|t| t.parse().ok())
        .collect();
    let busy = [0, 1, 2, 5, 6, 7]
        .iter()
        .filter_map(|i| ticks.get(*i))
        .sum::<u64>();
    busy * TICK_NANOS
}

/// Memory in use without file pages that nobody has touched lately, as the kubelet's working set.
fn machine_memory(meminfo: &str) -> u64 {
    let field = |name: &str| meminfo_field(meminfo, name).unwrap_or_default();
    field("MemTotal")
        .saturating_sub(field("MemFree"))
        .saturating_sub(field("Inactive(file)"))
}

/// A field of `/proc/meminfo`, in bytes.
pub fn meminfo_field(meminfo: &str, name: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find(|l| l.strip_prefix(name).is_some_and(|r| r.starts_with(':')))?;
    line.split_whitespace()
        .nth(1)?
        .parse::<u64>()
        .ok()
        .map(|kilobytes| kilobytes * 1024)
}
