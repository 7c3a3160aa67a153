//! Everything that one decision takes, made from the fuzzer's bytes.

mod history;
mod seen;
mod spec;

use crate::any::Any;
use arbitrary::{Arbitrary, Result, Unstructured};
use hpa::{History, Observation, Spec};
use units::{Duration, Timestamp};

#[derive(Debug)]
pub(crate) struct Case {
    /// Whether a cluster may be in this state: the API server accepts the autoscaler, and counts are sane.
    pub(crate) allowed: bool,
    pub(crate) now: Timestamp,
    pub(crate) spec: Spec,
    pub(crate) seen: Observation,
    pub(crate) history: History,
}

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let allowed = bytes.arbitrary()?;
        let mut any = Any { bytes, allowed };
        let start = Timestamp::from_seconds(1_767_268_800);
        let now = start.plus(Duration::from_nanos(i64::from(any.of::<u32>()?)));
        let spec = spec::any(&mut any)?;
        Ok(Self {
            allowed,
            now,
            seen: seen::any(&mut any, now, &spec)?,
            history: history::any(&mut any, now)?,
            spec,
        })
    }
}
