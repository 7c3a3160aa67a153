//! lab-schema.
