//! sample-app.
