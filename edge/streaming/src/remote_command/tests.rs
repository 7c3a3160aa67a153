//! Sessions of exec and attach over both protocols.

use super::websocket::{Protocol, open};
use super::{ExitStatus, Options, Session, Size};
use crate::limits::Limits;
use futures::{SinkExt, StreamExt};
use k8s::status::ApiError;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

const ALL: Options = Options {
    stdin: true,
    stdout: true,
    stderr: true,
    tty: false,
};
const TTY: Options = Options {
    stdin: true,
    stdout: true,
    stderr: false,
    tty: true,
};

type Client = WebSocketStream<DuplexStream>;

async fn connect(options: Options, protocol: &str, limits: Limits) -> (Client, Session) {
    let (near, far) = duplex(64 * 1024);
    let client = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
    (
        client,
        open(far, options, Protocol::named(protocol), limits).await,
    )
}

async fn next(client: &mut Client) -> Option<Message> {
    let message = timeout(Duration::from_secs(10), client.next())
        .await
        .expect("a message in time");
    message.and_then(Result::ok)
}

fn binary(bytes: &'static [u8]) -> Message {
    Message::Binary(bytes.into())
}

#[tokio::test]
async fn output_comes_in_its_channels_and_the_status_after_it() {
    let (mut client, mut session) = connect(ALL, "v4.channel.k8s.io", Limits::default()).await;
    assert_eq!(
        next(&mut client).await,
        Some(binary(b"\x01")),
        "the sign that the streams are there"
    );
    session
        .stdout
        .as_mut()
        .unwrap()
        .write_all(b"out")
        .await
        .unwrap();
    session
        .stderr
        .as_mut()
        .unwrap()
        .write_all(b"err")
        .await
        .unwrap();
    let client = async {
        assert_eq!(next(&mut client).await, Some(binary(b"\x01out")));
        assert_eq!(next(&mut client).await, Some(binary(b"\x02err")));
        let status = next(&mut client).await.unwrap().into_text().unwrap();
        assert!(status.starts_with('\x03'));
        assert!(
            status.contains(r#""reason":"ExitCode""#) && status.contains(r#""message":"7""#),
            "{status}"
        );
        assert!(
            matches!(next(&mut client).await, Some(Message::Close(Some(frame))) if frame.code == 1000.into())
        );
        assert_eq!(next(&mut client).await, None);
    };
    tokio::join!(session.finish(ExitStatus::Exited(7)), client);
}

#[tokio::test]
async fn the_oldest_protocol_has_a_text_for_failures_and_nothing_for_success() {
    for (status, want) in [
        (ExitStatus::Exited(0), None),
        (
            ExitStatus::Exited(2),
            Some("\x03command terminated with non-zero exit code: exit status 2"),
        ),
        (
            ExitStatus::Failed(ApiError::bad_request("no")),
            Some("\x03no"),
        ),
    ] {
        let (mut client, session) = connect(ALL, "channel.k8s.io", Limits::default()).await;
        let client = async {
            assert_eq!(next(&mut client).await, Some(binary(b"\x01")));
            if let Some(want) = want {
                assert_eq!(next(&mut client).await.unwrap().into_text().unwrap(), want);
            }
            assert!(matches!(next(&mut client).await, Some(Message::Close(_))));
            assert_eq!(next(&mut client).await, None);
        };
        tokio::join!(session.finish(status), client);
    }
}

#[tokio::test]
async fn input_ends_when_the_client_closes_its_channel() {
    let (mut client, mut session) = connect(ALL, "v5.channel.k8s.io", Limits::default()).await;
    client.send(binary(b"\x00some ")).await.unwrap();
    client.send(Message::text("\x00input")).await.unwrap();
    client.send(binary(b"\x00")).await.unwrap();
    client.send(binary(b"")).await.unwrap();
    client.send(binary(b"\x09nonsense")).await.unwrap();
    client.send(binary(&[255, 0])).await.unwrap();
    let mut input = String::new();
    session
        .stdin
        .as_mut()
        .unwrap()
        .read_to_string(&mut input)
        .await
        .unwrap();
    assert_eq!(input, "some input");
    // The other direction lives on.
    session
        .stdout
        .as_mut()
        .unwrap()
        .write_all(b"still")
        .await
        .unwrap();
    assert_eq!(next(&mut client).await, Some(binary(b"\x01")));
    assert_eq!(next(&mut client).await, Some(binary(b"\x01still")));
}

#[tokio::test]
async fn a_terminal_learns_its_newest_size() {
    let (mut client, mut session) = connect(TTY, "v5.channel.k8s.io", Limits::default()).await;
    client
        .send(binary(b"\x04{\"Width\":80,\"Height\":24}"))
        .await
        .unwrap();
    assert_eq!(
        session.resize.next().await,
        Some(Size {
            width: 80,
            height: 24
        })
    );
    client.send(binary(b"\x04nonsense")).await.unwrap();
    client
        .send(binary(b"\x04{\"Width\":1,\"Height\":1}"))
        .await
        .unwrap();
    client
        .send(binary(b"\x04{\"Width\":100,\"Height\":50}"))
        .await
        .unwrap();
    // What comes after in the same connection has been read when this has.
    client.send(binary(b"\x00x")).await.unwrap();
    session.stdin.as_mut().unwrap().read_u8().await.unwrap();
    assert_eq!(
        session.resize.next().await,
        Some(Size {
            width: 100,
            height: 50
        })
    );
    drop(client);
    assert_eq!(session.resize.next().await, None);
}

#[tokio::test]
async fn the_process_learns_that_the_client_is_gone() {
    let (client, mut session) = connect(ALL, "v4.channel.k8s.io", Limits::default()).await;
    drop(client);
    session.closed.cancelled().await;
    assert!(
        session
            .stdout
            .as_mut()
            .unwrap()
            .write_all(b"x")
            .await
            .is_err()
    );
    assert_eq!(
        session
            .stdin
            .as_mut()
            .unwrap()
            .read(&mut [0; 4])
            .await
            .unwrap(),
        0
    );
    session.finish(ExitStatus::Exited(0)).await;
}

#[tokio::test]
async fn a_session_that_is_dropped_cuts_the_connection() {
    let (mut client, session) = connect(ALL, "v4.channel.k8s.io", Limits::default()).await;
    drop(session);
    while next(&mut client).await.is_some() {}
}

#[tokio::test]
async fn silence_is_kept_alive_but_not_for_ever() {
    let limits = Limits {
        ping: Duration::from_millis(5),
        idle: Duration::from_millis(200),
        ..Limits::default()
    };
    let (mut client, session) = connect(ALL, "v4.channel.k8s.io", limits).await;
    let mut pings = 0;
    while let Some(message) = next(&mut client).await {
        pings += u32::from(message.is_ping());
    }
    assert!(pings >= 2, "{pings} pings");
    session.closed.cancelled().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_slows_the_process_down() {
    let (_client, mut session) = connect(ALL, "v4.channel.k8s.io", Limits::default()).await;
    let mut stdout = session.stdout.take().unwrap();
    let endless = async {
        let mut written = 0_usize;
        loop {
            let room = timeout(
                Duration::from_millis(200),
                stdout.write_all(&[0; 32 * 1024]),
            );
            if room.await.is_err() {
                return written;
            }
            written += 32 * 1024;
            assert!(written < 8 << 20, "memory is bounded");
        }
    };
    assert!(endless.await > 0);
}

#[test]
fn queries_of_both_servers_are_understood() {
    let exec = Options::from_query("command=ls&input=1&output=1&tty=0&error=1");
    assert_eq!(exec, ALL);
    assert_eq!(
        Options::from_query("stdin=true&stdout=true&tty=true&container=x"),
        TTY
    );
    assert_eq!(
        Options {
            stderr: true,
            ..TTY
        }
        .checked(),
        Ok(TTY),
        "a terminal has one output"
    );
    assert_eq!(
        Options::default().checked().unwrap_err().message,
        "you must specify at least 1 of stdin, stdout, stderr"
    );
}

#[test]
fn statuses_are_upstreams() {
    let texts = [
        ExitStatus::Exited(0),
        ExitStatus::Exited(3),
        ExitStatus::Failed(ApiError::internal("no such program")),
    ]
    .map(|status| status.to_json());
    expect_test::expect![[r#"
        {"metadata":{},"status":"Success"}
        {"details":{"causes":[{"message":"3","reason":"ExitCode"}]},"message":"command terminated with non-zero exit code: exit status 3","metadata":{},"reason":"NonZeroExitCode","status":"Failure"}
        {"apiVersion":"v1","code":500,"details":{"causes":[{"message":"no such program"}]},"kind":"Status","message":"Internal error occurred: no such program","metadata":{},"reason":"InternalError","status":"Failure"}"#]]
    .assert_eq(&texts.join("\n"));
}
