//! What is chosen, what is refused.

use super::*;

fn suites(names: &[&str]) -> anyhow::Result<Vec<String>> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let chosen = TlsSettings::default().with_suites(&names)?;
    let suites = chosen.provider.cipher_suites.iter();
    Ok(suites
        .filter(|suite| suite.version().version != ProtocolVersion::TLSv1_3)
        .map(go_name)
        .collect())
}

#[test]
fn suites_are_chosen_by_gos_names() {
    let known = [
        (
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        ),
        (
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        ),
    ];
    for (name, chosen) in known {
        assert_eq!(suites(&[name]).unwrap(), [chosen]);
    }
    let none: [&str; 0] = [];
    assert_eq!(suites(&["TLS_RSA_WITH_RC4_128_SHA"]).unwrap(), none);
    assert_eq!(suites(&["TLS_AES_128_GCM_SHA256"]).unwrap(), none);
}

#[test]
fn unknown_names_are_refused_in_upstreams_words() {
    assert_eq!(
        suites(&["TLS_ROT13"]).unwrap_err().to_string(),
        "Cipher suite TLS_ROT13 not supported or doesn't exist"
    );
    let version = TlsSettings::default().with_min_version("TLS1.2");
    assert_eq!(
        version.unwrap_err().to_string(),
        "unknown tls version \"TLS1.2\""
    );
}

#[test]
fn a_least_version_of_1_3_leaves_that_alone() {
    let settings = TlsSettings::default()
        .with_min_version("VersionTLS13")
        .unwrap();
    assert_eq!(settings.versions().len(), 1);
}
