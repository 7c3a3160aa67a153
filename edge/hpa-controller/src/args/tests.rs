//! Defaults, and what is refused in upstream's words.

use super::*;
use clap::Parser;

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    args: Args,
}

fn args(flags: &[&str]) -> Args {
    let all = std::iter::once("hpa-controller").chain(flags.iter().copied());
    Program::try_parse_from(all).unwrap().args
}

#[test]
fn the_defaults_are_upstreams_but_for_the_leases_name() {
    let args = args(&[]);
    args.validate().unwrap();
    assert!(args.leader.leader_elect);
    let terms = args.leader.terms();
    assert_eq!(
        (terms.namespace.as_str(), terms.name.as_str()),
        ("kube-system", "evenkeel-hpa-controller")
    );
    let seconds = [terms.duration, terms.renew_deadline, terms.retry_period].map(|d| d.as_secs());
    assert_eq!(seconds, [15, 10, 2]);
    assert_eq!(args.serving.secure_port, 10257);
    assert_eq!(args.v, 2);
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    let refused = [
        (
            "--leader-elect-renew-deadline=15s",
            "leaseDuration must be greater than renewDeadline",
        ),
        (
            "--leader-elect-retry-period=9s",
            "renewDeadline must be greater than retryPeriod*JitterFactor",
        ),
        (
            "--leader-elect-retry-period=-1s",
            "retryPeriod must be greater than zero",
        ),
        (
            "--leader-elect-resource-name=",
            "--leader-elect-resource-name must not be empty",
        ),
        (
            "--tls-cert-file=a.crt",
            "need both --tls-cert-file and --tls-private-key-file",
        ),
    ];
    for (flag, text) in refused {
        assert_eq!(args(&[flag]).validate().unwrap_err().to_string(), text);
    }
}

#[test]
fn flags_of_upstream_that_mean_nothing_here_are_accepted_and_others_are_not() {
    let args = args(&["--kube-api-qps=50", "--profiling=false", "--profiling"]);
    assert_eq!(args.inherited.given(), ["kube-api-qps", "profiling"]);
    let unknown = Program::try_parse_from(["hpa-controller", "--leader-elected"]);
    let text = unknown.unwrap_err().to_string();
    assert!(text.contains("'--leader-elect'"), "{text}");
}

#[test]
fn without_election_its_terms_do_not_matter() {
    let flags = ["--leader-elect=false", "--leader-elect-renew-deadline=1h"];
    args(&flags).validate().unwrap();
}
