//! Numbers as the Go program writes them.

/// Nanoseconds as seconds.
pub(super) fn seconds(nanos: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "float64, as upstream")]
    let seconds = nanos as f64 / 1e9;
    shortest(seconds)
}

/// A count.
pub(super) fn whole(value: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "float64, as upstream")]
    let value = value as f64;
    shortest(value)
}

/// Go's `strconv.FormatFloat(value, 'g', -1, 64)`: the fewest digits that read back equal, with an
/// exponent when it is below -4 or above 5.
fn shortest(value: f64) -> String {
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    match exponent.parse::<i32>() {
        Ok(power) if !(-4..6).contains(&power) => {
            let sign = if power < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", power.abs())
        }
        _ => format!("{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        for (value, expected) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.25, "0.25"),
            (0.0001, "0.0001"),
            (0.000_02, "2e-05"),
            (123_456.0, "123456"),
            (999_999.5, "999999.5"),
            (1_000_000.0, "1e+06"),
            (13_774_848.0, "1.3774848e+07"),
            (1e21, "1e+21"),
            (1.5e-300, "1.5e-300"),
        ] {
            assert_eq!(shortest(value), expected);
        }
        assert_eq!(seconds(1_234_567_890), "1.23456789");
        assert_eq!(whole(u64::MAX), "1.8446744073709552e+19");
    }
}
