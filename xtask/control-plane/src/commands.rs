//! What each command does.

use crate::args::{Command, One, Up};
use crate::pki;
use crate::plan::{PEER_PORT, Part, Plan, Settings};
use crate::probe::{Probe, until};
use crate::process::{self, How};
use crate::state::{self, Process, State};
use crate::{complain, place, program, say};
use anyhow::{Context, Result, bail};
use std::io::Read;
use std::path::{Path, PathBuf};

/// How much of a log says why its part failed.
const LOG_LINES: usize = 20;

/// Runs a command; `false` is the answer no.
pub(crate) fn run(command: Command) -> Result<bool> {
    match command {
        Command::Build => say(&format!("BINARY={}", program::build()?.display())),
        Command::Up(up) => self::up(&up)?,
        Command::Down(at) => down(&absolute(&at.dir)?)?,
        Command::Status(at) => return status(&absolute(&at.dir)?),
        Command::Start(one) => change(one, |state, part| match state.runs(part) {
            true => bail!("{part} runs already"),
            false => Ok(()),
        })?,
        Command::Stop(named) => {
            State::of(&absolute(&named.at.dir)?)?.end(named.part, How::Asked)?;
        }
        Command::Restart(one) => change(one, |state, part| state.end(part, How::Asked))?,
    }
    Ok(true)
}

/// Parts are told their files by whole names.
fn absolute(dir: &Path) -> Result<PathBuf> {
    std::path::absolute(dir).with_context(|| format!("cannot use {}", dir.display()))
}

fn up(up: &Up) -> Result<()> {
    let dir = absolute(&up.at.dir)?;
    if let Some(state) = State::read(&dir)? {
        if Part::ALL.into_iter().any(|part| state.runs(part)) {
            bail!(
                "a control plane runs in {}: take it down first",
                dir.display()
            );
        }
        state::remove(&dir)?;
    }
    let binary = program::build()?;
    lab_auth::pki::private_directory(&dir)?;
    let ports = Part::ALL.map(Part::port);
    let plan = Plan {
        dir: dir.clone(),
        network: place::choose(&[&ports[..], &[PEER_PORT]].concat())?,
    };
    let mut state = State::new(&plan, binary, up.settings.clone());
    if let Err(error) = begin(&plan, &mut state, &up.only) {
        end_all(&state)?;
        state::remove(&dir)?;
        return Err(error);
    }
    say(&format!("KUBECONFIG={}", state.kubeconfig.display()));
    if up.foreground {
        // Whoever started this holds the other end; it closes with them, whatever happens to them.
        std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink())?;
        down(&dir)?;
    }
    Ok(())
}

fn begin(plan: &Plan, state: &mut State, parts: &[Part]) -> Result<()> {
    let admin = pki::write(plan)?;
    state.write(&plan.dir)?;
    let probe = Probe::new(&admin)?;
    let chosen = |part: &Part| parts.contains(part);
    for part in Part::ALL.into_iter().filter(chosen) {
        start(plan, state, part)?;
        // Clients of the API wait for it by themselves, once they can connect.
        let beginning = || state.runs(part);
        until(
            || part.is_client() || Probe::connects(plan, part),
            beginning,
        );
    }
    for part in Part::ALL.into_iter().filter(chosen) {
        wait(plan, state, &probe, part)?;
    }
    if chosen(&Part::KubeControllerManager) {
        let made = until(
            || probe.takes_pods(plan),
            || state.runs(Part::KubeControllerManager),
        );
        if !made {
            let failed = failure(state, Part::KubeControllerManager);
            bail!("the default service account never came; {failed}");
        }
    }
    Ok(())
}

/// Starts a part and writes it down at once: whatever comes next, it will be found.
fn start(plan: &Plan, state: &mut State, part: Part) -> Result<()> {
    let arguments = plan.arguments(part, &state.settings);
    let log = plan.dir.join(format!("{part}.log"));
    let child = process::start(&state.binary, &arguments, &log)?;
    let started = Process {
        pid: child.id(),
        port: part.port(),
        arguments,
        log,
    };
    state.parts.insert(part, started);
    state.write(&plan.dir)
}

fn wait(plan: &Plan, state: &State, probe: &Probe, part: Part) -> Result<()> {
    if until(|| probe.is_ready(plan, part), || state.runs(part)) {
        return Ok(());
    }
    bail!("{part} is not ready; {}", failure(state, part))
}

/// The end of a part's log.
fn failure(state: &State, part: Part) -> String {
    let log = state.parts.get(&part).map(|process| &process.log);
    let mut text = Vec::new();
    let read = log.map(|log| std::fs::File::open(log).and_then(|mut f| f.read_to_end(&mut text)));
    if !matches!(read, Some(Ok(_))) {
        return "it has no log".to_owned();
    }
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
    format!("its log ends with:\n{}", last.join("\n"))
}

fn end_all(state: &State) -> Result<()> {
    // The store last: the others would complain of its absence.
    for part in Part::ALL.into_iter().rev() {
        state.end(part, How::Killed)?;
    }
    Ok(())
}

fn down(dir: &Path) -> Result<()> {
    end_all(&State::of(dir)?)?;
    state::remove(dir)
}

fn status(dir: &Path) -> Result<bool> {
    let state = State::of(dir)?;
    let plan = state.plan(dir)?;
    let probe = Probe::new(&pki::open(&plan)?)?;
    let mut well = true;
    for (part, process) in &state.parts {
        let says = match state.runs(*part) {
            false => "stopped",
            true if probe.is_ready(&plan, *part) => "ready",
            true => "not ready",
        };
        well &= says == "ready";
        let address = plan.address(*part);
        say(&format!(
            "{part} {says} at {address}, process {}",
            process.pid
        ));
    }
    say(&format!("KUBECONFIG={}", state.kubeconfig.display()));
    Ok(well)
}

/// Starts a part after `before`, with the settings it had unless others are given.
fn change(one: One, before: impl FnOnce(&State, Part) -> Result<()>) -> Result<()> {
    let part = one.named.part;
    let dir = absolute(&one.named.at.dir)?;
    let mut state = State::of(&dir)?;
    let plan = state.plan(&dir)?;
    before(&state, part)?;
    if one.settings != Settings::default() {
        state.settings = one.settings;
    }
    // The kernel closes what a killed process listened on a moment after the process is gone.
    until(|| place::can_listen(plan.address(part)), || true);
    start(&plan, &mut state, part)?;
    wait(&plan, &state, &Probe::new(&pki::open(&plan)?)?, part)?;
    complain(&format!("{part} is ready"));
    Ok(())
}
