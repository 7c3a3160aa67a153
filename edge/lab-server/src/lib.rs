//! lab-server.
