//! Counter samples become rates over a window.
//!
//! ```text
//! kubelet's text ──text::Lines──▶ scrape::read ──Scrape──▶ Store ──▶ Usage of a node or a pod
//! ```
//!
//! Behaviour is metrics-server's (main branch, August 2026): pkg/scraper/client/resource/decode.go
//! and pkg/storage. Not here: HTTP, clocks, JSON.

pub mod drops;
pub mod rate;
pub mod scrape;
pub mod store;
pub mod text;

pub use drops::Dropped;
pub use rate::{Point, Usage};
pub use scrape::Scrape;
pub use store::{PodUsage, Store};
