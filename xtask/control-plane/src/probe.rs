//! Asking the parts whether they are ready: one HTTPS request at a time, each with a time limit.

use crate::pki::Admin;
use crate::plan::{Part, Plan};
use anyhow::{Result, bail};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long one question may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long a machine that is busy may take to start one part.
const READY_IN: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(50);
/// The most that is read of an answer.
const ANSWER_BYTES: u64 = 1 << 20;

/// Asks as the administrator.
#[derive(Debug)]
pub(crate) struct Probe {
    tls: Arc<ClientConfig>,
}

impl Probe {
    pub(crate) fn new(admin: &Admin) -> Result<Self> {
        let tls = admin.certificate.client_config(&admin.ca_pem)?;
        Ok(Self { tls: Arc::new(tls) })
    }

    /// Whether a part takes connections.
    pub(crate) fn connects(plan: &Plan, part: Part) -> bool {
        TcpStream::connect_timeout(&plan.address(part), TIMEOUT).is_ok()
    }

    /// Whether a part says that it is ready.
    pub(crate) fn is_ready(&self, plan: &Plan, part: Part) -> bool {
        let address = plan.address(part);
        match part {
            Part::Etcd => Self::connects(plan, part),
            Part::KubeApiserver | Part::KubeScheduler => self.is_ok(address, "/readyz"),
            Part::KubeControllerManager => self.is_ok(address, "/healthz"),
        }
    }

    /// Whether what kube-controller-manager makes first is there: pods can be made from then on.
    pub(crate) fn takes_pods(&self, plan: &Plan) -> bool {
        let made = ["serviceaccounts/default", "configmaps/kube-root-ca.crt"];
        made.iter().all(|object| {
            let path = format!("/api/v1/namespaces/default/{object}");
            self.is_ok(plan.address(Part::KubeApiserver), &path)
        })
    }

    fn is_ok(&self, address: SocketAddr, path: &str) -> bool {
        self.status(address, path).is_ok_and(|status| status == 200)
    }

    fn status(&self, address: SocketAddr, path: &str) -> Result<u16> {
        let socket = TcpStream::connect_timeout(&address, TIMEOUT)?;
        socket.set_read_timeout(Some(TIMEOUT))?;
        socket.set_write_timeout(Some(TIMEOUT))?;
        let name = ServerName::IpAddress(address.ip().into());
        let connection = ClientConnection::new(Arc::clone(&self.tls), name)?;
        let mut stream = StreamOwned::new(connection, socket);
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
        let mut answer = Vec::new();
        // Servers that close without a word of farewell are forgiven: the first line is what counts.
        let read = stream.take(ANSWER_BYTES).read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer);
        let code = text.split(' ').nth(1).and_then(|code| code.parse().ok());
        match (code, read) {
            (Some(code), _) => Ok(code),
            (None, Err(error)) => Err(error.into()),
            (None, Ok(_)) => bail!("{address} does not answer as an HTTP server"),
        }
    }
}

/// Waits until something holds, as long as `goes_on`; `false` when it never did.
pub(crate) fn until(mut holds: impl FnMut() -> bool, mut goes_on: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + READY_IN;
    while Instant::now() < deadline && goes_on() {
        if holds() {
            return true;
        }
        std::thread::sleep(PAUSE);
    }
    false
}
