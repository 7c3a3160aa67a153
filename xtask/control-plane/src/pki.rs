//! Keys, certificates and kubeconfigs, with the names and places that kubeadm gives them.

use crate::plan::{Part, Plan};
use anyhow::{Context, Result};
use lab_auth::pki::{Authority, Certificate, write_private};
use runtime::clock::now;
use std::net::{IpAddr, Ipv4Addr};

/// The file that people use.
pub(crate) const ADMIN: &str = "admin";

/// What clients of this program show and believe.
#[derive(Debug)]
pub(crate) struct Admin {
    pub(crate) certificate: Certificate,
    pub(crate) ca_pem: String,
}

/// Makes everything that is not there.
pub(crate) fn write(plan: &Plan) -> Result<Admin> {
    let authority = authority(plan)?;
    serving(plan, &authority)?;
    let kubelet = ("kube-apiserver-kubelet-client", &["system:masters"][..]);
    let kubelet = authority.client_certificate(now(), kubelet.0, kubelet.1)?;
    save(plan, "apiserver-kubelet-client", &kubelet)?;
    let proxy = authority.front_proxy_client_certificate(now())?;
    save(plan, "front-proxy-client", &proxy)?;
    kubeconfigs(plan, &authority)?;
    admin(&authority)
}

/// A new certificate for asking the parts of a control plane that is there.
pub(crate) fn open(plan: &Plan) -> Result<Admin> {
    admin(&authority(plan)?)
}

fn authority(plan: &Plan) -> Result<Authority> {
    Authority::load_or_create(now(), &plan.pki()).context("cannot have certificates made")
}

fn admin(authority: &Authority) -> Result<Admin> {
    let groups = &["system:masters"];
    Ok(Admin {
        certificate: authority.client_certificate(now(), "kubernetes-admin", groups)?,
        ca_pem: authority.ca_pem().to_owned(),
    })
}

fn serving(plan: &Plan, authority: &Authority) -> Result<()> {
    let own = IpAddr::from(plan.network.control_plane());
    let cluster = plan.network.service(0).map(IpAddr::from);
    let addresses: Vec<IpAddr> = [own, Ipv4Addr::LOCALHOST.into()]
        .into_iter()
        .chain(cluster)
        .collect();
    let names = [
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    ];
    for part in &Part::ALL[1..] {
        let names = match part {
            Part::KubeApiserver => &names[..],
            _ => &names[..1],
        };
        let made = authority.serving_certificate(now(), part.name(), names, &addresses)?;
        save(plan, part.name(), &made)?;
    }
    Ok(())
}

fn kubeconfigs(plan: &Plan, authority: &Authority) -> Result<()> {
    let components: [(&str, &str, &[&str]); 3] = [
        (ADMIN, "kubernetes-admin", &["system:masters"]),
        (
            "kube-controller-manager",
            "system:kube-controller-manager",
            &[],
        ),
        ("kube-scheduler", "system:kube-scheduler", &[]),
    ];
    for (file, user, groups) in components {
        let text = authority.kubeconfig(now(), &plan.server(), user, groups, "")?;
        write_private(&plan.kubeconfig(file), text.as_bytes())?;
    }
    Ok(())
}

fn save(plan: &Plan, name: &str, made: &Certificate) -> Result<()> {
    let file = |end: &str| plan.pki().join(format!("{name}.{end}"));
    write_private(&file("key"), made.key_pem.as_bytes())?;
    write_private(&file("crt"), made.certificate_pem.as_bytes())?;
    Ok(())
}
