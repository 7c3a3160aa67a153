//! Copies between a client and a container.

use crate::terminal::Terminal;
use std::io;
use std::time::Duration;
use streaming::Output;
use streaming::remote_command::Resizes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::process::{ChildStderr, ChildStdout};
use tokio_util::sync::CancellationToken;

/// How long output that is open after the command's end may be silent: something that has escaped
/// holds it, and will say nothing more.
const SILENCE: Duration = Duration::from_millis(500);

/// Where a command's output comes from.
pub(super) trait Source {
    /// Reads some; 0 is the end.
    async fn some(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
}

impl Source for ChildStdout {
    async fn some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read(buffer).await
    }
}

impl Source for ChildStderr {
    async fn some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read(buffer).await
    }
}

impl Source for Terminal {
    async fn some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read(buffer).await
    }
}

/// Copies output to its end, however slowly the client takes it; without a client for it, drops it.
pub(super) async fn output(
    mut from: impl Source,
    mut to: Option<Output>,
    ended: &CancellationToken,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            biased;
            read = from.some(&mut buffer) => read,
            () = silence(ended) => return,
        };
        let Ok(1..) = read else { return };
        let bytes = buffer.get(..read.unwrap_or(0)).unwrap_or_default();
        if let Some(to) = &mut to
            && to.write_all(bytes).await.is_err()
        {
            return;
        }
    }
}

async fn silence(ended: &CancellationToken) {
    ended.cancelled().await;
    tokio::time::sleep(SILENCE).await;
}

/// Types what the client types, as long as both are there.
pub(super) async fn typing(terminal: &Terminal, input: Option<DuplexStream>) {
    let Some(mut input) = input else { return };
    let mut buffer = vec![0; 4 * 1024];
    while let Ok(read @ 1..) = input.read(&mut buffer).await {
        let typed = buffer.get(..read).unwrap_or_default();
        if terminal.write_all(typed).await.is_err() {
            return;
        }
    }
}

/// Follows the size of the client's window.
pub(super) async fn resizing(terminal: &Terminal, sizes: &mut Resizes) {
    while let Some(size) = sizes.next().await {
        terminal.resize(size.width, size.height);
    }
}
