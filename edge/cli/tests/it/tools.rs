//! The programs that the tests drive, found as `cargo xtask test` left them.

use std::path::PathBuf;

/// Oldest and newest kubectl; none where the machine has none.
pub(crate) fn kubectls() -> Vec<PathBuf> {
    let named = std::env::var_os("EVENKEEL_TEST_KUBECTL").unwrap_or_default();
    let mut found: Vec<PathBuf> = std::env::split_paths(&named)
        .filter(|p| !p.as_os_str().is_empty())
        .collect();
    if found.is_empty() {
        found.extend(on_path("kubectl"));
    }
    if found.is_empty() {
        leave_out(
            "tests that drive kubectl: there is none on PATH (cargo xtask test installs one)",
        );
    }
    found
}

/// The newest kubectl.
pub(crate) fn kubectl() -> Option<PathBuf> {
    kubectls().pop()
}

/// A python that has the `kubernetes` client.
pub(crate) fn python() -> Option<PathBuf> {
    let found = std::env::var_os("EVENKEEL_TEST_PYTHON").map(PathBuf::from);
    if found.is_none() {
        leave_out("tests that drive the python client (cargo xtask test installs it)");
    }
    found
}

/// What starts and ends a real control plane.
pub(crate) fn control_plane() -> Option<PathBuf> {
    let found = std::env::var_os("EVENKEEL_TEST_CONTROL_PLANE").map(PathBuf::from);
    if found.is_none() {
        leave_out(
            "tests against a real control plane (cargo xtask test builds one where there is Go)",
        );
    }
    found
}

/// Go, which builds what renders the chart.
pub(crate) fn go() -> Option<PathBuf> {
    let found = on_path("go");
    if found.is_none() {
        leave_out("tests that render the Helm chart: there is no Go on PATH");
    }
    found
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Says what cannot run here; a CI machine must be able to run everything.
pub(crate) fn leave_out(what: &str) {
    assert!(
        std::env::var_os("CI").is_none(),
        "left out on a CI machine: {what}"
    );
    println!("left out: {what}");
}
