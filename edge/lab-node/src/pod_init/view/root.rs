//! A private root file system: the host's files below, a tmpfs above.
//!
//! As root one overlay on `/` does most of it. In a user namespace the kernel does not allow an overlay
//! on a directory with mounts below it; then the root is put together entry by entry.

use super::OLD_ROOT;
use crate::pod_init::spec::NewView;
use anyhow::Context;
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind_recursive, unmount};
use std::collections::BTreeSet;
use std::ffi::CString;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// The most mounts of the host that are taken over.
const MOUNTS_MAX: usize = 256;
/// The most entries of a directory that are shown, where they are shown one by one.
const ENTRIES_MAX: usize = 1_024;
/// How deep directories with mounts in them are taken apart.
const DEPTH_MAX: u32 = 8;
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

/// Makes the root and moves into it; the host's is at [`OLD_ROOT`].
pub(super) fn build(view: &NewView) -> anyhow::Result<()> {
    // Read before this function adds to it.
    let mounts = host_mounts()?;
    let options = c_string(WRITABLE)?;
    mount(
        "tmpfs",
        &view.scratch,
        "tmpfs",
        MountFlags::NOSUID,
        Some(options.as_c_str()),
    )
    .context("cannot mount a tmpfs")?;
    rustix::process::chdir(&view.scratch)?;
    let root = view.scratch.join("root");
    std::fs::create_dir(&root)?;
    let mut builder = Builder {
        mounts: &mounts,
        own: own_directories(view),
        view,
        layers: 0,
    };
    if builder.overlay(Path::new("/"), &root).is_ok() {
        builder.take_over(&root);
    } else {
        // A root has to be a mount.
        mount_bind_recursive(&root, &root).context("cannot mount a root on itself")?;
        builder
            .compose(Path::new("/"), &root, 0)
            .context("cannot put a root together")?;
    }
    std::fs::create_dir_all(root.join(OLD_ROOT))?;
    rustix::process::pivot_root(&root, root.join(OLD_ROOT)).context("cannot change the root")?;
    rustix::process::chdir("/")?;
    Ok(())
}

struct Builder<'a> {
    mounts: &'a [HostMount],
    /// Directories of the host that get entries which the host does not have.
    own: BTreeSet<PathBuf>,
    view: &'a NewView,
    /// Overlays so far: each has its own layers.
    layers: u32,
}

impl Builder<'_> {
    /// An overlay of `lower` at the directory `target`.
    fn overlay(&mut self, lower: &Path, target: &Path) -> anyhow::Result<()> {
        let name = lower.to_str().filter(|l| !l.contains([':', ',', '\\']));
        let name = name.context("a path with : or ,")?;
        let number = self.layers;
        self.layers += 1;
        for layer in ["upper", "work"] {
            std::fs::create_dir(format!("{layer}{number}"))?;
        }
        // The merged directory has the upper one's owner and mode.
        copy_attributes(lower, Path::new(&format!("upper{number}")));
        let extra = if self.view.user_namespace {
            ",userxattr"
        } else {
            ""
        };
        let options = format!("lowerdir={name},upperdir=upper{number},workdir=work{number}{extra}");
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

    /// Mounts below the host's root are not part of an overlay: each is laid over in its turn, or
    /// taken as it is.
    fn take_over(&mut self, root: &Path) {
        let mut taken_whole: Vec<&Path> = Vec::new();
        for mount in self.mounts.iter().take(MOUNTS_MAX) {
            let inside = mount.at.strip_prefix("/").unwrap_or(&mount.at);
            let target = root.join(inside);
            let skip = inside.as_os_str().is_empty()
                || taken_whole.iter().any(|t| mount.at.starts_with(t))
                || mount.at.starts_with(&self.view.scratch)
                || !target.exists();
            if skip {
                continue;
            }
            let laid_over =
                !mount.is_pseudo() && mount.at.is_dir() && self.overlay(&mount.at, &target).is_ok();
            if !laid_over {
                // A mount that cannot be shown is left out; the directory below it is there.
                let _ = mount_bind_recursive(&mount.at, &target);
                taken_whole.push(&mount.at);
            }
        }
    }

    /// Shows the entries of `lower` in the directory `target`.
    fn compose(&mut self, lower: &Path, target: &Path, depth: u32) -> anyhow::Result<()> {
        copy_attributes(lower, target);
        let entries =
            std::fs::read_dir(lower).with_context(|| format!("cannot read {}", lower.display()))?;
        for entry in entries.flatten().take(ENTRIES_MAX) {
            let (from, to) = (entry.path(), target.join(entry.file_name()));
            // What cannot be shown is left out: programs that need it say so.
            if let Err(error) = self.show(&from, &to, depth) {
                tracing::trace!(path = %from.display(), %error, "not shown");
            }
        }
        Ok(())
    }

    fn show(&mut self, from: &Path, to: &Path, depth: u32) -> anyhow::Result<()> {
        let kind = std::fs::symlink_metadata(from)?.file_type();
        if kind.is_symlink() {
            symlink(std::fs::read_link(from)?, to)?;
        } else if !kind.is_dir() {
            std::fs::File::create(to)?;
            mount_bind_recursive(from, to)?;
        } else {
            std::fs::create_dir(to)?;
            self.show_directory(from, to, depth)?;
        }
        Ok(())
    }

    fn show_directory(&mut self, from: &Path, to: &Path, depth: u32) -> anyhow::Result<()> {
        let pseudo = self.mounts.iter().any(|m| m.at == from && m.is_pseudo());
        let has_mounts = self
            .mounts
            .iter()
            .any(|m| m.at != from && m.at.starts_with(from));
        let is_changed = self.own.contains(from);
        if !pseudo && (has_mounts || is_changed) && depth < DEPTH_MAX {
            return self.compose(from, to, depth + 1);
        }
        if pseudo || has_mounts || self.overlay(from, to).is_err() {
            mount_bind_recursive(from, to)?;
        }
        Ok(())
    }
}

/// Where the view's mounts need mount points that are not there yet, and the way to them.
///
/// In a user namespace the host's directories cannot be written to, not even above an overlay: they
/// belong to users that the namespace does not have.
fn own_directories(view: &NewView) -> BTreeSet<PathBuf> {
    let mut own = BTreeSet::new();
    for mount in view.mounts.iter().filter(|m| !m.target.exists()) {
        let existing = mount.target.ancestors().find(|a| a.exists());
        let real = existing
            .and_then(|a| a.canonicalize().ok())
            .unwrap_or_default();
        own.extend(real.ancestors().map(Path::to_owned));
    }
    own
}

/// A mount of the host.
#[derive(Debug, PartialEq, Eq)]
struct HostMount {
    at: PathBuf,
    kind: String,
}

impl HostMount {
    fn is_pseudo(&self) -> bool {
        PSEUDO.contains(&self.kind.as_str()) || self.at.starts_with("/dev")
    }
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

/// Owner and mode, as far as they may be set here.
fn copy_attributes(from: &Path, to: &Path) {
    if let Ok(attributes) = std::fs::metadata(from) {
        drop(chown(to, Some(attributes.uid()), Some(attributes.gid())));
        drop(std::fs::set_permissions(to, attributes.permissions()));
    }
}

/// Leaves the host's root behind.
pub(super) fn leave_host() -> anyhow::Result<()> {
    let old = Path::new("/").join(OLD_ROOT);
    unmount(&old, UnmountFlags::DETACH).context("cannot leave the host's root")?;
    drop(std::fs::remove_dir(&old));
    Ok(())
}

fn c_string(text: &str) -> anyhow::Result<CString> {
    CString::new(text).context("a path with a zero byte")
}
