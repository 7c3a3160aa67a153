//! Ours on a real control plane: upstream's etcd, kube-apiserver, kube-controller-manager and kube-scheduler.

mod exercise;
mod manifests;
mod metrics_server;
mod nodes;
mod plane;
