//! Brings together the two streams of each forwarded connection.

use crate::spdy::Stream;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// The streams of one connection to one port.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) port: u16,
    pub(super) data: Stream,
    pub(super) error: Stream,
}

/// Streams whose other half is still to come, by request.
#[derive(Debug, Default)]
pub(super) struct Pairs(HashMap<String, Half>);

#[derive(Debug)]
struct Half {
    stream: Stream,
    is_data: bool,
    since: Instant,
}

impl Pairs {
    /// Takes a stream in; gives the pair that it completes. An unfit stream comes back with the reason.
    pub(super) fn add(
        &mut self,
        stream: Stream,
    ) -> Result<Option<Pair>, (Box<Stream>, &'static str)> {
        let Some(port) = stream
            .headers
            .get("port")
            .and_then(|port| port.parse().ok())
            .filter(|&p| p > 0)
        else {
            return Err((Box::new(stream), "the port header is missing or no port"));
        };
        let is_data = match stream.headers.get("streamType") {
            Some("data") => true,
            Some("error") => false,
            _ => {
                return Err((
                    Box::new(stream),
                    "the streamType header is neither data nor error",
                ));
            }
        };
        let request = request_of(&stream, is_data);
        match self.0.remove(&request) {
            None => {
                self.0.insert(
                    request,
                    Half {
                        stream,
                        is_data,
                        since: Instant::now(),
                    },
                );
                Ok(None)
            }
            Some(half) if half.is_data == is_data => {
                self.0.insert(request, half);
                Err((Box::new(stream), "this request has such a stream already"))
            }
            Some(half) => {
                let (data, error) = if is_data {
                    (stream, half.stream)
                } else {
                    (half.stream, stream)
                };
                Ok(Some(Pair { port, data, error }))
            }
        }
    }

    /// Gives up on streams whose other half does not come.
    pub(super) fn drop_older_than(&mut self, age: Duration) {
        self.0.retain(|_, half| half.since.elapsed() < age);
    }
}

/// Clients older than request numbers open the error stream first and the data stream next.
fn request_of(stream: &Stream, is_data: bool) -> String {
    match stream.headers.get("requestID") {
        Some(request) => request.to_owned(),
        None => {
            let id = stream.id();
            if is_data { id.saturating_sub(2) } else { id }.to_string()
        }
    }
}
