//! `cargo xtask`: the project's own commands. Run it without arguments for the list.

mod bench;
mod ci;
mod command;
mod control_plane;
mod fuzz;
mod test;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [ARGS…]     all tests; finds or installs what they need; ARGS go to `cargo test`
  ci               what CI runs: fmt, clippy, docs, then the tests
  fix              clippy --fix, then fmt
  control-plane up|down|status|…
                   a real Kubernetes control plane on loopback; needs Go; --help says more
  bench lab        how fast and how small the lab is
  bench metrics-server  what scraping and serving cost; --vs PATH runs upstream's beside it
  bench hpa        what autoscaling costs a real control plane, beside upstream's; --reaction: how soon it reacts
  agreement        whether the HPA controller decides as upstream's does, live
  bench decide     how fast the autoscaler decides
  fuzz [TARGET] [--seconds N]
                   random input against quantities, decisions and snapshots; needs cargo-fuzz
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test", rest @ ..] => test::run(rest),
        ["ci"] => ci::run(),
        ["fix"] => ci::fix(),
        ["control-plane", rest @ ..] => control_plane::run(rest),
        ["agreement", rest @ ..] => bench::agreement(rest),
        ["bench", name, rest @ ..] => bench::run(name, rest),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        [] | ["help" | "--help" | "-h"] => {
            command::say(USAGE);
            return ExitCode::SUCCESS;
        }
        other => {
            command::complain(&format!("unknown command: {}\n\n{USAGE}", other.join(" ")));
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            command::complain(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
