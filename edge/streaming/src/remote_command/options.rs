//! Which streams a client asks for.

use k8s::status::ApiError;

/// The streams of an exec or attach request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// The process reads from the client.
    pub stdin: bool,
    /// The client sees the standard output.
    pub stdout: bool,
    /// The client sees the standard error, if there is no terminal.
    pub stderr: bool,
    /// The process has a terminal.
    pub tty: bool,
}

impl Options {
    /// Reads a query, the API server's (`stdin=true`) or the kubelet's (`input=1`).
    ///
    /// Upstream: kubelet/pkg/cri/streaming/remotecommand, NewOptions.
    pub fn from_query(query: &str) -> Self {
        let mut options = Self::default();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, "true"));
            let on = matches!(value, "1" | "t" | "T" | "true" | "True" | "TRUE");
            match name {
                "stdin" | "input" => options.stdin = on,
                "stdout" | "output" => options.stdout = on,
                "stderr" | "error" => options.stderr = on,
                "tty" => options.tty = on,
                _ => {}
            }
        }
        options
    }

    /// A terminal has one output; and some stream there must be.
    pub(super) fn checked(mut self) -> Result<Self, ApiError> {
        if self.tty {
            self.stderr = false;
        }
        if self.stdin || self.stdout || self.stderr {
            Ok(self)
        } else {
            Err(ApiError::bad_request(
                "you must specify at least 1 of stdin, stdout, stderr",
            ))
        }
    }
}
