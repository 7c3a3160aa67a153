//! Clients that send anything: connections end, and nothing panics or hangs.

use proptest::prelude::*;
use std::time::Duration;
use streaming::Limits;
use streaming::spdy::{Connection, Encoder, Frame, Headers};
use streaming::tunnel::Tunnel;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::runtime::Builder;
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(20);

/// Opens streams as the number of bytes allows, and throws the bytes in between.
fn traffic(pieces: &[Vec<u8>], kinds: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new().unwrap();
    let mut wire = bytes::BytesMut::new();
    for (n, (piece, kind)) in pieces.iter().zip(kinds).enumerate() {
        let stream = u32::try_from(2 * (n / 2) + 1).unwrap();
        let frame = match kind % 6 {
            0 => Frame::SynStream {
                stream,
                headers: Headers::new(&[("streamType", "data"), ("port", "80")]),
                fin: kind & 64 != 0,
            },
            1 => Frame::RstStream { stream, status: 5 },
            2 => Frame::Ping(u32::from(*kind)),
            3 | 4 => Frame::Data {
                stream,
                payload: piece.clone().into(),
                fin: kind & 64 != 0,
            },
            _ => {
                wire.extend_from_slice(piece);
                continue;
            }
        };
        encoder.encode(&frame, &mut wire).unwrap();
    }
    wire.to_vec()
}

/// Reads every stream to its end and says one word in it.
async fn serve(mut connection: Connection) {
    let closed = connection.closed();
    while let Some(mut stream) = connection.accept().await {
        tokio::spawn(async move {
            let mut all = Vec::new();
            let _ = stream.input.read_to_end(&mut all).await;
            let _ = stream.output.write_all(b"word").await;
            let _ = stream.output.shutdown().await;
        });
    }
    closed.cancelled().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_connection_ends_with_its_client_whatever_was_said(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20),
        kinds in prop::collection::vec(any::<u8>(), 20),
        tunnelled: bool,
    ) {
        let wire = traffic(&pieces, &kinds);
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let exchange = async move {
            let (near, far) = duplex(1024);
            let connection = if tunnelled {
                Connection::serve(Tunnel::server(far).await, Limits::default())
            } else {
                Connection::serve(far, Limits::default())
            };
            let (mut read, mut write) = tokio::io::split(near);
            let talking = async move {
                // The server may hang up in the middle.
                let _ = write.write_all(&wire).await;
                let _ = write.shutdown().await;
            };
            let listening = async move {
                let _ = tokio::io::copy(&mut read, &mut tokio::io::sink()).await;
            };
            tokio::join!(serve(connection.unwrap()), talking, listening);
        };
        let ended = runtime.block_on(async { timeout(DEADLINE, exchange).await });
        prop_assert!(ended.is_ok(), "the connection is still there");
    }
}
