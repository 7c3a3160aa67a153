//! What people type, and what they see.

use crate::fake;
use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(60);

/// Every kubectl of this machine, oldest first; the newest speaks WebSocket, the oldest SPDY.
fn kubectls() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = [
        "/usr/lib/google-cloud-sdk/bin",
        "/usr/local/bin",
        "/usr/bin",
    ]
    .iter()
    .filter_map(|directory| std::fs::read_dir(directory).ok())
    .flat_map(|entries| entries.filter_map(Result::ok).map(|entry| entry.path()))
    .filter(|path| {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        name == "kubectl"
            || name
                .strip_prefix("kubectl.1.")
                .is_some_and(|minor| minor.parse::<u8>().is_ok())
    })
    .collect();
    all.sort();
    if all.is_empty() {
        eprintln!("not run: there is no kubectl on this machine");
    }
    all
}

/// The oldest and the newest, which speak all protocols between them.
fn ends() -> Vec<PathBuf> {
    let all = kubectls();
    let numbered: Vec<_> = all
        .iter()
        .filter(|path| path.extension().is_some())
        .collect();
    match (numbered.first(), numbered.last()) {
        (Some(&first), Some(&last)) => vec![first.clone(), last.clone()],
        _ => all,
    }
}

fn kubectl(binary: &Path, server: SocketAddr, args: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command
        .arg(format!("--server=http://{server}"))
        .args(args)
        .env("KUBECONFIG", "/dev/null")
        .env("HOME", std::env::temp_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn output(binary: &Path, server: SocketAddr, args: &[&str], input: &[u8]) -> Output {
    let mut command = kubectl(binary, server, args);
    command.stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeding = async {
        // A kubectl that does not read closes its end.
        let _ = stdin.write_all(input).await;
        drop(stdin);
    };
    let (output, ()) = timeout(DEADLINE, async {
        tokio::join!(child.wait_with_output(), feeding)
    })
    .await
    .unwrap_or_else(|_| panic!("{binary:?} {args:?} did not end"));
    output.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exec_shows_both_outputs_and_passes_the_exit_code_on() {
    let server = fake::start().await;
    for binary in kubectls() {
        let args = [
            "exec",
            "web",
            "--",
            "sh",
            "-c",
            "echo out; echo err >&2; exit 3",
        ];
        let got = output(&binary, server, &args, b"").await;
        assert_eq!(
            text(&got.stdout),
            "out\n",
            "{binary:?}: {}",
            text(&got.stderr)
        );
        let stderr = text(&got.stderr);
        assert_eq!(
            stderr, "err\ncommand terminated with exit code 3\n",
            "{binary:?}"
        );
        assert_eq!(got.status.code(), Some(3), "{binary:?}");
    }
    // The oldest and the newest prove both transports, as long as both are here.
    for (minor, transport) in [("27", "spdy/3.1"), ("33", "websocket")] {
        let binary = kubectls()
            .into_iter()
            .find(|path| path.ends_with(format!("kubectl.1.{minor}")));
        if binary.is_some() {
            let seen = fake::UPGRADES.lock().unwrap();
            let agent = format!("kubectl.1.{minor}/v1.{minor}");
            let own: Vec<_> = seen.iter().filter(|(a, _)| a.starts_with(&agent)).collect();
            assert!(
                !own.is_empty() && own.iter().all(|(_, t)| t == transport),
                "{seen:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_cannot_start_is_an_error() {
    let server = fake::start().await;
    for binary in ends() {
        let got = output(
            &binary,
            server,
            &["exec", "web", "--", "no-such-program"],
            b"",
        )
        .await;
        let stderr = text(&got.stderr);
        assert!(
            stderr.contains("error executing command in container"),
            "{binary:?}: {stderr}"
        );
        assert_eq!(got.status.code(), Some(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_the_input_reaches_the_process_and_megabytes_come_back_whole() {
    let server = fake::start().await;
    let input: Vec<u8> = (0..3_000_000_u32).flat_map(|n| n.to_le_bytes()).collect();
    for binary in ends() {
        let got = output(&binary, server, &["exec", "-i", "web", "--", "cat"], &input).await;
        // kubectl up to 1.29 speaks protocols that cannot close a stdin only as SPDY does; both are served.
        assert!(
            got.stdout == input,
            "{binary:?}: {} bytes back, {}",
            got.stdout.len(),
            text(&got.stderr)
        );
        assert!(got.status.success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn output_is_whole_when_the_process_ends_at_once() {
    let server = fake::start().await;
    for binary in ends() {
        let args = ["exec", "web", "--", "sh", "-c", "head -c 5000000 /dev/zero"];
        let got = output(&binary, server, &args, b"").await;
        assert_eq!(
            got.stdout.len(),
            5_000_000,
            "{binary:?}: {}",
            text(&got.stderr)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_reads_nothing_does_not_keep_the_client_waiting() {
    let server = fake::start().await;
    let input = vec![b'x'; 4 << 20];
    for binary in ends() {
        let args = [
            "exec",
            "-i",
            "web",
            "--",
            "sh",
            "-c",
            "exec 0<&-; echo done",
        ];
        let got = output(&binary, server, &args, &input).await;
        assert_eq!(
            text(&got.stdout),
            "done\n",
            "{binary:?}: {}",
            text(&got.stderr)
        );
        assert!(got.status.success(), "{binary:?}: {}", text(&got.stderr));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attach_talks_to_the_main_process() {
    let server = fake::start().await;
    for binary in ends() {
        let got = output(&binary, server, &["attach", "-i", "web"], b"hello\n").await;
        assert_eq!(
            text(&got.stdout),
            "attached\nhello\n",
            "{binary:?}: {}",
            text(&got.stderr)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_copied_both_ways() {
    let server = fake::start().await;
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let content: Vec<u8> = (0..300_000_u32).flat_map(|n| n.to_be_bytes()).collect();
    std::fs::write(path("source"), &content).unwrap();
    for (n, binary) in ends().iter().enumerate() {
        let (there, back) = (path(&format!("there-{n}")), path(&format!("back-{n}")));
        let got = output(
            binary,
            server,
            &["cp", &path("source"), &format!("web:{there}")],
            b"",
        )
        .await;
        assert!(got.status.success(), "{binary:?}: {}", text(&got.stderr));
        let got = output(binary, server, &["cp", &format!("web:{there}"), &back], b"").await;
        assert!(got.status.success(), "{binary:?}: {}", text(&got.stderr));
        assert!(std::fs::read(&back).unwrap() == content, "{binary:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_has_the_size_of_the_window() {
    let server = fake::start().await;
    for binary in ends() {
        let near = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        rustix::pty::grantpt(&near).unwrap();
        rustix::pty::unlockpt(&near).unwrap();
        let name = rustix::pty::ptsname(&near, Vec::new()).unwrap();
        let far = std::fs::File::options()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap();
        let size = Winsize {
            ws_row: 33,
            ws_col: 123,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&far, size).unwrap();
        let mut command = kubectl(&binary, server, &["exec", "-it", "web", "--", "show-size"]);
        command
            .stdin(far.try_clone().unwrap())
            .stdout(far.try_clone().unwrap())
            .stderr(far);
        let mut child = command.spawn().unwrap();
        drop(command);
        let status = timeout(DEADLINE, child.wait()).await.unwrap().unwrap();
        let mut screen = [0; 1024];
        let count = rustix::io::read(&near, &mut screen[..]).unwrap();
        assert_eq!(text(&screen[..count]), "123x33\n", "{binary:?}");
        assert!(status.success());
    }
}

/// A server that answers each connection with what it was sent, in capitals, once the client is done sending.
async fn capitals() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut all = Vec::new();
                socket.read_to_end(&mut all).await.unwrap();
                all.make_ascii_uppercase();
                let _ = socket.write_all(&all).await;
            });
        }
    });
    port
}

/// Starts a port-forward; gives the local port once it listens.
async fn forwarding(binary: &Path, server: SocketAddr, port: u16) -> (Child, u16) {
    let args = [
        "port-forward",
        "pod/web",
        &format!(":{port}"),
        "--address=127.0.0.1",
    ];
    let mut child = kubectl(binary, server, &args).spawn().unwrap();
    let mut line = String::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    timeout(DEADLINE, lines.read_line(&mut line))
        .await
        .unwrap()
        .unwrap();
    let local = line
        .strip_prefix("Forwarding from 127.0.0.1:")
        .and_then(|rest| rest.split(' ').next())
        .and_then(|port| port.parse().ok())
        .unwrap_or_else(|| panic!("{binary:?} said {line:?}"));
    // Keeps the pipe open: kubectl goes on talking.
    tokio::spawn(async move {
        let mut rest = Vec::new();
        let _ = lines.read_to_end(&mut rest).await;
    });
    (child, local)
}

async fn ask(port: u16, question: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut read, mut write) = socket.split();
    let mut answer = Vec::new();
    let asking = async {
        write.write_all(question).await.unwrap();
        write.shutdown().await.unwrap();
    };
    let exchange = async { tokio::join!(read.read_to_end(&mut answer), asking) };
    timeout(DEADLINE, exchange)
        .await
        .expect("an answer in time")
        .0
        .unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forwarded_ports_carry_many_connections_and_half_closes() {
    let server = fake::start().await;
    let port = capitals().await;
    for binary in ends() {
        let (_child, local) = forwarding(&binary, server, port).await;
        let long = vec![b'a'; 1_000_000];
        let (one, two, three) =
            tokio::join!(ask(local, b"one"), ask(local, &long), ask(local, b"three"));
        assert_eq!(
            (text(&one), text(&three)),
            ("ONE".to_owned(), "THREE".to_owned()),
            "{binary:?}"
        );
        assert!(two == vec![b'A'; 1_000_000], "{binary:?}");
        for _ in 0..20 {
            assert_eq!(text(&ask(local, b"again").await), "AGAIN", "{binary:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_where_nobody_listens_is_named() {
    let server = fake::start().await;
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for binary in ends() {
        let (mut child, local) = forwarding(&binary, server, closed).await;
        assert_eq!(ask(local, b"").await, b"");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = timeout(DEADLINE, async {
            loop {
                let line = lines
                    .next_line()
                    .await
                    .unwrap()
                    .expect("kubectl says what is wrong");
                if line.contains("error forwarding port") {
                    return line;
                }
            }
        });
        let said = said.await.unwrap();
        assert!(
            said.contains(&format!("error forwarding port {closed} to pod web")),
            "{said}"
        );
        assert!(said.contains("refused"), "{said}");
    }
}
