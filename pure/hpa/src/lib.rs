//! hpa.
