//! The bounds, and the limit on scaling up that is older than behavior.
//!
//! Upstream: horizontal.go, convertDesiredReplicasWithRules, calculateScaleUpLimit.

use crate::arithmetic::to_i32;
use crate::behavior::Move;
use crate::step::BoundStep;

/// Upstream: scaleUpLimitFactor and scaleUpLimitMinimum.
const UP_FACTOR: f64 = 2.0;
const UP_MINIMUM: f64 = 4.0;

/// A number, and what the ScalingLimited condition says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limited {
    pub(crate) replicas: i32,
    pub(crate) reason: &'static str,
    pub(crate) message: &'static str,
}

impl Limited {
    pub(crate) fn within(replicas: i32) -> Self {
        let message = "the desired count is within the acceptable range";
        Self {
            replicas,
            reason: "DesiredWithinRange",
            message,
        }
    }

    pub(crate) fn too_many(replicas: i32) -> Self {
        let message = "the desired replica count is more than the maximum replica count";
        Self {
            replicas,
            reason: "TooManyReplicas",
            message,
        }
    }

    pub(crate) fn too_few(replicas: i32) -> Self {
        let message = "the desired replica count is less than the minimum replica count";
        Self {
            replicas,
            reason: "TooFewReplicas",
            message,
        }
    }

    pub(crate) fn up_limit(replicas: i32) -> Self {
        let message = "the desired replica count is increasing faster than the maximum scale rate";
        Self {
            replicas,
            reason: "ScaleUpLimit",
            message,
        }
    }

    pub(crate) fn down_limit(replicas: i32) -> Self {
        let message = "the desired replica count is decreasing faster than the maximum scale rate";
        Self {
            replicas,
            reason: "ScaleDownLimit",
            message,
        }
    }
}

/// Without behavior.
pub(crate) fn legacy(wish: Move) -> (Limited, BoundStep) {
    let up_limit = to_i32((UP_FACTOR * f64::from(wish.current)).max(UP_MINIMUM));
    let (most, reason) = if wish.max > up_limit {
        (up_limit, Limited::up_limit(up_limit))
    } else {
        (wish.max, Limited::too_many(wish.max))
    };
    let limited = if wish.desired < wish.min {
        Limited::too_few(wish.min)
    } else if wish.desired > most {
        reason
    } else {
        Limited::within(wish.desired)
    };
    let step = BoundStep {
        min: wish.min,
        max: wish.max,
        up_limit,
        before: wish.desired,
        after: limited.replicas,
    };
    (limited, step)
}
