//! Versioned objects and their watch log: an API server's store without HTTP, JSON or a disk.
//!
//! A [`Store`] holds payloads under (collection, key), numbers every change with one counter,
//! and remembers the latest changes of each collection, so that a watch can resume and a list
//! can be continued as of the revision it began at. What is forgotten is answered [`Expired`].
//!
//! A write has two steps: [`Store::stage`] decides (and numbers) it in a [`Batch`], and
//! [`Store::commit`] makes the batch visible. Between the two the caller may write it to a disk.
//!
//! Not here: clocks, threads, encoding.

mod batch;
mod history;
mod store;

pub use batch::{Batch, Change, Expect, Mismatch};
pub use history::{Event, Expired};
pub use store::{Entry, Item, Limits, ListQuery, Page, Store, Weigh};
