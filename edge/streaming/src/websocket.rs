//! WebSockets on connections that HTTP has already upgraded.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// The longest message: client libraries may send all of a standard input in one.
const MAX_MESSAGE: usize = 16 << 20;

/// The server's end of a WebSocket.
pub(crate) async fn server<IO>(io: IO) -> WebSocketStream<IO>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
        // Each message goes out at once: whoever types waits for the echo.
        .write_buffer_size(0)
        .read_buffer_size(32 * 1024);
    WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await
}
