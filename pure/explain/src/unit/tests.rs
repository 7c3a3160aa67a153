//! Amounts as people write them.

use super::Unit;

#[test]
fn amounts_are_written_as_in_manifests() {
    assert_eq!(
        [81, 2_000, 1_500].map(|m| Unit::Cores.amount(m)),
        ["81m", "2", "1500m"]
    );
    assert_eq!(
        [66_500, 1_200_000, -3, 0].map(|m| Unit::Plain.amount(m)),
        ["66.5", "1200", "-0.003", "0"]
    );
}

#[test]
fn bytes_are_exact_or_have_a_decimal() {
    let mebi = 1024 * 1024 * 1000;
    let said = [
        512 * mebi,
        1500 * mebi,
        2048 * mebi,
        512 * mebi + 1,
        733_003_201_000,
        1_000_000,
    ]
    .map(|m| Unit::Bytes.amount(m));
    assert_eq!(
        said,
        ["512Mi", "1500Mi", "2Gi", "512.0Mi", "699.0Mi", "1000"]
    );
}
