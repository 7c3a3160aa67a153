//! Frames written and read, and connections that hold to their limits.

use super::headers::{DICTIONARY, HeaderReader, HeaderWriter};
use super::{Connection, Decoder, Encoder, Frame, Headers, SpdyError};
use crate::limits::Limits;
use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;

fn encoded(frames: &[Frame]) -> BytesMut {
    let mut encoder = Encoder::new().unwrap();
    let mut out = BytesMut::new();
    for frame in frames {
        encoder.encode(frame, &mut out).unwrap();
    }
    out
}

fn open(stream: u32, kind: &str) -> Frame {
    Frame::SynStream {
        stream,
        headers: Headers::new(&[("streamType", kind)]),
        fin: false,
    }
}

fn data(stream: u32, payload: &'static [u8], fin: bool) -> Frame {
    Frame::Data {
        stream,
        payload: Bytes::from_static(payload),
        fin,
    }
}

#[test]
fn the_dictionary_is_the_drafts() {
    assert_eq!(DICTIONARY.len(), 1423);
    // zlib names the dictionary by its Adler-32 after its own two bytes; this one is SPDY/3's.
    let block = HeaderWriter::new()
        .unwrap()
        .write(&Headers::default())
        .unwrap();
    assert_eq!(block[1] & 0x20, 0x20, "a dictionary is announced");
    assert_eq!(block[2..6], [0xe3, 0xc6, 0xa7, 0xc2]);
}

#[test]
fn header_blocks_build_on_each_other() {
    let (mut writer, mut reader) = (HeaderWriter::new().unwrap(), HeaderReader::new());
    for n in 0..50 {
        let value = "x".repeat(n * 100);
        let headers = Headers::new(&[("streamType", "data"), ("Port", "8080"), ("long", &value)]);
        let block = writer.write(&headers).unwrap();
        let read = reader.read(&block).unwrap();
        assert_eq!(read, headers);
        assert_eq!(read.get("PORT"), Some("8080"));
        assert_eq!(read.get("none"), None);
    }
}

#[test]
fn blocks_that_blow_up_or_lie_are_refused() {
    let bomb = Headers::new(&[("a", &"x".repeat(70_000))]);
    let block = HeaderWriter::new().unwrap().write(&bomb).unwrap();
    assert!(block.len() < 1000, "small on the wire");
    assert_eq!(
        HeaderReader::new().read(&block),
        Err(SpdyError::Compression("the block is too long".to_owned()))
    );
    assert!(matches!(
        HeaderReader::new().read(b"no zlib at all"),
        Err(SpdyError::Compression(_))
    ));
}

#[test]
fn faulty_frames_are_named() {
    let decode = |bytes: &[u8]| Decoder::default().decode(&mut BytesMut::from(bytes));
    assert_eq!(
        decode(&[0x80, 2, 0, 1, 0, 0, 0, 0]),
        Err(SpdyError::Version(2))
    );
    assert_eq!(
        decode(&[0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff]),
        Err(SpdyError::TooLong(0x00ff_ffff))
    );
    assert_eq!(
        decode(&[0x80, 3, 0, 6, 0, 0, 0, 1, 9]),
        Err(SpdyError::Malformed("PING"))
    );
    assert_eq!(
        decode(&[0x80, 3, 0, 9, 0, 0, 0, 1, 9]),
        Ok(Some(Frame::Ignored(9)))
    );
    assert_eq!(
        decode(&[0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0]),
        Ok(None),
        "not all there yet"
    );
}

#[test]
fn long_data_is_handed_on_as_it_comes() {
    let mut decoder = Decoder::default();
    let mut input = BytesMut::from(&[0, 0, 0, 5, 1, 0, 0, 6, b'a', b'b'][..]);
    assert_eq!(decoder.decode(&mut input), Ok(Some(data(5, b"ab", false))));
    assert_eq!(decoder.decode(&mut input), Ok(None));
    input.extend_from_slice(b"cdefNEXT");
    assert_eq!(decoder.decode(&mut input), Ok(Some(data(5, b"cdef", true))));
    assert_eq!(&input[..], b"NEXT");
}

fn any_frame() -> impl Strategy<Value = Frame> {
    let stream = 1..0x7fff_ffff_u32;
    let headers = prop::collection::vec(("[a-z]{1,9}", "[ -~]{0,30}"), 0..5).prop_map(|pairs| {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        Headers::new(&pairs)
    });
    let payload = prop::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from);
    prop_oneof![
        (stream.clone(), headers.clone(), any::<bool>()).prop_map(|(stream, headers, fin)| {
            Frame::SynStream {
                stream,
                headers,
                fin,
            }
        }),
        (stream.clone(), headers.clone(), any::<bool>()).prop_map(|(stream, headers, fin)| {
            Frame::SynReply {
                stream,
                headers,
                fin,
            }
        }),
        (stream.clone(), headers, any::<bool>()).prop_map(|(stream, headers, fin)| {
            Frame::Headers {
                stream,
                headers,
                fin,
            }
        }),
        (stream.clone(), any::<u32>())
            .prop_map(|(stream, status)| Frame::RstStream { stream, status }),
        any::<u32>().prop_map(Frame::Ping),
        (stream.clone(), any::<u32>()).prop_map(|(last, status)| Frame::GoAway { last, status }),
        (stream, payload, any::<bool>()).prop_map(|(stream, payload, fin)| Frame::Data {
            stream,
            payload,
            fin
        }),
    ]
}

proptest! {
    #[test]
    fn frames_survive_the_wire(frames in prop::collection::vec(any_frame(), 0..10)) {
        let mut wire = encoded(&frames);
        let mut decoder = Decoder::default();
        let mut read = Vec::new();
        while let Some(frame) = decoder.decode(&mut wire).unwrap() {
            read.push(frame);
        }
        prop_assert_eq!(read, frames);
        prop_assert!(wire.is_empty());
    }

    #[test]
    fn however_the_wire_cuts_them(frames in prop::collection::vec(any_frame(), 0..10), size in 1..40_usize) {
        let wire = encoded(&frames);
        let mut decoder = Decoder::default();
        let mut input = BytesMut::new();
        let (mut control, mut bytes) = (Vec::new(), Vec::new());
        for piece in wire.chunks(size) {
            input.extend_from_slice(piece);
            while let Some(frame) = decoder.decode(&mut input).unwrap() {
                match frame {
                    Frame::Data { stream, payload, fin } => bytes.push((stream, payload, fin)),
                    other => control.push(other),
                }
            }
        }
        let (data, others): (Vec<_>, Vec<_>) =
            frames.into_iter().partition(|frame| matches!(frame, Frame::Data { .. }));
        prop_assert_eq!(control, others);
        let total: Vec<u8> = bytes.iter().flat_map(|(_, payload, _)| payload.to_vec()).collect();
        let sent: Vec<u8> = data.iter().flat_map(|frame| match frame {
            Frame::Data { payload, .. } => payload.to_vec(),
            _ => Vec::new(),
        }).collect();
        prop_assert_eq!(total, sent);
        let fins = |frame: &&Frame| matches!(frame, Frame::Data { fin: true, .. });
        prop_assert_eq!(bytes.iter().filter(|(_, _, fin)| *fin).count(), data.iter().filter(fins).count());
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), kind in 0..12_u8) {
        let mut input = BytesMut::from(&bytes[..]);
        let mut decoder = Decoder::default();
        while let Ok(Some(_)) = decoder.decode(&mut input) {}
        // Again, with a frame header that leads on to the body.
        let length = u8::try_from(bytes.len().min(255)).unwrap();
        let mut input = BytesMut::from(&[0x80, 3, 0, kind, 0, 0, 0, length][..]);
        input.extend_from_slice(&bytes);
        let mut decoder = Decoder::default();
        while let Ok(Some(_)) = decoder.decode(&mut input) {}
    }
}

/// The client's end of a connection.
struct Client {
    io: DuplexStream,
    encoder: Encoder,
    decoder: Decoder,
    input: BytesMut,
}

impl Client {
    fn connect(limits: Limits) -> (Self, Connection) {
        let (near, far) = duplex(64 * 1024);
        let connection = Connection::serve(far, limits).unwrap();
        let client = Self {
            io: near,
            encoder: Encoder::new().unwrap(),
            decoder: Decoder::default(),
            input: BytesMut::new(),
        };
        (client, connection)
    }

    async fn send(&mut self, frame: Frame) {
        let mut out = BytesMut::new();
        self.encoder.encode(&frame, &mut out).unwrap();
        self.io.write_all(&out).await.unwrap();
    }

    /// The next frame; `None` at the end.
    async fn next(&mut self) -> Option<Frame> {
        timeout(Duration::from_secs(10), async {
            loop {
                if let Some(frame) = self.decoder.decode(&mut self.input).unwrap() {
                    return Some(frame);
                }
                if self.io.read_buf(&mut self.input).await.unwrap() == 0 {
                    return None;
                }
            }
        })
        .await
        .expect("a frame in time")
    }
}

fn reply(stream: u32) -> Option<Frame> {
    Some(Frame::SynReply {
        stream,
        headers: Headers::default(),
        fin: false,
    })
}

#[tokio::test]
async fn a_stream_carries_bytes_both_ways_and_each_way_ends_alone() {
    let (mut client, mut connection) = Client::connect(Limits::default());
    client.send(open(1, "data")).await;
    assert_eq!(client.next().await, reply(1));
    let mut stream = connection.accept().await.unwrap();
    assert_eq!(stream.headers.get("streamtype"), Some("data"));
    client.send(data(1, b"question", true)).await;
    let mut question = String::new();
    stream.input.read_to_string(&mut question).await.unwrap();
    assert_eq!(question, "question");
    stream.output.write_all(b"answer").await.unwrap();
    stream.output.shutdown().await.unwrap();
    assert_eq!(client.next().await, Some(data(1, b"answer", false)));
    assert_eq!(client.next().await, Some(data(1, b"", true)));
    assert!(
        stream.output.write_all(b"more").await.is_err(),
        "after the end"
    );
}

#[tokio::test]
async fn what_breaks_the_rules_is_refused() {
    let (mut client, mut connection) = Client::connect(Limits {
        streams: 2,
        ..Limits::default()
    });
    client.send(open(2, "even")).await;
    assert_eq!(
        client.next().await,
        Some(Frame::RstStream {
            stream: 2,
            status: 1
        })
    );
    client.send(open(3, "first")).await;
    assert_eq!(client.next().await, reply(3));
    client.send(open(3, "again")).await;
    assert_eq!(
        client.next().await,
        Some(Frame::RstStream {
            stream: 3,
            status: 1
        })
    );
    client.send(open(5, "second")).await;
    assert_eq!(client.next().await, reply(5));
    client.send(open(7, "one too many")).await;
    assert_eq!(
        client.next().await,
        Some(Frame::RstStream {
            stream: 7,
            status: 3
        })
    );
    drop(connection.accept().await.unwrap());
    client.send(open(9, "there is room again")).await;
    assert_eq!(client.next().await, reply(9));
}

#[tokio::test]
async fn pings_are_answered_and_unknown_frames_read_over() {
    let (mut client, _connection) = Client::connect(Limits::default());
    client
        .io
        .write_all(&[0x80, 3, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0])
        .await
        .unwrap();
    client.send(Frame::Ping(7)).await;
    assert_eq!(client.next().await, Some(Frame::Ping(7)));
}

#[tokio::test]
async fn a_reset_stream_ends_for_reader_and_writer() {
    let (mut client, mut connection) = Client::connect(Limits::default());
    client.send(open(1, "data")).await;
    let mut stream = connection.accept().await.unwrap();
    client
        .send(Frame::RstStream {
            stream: 1,
            status: 5,
        })
        .await;
    stream.reset.cancelled().await;
    assert_eq!(stream.input.read(&mut [0; 8]).await.unwrap(), 0);
    assert!(stream.output.write_all(b"x").await.is_err());
}

#[tokio::test]
async fn closing_writes_all_and_says_goodbye() {
    let limits = Limits {
        linger: Duration::from_millis(20),
        ..Limits::default()
    };
    let (mut client, mut connection) = Client::connect(limits);
    client.send(open(1, "data")).await;
    assert_eq!(client.next().await, reply(1));
    let mut stream = connection.accept().await.unwrap();
    stream.output.write_all(b"last words").await.unwrap();
    let reading = async {
        assert_eq!(client.next().await, Some(data(1, b"last words", false)));
        assert_eq!(
            client.next().await,
            Some(Frame::GoAway { last: 0, status: 0 })
        );
        assert_eq!(client.next().await, None);
    };
    tokio::join!(connection.close(), reading);
}

#[tokio::test]
async fn a_client_that_goes_or_talks_nonsense_ends_the_connection() {
    let (client, connection) = Client::connect(Limits::default());
    drop(client);
    connection.closed().cancelled().await;

    let (mut client, mut connection) = Client::connect(Limits::default());
    client.send(open(1, "data")).await;
    let mut stream = connection.accept().await.unwrap();
    client
        .io
        .write_all(b"GET / HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    client
        .io
        .write_all(&[0x80, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        .await
        .unwrap();
    client.io.shutdown().await.unwrap();
    connection.closed().cancelled().await;
    assert!(stream.output.write_all(b"x").await.is_err());
}

#[tokio::test]
async fn silence_is_kept_alive_but_not_for_ever() {
    let limits = Limits {
        ping: Duration::from_millis(5),
        idle: Duration::from_millis(200),
        ..Limits::default()
    };
    let (mut client, connection) = Client::connect(limits);
    assert_eq!(client.next().await, Some(Frame::Ping(2)));
    assert_eq!(client.next().await, Some(Frame::Ping(4)));
    while client.next().await.is_some() {}
    assert!(connection.closed().is_cancelled());
}
