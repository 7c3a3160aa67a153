//! The files that a program sees: a private root over the host's, with the pod's own mounts.
//!
//! Everything happens in a new mount namespace and on a tmpfs inside it, so the host never sees it
//! and nothing needs cleaning up.

mod root;

use super::spec::{Isolation, Mount, NewView};
use anyhow::Context;
use rustix::mount::{
    MountFlags, MountPropagationFlags, mount_bind_recursive, mount_change, mount_remount,
};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};
use std::path::Path;

/// Where the host's root is while the private one is being filled.
const OLD_ROOT: &str = ".evenkeel-host";

/// Enters a new view.
pub(super) fn make(view: &NewView) -> anyhow::Result<()> {
    unshare(view.user_namespace)?;
    rustix::system::sethostname(view.hostname.as_bytes()).context("cannot set the host name")?;
    mount_change(
        "/",
        MountPropagationFlags::REC | MountPropagationFlags::PRIVATE,
    )
    .context("cannot make mounts private")?;
    match view.isolation {
        Isolation::None => Ok(()),
        Isolation::Mounts => mount_where_possible(&view.mounts),
        Isolation::Overlay => {
            root::build(view)?;
            for mount in &view.mounts {
                bind(mount).with_context(|| {
                    format!(
                        "cannot mount {} at {}",
                        mount.source.display(),
                        mount.target.display()
                    )
                })?;
            }
            leave_host(view.read_only)
        }
    }
}

/// Enters the view of a running process.
pub(super) fn join(pid: i32, user_namespace: bool) -> anyhow::Result<()> {
    let open = |name: &str| {
        std::fs::File::open(format!("/proc/{pid}/ns/{name}"))
            .with_context(|| format!("cannot open the {name} namespace of process {pid}"))
    };
    let (mounts, hostname) = (open("mnt")?, open("uts")?);
    if user_namespace {
        let user = open("user")?;
        enter(&user, LinkNameSpaceType::User)?;
    }
    enter(&hostname, LinkNameSpaceType::HostNameAndNISDomainName)?;
    enter(&mounts, LinkNameSpaceType::Mount)
}

fn enter(namespace: &std::fs::File, kind: LinkNameSpaceType) -> anyhow::Result<()> {
    use std::os::fd::AsFd;
    move_into_link_name_space(namespace.as_fd(), Some(kind)).context("cannot enter the container")
}

fn unshare(user_namespace: bool) -> anyhow::Result<()> {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    let mut flags = UnshareFlags::NEWNS | UnshareFlags::NEWUTS;
    if user_namespace {
        flags |= UnshareFlags::NEWUSER;
    }
    #[expect(deprecated, reason = "unsafe only with FILES, which is not asked for")]
    rustix::thread::unshare(flags).context("cannot make namespaces")?;
    if user_namespace {
        std::fs::write("/proc/self/setgroups", "deny").context("cannot map groups")?;
        std::fs::write("/proc/self/uid_map", format!("0 {} 1", uid.as_raw()))?;
        std::fs::write("/proc/self/gid_map", format!("0 {} 1", gid.as_raw()))?;
    }
    Ok(())
}

/// Without a private root: what has a mount point on the host is mounted, the rest is left out.
fn mount_where_possible(mounts: &[Mount]) -> anyhow::Result<()> {
    for mount in mounts.iter().filter(|m| m.target.exists()) {
        bind_at(&mount.source, &mount.target, mount.read_only)
            .with_context(|| format!("cannot mount at {}", mount.target.display()))?;
    }
    Ok(())
}

/// In the new root: paths of the host are below [`OLD_ROOT`], and links such as `/var/run` resolve
/// as the program will see them.
fn bind(mount: &Mount) -> anyhow::Result<()> {
    let source = Path::new("/")
        .join(OLD_ROOT)
        .join(mount.source.strip_prefix("/")?);
    anyhow::ensure!(source.exists(), "{} does not exist", mount.source.display());
    if source.is_dir() {
        std::fs::create_dir_all(&mount.target)?;
    } else if !mount.target.exists() {
        if let Some(parent) = mount.target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::File::create(&mount.target)?;
    }
    bind_at(&source, &mount.target, mount.read_only)?;
    Ok(())
}

fn bind_at(source: &Path, target: &Path, read_only: bool) -> rustix::io::Result<()> {
    mount_bind_recursive(source, target)?;
    if read_only {
        // Flags that the host's mount has may be locked: keep the usual ones.
        let flags = MountFlags::BIND | MountFlags::RDONLY;
        mount_remount(target, flags, c"").or_else(|_| {
            mount_remount(target, flags | MountFlags::NOSUID | MountFlags::NODEV, c"")
        })?;
    }
    Ok(())
}

fn leave_host(read_only: bool) -> anyhow::Result<()> {
    root::leave_host()?;
    if read_only {
        mount_remount("/", MountFlags::BIND | MountFlags::RDONLY, c"")
            .context("cannot make the root read-only")?;
    }
    Ok(())
}
