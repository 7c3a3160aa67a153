//! Which version this is, as `--version` and `/version` say it.

/// As a build of upstream names itself.
pub fn version() -> &'static str {
    concat!("v", env!("CARGO_PKG_VERSION"))
}

/// The answer of `/version`. Upstream: apimachinery/pkg/version, Info.
pub(crate) fn document() -> String {
    serde_json::json!({
        "major": env!("CARGO_PKG_VERSION_MAJOR"),
        "minor": env!("CARGO_PKG_VERSION_MINOR"),
        "gitVersion": version(),
        // Known where the build was told.
        "gitCommit": option_env!("EVENKEEL_GIT_COMMIT").unwrap_or_default(),
        "gitTreeState": "",
        "buildDate": option_env!("EVENKEEL_BUILD_DATE").unwrap_or_default(),
        "goVersion": "",
        "compiler": "rustc",
        "platform": platform(),
    })
    .to_string()
}

/// By Go's names, which Kubernetes uses everywhere.
fn platform() -> String {
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{}/{machine}", std::env::consts::OS)
}
