//! The folder a lab lives in: the user's data directory, or a temporary one that goes with the lab.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// A lab's folder.
#[derive(Debug)]
pub(crate) struct Home {
    path: PathBuf,
    temporary: bool,
}

impl Home {
    /// The data directory, made if need be; or a new temporary folder.
    pub(crate) fn open(data_dir: Option<PathBuf>) -> Result<Self> {
        match data_dir {
            Some(path) => Self::at(path, false),
            None => Self::temporary("evenkeel-lab"),
        }
    }

    /// A new folder below the system's, which goes when this value does.
    pub(crate) fn temporary(name: &str) -> Result<Self> {
        Self::at(
            std::env::temp_dir().join(format!("{name}-{}", std::process::id())),
            true,
        )
    }

    fn at(path: PathBuf, temporary: bool) -> Result<Self> {
        lab_auth::pki::private_directory(&path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        // Pods see paths below it from other working directories.
        let path = path
            .canonicalize()
            .with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self { path, temporary })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if !self.temporary {
            return;
        }
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!(folder = %self.path.display(), %error, "cannot remove the temporary folder");
        }
    }
}
