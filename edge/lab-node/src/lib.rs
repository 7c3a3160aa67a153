//! The lab's node: what a kubelet, a container runtime and kube-proxy are to a real cluster.
//!
//! Pods are processes. The node talks to the Kubernetes API by a client, like any kubelet, and knows
//! nothing of the lab's store.
//!
//! Not here: scheduling, controllers, and everything that decides about more than one pod.

pub mod backoff;
pub mod cgroup;
pub mod cluster;
pub mod environment;
pub mod facts;
pub mod hosts;
pub mod images;
pub mod logs;
pub mod plan;
pub mod pod_init;
pub mod proc;
pub mod process;
pub mod status;
pub mod terminal;
pub mod volumes;
