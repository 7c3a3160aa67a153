//! Certificates that name their users, last, and renew.

use super::{Authority, ClientAuthority, Identity, PkiError, user_from_certificate, write_private};
use jiff::Timestamp;
use rustls_pki_types::ServerName;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

fn now() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

fn later(days: i64) -> Timestamp {
    now() + jiff::SignedDuration::from_hours(24 * days)
}

#[test]
fn a_client_certificate_names_its_user_and_groups() {
    let authority = Authority::in_memory(now()).unwrap();
    for groups in [&[][..], &["system:nodes"], &["one", "two"]] {
        let certificate = authority
            .client_certificate(now(), "system:node:node-1", groups)
            .unwrap();
        let user = user_from_certificate(&certificate.chain[0]).unwrap();
        assert_eq!(user.name, "system:node:node-1");
        assert_eq!(user.groups, groups);
    }
}

#[test]
fn three_groups_do_not_fit_and_the_error_says_so() {
    let authority = Authority::in_memory(now()).unwrap();
    let error = authority
        .client_certificate(now(), "jane", &["a", "b", "c"])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot make a certificate for jane: 3 groups asked for, and at most 2 fit"
    );
}

#[test]
fn a_handshake_succeeds_with_the_ca_and_the_server_learns_who_calls() {
    let authority = Authority::in_memory(now()).unwrap();
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    // rustls itself asks the operating system for the time, so these are made for a long life around it.
    let made = Timestamp::from_second(1_750_000_000).unwrap();
    let serving = authority
        .serving_certificate(later(-1), "kube-apiserver", &["localhost"], &[address])
        .unwrap();
    let client = authority
        .client_certificate(made, "admin", &["system:masters"])
        .unwrap();
    let clients = authority.client_authority().unwrap();
    assert!(serving.server_config(clients.verifier()).is_ok());
    assert!(client.client_config(authority.ca_pem()).is_ok());

    let roots = super::certificate::roots(&[authority.ca_pem()]).unwrap();
    let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(
        Arc::new(roots),
        super::certificate::provider(),
    )
    .build()
    .unwrap();
    let at = |t: Timestamp| {
        rustls_pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(
            u64::try_from(t.as_second()).unwrap(),
        ))
    };
    let check = |name: &str, t: Timestamp| {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        use rustls::client::danger::ServerCertVerifier;
        verifier
            .verify_server_cert(&serving.chain[0], &[], &name, &[], at(t))
            .is_ok()
    };
    assert!(check("127.0.0.1", now()));
    assert!(check("localhost", now()));
    assert!(!check("example.com", now()), "another name");
    assert!(!check("localhost", later(400)), "expired");
}

#[test]
fn the_server_tells_users_from_front_proxies_and_strangers() {
    let authority = Authority::in_memory(now()).unwrap();
    let stranger = Authority::in_memory(now()).unwrap();
    let clients = authority.client_authority().unwrap();
    let user = authority
        .client_certificate(now(), "jane", &["dev"])
        .unwrap();
    let Some(Identity::User(jane)) = clients.identify(now(), &user.chain) else {
        panic!("jane is a user");
    };
    assert_eq!(jane.groups, ["dev", "system:authenticated"]);

    let proxy = authority.front_proxy_client_certificate(now()).unwrap();
    let identity = clients.identify(now(), &proxy.chain);
    assert_eq!(
        identity,
        Some(Identity::FrontProxy("front-proxy-client".to_owned()))
    );

    let forged = stranger
        .client_certificate(now(), "jane", &["system:masters"])
        .unwrap();
    assert_eq!(clients.identify(now(), &forged.chain), None);
    assert_eq!(clients.identify(later(400), &user.chain), None, "expired");
    assert_eq!(clients.identify(now(), &[]), None);
    // A server without a front proxy takes its certificates for nobody's.
    let alone = ClientAuthority::new(authority.ca_pem(), None).unwrap();
    assert_eq!(alone.identify(now(), &proxy.chain), None);
    // A serving certificate is not a client's.
    let serving = authority
        .serving_certificate(now(), "kubelet", &["node-1"], &[])
        .unwrap();
    assert_eq!(clients.identify(now(), &serving.chain), None);
}

#[test]
fn saved_keys_are_private_and_are_found_again() {
    let directory = tempfile::tempdir().unwrap();
    let pki = directory.path().join("data/pki");
    let first = Authority::load_or_create(now(), &pki).unwrap();
    assert_eq!(
        fs::metadata(&pki).unwrap().permissions().mode() & 0o777,
        0o700
    );
    let mut names: Vec<_> = fs::read_dir(&pki)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            assert_eq!(
                entry.metadata().unwrap().permissions().mode() & 0o777,
                0o600
            );
            entry.file_name().into_string().unwrap()
        })
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "ca.crt",
            "ca.key",
            "front-proxy-ca.crt",
            "front-proxy-ca.key",
            "sa.key",
            "sa.pub"
        ]
    );

    let second = Authority::load_or_create(later(1), &pki).unwrap();
    assert_eq!(first.ca_pem(), second.ca_pem());
    // What the first signed, the second knows.
    let bound = crate::tokens::Bound {
        namespace: "default".to_owned(),
        ..Default::default()
    };
    let token = first
        .tokens()
        .unwrap()
        .mint(now(), &bound, &[], 3600)
        .unwrap();
    assert!(second.tokens().unwrap().verify(now(), &token, &[]).is_ok());
    let jane = first.client_certificate(now(), "jane", &[]).unwrap();
    assert!(
        second
            .client_authority()
            .unwrap()
            .identify(now(), &jane.chain)
            .is_some()
    );
}

#[test]
fn damaged_expired_and_missing_files_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let pki = directory.path();
    Authority::load_or_create(now(), pki).unwrap();
    let error = Authority::load_or_create(later(4000), pki).unwrap_err();
    assert!(error.to_string().contains("has expired"), "{error}");

    write_private(&pki.join("ca.crt"), b"not a certificate").unwrap();
    let error = Authority::load_or_create(now(), pki).unwrap_err();
    assert!(matches!(error, PkiError::Content { .. }), "{error}");

    fs::remove_file(pki.join("front-proxy-ca.key")).unwrap();
    fs::remove_file(pki.join("ca.crt")).unwrap();
    let error = Authority::load_or_create(now(), pki).unwrap_err();
    assert!(matches!(error, PkiError::Incomplete { .. }), "{error}");
}

#[test]
fn a_kubeconfig_is_yaml_whatever_the_names_are() {
    let authority = Authority::in_memory(now()).unwrap();
    let text = authority
        .kubeconfig(
            now(),
            "https://127.0.0.1:6443",
            "a: \"b\"",
            &["system:masters"],
            "eks-work",
        )
        .unwrap();
    let shape: Vec<String> = text
        .lines()
        .map(|line| {
            line.split_once("-data: ")
                .map_or(line.to_owned(), |(key, _)| format!("{key}-data: …"))
        })
        .collect();
    expect_test::expect![[r#"
        apiVersion: v1
        kind: Config
        clusters:
        - name: "evenkeel"
          cluster:
            server: "https://127.0.0.1:6443"
            certificate-authority-data: …
        contexts:
        - name: "evenkeel"
          context:
            cluster: "evenkeel"
            user: "a: \"b\""
            namespace: "eks-work"
        current-context: "evenkeel"
        preferences: {}
        users:
        - name: "a: \"b\""
          user:
            client-certificate-data: …
            client-key-data: …"#]]
    .assert_eq(&shape.join("\n"));
}

#[test]
fn bytes_that_are_no_certificate_name_nobody() {
    assert_eq!(user_from_certificate(b""), None);
    assert_eq!(user_from_certificate(&[0x30, 0x82, 0xff, 0xff]), None);
}
