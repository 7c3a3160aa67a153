//! An APIService whose group somebody else serves.

use crate::backend::Payload;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// The collection of APIServices.
pub(crate) const APISERVICES: &str = "apiregistration.k8s.io/apiservices";

/// Which certificates of a backend are good.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Trust {
    /// All: `insecureSkipTLSVerify`.
    Anything,
    /// Those that these authorities vouch for, PEM; nobody does when it is empty.
    Bundle(Vec<u8>),
}

/// A group and version that a Service's pods answer.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    /// The APIService's name.
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) group: String,
    pub(crate) version: String,
    pub(super) namespace: String,
    pub(super) service: String,
    pub(super) port: u16,
    pub(super) trust: Trust,
    /// What its condition says.
    pub(super) available: bool,
}

impl Remote {
    /// Reads an APIService; `None` for one that this server answers itself.
    pub(crate) fn of(stored: &Payload) -> Option<Self> {
        let object = stored.value();
        let spec = &object["spec"];
        let service = spec["service"].as_object()?;
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let field = |key: &str| service.get(key).map(text).unwrap_or_default();
        let port = service.get("port").and_then(Value::as_u64).unwrap_or(443);
        let trust = if spec["insecureSkipTLSVerify"] == true {
            Trust::Anything
        } else {
            let bundle = STANDARD.decode(spec["caBundle"].as_str().unwrap_or(""));
            Trust::Bundle(bundle.unwrap_or_default())
        };
        Some(Self {
            name: stored.meta.name.to_string(),
            uid: stored.meta.uid.to_string(),
            group: text(&spec["group"]),
            version: text(&spec["version"]),
            namespace: field("namespace"),
            service: field("name"),
            port: u16::try_from(port).unwrap_or(443),
            trust,
            available: is_available(&object),
        })
    }

    /// The name that the backend's certificate must have.
    pub(super) fn server_name(&self) -> String {
        format!("{}.{}.svc", self.service, self.namespace)
    }

    /// The path of its discovery.
    pub(super) fn path(&self) -> String {
        format!("/apis/{}/{}", self.group, self.version)
    }
}

fn is_available(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|one| one["type"] == "Available" && one["status"] == "True")
}
