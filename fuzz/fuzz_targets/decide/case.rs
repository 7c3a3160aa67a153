//! Everything that one decision takes, made from the fuzzer's bytes.

mod history;
mod options;
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
        let mut spec = spec::any(&mut any)?;
        let seen = seen::any(&mut any, now, &spec)?;
        let mut history = history::any(&mut any, now)?;
        // Last, so that older seeds still mean what they did.
        spec.options = options::any(&mut any)?;
        history.known = options::known(&mut any, now, &spec)?;
        Ok(Self {
            allowed,
            now,
            spec,
            seen,
            history,
        })
    }
}
