//! A lab of simulated nodes: nodes and pods like any other, and figures that can be checked.

use crate::lab::{Kubectl, Lab};
use crate::tools;
use lab_node::simulated::usage;

/// The columns of each line.
fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
}

fn thousandths(text: &str) -> u64 {
    text.trim_end_matches('m').parse().unwrap()
}

/// The kubelets' text has counters as floats, a nanosecond too long or too short; each figure made of
/// them is then rounded up.
fn is(shown: u64, used: u64, figures: u64) -> bool {
    (used..=used + figures).contains(&shown)
}

#[test]
fn pods_of_simulated_nodes_run_and_go_like_any_others() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let lab = Lab::start(&["--nodes=0", "--simulated-nodes=3", "--pods-per-node=4"]);
    let kubectl = lab.kubectl(&program);
    kubectl.until(&["get", "nodes", "--no-headers"], |out| {
        rows(out).filter(|row| row.get(1) == Some(&"Ready")).count() == 3
    });
    let running = |wanted: usize| {
        move |out: &str| rows(out).filter(|row| row.contains(&"Running")).count() == wanted
    };
    kubectl.until(&["get", "pods", "-A", "--no-headers"], running(12));
    kubectl.ok(&["create", "deployment", "web", "--image=any", "--replicas=5"]);
    kubectl.until(&["get", "deployment", "web"], |out| out.contains("5/5"));
    kubectl.ok(&["delete", "deployment", "web"]);
    kubectl.until(&["get", "pods", "-A", "--no-headers"], running(12));
}

#[test]
fn metrics_server_serves_what_simulated_containers_use() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let lab = Lab::start(&[
        "--simulated-nodes=5",
        "--pods-per-node=4",
        "--addons=metrics-server",
        "--metric-resolution=2s",
    ]);
    let kubectl = lab.kubectl(&program);
    let top = [
        "top",
        "pods",
        "-n",
        "simulated-1",
        "--containers",
        "--no-headers",
    ];
    let table = kubectl.until(&top, |out| out.lines().count() == 40);
    for row in rows(&table) {
        let used = usage::of("simulated-1", row[0], row[1]);
        assert!(is(thousandths(row[2]), used.cpu_milli, 1), "{row:?}");
        assert_eq!(row[3], format!("{}Mi", used.memory >> 20), "{row:?}");
    }
    sorted_and_selected(&kubectl);
}

/// `--sort-by`, `-l` and nodes, of the same lab.
fn sorted_and_selected(kubectl: &Kubectl) {
    let by_cpu = [
        "top",
        "pods",
        "-A",
        "-l",
        "app=app-1",
        "--sort-by=cpu",
        "--no-headers",
    ];
    let table = kubectl.ok(&by_cpu);
    let cpu: Vec<u64> = rows(&table).map(|row| thousandths(row[2])).collect();
    assert_eq!(cpu.len(), 15, "{table}");
    assert!(cpu.is_sorted_by(|a, b| a >= b), "{table}");
    let of_pod = |row: &[&str]| -> u64 {
        let containers = ["c0", "c1"].iter();
        containers
            .map(|c| usage::of(row[0], row[1], c).cpu_milli)
            .sum()
    };
    for row in rows(&table) {
        assert!(is(thousandths(row[2]), of_pod(&row), 2), "{row:?}");
    }
    let nodes = kubectl.ok(&[
        "top",
        "nodes",
        "-l",
        "evenkeel.dev/simulated",
        "--no-headers",
    ]);
    assert_eq!(rows(&nodes).count(), 5, "{nodes}");
    // A hundred thousandths of its own and what its pods use, of 64 cores.
    let table = kubectl.ok(&["top", "pods", "-A", "--no-headers"]);
    let pods: u64 = rows(&table)
        .filter(|row| row[0].starts_with("simulated-"))
        .map(|row| of_pod(&row))
        .sum();
    let all: u64 = rows(&nodes).map(|row| thousandths(row[1])).sum();
    assert!(
        is(all, pods + 5 * 100, 5),
        "{all}, not {}:\n{nodes}",
        pods + 500
    );
}
