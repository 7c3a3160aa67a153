//! metrics-server.
