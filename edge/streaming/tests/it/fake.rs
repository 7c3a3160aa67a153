//! An API server with one running pod, whose containers are this machine's programs.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use k8s::status::ApiError;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Mutex;
use streaming::remote_command::{self, ExitStatus, Options, Session};
use streaming::{Limits, port_forward};
use tokio::io::{AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

/// What each client's connections became: user agent and transport, for all servers of this process.
pub(crate) static UPGRADES: Mutex<BTreeSet<(String, String)>> = Mutex::new(BTreeSet::new());

/// Serves until the runtime ends; gives the address.
pub(crate) async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service_fn(answer))
                .with_upgrades();
            tokio::spawn(connection);
        }
    });
    address
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_lowercase)
    };
    if let (Some(agent), Some(upgrade)) = (header("user-agent"), header("upgrade")) {
        UPGRADES.lock().unwrap().insert((agent, upgrade));
    }
    let result = match path.as_str() {
        "/api" => Ok(json!({"kind": "APIVersions", "versions": ["v1"]})),
        "/apis" => Ok(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": []})),
        "/api/v1" => Ok(
            json!({"kind": "APIResourceList", "groupVersion": "v1", "resources": [
                {"name": "pods", "singularName": "pod", "namespaced": true, "kind": "Pod", "verbs": ["get", "list"]},
            ]}),
        ),
        "/version" => Ok(json!({"major": "1", "minor": "36", "gitVersion": "v1.36.2"})),
        "/api/v1/namespaces/default/pods/web" => Ok(pod()),
        "/api/v1/namespaces/default/pods/web/exec"
        | "/api/v1/namespaces/default/pods/web/attach" => {
            return Ok(streamed(exec(request)));
        }
        "/api/v1/namespaces/default/pods/web/portforward" => return Ok(streamed(forward(request))),
        _ => Err(ApiError::path_not_found()),
    };
    Ok(match result {
        Ok(value) => json_response(200, &value),
        Err(error) => json_response(error.code, &error.to_status()),
    })
}

fn streamed(result: Result<Response<()>, ApiError>) -> Response<Full<Bytes>> {
    match result {
        Ok(response) => response.map(|()| Full::default()),
        Err(error) => json_response(error.code, &error.to_status()),
    }
}

fn json_response(code: u16, value: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(value.to_string()));
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
        .headers_mut()
        .insert("content-type", "application/json".parse().unwrap());
    response
}

fn pod() -> Value {
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": "web", "namespace": "default", "uid": "u"},
        "spec": {"containers": [{"name": "main", "image": "x", "stdin": true, "tty": false, "ports": [{"containerPort": 80}]}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "main", "ready": true, "state": {"running": {}}}]},
    })
}

fn exec(mut request: Request<Incoming>) -> Result<Response<()>, ApiError> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let mut command: Vec<String> = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("command="))
        .map(decoded)
        .collect();
    if command.is_empty() {
        command = ["sh", "-c", "echo attached; cat"]
            .map(str::to_owned)
            .to_vec();
    }
    let negotiated = remote_command::negotiate(&mut request, Options::from_query(&query))?;
    tokio::spawn(async move {
        if let Ok(session) = negotiated.pending.open(Limits::default()).await {
            run(session, command).await;
        }
    });
    Ok(negotiated.response)
}

async fn run(mut session: Session, command: Vec<String>) {
    if command[0] == "show-size" {
        let size = session.resize.next().await.unwrap();
        let text = format!("{}x{}\n", size.width, size.height);
        session
            .stdout
            .as_mut()
            .unwrap()
            .write_all(text.as_bytes())
            .await
            .unwrap();
        return session.finish(ExitStatus::Exited(0)).await;
    }
    let child = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            let failed =
                ApiError::internal(format!("error executing command in container: {error}"));
            return session.finish(ExitStatus::Failed(failed)).await;
        }
    };
    let (mut to, mut out, mut err) = (
        child.stdin.take().unwrap(),
        child.stdout.take().unwrap(),
        child.stderr.take().unwrap(),
    );
    let (stdin, stdout, stderr) = (
        session.stdin.take(),
        session.stdout.take(),
        session.stderr.take(),
    );
    let feeding = tokio::spawn(async move {
        if let Some(mut stdin) = stdin {
            let _ = copy(&mut stdin, &mut to).await;
        }
    });
    let copying = async {
        let out = async {
            match stdout {
                Some(mut stdout) => drop(copy(&mut out, &mut stdout).await),
                None => drop(copy(&mut out, &mut tokio::io::sink()).await),
            }
        };
        let err = async {
            if let Some(mut stderr) = stderr {
                drop(copy(&mut err, &mut stderr).await);
            }
        };
        tokio::join!(out, err);
    };
    tokio::select! {
        () = copying => {}
        () = session.closed.cancelled() => return,
    }
    let status = child.wait().await.unwrap();
    feeding.abort();
    session
        .finish(ExitStatus::Exited(status.code().unwrap_or(137)))
        .await;
}

fn forward(mut request: Request<Incoming>) -> Result<Response<()>, ApiError> {
    let negotiated = port_forward::negotiate(&mut request)?;
    tokio::spawn(async move {
        let connect = |port: u16| TcpStream::connect(("127.0.0.1", port));
        let _ = negotiated
            .pending
            .serve("web", connect, Limits::default())
            .await;
    });
    Ok(negotiated.response)
}

fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    String::from_utf8(out).unwrap()
}
