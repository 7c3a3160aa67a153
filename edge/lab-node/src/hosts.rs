//! `/etc/hosts` of a pod: how service names resolve without a DNS server.
//!
//! It works without root and for every program that asks the C library. What a DNS server would add
//! (SRV records, names of pods that are not behind a headless Service) is not there.

use crate::cluster::ServiceView;
use std::fmt::Write;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::FileExt;
use std::path::Path;

#[cfg(test)]
mod tests;

/// Whose file it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The pod's namespace: its Services are known by their bare names.
    pub namespace: String,
    /// The pod's address.
    pub address: IpAddr,
    /// Its host name.
    pub hostname: String,
    /// `spec.hostAliases`.
    pub aliases: Vec<(String, Vec<String>)>,
}

/// The file's text. Upstream, for the first part: managedHostsFileContent
/// (pkg/kubelet/kubelet_pods.go).
pub fn text(owner: &Owner, services: &[ServiceView]) -> String {
    let mut text = String::from(
        "# Kubernetes-managed hosts file.\n\
         127.0.0.1\tlocalhost\n\
         ::1\tlocalhost ip6-localhost ip6-loopback\n\
         fe00::\tip6-localnet\n\
         fe00::\tip6-mcastprefix\n\
         fe00::1\tip6-allnodes\n\
         fe00::2\tip6-allrouters\n",
    );
    let mut add = |address: &dyn std::fmt::Display, names: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{address}\t{names}");
    };
    add(&owner.address, &owner.hostname);
    for (address, names) in &owner.aliases {
        add(address, &names.join(" "));
    }
    for service in services {
        let names = names(&service.name, &service.namespace, &owner.namespace);
        for address in &service.addresses {
            add(address, &names);
        }
        for (host, address) in &service.host_names {
            let within = format!("{host}.{}", service.name);
            add(
                address,
                &self::names(&within, &service.namespace, &owner.namespace),
            );
        }
    }
    text
}

/// `svc.ns.svc.cluster.local svc.ns.svc svc.ns`, and `svc` within its own namespace.
fn names(name: &str, namespace: &str, own: &str) -> String {
    let full =
        format!("{name}.{namespace}.svc.cluster.local {name}.{namespace}.svc {name}.{namespace}");
    if namespace == own {
        format!("{full} {name}")
    } else {
        full
    }
}

/// Writes the file in place: it is mounted, so it cannot be replaced. Readers see the old text or
/// the new one, not an empty file.
pub fn write(file: &Path, text: &str) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    let file = options
        .write(true)
        .create(true)
        .truncate(false)
        .open(file)?;
    file.write_all_at(text.as_bytes(), 0)?;
    file.set_len(u64::try_from(text.len()).unwrap_or(u64::MAX))
}
