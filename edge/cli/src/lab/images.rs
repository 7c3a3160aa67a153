//! Which programs images are: the lab's own table, and the user's file before it.

use anyhow::{Context, Result};
use lab_node::ImageTable;
use std::path::Path;

/// The table with the entries of `file` first.
pub(crate) fn load(file: Option<&Path>) -> Result<ImageTable> {
    file.map_or_else(|| Ok(ImageTable::default()), ImageTable::with_file)
        .context("the image table is not usable")
}
