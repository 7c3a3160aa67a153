//! Tests that start real processes.

mod processes;
