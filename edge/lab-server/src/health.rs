//! /healthz, /livez, /readyz, /version.
//!
//! Upstream: apiserver/pkg/server/healthz.

use crate::body::{self, Reply};
use crate::path::Query;
use crate::server::Inner;
use http::StatusCode;
use serde_json::json;

/// The version that is reported.
pub const GIT_VERSION: &str = "v1.36.2+evenkeel";
const CHECKS: [&str; 3] = ["ping", "log", "etcd"];

/// Answers the paths that say how the server is; `None` for other paths.
pub(crate) fn answer(inner: &Inner, path: &str, query: &Query) -> Option<Reply> {
    if path.trim_end_matches('/') == "/version" {
        return Some(Ok(body::json(StatusCode::OK, &version())));
    }
    let mut parts = path.trim_matches('/').split('/');
    let endpoint = parts
        .next()
        .filter(|name| matches!(*name, "healthz" | "livez" | "readyz"))?;
    let stopping = inner.shutdown.is_cancelled() && endpoint == "readyz";
    if let Some(check) = parts.next() {
        let known = CHECKS.contains(&check) || (check == "shutdown" && endpoint == "readyz");
        return known.then(|| Ok(body::text(code(!stopping), "ok")));
    }
    if !stopping && !query.flag("verbose") {
        return Some(Ok(body::text(StatusCode::OK, "ok")));
    }
    let mut report = String::new();
    for check in CHECKS {
        report.push_str(&format!("[+]{check} ok\n"));
    }
    if endpoint == "readyz" {
        let line = if stopping {
            "[-]shutdown failed: reason withheld\n"
        } else {
            "[+]shutdown ok\n"
        };
        report.push_str(line);
    }
    let end = if stopping { "failed" } else { "passed" };
    report.push_str(&format!("{endpoint} check {end}\n"));
    Some(Ok(body::text(code(!stopping), report)))
}

fn code(good: bool) -> StatusCode {
    if good {
        StatusCode::OK
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    }
}

fn version() -> serde_json::Value {
    json!({
        "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36",
        "minCompatibilityMajor": "1", "minCompatibilityMinor": "35",
        "gitVersion": GIT_VERSION, "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none", "compiler": "rustc",
        "platform": format!("linux/{}", platform()),
    })
}

fn platform() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
