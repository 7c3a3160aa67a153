//! The server's side of `kubectl exec`, `attach` and `port-forward`.
//!
//! A request asks to turn its HTTP connection into something else: a WebSocket (kubectl since 1.31, the python
//! client) or SPDY/3.1 (kubectl before). [`remote_command`] makes streams of either for a process,
//! [`port_forward`] connects ports. The API server passes such connections on as raw bytes, so only the kubelet
//! needs this crate.

pub mod limits;
mod output;
pub mod port_forward;
pub mod remote_command;
pub mod spdy;
pub mod tunnel;
mod upgrade;
mod websocket;

pub use limits::Limits;
pub use output::Output;
pub use upgrade::StreamError;
