//! Numbers as Go has them on amd64, where upstream's recordings were made.

/// Go's `int32(f)`: a float that does not fit gives the smallest number.
pub(crate) fn to_i32(value: f64) -> i32 {
    if value > -2_147_483_649.0 && value < 2_147_483_648.0 {
        value as i32
    } else {
        i32::MIN
    }
}

/// Go's `int64(f)`: a float that does not fit gives the smallest number.
pub(crate) fn to_i64(value: f64) -> i64 {
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    if (-BOUND..BOUND).contains(&value) {
        value as i64
    } else {
        i64::MIN
    }
}
