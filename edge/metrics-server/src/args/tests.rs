//! Flags that are taken, and flags that are refused.

use super::*;
use clap::Parser;
use expect_test::{Expect, expect};

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    args: Args,
}

fn parse(flags: &str) -> Args {
    Program::try_parse_from(words(flags)).unwrap().args
}

fn words(flags: &str) -> impl Iterator<Item = &str> {
    std::iter::once("metrics-server").chain(flags.split_whitespace())
}

fn refused(flags: &str, text: Expect) {
    text.assert_eq(&parse(flags).validate().unwrap_err().to_string());
}

#[test]
fn the_flags_of_the_eks_exercise_are_understood() {
    let args = parse(
        "--cert-dir=/tmp --secure-port=4443 \
         --kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname --kubelet-use-node-status-port",
    );
    args.validate().unwrap();
    assert_eq!(args.serving.secure_port, 4443);
    assert_eq!(
        args.kubelet.kubelet_preferred_address_types,
        ["InternalIP", "ExternalIP", "Hostname"]
    );
    assert!(args.kubelet.kubelet_use_node_status_port);
    assert_eq!(args.resolution().unwrap(), RESOLUTION);
}

#[test]
fn inherited_flags_are_accepted_and_named() {
    let args = parse("--profiling=false --audit-log-path - --tls-min-version=VersionTLS12 -v 2");
    assert_eq!(
        args.inherited.given(),
        ["audit-log-path", "tls-min-version", "profiling"]
    );
    assert_eq!(args.v, 2);
}

#[test]
fn an_unknown_flag_is_refused_and_the_nearest_named() {
    let error = Program::try_parse_from(words("--metric-resolutoin=15s"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("'--metric-resolution"), "{error}");
}

#[test]
fn impossible_combinations_are_refused_in_upstreams_words() {
    refused(
        "--metric-resolution=9s",
        expect!["metric-resolution should be a time duration at least 10s, but value 9s provided"],
    );
    refused(
        "--metric-resolution=11s",
        expect![
            "metric-resolution should be larger than kubelet-request-timeout, but metric-resolution value 11s kubelet-request-timeout value 10s provided"
        ],
    );
    refused(
        "--kubelet-insecure-tls --kubelet-certificate-authority=a",
        expect!["cannot use both --kubelet-certificate-authority and --kubelet-insecure-tls"],
    );
    refused(
        "--kubelet-client-key=a --kubelet-request-timeout=0s",
        expect![
            "[need both --kubelet-client-key and --kubelet-client-certificate, kubelet-request-timeout should be positive]"
        ],
    );
}
