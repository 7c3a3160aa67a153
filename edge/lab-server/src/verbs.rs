//! What can be done with resources.

pub(crate) mod apply;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod input;
pub(crate) mod patch;
pub(crate) mod read;
pub(crate) mod update;
