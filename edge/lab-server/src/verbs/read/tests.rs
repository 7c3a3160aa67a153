//! Continue tokens and resource versions that no server made are refused, and never more than that.

use super::{Continue, decode, parse_version};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

proptest! {
    #[test]
    fn no_token_makes_it_panic(text in "\\PC*", bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        for token in [text, URL_SAFE_NO_PAD.encode(bytes)] {
            if let Err(error) = decode(&token) {
                prop_assert_eq!(error.code, 400);
            }
        }
    }

    #[test]
    fn a_token_says_where_the_list_goes_on(revision: u64, after in "\\PC*") {
        let token = serde_json::to_vec(&Continue { revision, after: after.clone() }).unwrap();
        let read = decode(&URL_SAFE_NO_PAD.encode(token)).unwrap();
        prop_assert_eq!((read.revision, read.after), (revision, after));
    }

    #[test]
    fn a_resource_version_is_a_number_or_refused(text in "\\PC*|[-+0-9]{0,30}") {
        match parse_version(&text) {
            Ok(version) => prop_assert_eq!(text.parse::<u64>(), Ok(version)),
            Err(error) => prop_assert_eq!(error.code, 400),
        }
    }
}
