//! SPDY/3.1, the server's side: what kubectl before 1.31 speaks, and what it tunnels for port-forward since.
//!
//! Written from the SPDY protocol drafts 3 and 3.1. Differs from the drafts: there is no flow control, because
//! the other end, github.com/moby/spdystream, neither grants windows nor keeps to them. A slow reader slows the
//! whole connection down instead, as it does upstream.

mod connection;
mod frame;
mod headers;

pub use connection::{Connection, Stream};
pub use frame::{Decoder, Encoder, Frame};
pub use headers::Headers;

/// A connection that does not keep to the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpdyError {
    /// Another version of SPDY.
    #[error("spdy version {0} is not supported; only version 3 is")]
    Version(u16),
    /// A frame is longer than anything a client has to say.
    #[error("a control frame of {0} bytes is too long")]
    TooLong(usize),
    /// A frame's content does not fit its type.
    #[error("a {0} frame is malformed")]
    Malformed(&'static str),
    /// Headers do not decompress, or to too much.
    #[error("headers cannot be decompressed: {0}")]
    Compression(String),
}

#[cfg(test)]
mod tests;
