//! `sample-job`: a batch job of a few seconds that prints what it does.

use crate::app::say;
use crate::burn::{burn, parse_cost};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Flags of `evenkeel sample-job`.
#[derive(Debug, Clone, clap::Args)]
pub struct JobArgs {
    /// Items to work through
    #[arg(long, env = "JOB_ITEMS", default_value_t = 8)]
    pub items: u32,
    /// Time between the starts of two items
    #[arg(long, env = "JOB_PACE", default_value = "1s", value_parser = parse_cost)]
    pub pace: Duration,
    /// CPU time that each item burns
    #[arg(long, env = "JOB_CPU_PER_ITEM", default_value = "20ms", value_parser = parse_cost)]
    pub cpu_per_item: Duration,
    /// Fail after this item, to see what a failing Job does
    #[arg(long, env = "JOB_FAIL_AT")]
    pub fail_at: Option<u32>,
}

/// Works through the items; an early SIGTERM is an error.
pub fn run(args: &JobArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(work(args))
}

async fn work(args: &JobArgs) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    say(&format!("batch started: {} items", args.items));
    let mut ticks = tokio::time::interval(args.pace.max(Duration::from_millis(1)));
    for item in 1..=args.items {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = terminate.recv() => anyhow::bail!("stopped before item {item} of {}", args.items),
        }
        burn(args.cpu_per_item);
        say(&format!("item {item}/{} done", args.items));
        if args.fail_at == Some(item) {
            anyhow::bail!("item {item} failed, as asked by --fail-at");
        }
    }
    say("batch finished");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(fail_at: Option<u32>) -> JobArgs {
        JobArgs {
            items: 2,
            pace: Duration::from_millis(1),
            cpu_per_item: Duration::ZERO,
            fail_at,
        }
    }

    #[test]
    fn a_job_ends_after_its_items() {
        run(&args(None)).unwrap();
    }

    #[test]
    fn a_job_fails_where_it_is_told_to() {
        assert!(
            run(&args(Some(2)))
                .unwrap_err()
                .to_string()
                .contains("item 2 failed")
        );
    }
}
