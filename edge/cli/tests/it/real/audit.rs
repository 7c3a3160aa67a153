//! What a real API server writes down of the writes that it answered: who wrote what, in its own order.
//!
//! Unlike a watch it misses nothing while nobody looks. Not here: what of it is right.

use serde_json::Value;
use std::path::PathBuf;
use tempfile::TempDir;
use units::Timestamp;

/// Writes of scales, autoscalers' statuses and leases, each once and with its body.
const POLICY: &str = "
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Request
  verbs: [create, update, patch]
  resources:
  - {group: apps, resources: [deployments/scale]}
  - {group: autoscaling, resources: [horizontalpodautoscalers/status]}
  - {group: evenkeel.dev, resources: [horizontalpodautoscalers/status]}
  - {group: coordination.k8s.io, resources: [leases]}
- level: None
";

/// A log of an API server's, which ends with the test.
pub(super) struct Audit(TempDir);

/// One request that writes, with its answer's code.
#[derive(Debug, Clone)]
pub(super) struct Write {
    /// A user's name.
    pub(super) user: String,
    /// Which of the user's tokens.
    pub(super) token: String,
    /// `deployments/scale`, say.
    pub(super) resource: String,
    pub(super) name: String,
    pub(super) code: i64,
    pub(super) body: Value,
}

impl Audit {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("policy.yaml"), POLICY).unwrap();
        Self(folder)
    }

    fn log(&self) -> PathBuf {
        self.0.path().join("audit.log")
    }

    /// For `control-plane up`.
    pub(super) fn flags(&self) -> [String; 2] {
        let policy = self.0.path().join("policy.yaml");
        [
            format!("--api-server-flag=--audit-policy-file={}", policy.display()),
            format!(
                "--api-server-flag=--audit-log-path={}",
                self.log().display()
            ),
        ]
    }

    /// All until now.
    pub(super) fn writes(&self) -> Vec<Write> {
        let text = std::fs::read_to_string(self.log()).unwrap();
        // One that was killed may have left half a line.
        let lines = text.lines().filter_map(|l| serde_json::from_str(l).ok());
        lines.map(|line: Value| write(&line)).collect()
    }

    /// Who scaled a Deployment to how many.
    pub(super) fn scales(&self) -> Vec<(String, i64)> {
        let writes = self.writes().into_iter();
        let scales = writes.filter_map(|write| Some((write.replicas()?, write.user)));
        scales.map(|(replicas, user)| (user, replicas)).collect()
    }
}

impl Write {
    /// How many a Deployment is to have, if this was about that and may have been done: one that was about an older
    /// version was not, others whose answer is an error may have been.
    pub(super) fn replicas(&self) -> Option<i64> {
        let scales = self.resource == "deployments/scale" && self.code != 409;
        scales.then(|| self.body["spec"]["replicas"].as_i64())?
    }

    /// Who has the controllers' lease from here on.
    pub(super) fn holder(&self, lease: &str) -> Option<&str> {
        let ours = self.resource == "leases" && self.name == lease && self.code < 300;
        ours.then(|| self.body["spec"]["holderIdentity"].as_str())?
    }
}

fn write(line: &Value) -> Write {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let about = &line["objectRef"];
    let mut resource = text(&about["resource"]);
    if let Some(below) = about["subresource"].as_str() {
        resource = format!("{resource}/{below}");
    }
    Write {
        user: text(&line["user"]["username"]),
        token: text(&line["user"]["extra"]["authentication.kubernetes.io/credential-id"][0]),
        resource,
        name: text(&about["name"]),
        code: line["responseStatus"]["code"].as_i64().unwrap_or_default(),
        body: line["requestObject"].clone(),
    }
}

/// A moment as Kubernetes writes it.
pub(super) fn moment(text: &str) -> Timestamp {
    let at: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_nanos(at.as_nanosecond())
}
