//! The one clock.

use jiff::Timestamp;

/// The wall clock, now. Everything else is told the time.
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the one clock")]
    Timestamp::now()
}
