//! Finding out what this machine lets pods have of their own: by trying.

use crate::host::Sandbox;
use crate::pod_init::spec::{Isolation, NewView, View};
use crate::process::{Launcher, Program};
use std::path::Path;

/// Tries the best first.
pub(super) async fn detect(launcher: &Launcher, data_dir: &Path) -> Sandbox {
    let root = rustix::process::geteuid().is_root();
    for isolation in [Isolation::Overlay, Isolation::Mounts] {
        // A user namespace also helps a root without capabilities, as in containers.
        for user_namespace in if root { [false, true] } else { [true, true] } {
            let sandbox = Sandbox {
                isolation,
                user_namespace,
            };
            match attempt(launcher, data_dir, sandbox).await {
                Ok(()) => return sandbox,
                Err(why) => tracing::debug!(?sandbox, why, "not possible here"),
            }
        }
    }
    Sandbox {
        isolation: Isolation::None,
        user_namespace: false,
    }
}

async fn attempt(launcher: &Launcher, data_dir: &Path, sandbox: Sandbox) -> Result<(), String> {
    let scratch = data_dir.join("trial");
    std::fs::create_dir_all(&scratch).map_err(|e| e.to_string())?;
    let program = Program {
        program: "/bin/sh".to_owned(),
        name: None,
        args: vec!["-c".to_owned(), ":".to_owned()],
        env: Vec::new(),
        workdir: None,
        user: None,
        group: None,
        terminal: false,
        suspend: true,
        stdin: false,
        cgroups: Vec::new(),
        view: View::New(NewView {
            isolation: sandbox.isolation,
            user_namespace: sandbox.user_namespace,
            scratch,
            hostname: "trial".to_owned(),
            mounts: Vec::new(),
            read_only: false,
        }),
    };
    let (running, _streams) = launcher.launch(program).await?;
    match running.wait().await.code {
        0 => Ok(()),
        code => Err(format!("the trial ended with {code}")),
    }
}

/// What pods go without, for people.
pub(super) fn missing(sandbox: Sandbox) -> Option<&'static str> {
    match sandbox.isolation {
        Isolation::Overlay => None,
        Isolation::Mounts => Some(
            "pods see the host's files: volumes are mounted only where the host has their path; \
             as root they get a root of their own",
        ),
        Isolation::None => Some(
            "pods see the host's files and no volumes, and service names do not resolve in them: \
             this needs root or unprivileged user namespaces; EVENKEEL_POD_IP and \
             EVENKEEL_SERVICE_ACCOUNT_DIR are set",
        ),
    }
}
