//! Stopping one container, and lifecycle hooks.
//!
//! Upstream: killContainer and executePreStopHook (pkg/kubelet/kuberuntime/kuberuntime_container.go),
//! pkg/kubelet/lifecycle/handlers.go.

use crate::instance::{ExecOutput, Instance};
use crate::probe::{Outcome, get, port};
use k8s_openapi::api::core::v1::{Container, LifecycleHandler};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

/// Even after a long preStop hook, a program gets this long. Upstream: minimumGracePeriodInSeconds.
const GRACE_MIN: Duration = Duration::from_secs(2);
const SIGHUP: i32 = 1;
/// How long a hook may take where no grace period bounds it.
const HOOK_TIMEOUT: Duration = Duration::from_secs(600);

/// A container to stop.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    /// Its process.
    pub instance: Arc<Instance>,
    /// Its spec, for its hook.
    pub container: Arc<Container>,
    /// The pod's address.
    pub address: IpAddr,
    /// How long it may take; may become less while it is stopping.
    pub grace: watch::Receiver<Duration>,
}

/// Runs the preStop hook, asks, waits, kills. The error is a failed hook; the container is stopped
/// all the same.
pub(super) async fn stop(mut stop: Stop) -> Result<(), String> {
    let began = Instant::now();
    let deadline = |grace: Duration| began + grace;
    let mut result = Ok(());
    let hook = stop
        .container
        .lifecycle
        .as_ref()
        .and_then(|l| l.pre_stop.clone());
    let grace = *stop.grace.borrow();
    if let Some(hook) = hook
        && grace > Duration::ZERO
    {
        let run = run_hook(&hook, &stop.container, &stop.instance, stop.address);
        if let Ok(Err(why)) = timeout_at(deadline(grace), run).await {
            result = Err(why);
        }
    }
    stop.instance.running.signal(stop_signal(&stop.container));
    if stop.instance.terminal.is_some() {
        // Differs from upstream: the terminal hangs up too. Interactive shells ignore SIGTERM, and
        // would be waited for until the end of the grace period.
        stop.instance.running.signal(SIGHUP);
    }
    let ended = stop.instance.running.wait();
    let mut ended = std::pin::pin!(ended);
    loop {
        let grace = *stop.grace.borrow_and_update();
        let until = if grace.is_zero() {
            began
        } else {
            deadline(grace).max(began + GRACE_MIN)
        };
        tokio::select! {
            _ = &mut ended => return result,
            () = sleep_until(until) => break,
            changed = stop.grace.changed() => if changed.is_err() {
                tokio::select! { _ = &mut ended => return result, () = sleep_until(until) => break }
            },
        }
    }
    stop.instance.running.kill();
    ended.await;
    result
}

/// `lifecycle.stopSignal`, by its name.
fn stop_signal(container: &Container) -> i32 {
    let name = container
        .lifecycle
        .as_ref()
        .and_then(|l| l.stop_signal.as_deref());
    match name {
        Some("SIGHUP") => 1,
        Some("SIGINT") => 2,
        Some("SIGQUIT") => 3,
        Some("SIGKILL") => 9,
        Some("SIGUSR1") => 10,
        Some("SIGUSR2") => 12,
        Some("SIGWINCH") => 28,
        _ => 15,
    }
}

/// Runs a hook; the error says why it failed.
pub(super) async fn run_hook(
    hook: &LifecycleHandler,
    container: &Container,
    instance: &Instance,
    address: IpAddr,
) -> Result<(), String> {
    if let Some(action) = &hook.exec {
        let command = action.command.clone().unwrap_or_default();
        return match instance.exec_output(&command, HOOK_TIMEOUT).await {
            ExecOutput::Ended { code: 0, .. } => Ok(()),
            ExecOutput::Ended { code, output } => {
                Err(format!("command {command:?} exited with {code}: {output}"))
            }
            ExecOutput::TimedOut => Err(format!("command {command:?} took over {HOOK_TIMEOUT:?}")),
            ExecOutput::Failed(why) => Err(why),
        };
    }
    if let Some(action) = &hook.http_get {
        let port = port(&action.port, container).ok_or("invalid port")?;
        let to = SocketAddr::new(address, port);
        return match get(action, to, HOOK_TIMEOUT, "lifecycle").await {
            Outcome::Success => Ok(()),
            Outcome::Failure(why) | Outcome::Refused(why) | Outcome::Error(why) => Err(why),
        };
    }
    if let Some(action) = &hook.sleep {
        let seconds = u64::try_from(action.seconds).unwrap_or_default();
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        return Ok(());
    }
    Err("invalid handler: it has neither exec, httpGet nor sleep".to_owned())
}
