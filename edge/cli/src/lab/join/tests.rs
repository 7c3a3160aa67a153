//! What a kubeconfig says, as nodes need it.

use super::pem;
use runtime::certs::parse_chain;

#[test]
fn a_certificate_becomes_text_that_is_read_again() {
    let der: Vec<u8> = (0..=255).collect();
    let text = pem(&der);
    assert!(text.lines().all(|line| line.len() <= 64), "{text}");
    let read = parse_chain(text.as_bytes()).unwrap();
    assert_eq!(read[0].as_ref(), der);
}
