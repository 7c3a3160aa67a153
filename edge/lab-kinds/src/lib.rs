//! lab-kinds.
