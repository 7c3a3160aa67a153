//! What a metric's figures are counted in. They come as thousandths.

use crate::words::trimmed;
use hpa::{Resource, Source};
use units::{Format, Quantity};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// `250m`, `2`
    Cores,
    /// `512Mi`
    Bytes,
    /// `66.5`
    Plain,
}

impl Unit {
    pub(crate) fn of(source: &Source) -> Self {
        match source {
            Source::Resource { name } | Source::ContainerResource { name, .. } => {
                Self::of_resource(name)
            }
            _ => Self::Plain,
        }
    }

    fn of_resource(name: &Resource) -> Self {
        match name {
            Resource::Cpu => Self::Cores,
            Resource::Memory => Self::Bytes,
            Resource::Other(name)
                if name.ends_with("storage") || name.starts_with("hugepages-") =>
            {
                Self::Bytes
            }
            Resource::Other(_) => Self::Plain,
        }
    }

    pub(crate) fn amount(self, milli: i64) -> String {
        match self {
            Self::Cores => Quantity::from_milli(milli, Format::DecimalSi).to_string(),
            Self::Bytes => bytes(milli),
            Self::Plain => plain(milli),
        }
    }
}

fn plain(milli: i64) -> String {
    let (sign, size) = (if milli < 0 { "-" } else { "" }, milli.unsigned_abs());
    trimmed(format!("{sign}{}.{:03}", size / 1000, size % 1000))
}

const BINARY: [(&str, u64); 5] = [
    ("Pi", 1 << 50),
    ("Ti", 1 << 40),
    ("Gi", 1 << 30),
    ("Mi", 1 << 20),
    ("Ki", 1 << 10),
];

/// Exact where a unit divides it to less than five digits; else with one decimal, which is always written.
fn bytes(milli: i64) -> String {
    let sign = if milli < 0 { "-" } else { "" };
    let size = milli.unsigned_abs();
    if size < 1_024_000 {
        return plain(milli);
    }
    let exact = BINARY.iter().find(|(_, unit)| {
        size.is_multiple_of(1000)
            && (size / 1000).is_multiple_of(*unit)
            && size / 1000 / unit < 10_000
    });
    if let Some((name, unit)) = exact.filter(|(_, unit)| size / 1000 / unit > 0) {
        return format!("{sign}{}{name}", size / 1000 / unit);
    }
    let fitting = BINARY.iter().find(|(_, unit)| size / 1000 >= *unit);
    fitting.map_or_else(
        || plain(milli),
        |(name, unit)| format!("{sign}{:.1}{name}", size as f64 / 1000.0 / *unit as f64),
    )
}

#[cfg(test)]
mod tests;
