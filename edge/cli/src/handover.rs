//! `evenkeel adopt` and `evenkeel release`: an autoscaler moves from autoscaling/v2 to evenkeel.dev/v1, and back.
//!
//! There are never two masters of a target and never none: ours stands by while the other one is there, which is the
//! controller's rule, not ours. So ours is there, seen by the controller, before the other one goes; and the other
//! one is there before ours goes. Replicas are never touched. Each step is found from what the cluster has, so a
//! run that was interrupted is finished, or undone, by the next.

mod cluster;
mod plan;
mod run;
#[cfg(test)]
mod tests;

use crate::args::{HandoverArgs, Output};
use crate::explain::BadInput;
use anyhow::{Context, Result};
use cluster::Cluster;
use plan::Direction;
use run::Run;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// Moves an autoscaler to our kind; false when there is none, or it cannot be.
pub(crate) async fn adopt(args: HandoverArgs, stop: CancellationToken) -> Result<bool> {
    hand_over(args, Direction::Adopt, stop).await
}

/// Moves it back.
pub(crate) async fn release(args: HandoverArgs, stop: CancellationToken) -> Result<bool> {
    hand_over(args, Direction::Release, stop).await
}

async fn hand_over(
    args: HandoverArgs,
    direction: Direction,
    stop: CancellationToken,
) -> Result<bool> {
    let name = crate::explain::name_of(&args.object)?.1.to_owned();
    let config =
        runtime::client::config_for_people(args.kubeconfig.as_deref(), args.context.as_deref())
            .await
            .map_err(|e| BadInput(crate::explain::said(&e)))?;
    let namespace = args.namespace.clone();
    let namespace = namespace.unwrap_or_else(|| config.default_namespace.clone());
    let client = kube::Client::try_from(config).context("cannot set up the Kubernetes client")?;
    let run = Run {
        cluster: Cluster::new(client, &namespace, &name),
        direction,
        dry_run: args.dry_run,
        patience: args.timeout.to_std(),
        say: tell,
    };
    let done = tokio::select! {
        done = run.to_its_end() => done?,
        () = stop.cancelled() => anyhow::bail!(
            "interrupted: run it again to finish what was begun, or evenkeel {} hpa/{name} to undo it",
            direction.back()
        ),
    };
    match done {
        Ok(object) => {
            print(&args, direction, &object)?;
            Ok(true)
        }
        Err(no) => {
            tell(&no);
            Ok(false)
        }
    }
}

fn print(args: &HandoverArgs, direction: Direction, object: &Value) -> Result<()> {
    let text = match args.output {
        Output::Text => {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            let tried = if args.dry_run { " (dry run)" } else { "" };
            format!(
                "{}/{name} {}{tried}\n",
                direction.result(),
                direction.done()
            )
        }
        Output::Json => format!("{}\n", serde_json::to_string_pretty(object)?),
        Output::Yaml => record::yaml(object)?,
    };
    crate::explain::out(&text)
}

#[expect(clippy::print_stderr, reason = "the program speaks to people here")]
fn tell(text: &str) {
    eprintln!("evenkeel: {text}");
}
