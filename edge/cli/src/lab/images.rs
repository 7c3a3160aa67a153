//! Which programs images are: the lab's own table, and the user's file before it.

use anyhow::{Context, Result};
use lab_node::ImageTable;
use std::path::Path;

/// The table with the entries of `file` first.
pub(crate) fn load(file: Option<&Path>) -> Result<ImageTable> {
    let Some(file) = file else { return Ok(ImageTable::builtin()) };
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the image table {}", file.display()))?;
    ImageTable::with_user_entries(&text)
        .with_context(|| format!("the image table {} is not usable", file.display()))
}
