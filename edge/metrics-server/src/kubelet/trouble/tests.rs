//! Errors say what to do.

use super::*;
use expect_test::{Expect, expect};

fn tls(why: CertificateError) -> String {
    let error = rustls::Error::InvalidCertificate(why);
    let error = std::io::Error::new(std::io::ErrorKind::InvalidData, error);
    Trouble::tls(error, "10.0.0.1").to_string()
}

fn says(text: &str, expected: Expect) {
    expected.assert_eq(text);
}

#[test]
fn the_classic_certificate_failures_come_with_their_remedy() {
    says(
        &tls(CertificateError::UnknownIssuer),
        expect![
            "no TLS session: invalid peer certificate: UnknownIssuer; the kubelet's certificate is signed by an unknown authority: name it with --kubelet-certificate-authority, let the cluster sign kubelet certificates (serverTLSBootstrap: true in the kubelet's configuration), or for tests only use --kubelet-insecure-tls"
        ],
    );
    says(
        &tls(CertificateError::NotValidForName),
        expect![
            "no TLS session: invalid peer certificate: NotValidForName; the kubelet's certificate does not name 10.0.0.1: sign it with that address (no IP SANs is usual for self-signed ones; serverTLSBootstrap: true adds them), choose another address with --kubelet-preferred-address-types, or for tests only use --kubelet-insecure-tls"
        ],
    );
    assert!(tls(CertificateError::Expired).contains("check both clocks"));
    assert!(!tls(CertificateError::BadEncoding).contains(';'));
}

#[test]
fn a_refusal_says_what_the_kubelet_said() {
    let refused = |code, text: &str| {
        Trouble::Refused {
            code,
            text: text.to_owned(),
        }
        .to_string()
    };
    says(
        &refused(StatusCode::INTERNAL_SERVER_ERROR, "boom"),
        expect![[r#"request failed, status: "500 Internal Server Error": boom"#]],
    );
    says(
        &refused(StatusCode::NOT_FOUND, ""),
        expect![[r#"request failed, status: "404 Not Found""#]],
    );
    assert!(refused(StatusCode::UNAUTHORIZED, "").contains("webhook.enabled"));
}

#[test]
fn a_node_without_a_wanted_address_is_named_as_upstream_does() {
    let types = ["InternalIP", "Hostname"].map(str::to_owned).to_vec();
    says(
        &Trouble::NoAddress(types).to_string(),
        expect!["no address matched types [InternalIP Hostname]"],
    );
}
