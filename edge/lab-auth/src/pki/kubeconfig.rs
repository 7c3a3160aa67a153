//! The kubeconfig file that `kubectl` and the components read.

use super::Certificate;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// What a kubeconfig says: one cluster, one user, one context.
#[derive(Debug)]
pub struct Kubeconfig<'a> {
    /// The API server, such as `https://127.0.0.1:6443`.
    pub server: &'a str,
    /// The CA that its certificate leads to.
    pub ca_pem: &'a str,
    /// The name of cluster and context.
    pub cluster: &'a str,
    /// The name of the user entry.
    pub user: &'a str,
    /// The client certificate.
    pub certificate: &'a Certificate,
    /// The context's namespace; empty for none.
    pub namespace: &'a str,
}

impl Kubeconfig<'_> {
    /// The file's text. It holds a key: write it with [`super::write_private`].
    pub fn to_yaml(&self) -> String {
        // A JSON string is a YAML string, whatever it holds.
        let text = |value: &str| Value::from(value).to_string();
        let encoded = |pem: &str| STANDARD.encode(pem);
        let namespace = if self.namespace.is_empty() {
            String::new()
        } else {
            format!("    namespace: {}\n", text(self.namespace))
        };
        format!(
            "apiVersion: v1\nkind: Config\n\
             clusters:\n- name: {cluster}\n  cluster:\n    server: {server}\n    certificate-authority-data: {ca}\n\
             contexts:\n- name: {cluster}\n  context:\n    cluster: {cluster}\n    user: {user}\n{namespace}\
             current-context: {cluster}\npreferences: {{}}\n\
             users:\n- name: {user}\n  user:\n    client-certificate-data: {certificate}\n    client-key-data: {key}\n",
            cluster = text(self.cluster),
            server = text(self.server),
            ca = encoded(self.ca_pem),
            user = text(self.user),
            certificate = encoded(&self.certificate.certificate_pem),
            key = encoded(&self.certificate.key_pem),
        )
    }
}
