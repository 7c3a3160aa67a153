//! Programs as `pod-init` runs them.

use lab_node::pod_init::spec::{Isolation, Mount, NewView, View};
use lab_node::process::{Exit, Launcher, Program, Running, Streams};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncReadExt;

const DEADLINE: Duration = Duration::from_secs(20);

fn launcher(directory: &Path) -> Launcher {
    let executable = PathBuf::from(env!("CARGO_BIN_EXE_evenkeel-pod-init"));
    Launcher::new(executable, directory.join("run")).unwrap()
}

fn shell(script: &str) -> Program {
    Program {
        program: "sh".to_owned(),
        name: None,
        args: vec!["-c".to_owned(), script.to_owned()],
        env: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        workdir: None,
        user: None,
        group: None,
        terminal: false,
        suspend: true,
        stdin: false,
        cgroups: Vec::new(),
        view: View::Host,
    }
}

async fn output(running: Running, streams: Streams) -> (String, Exit) {
    let mut text = String::new();
    match streams {
        Streams::Pipes {
            mut stdout,
            mut stderr,
            ..
        } => {
            let reading = async {
                stdout.read_to_string(&mut text).await.unwrap();
                stderr.read_to_string(&mut text).await.unwrap();
            };
            tokio::time::timeout(DEADLINE, reading).await.unwrap();
        }
        Streams::Terminal(terminal) => {
            let mut buffer = [0; 4096];
            loop {
                let read = tokio::time::timeout(DEADLINE, terminal.read(&mut buffer)).await;
                let read = read.unwrap().unwrap();
                if read == 0 {
                    break;
                }
                text.push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        }
    }
    let exit = tokio::time::timeout(DEADLINE, running.wait())
        .await
        .unwrap();
    (text, exit)
}

async fn run(program: Program) -> Result<(String, Exit), String> {
    let directory = tempfile::tempdir().unwrap();
    let (running, streams) = launcher(directory.path()).launch(program).await?;
    Ok(output(running, streams).await)
}

#[tokio::test]
async fn output_and_exit_code_come_back() {
    let (text, exit) = run(shell("echo out; echo err >&2; exit 3")).await.unwrap();
    assert_eq!(text, "out\nerr\n");
    assert_eq!(
        exit,
        Exit {
            code: 3,
            signal: None
        }
    );
}

#[tokio::test]
async fn a_missing_program_is_named_in_the_runtimes_words() {
    let program = Program {
        program: "no-such-program".to_owned(),
        ..shell("")
    };
    assert_eq!(
        run(program).await.unwrap_err(),
        "exec: \"no-such-program\": executable file not found in $PATH"
    );
}

#[tokio::test]
async fn a_signal_reaches_the_program_and_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let (running, _streams) = launcher(directory.path())
        .launch(shell("sleep 60"))
        .await
        .unwrap();
    running.signal(15);
    let exit = tokio::time::timeout(DEADLINE, running.wait())
        .await
        .unwrap();
    assert_eq!(
        exit,
        Exit {
            code: 143,
            signal: Some(15)
        }
    );
}

#[tokio::test]
async fn everything_a_program_started_goes_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let launcher = launcher(directory.path());
    let script = "setsid sleep 61 & (sleep 61 &) ; echo started; exec sleep 61";
    let (running, streams) = launcher.launch(shell(script)).await.unwrap();
    let supervisor = running.supervisor;
    let Streams::Pipes { mut stdout, .. } = streams else {
        panic!("pipes were asked for")
    };
    let mut line = [0; 8];
    stdout.read_exact(&mut line).await.unwrap();
    let children = lab_node::proc::children(supervisor);
    assert!(children.len() >= 2, "the orphan was adopted: {children:?}");
    running.kill();
    tokio::time::timeout(DEADLINE, running.wait())
        .await
        .unwrap();
    for pid in children {
        assert!(
            !Path::new(&format!("/proc/{pid}")).exists(),
            "{pid} is still there"
        );
    }
}

#[tokio::test]
async fn dropping_the_handle_kills() {
    let directory = tempfile::tempdir().unwrap();
    let (running, _streams) = launcher(directory.path())
        .launch(shell("sleep 62"))
        .await
        .unwrap();
    let wait = running.wait();
    drop(running);
    let exit = tokio::time::timeout(DEADLINE, wait).await.unwrap();
    assert_eq!(
        exit,
        Exit {
            code: 137,
            signal: Some(9)
        }
    );
}

#[tokio::test]
async fn a_terminal_is_a_terminal() {
    let program = Program {
        terminal: true,
        ..shell("test -t 0 && test -t 1 && stty size")
    };
    let (text, exit) = run(program).await.unwrap();
    assert_eq!((text.as_str(), exit.code), ("24 80\r\n", 0));
}

fn private_view(directory: &Path, user_namespace: bool) -> View {
    for (name, text) in [("hosts", "127.9.9.9 some-service\n"), ("token", "secret")] {
        std::fs::write(directory.join(name), text).unwrap();
    }
    std::fs::create_dir_all(directory.join("scratch")).unwrap();
    std::fs::create_dir_all(directory.join("tmp")).unwrap();
    let mount = |source: &str, target: &str, read_only| Mount {
        source: directory.join(source),
        target: PathBuf::from(target),
        read_only,
    };
    View::New(NewView {
        isolation: Isolation::Overlay,
        user_namespace,
        scratch: directory.join("scratch"),
        hostname: "my-pod".to_owned(),
        mounts: vec![
            mount("hosts", "/etc/hosts", false),
            mount("tmp", "/tmp", false),
            mount(
                "token",
                "/var/run/secrets/kubernetes.io/serviceaccount/token",
                true,
            ),
        ],
        read_only: false,
    })
}

const LOOK_AROUND: &str = "hostname; getent hosts some-service; touch /made-in-a-pod /tmp/kept; \
     cat /var/run/secrets/kubernetes.io/serviceaccount/token; \
     echo x > /var/run/secrets/kubernetes.io/serviceaccount/token || echo refused; \
     test -e /.evenkeel-host && echo leak; test -c /dev/null && test -d /proc/self && echo usable";

async fn look_around(user_namespace: bool) {
    let directory = tempfile::tempdir().unwrap();
    let view = private_view(directory.path(), user_namespace);
    let launcher = launcher(directory.path());
    let (running, streams) = launcher
        .launch(Program {
            view,
            ..shell(LOOK_AROUND)
        })
        .await
        .unwrap();
    let (text, _) = output(running, streams).await;
    assert!(
        text.starts_with("my-pod\n127.9.9.9       some-service\nsecret"),
        "{text}"
    );
    assert!(text.contains("refused\nusable\n"), "{text}");
    assert!(!text.contains("leak"), "{text}");
    assert!(
        !Path::new("/made-in-a-pod").exists(),
        "the host was written to"
    );
    assert!(
        directory.path().join("tmp/kept").exists(),
        "a volume was not written to"
    );
}

#[tokio::test]
async fn a_private_root_shows_the_pods_files_and_keeps_the_hosts() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not run: needs root");
        return;
    }
    look_around(false).await;
}

#[tokio::test]
async fn a_user_namespace_does_the_same_without_root() {
    if !std::process::Command::new("unshare")
        .args(["-Ur", "true"])
        .status()
        .is_ok_and(|s| s.success())
    {
        eprintln!("not run: user namespaces are not allowed here");
        return;
    }
    look_around(true).await;
}

#[tokio::test]
async fn exec_sees_what_the_program_sees() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not run: needs root");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let view = private_view(directory.path(), false);
    let launcher = launcher(directory.path());
    let sleeping = Program {
        view,
        ..shell("touch /mine; exec sleep 60")
    };
    let (running, _streams) = launcher.launch(sleeping).await.unwrap();
    let view = View::Join {
        pid: running.pid,
        user_namespace: false,
    };
    let script = "while ! test -e /mine; do sleep 0.01; done; hostname; tail -c 13 /etc/hosts";
    let (exec, streams) = launcher
        .launch(Program {
            view,
            ..shell(script)
        })
        .await
        .unwrap();
    let (text, exit) = output(exec, streams).await;
    assert_eq!((text.as_str(), exit.code), ("my-pod\nsome-service\n", 0));
}
