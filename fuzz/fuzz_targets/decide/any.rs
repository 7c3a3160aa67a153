//! Small choices, from which a case is made.

use arbitrary::{Arbitrary, Result, Unstructured};
use units::{Duration, Timestamp};

/// Bytes to choose from, and whether the API server's rules are kept.
pub(crate) struct Any<'a, 'b> {
    pub(crate) bytes: &'b mut Unstructured<'a>,
    pub(crate) allowed: bool,
}

impl<'a> Any<'a, '_> {
    pub(crate) fn of<T: Arbitrary<'a>>(&mut self) -> Result<T> {
        self.bytes.arbitrary()
    }

    pub(crate) fn one<T: Clone>(&mut self, list: &[T]) -> Result<T> {
        self.bytes.choose(list).cloned()
    }

    /// Mostly within the range; anything at all where no rule is kept.
    pub(crate) fn number(&mut self, least: i32, most: i32) -> Result<i32> {
        if !self.allowed && self.bytes.ratio(1, 8)? {
            return self.of();
        }
        self.bytes.int_in_range(least..=most)
    }

    /// Milli-units, small or of any size.
    pub(crate) fn milli(&mut self) -> Result<i64> {
        if self.bytes.ratio(1, 8)? {
            return self.of();
        }
        self.bytes.int_in_range(0..=1_000)
    }

    /// So long at most before `now`, mostly.
    pub(crate) fn time(&mut self, now: Timestamp) -> Result<Timestamp> {
        Ok(match self.bytes.int_in_range(0..=15)? {
            0 => Timestamp::from_seconds(self.of()?),
            1 => Timestamp::GO_ZERO,
            _ => now.minus(Duration::from_seconds(self.bytes.int_in_range(-5..=700)?)),
        })
    }

    pub(crate) fn span(&mut self) -> Result<Duration> {
        Ok(match self.bytes.int_in_range(0..=7)? {
            0 => Duration::from_nanos(self.of()?),
            _ => Duration::from_seconds(self.bytes.int_in_range(0..=600)?),
        })
    }

    pub(crate) fn maybe<T>(
        &mut self,
        make: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<Option<T>> {
        if self.of()? {
            make(self).map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn list<T>(
        &mut self,
        most: usize,
        mut make: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let count = self.bytes.int_in_range(0..=most)?;
        (0..count).map(|_| make(self)).collect()
    }

    /// What was found, or that it could not be.
    pub(crate) fn found<T>(
        &mut self,
        make: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<std::result::Result<T, String>> {
        if self.bytes.ratio(1, 10)? {
            return Ok(Err("it did not answer".to_owned()));
        }
        make(self).map(Ok)
    }
}
