//! What the controller remembers.

use crate::any::Any;
use arbitrary::Result;
use hpa::{History, Recommendation, ScaleEvent};
use units::Timestamp;

pub(crate) fn any(any: &mut Any<'_, '_>, now: Timestamp) -> Result<History> {
    Ok(History {
        recommendations: any.maybe(|any| {
            any.list(6, |any| {
                Ok(Recommendation {
                    at: any.time(now)?,
                    replicas: any.number(0, 60)?,
                })
            })
        })?,
        ups: events(any, now)?,
        downs: events(any, now)?,
        known: Vec::new(),
    })
}

fn events(any: &mut Any<'_, '_>, now: Timestamp) -> Result<Vec<ScaleEvent>> {
    any.list(4, |any| {
        Ok(ScaleEvent {
            at: any.time(now)?,
            change: any.number(0, 60)?,
        })
    })
}
