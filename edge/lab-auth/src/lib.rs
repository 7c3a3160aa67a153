//! lab-auth.
