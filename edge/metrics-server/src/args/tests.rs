//! Flags that are taken, and flags that are refused.

use super::*;
use clap::{CommandFactory, Parser};
use runtime::flags::{Positionals, normalised};
use std::ffi::OsString;

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    args: Args,
}

fn parse(flags: &str) -> Args {
    Program::try_parse_from(words(flags)).unwrap().args
}

/// As the program reads its command line.
fn words(flags: &str) -> Vec<OsString> {
    let given = flags.split_whitespace().map(OsString::from);
    let read = normalised(&Program::command(), Positionals::Ignored, given);
    std::iter::once("metrics-server".into())
        .chain(read)
        .collect()
}

fn refused(flags: &str, text: &str) {
    let refused = parse(flags).validate().map_err(|error| error.to_string());
    assert_eq!(refused, Err(text.to_owned()), "{flags}");
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
    let args = parse("--profiling=false --audit-log-path - --vmodule=a=1 -v 2");
    assert_eq!(
        args.inherited.given(),
        ["audit-log-path", "vmodule", "profiling"]
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
fn the_first_mistake_about_kubelets_is_told_in_upstreams_words_and_order() {
    let insecure = "--deprecated-kubelet-completely-insecure";
    let both = |flag: &str| format!("cannot use both {flag} and {insecure}");
    for (flags, text) in [
        (
            "--kubelet-insecure-tls --kubelet-certificate-authority=a --metric-resolution=9s",
            "cannot use both --kubelet-certificate-authority and --kubelet-insecure-tls".to_owned(),
        ),
        (
            "--kubelet-client-key=a --kubelet-request-timeout=0s",
            "need both --kubelet-client-key and --kubelet-client-certificate".to_owned(),
        ),
        (
            "--kubelet-client-key=a --kubelet-client-certificate=b --deprecated-kubelet-completely-insecure",
            both("--kubelet-client-key"),
        ),
        (
            "--kubelet-insecure-tls --deprecated-kubelet-completely-insecure",
            both("--kubelet-insecure-tls"),
        ),
        (
            "--kubelet-certificate-authority=a --deprecated-kubelet-completely-insecure",
            both("--kubelet-certificate-authority"),
        ),
        (
            "--kubelet-request-timeout -1s",
            "kubelet-request-timeout should be positive".to_owned(),
        ),
    ] {
        refused(flags, &text);
    }
}

#[test]
fn other_mistakes_are_told_in_upstreams_words_and_order() {
    for (flags, text) in [
        (
            "--metric-resolution=9s",
            "metric-resolution should be a time duration at least 10s, but value 9s provided",
        ),
        (
            "--metric-resolution=11s",
            "metric-resolution should be larger than kubelet-request-timeout, but metric-resolution value 11s \
             kubelet-request-timeout value 10s provided",
        ),
        (
            "--kubelet-request-timeout=55s",
            "metric-resolution should be larger than kubelet-request-timeout, but metric-resolution value 1m0s \
             kubelet-request-timeout value 55s provided",
        ),
        (
            "--logging-format=xml --request-timeout=-1s",
            "format: Invalid value: \"xml\": Unsupported log format",
        ),
        (
            "--request-timeout=-1s",
            "--request-timeout can not be negative value",
        ),
        (
            "--max-requests-inflight=-1",
            "--max-requests-inflight can not be negative value",
        ),
        (
            "--goaway-chance=0.5",
            "--goaway-chance can not be less than 0 or greater than 0.02",
        ),
        (
            "--shutdown-delay-duration -5s",
            "--shutdown-delay-duration can not be negative value",
        ),
        (
            "--tls-cert-file=a",
            "need both --tls-cert-file and --tls-private-key-file",
        ),
    ] {
        refused(flags, text);
    }
    let directives = parse("--strict-transport-security-directives=forever");
    let error = directives.validate().unwrap_err().to_string();
    assert!(
        error.starts_with("--strict-transport-security-directives invalid, allowed values"),
        "{error}"
    );
}

#[test]
fn flags_are_read_as_go_reads_them() {
    for (flags, holds) in [
        (
            "--metric-resolution=20s --metric-resolution=30s",
            (|args| args.metric_resolution == Some(Duration::from_seconds(30)))
                as fn(&Args) -> bool,
        ),
        ("--kubelet-insecure-tls", |args| {
            args.kubelet.kubelet_insecure_tls
        }),
        ("--kubelet-insecure-tls=T", |args| {
            args.kubelet.kubelet_insecure_tls
        }),
        ("--kubelet-insecure-tls=1", |args| {
            args.kubelet.kubelet_insecure_tls
        }),
        (
            "--kubelet-insecure-tls=1 --kubelet-insecure-tls=F",
            |args| !args.kubelet.kubelet_insecure_tls,
        ),
        ("--tls-cert-file= --tls-private-key-file=", |args| {
            args.serving.tls_cert_file.is_none() && args.serving.tls_private_key_file.is_none()
        }),
        ("start --secure-port 4443 now", |args| {
            args.serving.secure_port == 4443
        }),
        ("-l a=b -v=4", |args| {
            args.kubelet.node_selector == "a=b" && args.v == 4
        }),
        ("--authorization-always-allow-paths=", |args| {
            !args
                .auth
                .authorization_always_allow_paths
                .iter()
                .any(|path| path.contains("livez"))
        }),
        (
            "--requestheader-allowed-names=a --requestheader-allowed-names=b,c",
            |args| args.auth.requestheader_allowed_names == ["a", "b", "c"],
        ),
        ("--secure-port=0", |args| args.validate().is_ok()),
    ] {
        assert!(holds(&parse(flags)), "{flags}");
    }
}

#[test]
fn unknown_ways_of_tls_are_refused_in_upstreams_words() {
    let refused = |flags: &str| parse(flags).serving.settings().unwrap_err().to_string();
    assert_eq!(
        refused("--tls-cipher-suites=TLS_ROT13"),
        "Cipher suite TLS_ROT13 not supported or doesn't exist"
    );
    assert_eq!(
        refused("--tls-min-version=1.2"),
        "unknown tls version \"1.2\""
    );
    let chosen = parse("--tls-min-version=VersionTLS13 --disable-http2-serving");
    assert!(chosen.serving.settings().is_ok());
}

#[test]
fn clients_are_told_to_find_the_server_where_the_flags_say() {
    for (flags, address) in [
        ("", ":443"),
        ("--advertise-address=10.0.0.1", "10.0.0.1:443"),
        ("--advertise-address=::1", "[::1]:443"),
        (
            "--advertise-address=10.0.0.1 --external-hostname=metrics",
            "metrics:443",
        ),
        ("--external-hostname=metrics:8443", "metrics:8443"),
    ] {
        assert_eq!(
            parse(flags).generic.external_address(443),
            address,
            "{flags}"
        );
    }
}
