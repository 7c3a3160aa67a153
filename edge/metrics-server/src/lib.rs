//! metrics-server: scrapes kubelets, and serves what nodes and pods use as `metrics.k8s.io/v1beta1`.
//!
//! ```text
//! nodes, pods ──watch──▶ Cluster ─┬──────────────────────┐
//! kubelets ──scrape──▶ usage::Store ─▶ api (JSON, Table) ─┴─▶ TLS, behind the aggregation layer
//! ```
//!
//! A drop-in for kubernetes-sigs/metrics-server: the same flags, endpoints and answers. What it
//! decides (rates, omissions) is in the `usage` crate.

mod api;
mod args;
mod cluster;
mod drops;
mod kubelet;
mod scraper;
mod selector;
mod server;
mod telemetry;
mod version;

pub use args::Args;
pub use server::run;
pub use version::version;
