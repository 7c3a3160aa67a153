//! Answers of the sample program.

use super::*;
use crate::burn::thread_cpu_time;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn body(response: Response<Full<Bytes>>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn health_answers_exactly_what_the_exercise_shows() {
    let response = respond(&Method::GET, "/health", Duration::ZERO);
    assert_eq!(response.status(), 200);
    assert_eq!(body(response).await, r#"{"status":"OK"}"#);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_without_burning() {
    let before = thread_cpu_time();
    assert_eq!(
        respond(&Method::GET, "/nope", Duration::from_secs(9)).status(),
        404
    );
    assert_eq!(
        respond(&Method::POST, "/", Duration::from_secs(9)).status(),
        405
    );
    assert!(thread_cpu_time() - before < Duration::from_secs(1));
}

#[tokio::test]
async fn a_request_over_tcp_costs_its_cpu_and_a_stop_ends_the_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, Duration::from_millis(20), async {
        drop(stopped.await);
    }));
    let before = thread_cpu_time();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with(r#"{"status":"OK"}"#), "{answer}");
    assert!(thread_cpu_time() - before >= Duration::from_millis(20));
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), server)
        .await
        .unwrap()
        .unwrap();
}
