//! Limits written to control groups.

use super::*;

fn limits() -> Limits {
    Limits {
        cpu_request_milli: 100,
        cpu_limit_milli: Some(250),
        memory_limit_bytes: Some(1 << 20),
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn version_one_limits_and_accounts() {
    let root = tempfile::tempdir().unwrap();
    for controller in ["cpu", "cpuacct", "memory/mine"] {
        write(&root.path().join(controller).join("lab/cgroup.procs"), "");
    }
    let own = "9:name=systemd:/\n4:memory:/mine\n2:cpuacct:/\n1:cpu:/gone\n";
    let cgroups = Cgroups::detect(root.path(), own, "lab");
    assert!(cgroups.missing().is_empty());
    let group = cgroups.create("c", &limits()).unwrap();
    assert_eq!(
        read(&root.path().join("cpu/lab/c/cpu.cfs_quota_us")),
        "25000"
    );
    assert_eq!(read(&root.path().join("cpu/lab/c/cpu.shares")), "102");
    let cores = std::thread::available_parallelism().unwrap().get();
    let all = root.path().join("cpu/lab/cpu.shares");
    assert_eq!(read(&all), (cores * 1_024).to_string());
    let memory = root.path().join("memory/mine/lab/c");
    assert_eq!(read(&memory.join("memory.limit_in_bytes")), "1048576");
    write(
        &root.path().join("cpuacct/lab/c/cpuacct.usage"),
        "123456789\n",
    );
    write(&memory.join("memory.usage_in_bytes"), "5000\n");
    write(
        &memory.join("memory.stat"),
        "cache 9\ntotal_inactive_file 2000\n",
    );
    write(
        &memory.join("memory.oom_control"),
        "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    );
    assert_eq!(
        group.usage(0),
        ProcessUsage {
            cpu_nanos: 123_456_789,
            memory_bytes: 3_000
        }
    );
    assert!(group.out_of_memory());
    assert_eq!(group.entries().len(), 3);
}

#[test]
fn version_two_limits_and_accounts() {
    let root = tempfile::tempdir().unwrap();
    write(&root.path().join("cgroup.controllers"), "cpu memory");
    std::fs::create_dir_all(root.path().join("session")).unwrap();
    let cgroups = Cgroups::detect(root.path(), "0::/session\n", "lab");
    let group = cgroups.create("c", &limits()).unwrap();
    let directory = root.path().join("session/lab/c");
    assert_eq!(read(&directory.join("cpu.max")), "25000 100000");
    assert_eq!(read(&directory.join("cpu.weight")), "4");
    assert_eq!(read(&directory.join("memory.max")), "1048576");
    write(
        &directory.join("cpu.stat"),
        "usage_usec 2500\nuser_usec 1\n",
    );
    write(&directory.join("memory.current"), "700\n");
    write(
        &directory.join("memory.stat"),
        "anon 1\ninactive_file 200\n",
    );
    write(&directory.join("memory.events"), "oom 0\noom_kill 0\n");
    assert_eq!(
        group.usage(0),
        ProcessUsage {
            cpu_nanos: 2_500_000,
            memory_bytes: 500
        }
    );
    assert!(!group.out_of_memory());
    assert_eq!(group.entries().len(), 1);
}

#[test]
fn without_control_groups_the_lab_says_what_is_missing() {
    let root = tempfile::tempdir().unwrap();
    let cgroups = Cgroups::detect(root.path(), "", "lab");
    assert_eq!(cgroups.missing().len(), 3);
    assert!(cgroups.create("c", &limits()).unwrap().entries().is_empty());
}
