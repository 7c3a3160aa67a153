//! The exercise's load generator as people run it: a shell in a pod, on a terminal.

use crate::lab::{Lab, examples};
use crate::tools;
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread;

/// A program on a terminal of its own (util-linux's `script` makes it), typed at and read from.
struct Terminal {
    child: std::process::Child,
    screen: Arc<Mutex<String>>,
}

impl Terminal {
    fn run(kubectl: &crate::lab::Kubectl, arguments: &[&str]) -> Self {
        let inner = kubectl.command(arguments);
        let mut words = vec![inner.get_program().to_string_lossy().into_owned()];
        words.extend(
            inner
                .get_args()
                .map(|a| format!("'{}'", a.to_string_lossy())),
        );
        let mut command = std::process::Command::new("script");
        command.args(["-qec", &words.join(" "), "/dev/null"]);
        // The same shell on every machine: some start a program in their own place, some beside them.
        command.env("SHELL", "/bin/sh");
        for (key, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let screen = Arc::new(Mutex::new(String::new()));
        let (mut output, shown) = (child.stdout.take().unwrap(), Arc::clone(&screen));
        thread::spawn(move || {
            let mut piece = [0_u8; 4096];
            while let Ok(length @ 1..) = output.read(&mut piece) {
                shown
                    .lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&piece[..length]));
            }
        });
        Self { child, screen }
    }

    fn type_line(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(line.as_bytes()).unwrap();
        input.flush().unwrap();
    }

    fn screen(&self) -> String {
        self.screen.lock().unwrap().clone()
    }

    #[track_caller]
    fn shows(&self, text: &str) {
        let shown = crate::lab::eventually(|| self.screen().contains(text));
        assert!(
            shown,
            "the terminal never showed {text:?}:\n{}",
            self.screen()
        );
    }
}

#[test]
fn the_load_generator_is_a_shell_in_a_pod() {
    for program in tools::kubectls() {
        let lab = Lab::start(&[]);
        let kubectl = lab.kubectl(&program);
        kubectl.ok(&["create", "namespace", "eks-work"]);
        kubectl.ok(&["config", "set-context", "--current", "--namespace=eks-work"]);
        for file in ["secret", "deployment", "service"] {
            kubectl.ok(&[
                "apply",
                "-f",
                &examples()
                    .join(format!("{file}.yaml"))
                    .display()
                    .to_string(),
            ]);
        }
        kubectl.until(&["get", "deployment", "backend-app"], |out| {
            out.contains("2/2")
        });
        let run = [
            "run",
            "-i",
            "--tty",
            "load-generator",
            "--image=busybox",
            "--rm",
            "--",
            "sh",
        ];
        let mut terminal = Terminal::run(&kubectl, &run);
        terminal.shows("try pressing enter");
        // A prompt that was printed before kubectl was there comes again.
        terminal.type_line("\n");
        terminal.shows("/ # ");
        terminal.type_line("while true; do wget -q -O- http://backend-app-service.eks-work.svc.cluster.local:8080/health; done\n");
        terminal.shows("{\"status\":\"OK\"}{\"status\":\"OK\"}{\"status\":\"OK\"}");
        terminal.type_line("\u{3}");
        terminal.type_line("echo still $((40 + 2))\n");
        terminal.shows("still 42");
        terminal.type_line("exit\n");
        terminal.shows("pod \"load-generator\" deleted");
        kubectl.until(&["get", "pods"], |out| !out.contains("load-generator"));
        let _ = terminal.child.wait();
    }
}
