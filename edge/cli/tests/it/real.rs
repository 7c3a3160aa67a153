//! Ours on a real control plane: upstream's etcd, kube-apiserver, kube-controller-manager and kube-scheduler.

mod audit;
mod exercise;
mod failover;
mod manifests;
mod metrics_server;
mod nodes;
mod outages;
mod own_kind;
mod plane;
mod process;
mod rights;
mod stage;
