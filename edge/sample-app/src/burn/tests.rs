//! Work costs the processor time that was asked for.

use super::*;

#[test]
fn burning_uses_the_asked_cpu_time() {
    let before = thread_cpu_time();
    burn(Duration::from_millis(20));
    let used = thread_cpu_time() - before;
    assert!(used >= Duration::from_millis(20), "{used:?}");
    assert!(used < Duration::from_millis(60), "{used:?}");
}

#[test]
fn costs_are_read_with_their_units() {
    for (text, expected) in [
        ("5ms", Some(Duration::from_millis(5))),
        ("250us", Some(Duration::from_micros(250))),
        ("1s", Some(Duration::from_secs(1))),
        ("0", Some(Duration::ZERO)),
        ("5", None),
        ("", None),
        ("ms", None),
        ("5h", None),
        ("99999999999999999999ms", None),
    ] {
        assert_eq!(parse_cost(text).ok(), expected, "{text}");
    }
}
