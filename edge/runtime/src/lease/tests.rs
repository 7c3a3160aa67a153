//! Terms that cannot work are refused in upstream's words; names differ.

use super::*;

fn terms(duration: u64, deadline: u64, retry: u64) -> Terms {
    Terms {
        namespace: "kube-system".to_owned(),
        name: "lease".to_owned(),
        identity: identity(),
        duration: Duration::from_secs(duration),
        renew_deadline: Duration::from_secs(deadline),
        retry_period: Duration::from_secs(retry),
    }
}

#[test]
fn terms_must_leave_time_for_what_they_promise() {
    assert_eq!(terms(15, 10, 2).validate(), Ok(()));
    let refused = [
        (
            terms(10, 10, 2),
            "leaseDuration must be greater than renewDeadline",
        ),
        (
            terms(15, 2, 2),
            "renewDeadline must be greater than retryPeriod*JitterFactor",
        ),
        (terms(15, 10, 0), "retryPeriod must be greater than zero"),
    ];
    for (terms, text) in refused {
        assert_eq!(terms.validate(), Err(text));
    }
}

#[test]
fn two_processes_of_one_host_have_different_names() {
    let (one, other) = (identity(), identity());
    assert_ne!(one, other);
    assert!(one.contains('_'), "{one}");
}
