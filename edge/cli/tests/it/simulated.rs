//! A lab of simulated nodes: nodes and pods like any other, and figures that can be checked.

use crate::lab::Lab;
use crate::tools;
use lab_node::simulated::usage;

/// The columns of each line.
fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
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
fn metrics_server_serves_exactly_what_simulated_containers_use() {
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
        let wanted = [
            format!("{}m", used.cpu_milli),
            format!("{}Mi", used.memory >> 20),
        ];
        assert_eq!(row[2..], wanted, "{}/{}", row[0], row[1]);
    }
}
