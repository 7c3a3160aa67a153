//! `/livez` and `/readyz`: named checks and upstream's texts.
//!
//! Upstream: apiserver/pkg/server/healthz/healthz.go (v1.36), handleRootHealth.

use std::fmt::{self, Write};

type Probe = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The checks of one endpoint, in the order they are printed.
#[derive(Default)]
pub struct Checks {
    name: &'static str,
    checks: Vec<(String, Probe)>,
}

/// What to answer: always `text/plain; charset=utf-8`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 200, 404 or 500.
    pub code: u16,
    /// The text.
    pub body: String,
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.checks.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Checks")
            .field("name", &self.name)
            .field("checks", &names)
            .finish()
    }
}

impl Checks {
    /// The endpoint called `name`: `livez`, `readyz` or `healthz`.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            checks: Vec::new(),
        }
    }

    /// Adds a check; its error text is logged, and shown only at the check's own path.
    #[must_use]
    pub fn with(
        mut self,
        name: impl Into<String>,
        probe: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.checks.push((name.into(), Box::new(probe)));
        self
    }

    /// Adds checks that hold whenever the process answers at all.
    #[must_use]
    pub fn always(self, names: &[&str]) -> Self {
        names
            .iter()
            .fold(self, |checks, name| checks.with(*name, || Ok(())))
    }

    /// Answers `/{name}` or, with `check`, `/{name}/{check}`; `query` is the raw query string.
    pub fn answer(&self, check: Option<&str>, query: &str) -> Answer {
        match check {
            None => self.all(query),
            Some(wanted) => match self.checks.iter().find(|(name, _)| name == wanted) {
                Some((_, probe)) => match probe() {
                    Ok(()) => Answer {
                        code: 200,
                        body: "ok".to_owned(),
                    },
                    Err(why) => Answer {
                        code: 500,
                        body: format!("internal server error: {why}\n"),
                    },
                },
                None => Answer {
                    code: 404,
                    body: "404 page not found\n".to_owned(),
                },
            },
        }
    }

    fn all(&self, query: &str) -> Answer {
        let mut excluded: Vec<&str> = query
            .split('&')
            .filter_map(|pair| pair.strip_prefix("exclude="))
            .collect();
        let verbose = query
            .split('&')
            .any(|pair| pair == "verbose" || pair.starts_with("verbose="));
        let mut body = String::new();
        let mut failed = false;
        for (name, probe) in &self.checks {
            if excluded.contains(&name.as_str()) {
                excluded.retain(|other| other != name);
                let _ = writeln!(body, "[+]{name} excluded: ok");
            } else if let Err(why) = probe() {
                failed = true;
                tracing::info!(
                    endpoint = self.name,
                    check = name,
                    why,
                    "health check failed"
                );
                let _ = writeln!(body, "[-]{name} failed: reason withheld");
            } else {
                let _ = writeln!(body, "[+]{name} ok");
            }
        }
        if !excluded.is_empty() {
            let quoted: Vec<String> = excluded.iter().map(|name| format!("{name:?}")).collect();
            let _ = writeln!(
                body,
                "warn: some health checks cannot be excluded: no matches for {}",
                quoted.join(", ")
            );
        }
        if failed {
            let _ = writeln!(body, "{} check failed", self.name);
            return Answer { code: 500, body };
        }
        if !verbose {
            return Answer {
                code: 200,
                body: "ok".to_owned(),
            };
        }
        let _ = writeln!(body, "{} check passed", self.name);
        Answer { code: 200, body }
    }
}

#[cfg(test)]
mod tests;
