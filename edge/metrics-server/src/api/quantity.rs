//! Quantities written straight into the answer, as `resource.Quantity` prints them.

use std::io::Write;

const DECIMAL: [&str; 9] = ["n", "u", "m", "", "k", "M", "G", "T", "P"];
const BINARY: [&str; 6] = ["", "Ki", "Mi", "Gi", "Ti", "Pi"];

/// Billionths, with the largest decimal suffix that loses nothing.
pub(super) fn nanos(out: &mut Vec<u8>, value: u64) {
    suffixed(out, value, 1000, &DECIMAL);
}

/// Bytes, with the largest binary suffix that loses nothing; below 1024 upstream counts in decimals.
pub(super) fn bytes(out: &mut Vec<u8>, value: u64) {
    if value < 1024 {
        suffixed(out, value, 1000, &DECIMAL[3..]);
    } else {
        suffixed(out, value, 1024, &BINARY);
    }
}

fn suffixed(out: &mut Vec<u8>, mut value: u64, base: u64, suffixes: &[&str]) {
    let mut suffixes = suffixes.iter();
    let mut suffix = suffixes.next().copied().unwrap_or_default();
    if value == 0 {
        out.push(b'0');
        return;
    }
    while value.is_multiple_of(base) {
        let Some(next) = suffixes.next() else { break };
        suffix = next;
        value /= base;
    }
    // Writing to memory does not fail.
    let _ = write!(out, "{value}{suffix}");
}

#[cfg(test)]
mod tests;
