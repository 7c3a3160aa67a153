//! The demo's voice: rows on stdout, everything else on stderr, with a line that stays at the bottom
//! of a terminal.

use super::observe::Figures;
use std::io::{IsTerminal, Write};

/// Prints rows and messages above one progress line.
#[derive(Debug)]
pub(crate) struct Progress {
    terminal: bool,
    colour: bool,
    line: String,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let colour = terminal && std::env::var_os("NO_COLOR").is_none();
        Self {
            terminal,
            colour,
            line: String::new(),
        }
    }

    /// A message for people.
    #[expect(clippy::print_stderr, reason = "the demo speaks to people here")]
    pub(crate) fn say(&mut self, text: &str) {
        self.clear();
        eprintln!("{text}");
        self.draw();
    }

    /// Something that is done, and how long it took.
    pub(crate) fn done(&mut self, what: &str, seconds: f64) {
        let tick = if self.colour {
            "\x1b[32m✓\x1b[0m"
        } else {
            "✓"
        };
        self.say(&format!("{tick} {what} ({seconds:.1} s)"));
    }

    /// A line of data.
    #[expect(clippy::print_stdout, reason = "the rows are the demo's data")]
    pub(crate) fn row(&mut self, text: &str) {
        self.clear();
        println!("{text}");
        // Whoever reads a pipe wants each row when it happens.
        let _ = std::io::stdout().flush();
        self.draw();
    }

    /// Sets the progress line; where there is no terminal, there is none.
    pub(crate) fn status(&mut self, at_seconds: f64, load: (f64, f64), figures: Figures) {
        if !self.terminal {
            return;
        }
        let (offered, answered) = load;
        let utilization = figures
            .utilization_percent
            .map_or_else(|| "unknown".to_owned(), |u| format!("{u} %"));
        self.clear();
        self.line = format!(
            "  {at_seconds:>5.0} s · load {answered:.0} of {offered:.0} requests/s · cpu {utilization} of 50 % · replicas {} ({} ready) {}",
            figures.replicas,
            figures.ready,
            "▇".repeat(usize::try_from(figures.replicas.clamp(0, 20)).unwrap_or(0)),
        );
        self.draw();
    }

    /// Takes the progress line away.
    pub(crate) fn end(&mut self) {
        self.clear();
        self.line.clear();
    }

    #[expect(clippy::print_stderr, reason = "the demo speaks to people here")]
    fn clear(&self) {
        if self.terminal && !self.line.is_empty() {
            eprint!("\r\x1b[2K");
        }
    }

    #[expect(clippy::print_stderr, reason = "the demo speaks to people here")]
    fn draw(&self) {
        if self.terminal && !self.line.is_empty() {
            // No wrap: a line longer than the terminal would otherwise leave parts behind.
            eprint!("\x1b[?7l{}\x1b[?7h", self.line);
        }
    }
}
