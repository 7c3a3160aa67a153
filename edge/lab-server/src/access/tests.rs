//! Whom certificates name, and what becomes of those that name nobody here.

use super::*;
use rustls::pki_types::pem::PemObject;

fn certificate(authority: &Authority, now: Timestamp) -> Vec<CertificateDer<'static>> {
    let made = authority.client_certificate(now, "jane", &["readers"]);
    let pem = made.expect("a certificate").certificate_pem;
    vec![CertificateDer::from_pem_slice(pem.as_bytes()).expect("DER")]
}

#[test]
fn a_certificate_names_a_user_or_nobody_is_served() {
    let now = "2026-01-01T12:00:00Z".parse().expect("a time");
    let later = "2126-01-01T12:00:00Z".parse().expect("a time");
    let (ours, other) = (Authority::in_memory(now), Authority::in_memory(now));
    let (ours, other) = (ours.expect("a CA"), other.expect("a CA"));
    let access = Access::new(&ours).expect("access");
    let backend = Backend::in_memory();
    let who = |at, chain: &[_]| {
        let user = access.authenticate(&backend, at, chain, &HeaderMap::new());
        user.map(|user| user.name).map_err(|error| error.code)
    };
    assert_eq!(who(now, &[]), Ok("system:anonymous".to_owned()));
    assert_eq!(who(later, &certificate(&ours, now)), Err(401));
    assert_eq!(who(now, &certificate(&ours, now)), Ok("jane".to_owned()));
    assert_eq!(who(now, &certificate(&other, now)), Err(401));
}
