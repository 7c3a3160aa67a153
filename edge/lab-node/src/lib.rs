//! The lab's node: what a kubelet, a container runtime and kube-proxy are to a real cluster.
//!
//! Pods are processes. The node talks to the Kubernetes API by a client, like any kubelet, and knows
//! nothing of the lab's store.
//!
//! | what | where |
//! | --- | --- |
//! | the node's object, its pods | `node` |
//! | one pod's life | `worker`: facts → [`plan`] → steps → [`status`] |
//! | one container's processes | [`instance`], [`process`], [`pod_init`], [`cgroup`], [`logs`] |
//! | what others ask of the kubelet | `server` |
//! | the Services' addresses | `proxy` |
//! | nodes whose pods are no processes | [`simulated`] |
//!
//! Not here: scheduling, controllers, and everything that decides about more than one pod.

pub mod backoff;
pub mod cgroup;
pub mod cluster;
mod config;
pub mod environment;
pub mod events;
pub mod facts;
pub mod host;
pub mod hosts;
pub mod images;
pub mod instance;
pub mod logs;
mod node;
pub mod plan;
pub mod pod_init;
pub mod probe;
pub mod proc;
pub mod process;
mod proxy;
mod server;
pub mod simulated;
pub mod status;
pub mod terminal;
pub mod volumes;
mod worker;

pub use config::{Config, KUBELET_PORT};
pub use images::ImageTable;
pub use node::run;
