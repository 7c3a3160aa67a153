//! Whole answers, line by line, for every kind of outcome.

mod limits;
mod metrics;
mod options;
mod outcomes;
mod properties;
mod samples;
mod steps;
