//! The folder a lab lives in: the user's data directory, or a temporary one that goes with the lab.

use anyhow::{Context, Result};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

#[cfg(test)]
mod tests;

/// A lab's folder.
#[derive(Debug)]
pub(crate) struct Home {
    path: PathBuf,
    temporary: Option<TempDir>,
}

impl Home {
    /// The data directory, made if need be; or a new temporary folder.
    pub(crate) fn open(data_dir: Option<PathBuf>) -> Result<Self> {
        let Some(path) = data_dir else {
            return Self::temporary("evenkeel-lab");
        };
        lab_auth::pki::private_directory(&path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        Ok(Self {
            path: canonical(&path)?,
            temporary: None,
        })
    }

    /// A new folder below the system's, which goes when this value does. Nobody can guess its name, and
    /// one that is there already is never taken: others may write to the system's.
    pub(crate) fn temporary(name: &str) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("{name}-"))
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .context("cannot make a temporary folder")?;
        Ok(Self {
            path: canonical(folder.path())?,
            temporary: Some(folder),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Pods see paths below it from other working directories.
fn canonical(path: &Path) -> Result<PathBuf> {
    path.canonicalize()
        .with_context(|| format!("cannot open {}", path.display()))
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.temporary.take().map(TempDir::close) {
            tracing::warn!(folder = %self.path.display(), %error, "cannot remove the temporary folder");
        }
    }
}
