//! Which form clients get for what they accept; no header makes it panic.

use super::{Form, accepted, form};
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;

fn accepting(text: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_str(text).unwrap());
    headers
}

#[test]
fn the_first_form_that_is_known_is_taken() {
    for (text, expected) in [
        ("", Form::Object),
        ("application/json", Form::Object),
        ("*/*", Form::Object),
        (
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
            Form::Table("v1"),
        ),
        ("application/json;as=Other,application/json", Form::Object),
        (
            "application/json;q=0.5, application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
            Form::Metadata,
        ),
    ] {
        assert_eq!(form(&accepting(text)).unwrap(), expected, "{text}");
    }
    assert_eq!(form(&accepting("text/html")).unwrap_err().code, 406);
}

#[test]
fn qualities_that_are_no_numbers_do_no_harm() {
    for quality in ["NaN", "inf", "-inf", "-1", "1e999", "x", ""] {
        let text = format!("application/json;q={quality}");
        assert_eq!(accepted(&accepting(&text)).unwrap().len(), 1, "{text}");
    }
}

proptest! {
    #[test]
    fn no_header_makes_it_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..60),
        spiced in "(application/json|\\*/\\*|;|,|=|q=|as=Table|v=v1| ){0,12}",
    ) {
        for bytes in [bytes.as_slice(), spiced.as_bytes()] {
            if let Ok(value) = HeaderValue::from_bytes(bytes) {
                let headers = HeaderMap::from_iter([(ACCEPT, value)]);
                let _ = form(&headers);
            }
        }
    }
}
