//! How a process ended, as the client is told.

use k8s::status::ApiError;
use serde_json::json;

/// The outcome of an exec or attach.
#[derive(Debug, Clone, PartialEq)]
pub enum ExitStatus {
    /// The process ended with this code; 0 is success.
    Exited(i32),
    /// The process could not be started or watched.
    Failed(ApiError),
}

impl ExitStatus {
    /// The `Status` object of v4 and later. Upstream: remotecommand.ServeExec, v4WriteStatusFunc.
    pub(super) fn to_json(&self) -> String {
        match self {
            Self::Exited(0) => json!({"metadata": {}, "status": "Success"}),
            Self::Exited(code) => json!({
                "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
                "message": self.message(),
                "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
            }),
            Self::Failed(error) => error.to_status(),
        }
        .to_string()
    }

    /// The plain text of the protocols before v4; empty for success.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Exited(0) => String::new(),
            Self::Exited(code) => {
                format!("command terminated with non-zero exit code: exit status {code}")
            }
            Self::Failed(error) => error.message.clone(),
        }
    }
}
