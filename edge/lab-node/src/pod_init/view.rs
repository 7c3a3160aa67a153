//! The files that a program sees: a private root over the host's, with the pod's own mounts.
//!
//! Everything happens in a new mount namespace and on a tmpfs inside it, so the host never sees it
//! and nothing needs cleaning up.

use super::spec::{Isolation, Mount, NewView};
use anyhow::Context;
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change,
    mount_remount, unmount,
};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};
use std::ffi::CString;
use std::path::{Path, PathBuf};

/// Where the host's root is while the private one is being filled.
const OLD_ROOT: &str = ".evenkeel-host";
/// The most mounts of the host that are taken over.
const MOUNTS_MAX: usize = 256;
/// What a container may write to its root file system.
const WRITABLE: &str = "size=256m,mode=0755";
/// File systems without files to change: programs get the host's.
const PSEUDO: [&str; 14] = [
    "proc",
    "sysfs",
    "devtmpfs",
    "devpts",
    "cgroup",
    "cgroup2",
    "mqueue",
    "hugetlbfs",
    "debugfs",
    "tracefs",
    "securityfs",
    "bpf",
    "pstore",
    "binfmt_misc",
];

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
            build_root(view)?;
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

fn build_root(view: &NewView) -> anyhow::Result<()> {
    // Read before this function adds to it.
    let host_mounts = host_mounts()?;
    mount(
        "tmpfs",
        &view.scratch,
        "tmpfs",
        MountFlags::NOSUID,
        Some(c_string(WRITABLE)?.as_c_str()),
    )
    .context("cannot mount a tmpfs")?;
    rustix::process::chdir(&view.scratch)?;
    overlay(Path::new("/"), Path::new("root"), 0, view.user_namespace)
        .context("cannot mount an overlay on the host's root")?;
    let root = view.scratch.join("root");
    take_over(&host_mounts, &root, view)?;
    std::fs::create_dir_all(root.join(OLD_ROOT))?;
    rustix::process::pivot_root(&root, root.join(OLD_ROOT)).context("cannot change the root")?;
    rustix::process::chdir("/")?;
    Ok(())
}

/// An overlay of `lower` at `target`, which may be relative to the scratch directory; layer
/// directories are named by `number`.
fn overlay(lower: &Path, target: &Path, number: usize, user: bool) -> anyhow::Result<()> {
    let lower = lower
        .to_str()
        .filter(|l| !l.contains([':', ',', '\\']))
        .context("a path with : or ,")?;
    for layer in ["upper", "work"] {
        std::fs::create_dir(format!("{layer}{number}"))?;
    }
    std::fs::create_dir_all(target)?;
    let extra = if user { ",userxattr" } else { "" };
    let options = format!("lowerdir={lower},upperdir=upper{number},workdir=work{number}{extra}");
    let options = c_string(&options)?;
    mount(
        "overlay",
        target,
        "overlay",
        MountFlags::empty(),
        Some(options.as_c_str()),
    )?;
    Ok(())
}

/// Mounts below the host's root are not part of an overlay: each is laid over in its turn, or taken
/// as it is.
fn take_over(mounts: &[HostMount], root: &Path, view: &NewView) -> anyhow::Result<()> {
    let mut taken_whole: Vec<&Path> = Vec::new();
    for (index, mount) in mounts.iter().enumerate().take(MOUNTS_MAX) {
        let inside = mount.at.strip_prefix("/").unwrap_or(&mount.at);
        let skip = inside.as_os_str().is_empty()
            || taken_whole.iter().any(|t| mount.at.starts_with(t))
            || mount.at.starts_with(&view.scratch)
            || !root.join(inside).exists();
        if skip {
            continue;
        }
        let target = root.join(inside);
        let pseudo = PSEUDO.contains(&mount.kind.as_str()) || mount.at.starts_with("/dev");
        let laid_over = !pseudo
            && mount.at.is_dir()
            && overlay(&mount.at, &target, index + 1, view.user_namespace).is_ok();
        if !laid_over {
            // A mount that cannot be shown is left out; the directory below it is there.
            let _ = mount_bind_recursive(&mount.at, &target);
            taken_whole.push(&mount.at);
        }
    }
    Ok(())
}

/// A mount of the host.
#[derive(Debug, PartialEq, Eq)]
struct HostMount {
    at: PathBuf,
    kind: String,
}

fn host_mounts() -> anyhow::Result<Vec<HostMount>> {
    let text = std::fs::read_to_string("/proc/self/mountinfo").context("cannot read mounts")?;
    Ok(text.lines().filter_map(parse_mount).collect())
}

/// `36 35 98:0 /root /mount/point options - type source options`; odd characters are octal.
fn parse_mount(line: &str) -> Option<HostMount> {
    let at = line.split(' ').nth(4)?;
    let (_, rest) = line.split_once(" - ")?;
    let at = at
        .replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\134", "\\");
    Some(HostMount {
        at: PathBuf::from(at),
        kind: rest.split(' ').next()?.to_owned(),
    })
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
    let old = Path::new("/").join(OLD_ROOT);
    unmount(&old, UnmountFlags::DETACH).context("cannot leave the host's root")?;
    drop(std::fs::remove_dir(&old));
    if read_only {
        mount_remount("/", MountFlags::BIND | MountFlags::RDONLY, c"")
            .context("cannot make the root read-only")?;
    }
    Ok(())
}

fn c_string(text: &str) -> anyhow::Result<CString> {
    CString::new(text).context("a path with a zero byte")
}
