//! Which texts are taken, and which are refused.

use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Result<Vec<Sample<'_>>, TextError> {
    samples(text).collect()
}

fn refused(text: &str) -> &'static str {
    read(text).expect_err("refused").expected
}

#[test]
fn a_line_has_a_name_labels_a_value_and_perhaps_a_timestamp() {
    let text = "# HELP x [STABLE] what it is\n# TYPE x counter\n\nx{a=\"1\",b=\"\\\"2\\\"\"} 1.5e+03 1700\ny 2\n";
    let lines = read(text).unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (lines[0].name, lines[0].value, lines[0].timestamp_millis),
        ("x", 1500.0, Some(1700))
    );
    let labels: Vec<_> = lines[0].labels.iter().collect();
    assert_eq!(labels, [("a", "1"), ("b", "\\\"2\\\"")]);
    assert_eq!(
        (lines[1].name, lines[1].value, lines[1].timestamp_millis),
        ("y", 2.0, None)
    );
}

#[test]
fn blanks_and_a_trailing_comma_are_free() {
    let lines = read("  x { a = \"1\" , }\t+Inf\t \n").unwrap();
    assert!(lines[0].value.is_infinite());
    assert_eq!(lines[0].labels.iter().count(), 1);
}

#[test]
fn a_broken_line_refuses_the_whole_text_and_says_where() {
    let error = read("x 1\nx{a=\"1} 2\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "failed parsing metrics: line 2: expected the label value's closing quote"
    );
    assert_eq!(refused("<html>"), "a metric name");
    assert_eq!(refused("x"), "a number as the value");
    assert_eq!(refused("x 1e999"), "a number as the value");
    assert_eq!(
        refused("x 1 -5"),
        "a timestamp in whole milliseconds, or the end of the line"
    );
    assert_eq!(
        refused("x 1 99999999999999999999"),
        "a timestamp that fits 64 bits"
    );
    assert_eq!(refused("x{a} 1"), "\"=\" after a label name");
    assert_eq!(refused("x{1=\"a\"} 1"), "a label name");
    assert_eq!(refused("x{a=1} 1"), "a quoted label value");
    assert_eq!(refused("# TYPE x ga"), "a known metric type");
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*|[x{}=\", #0-9\n\\\\TYPEHL]{0,60}") {
        let mut count = 0;
        for sample in samples(&text) {
            count += 1;
            if let Ok(sample) = sample {
                let _ = sample.labels.iter().count();
            }
        }
        prop_assert!(count <= text.len() + 1);
    }
}
