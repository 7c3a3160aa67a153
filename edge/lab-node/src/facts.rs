//! What the node knows about a pod's containers: plain values, from which plans and statuses follow.

use crate::backoff::Backoff;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, PodSpec};

/// Which part of a pod a container belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Runs to its end before the next starts.
    Init,
    /// An init container with `restartPolicy: Always`.
    Sidecar,
    /// One of `spec.containers`.
    App,
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// `Completed`, `Error`, `OOMKilled`, `StartError`, …
    pub reason: String,
    /// More words; often none.
    pub message: Option<String>,
    /// When it had started, where it had.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Timestamp,
    /// The instance that ended.
    pub id: String,
}

/// What a container is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Not started, or waiting to be started again.
    Waiting {
        /// `ContainerCreating`, `PodInitializing`, `ErrImagePull`, `CrashLoopBackOff`, …
        reason: String,
        /// More words.
        message: Option<String>,
    },
    /// Running since.
    Running {
        /// When it started.
        since: Timestamp,
    },
    /// Ended, and not (yet) started again.
    Ended(Ended),
}

impl State {
    /// Waiting for nothing but its turn.
    pub fn waiting(reason: &str) -> Self {
        Self::Waiting {
            reason: reason.to_owned(),
            message: None,
        }
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        matches!(self, Self::Running { .. })
    }
}

/// Everything known about one container.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Its name.
    pub name: String,
    /// Its part.
    pub role: Role,
    /// Its image as the spec names it.
    pub image: String,
    /// What it is doing.
    pub state: State,
    /// How the instance before ended.
    pub last: Option<Ended>,
    /// How often it was started again.
    pub restarts: i32,
    /// The instance's id, once there is one: `evenkeel://…`.
    pub id: String,
    /// Whether its image is in the table; then `image_id` is told.
    pub image_known: bool,
    /// Whether its startup probe has succeeded (or it has none).
    pub started: bool,
    /// Whether its readiness probe says so (or it has none).
    pub ready: bool,
    /// A probe says that it must be killed.
    pub doomed: Option<Doom>,
    /// Whether it is being killed.
    pub stopping: bool,
    /// The pause before it is started again.
    pub restart_backoff: Backoff,
    /// The pause before its image is looked for again.
    pub pull_backoff: Backoff,
    /// When its image, or its configuration, was not to be had last.
    pub start_failed_at: Option<Timestamp>,
    /// When an event last said that its configuration is missing.
    pub told_at: Option<Timestamp>,
}

/// Why a running container must be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doom {
    /// Its liveness probe failed.
    Liveness,
    /// Its startup probe failed.
    Startup,
}

impl Facts {
    /// A container that has never run.
    pub fn new(container: &Container, role: Role, has_init_containers: bool) -> Self {
        let waits_for_init = role == Role::App && has_init_containers;
        let reason = if waits_for_init {
            "PodInitializing"
        } else {
            "ContainerCreating"
        };
        let first_init = role != Role::App;
        Self {
            name: container.name.clone(),
            role,
            image: container.image.clone().unwrap_or_default(),
            state: State::waiting(if first_init {
                "PodInitializing"
            } else {
                reason
            }),
            last: None,
            restarts: 0,
            id: String::new(),
            image_known: false,
            started: false,
            ready: false,
            doomed: None,
            stopping: false,
            restart_backoff: Backoff::default(),
            pull_backoff: Backoff::default(),
            start_failed_at: None,
            told_at: None,
        }
    }

    /// How the latest instance ended, if none runs.
    pub fn latest_end(&self) -> Option<&Ended> {
        match &self.state {
            State::Ended(ended) => Some(ended),
            State::Waiting { .. } => self.last.as_ref(),
            State::Running { .. } => None,
        }
    }
}

/// The facts of a pod that has not begun, init containers first.
pub fn beginning(spec: &PodSpec) -> Vec<Facts> {
    let inits = spec.init_containers.as_deref().unwrap_or_default();
    let has_init = !inits.is_empty();
    let init = inits.iter().map(|c| {
        let sidecar = c.restart_policy.as_deref() == Some("Always");
        Facts::new(
            c,
            if sidecar { Role::Sidecar } else { Role::Init },
            has_init,
        )
    });
    let apps = spec
        .containers
        .iter()
        .map(|c| Facts::new(c, Role::App, has_init));
    init.chain(apps).collect()
}

/// Whether a container that ended with `code` is started again.
/// Upstream: podutil.ContainerShouldRestart (pkg/api/v1/pod/util.go), without per-container rules.
pub fn restarts(role: Role, policy: Option<&str>, code: i32) -> bool {
    match (role, policy.unwrap_or("Always")) {
        (Role::Sidecar, _) => true,
        (_, "Never") => false,
        (Role::Init, _) | (Role::App, "OnFailure") => code != 0,
        (Role::App, _) => true,
    }
}
