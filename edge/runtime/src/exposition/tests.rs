//! Two formats, line by line.

use super::*;
use expect_test::expect;

#[test]
fn names_kinds_and_numbers_are_those_of_the_classic_format() {
    let text = "\
# HELP a_request Number of requests.
# TYPE a_request counter
a_request_total{success=\"true\"} 3
# HELP b_seconds Time.
# TYPE b_seconds histogram
# UNIT b_seconds seconds
b_seconds_sum{node=\"le=\"} 2.5
b_seconds_bucket{le=\"0.5\"} 0
b_seconds_bucket{le=\"1.0\",node=\"x\"} 1
b_seconds_bucket{le=\"+Inf\"} 1
# HELP c Last.
# TYPE c gauge
c{role=\"1.0\"} 5.0
# EOF
";
    expect![[r#"
        # HELP a_request_total Number of requests
        # TYPE a_request_total counter
        a_request_total{success="true"} 3
        # HELP b_seconds Time
        # TYPE b_seconds histogram
        b_seconds_sum{node="le="} 2.5
        b_seconds_bucket{le="0.5"} 0
        b_seconds_bucket{le="1",node="x"} 1
        b_seconds_bucket{le="+Inf"} 1
        # HELP c Last
        # TYPE c gauge
        c{role="1.0"} 5
    "#]]
    .assert_eq(&classic(text));
}
