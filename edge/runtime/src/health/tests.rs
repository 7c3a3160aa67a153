//! Health answers in upstream's words.

use super::*;
use expect_test::expect;

fn checks(storage: Result<(), String>) -> Checks {
    Checks::new("readyz")
        .always(&["ping", "log"])
        .with("metric-storage-ready", move || storage.clone())
}

#[test]
fn a_healthy_endpoint_says_ok_and_lists_its_checks_when_asked() {
    let checks = checks(Ok(()));
    assert_eq!(checks.answer(None, "").body, "ok");
    expect![[r#"
        [+]ping ok
        [+]log ok
        [+]metric-storage-ready ok
        readyz check passed
    "#]]
    .assert_eq(&checks.answer(None, "verbose").body);
}

#[test]
fn a_failing_check_withholds_its_reason_except_at_its_own_path() {
    let checks = checks(Err("no metrics to serve".to_owned()));
    let answer = checks.answer(None, "");
    assert_eq!(answer.code, 500);
    expect![[r#"
        [+]ping ok
        [+]log ok
        [-]metric-storage-ready failed: reason withheld
        readyz check failed
    "#]]
    .assert_eq(&answer.body);
    expect![[r#"
        internal server error: no metrics to serve
    "#]]
    .assert_eq(&checks.answer(Some("metric-storage-ready"), "").body);
    assert_eq!(checks.answer(Some("ping"), "").body, "ok");
    assert_eq!(checks.answer(Some("nothing"), "").code, 404);
}

#[test]
fn a_failing_check_can_be_excluded() {
    let checks = checks(Err("no metrics to serve".to_owned()));
    expect![[r#"
        [+]ping ok
        [+]log ok
        [+]metric-storage-ready excluded: ok
        warn: some health checks cannot be excluded: no matches for "foo"
        readyz check passed
    "#]]
    .assert_eq(
        &checks
            .answer(None, "verbose=1&exclude=metric-storage-ready&exclude=foo")
            .body,
    );
}
