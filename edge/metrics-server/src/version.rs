//! Which version this is, as `--version`, `/version` and `/metrics` say it.

use serde::Serialize;

/// As a build of upstream names itself.
pub fn version() -> &'static str {
    concat!("v", env!("CARGO_PKG_VERSION"))
}

/// In the order in which Go writes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    major: &'static str,
    minor: &'static str,
    git_version: &'static str,
    git_commit: &'static str,
    git_tree_state: &'static str,
    build_date: &'static str,
    go_version: &'static str,
    compiler: &'static str,
    platform: String,
}

impl Info {
    fn new() -> Self {
        Self {
            major: env!("CARGO_PKG_VERSION_MAJOR"),
            minor: env!("CARGO_PKG_VERSION_MINOR"),
            git_version: version(),
            // Known where the build was told.
            git_commit: option_env!("EVENKEEL_GIT_COMMIT").unwrap_or_default(),
            git_tree_state: "",
            build_date: option_env!("EVENKEEL_BUILD_DATE").unwrap_or_default(),
            go_version: "",
            compiler: "rustc",
            platform: platform(),
        }
    }
}

/// The answer of `/version`. Upstream: apimachinery/pkg/version, Info.
pub(crate) fn document() -> String {
    serde_json::to_string(&Info::new()).unwrap_or_default()
}

/// The same as labels of `kubernetes_build_info`. Upstream: component-base/metrics/prometheus/version.
pub(crate) fn labels() -> Vec<(&'static str, String)> {
    let info = Info::new();
    let labels = [
        ("build_date", info.build_date),
        ("compiler", info.compiler),
        ("git_commit", info.git_commit),
        ("git_tree_state", info.git_tree_state),
        ("git_version", info.git_version),
        ("go_version", info.go_version),
        ("major", info.major),
        ("minor", info.minor),
    ];
    let labels = labels.map(|(name, value)| (name, value.to_owned()));
    labels
        .into_iter()
        .chain([("platform", info.platform)])
        .collect()
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
