//! What is read out of the kernel's figures.

use super::*;

#[test]
fn a_command_name_cannot_shift_the_fields() {
    let line = "42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 100 0 0";
    assert_eq!(
        parse_stat(line),
        Some(Stat {
            parent: 7,
            own_ticks: 30,
            collected_ticks: 70
        })
    );
    assert_eq!(parse_stat("nonsense"), None);
    assert_eq!(parse_stat("1 (x) S"), None);
}

#[test]
fn own_memory_leaves_mapped_files_out() {
    let status = "VmRSS:\t 900 kB\nRssAnon:\t 100 kB\nRssFile:\t 790 kB\nRssShmem:\t 10 kB\n";
    assert_eq!(memory_in_status(status), 110 * 1024);
}

#[test]
fn machine_figures_leave_idle_time_and_cold_files_out() {
    assert_eq!(
        machine_cpu("cpu  1 2 3 1000 50 4 5 6 7 8\ncpu0 9"),
        21 * TICK_NANOS
    );
    let meminfo = "MemTotal: 100 kB\nMemFree: 20 kB\nInactive: 70 kB\nInactive(file): 30 kB\n";
    assert_eq!(machine_memory(meminfo), 50 * 1024);
}

#[test]
fn a_child_is_found_below_its_parent() {
    let mut child = std::process::Command::new("sleep")
        .arg("30")
        .spawn()
        .unwrap();
    let me = i32::try_from(std::process::id()).unwrap();
    let pid = i32::try_from(child.id()).unwrap();
    assert!(children(me).contains(&pid));
    assert!(children_by_scan(me).contains(&pid));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_tree_counts_those_that_have_ended() {
    let script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done";
    let command = format!("sh -c '{script}'; sh -c '{script}'; sleep 60");
    let mut shell = std::process::Command::new("sh")
        .args(["-c", &command])
        .spawn()
        .unwrap();
    let pid = i32::try_from(shell.id()).unwrap();
    let deadline = deadline();
    while !children(pid).iter().any(|c| command_name(*c) == "sleep") {
        assert!(
            deadline.elapsed().as_secs() < 20,
            "the shell did not come to its sleep"
        );
        std::thread::yield_now();
    }
    let (tree, sleeping) = (tree_usage(pid), threads_nanos(children(pid)[0]));
    shell.kill().unwrap();
    shell.wait().unwrap();
    assert!(tree.cpu_nanos > sleeping, "{tree:?}");
    assert!(
        tree.cpu_nanos >= 10_000_000,
        "two loops take more than a tick: {tree:?}"
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "a deadline of real time for a real process"
)]
fn deadline() -> std::time::Instant {
    std::time::Instant::now()
}

fn command_name(pid: i32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/comm"))
        .unwrap_or_default()
        .trim()
        .to_owned()
}
