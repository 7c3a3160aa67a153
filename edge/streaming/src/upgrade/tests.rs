//! Which protocol an upgrade settles on.

use super::{Offer, Transport, negotiate};
use http::Request;

const OFFER: Offer = Offer {
    websocket: &["v5", "v4"],
    spdy: &["v4"],
    unnamed: false,
};

fn ask(
    headers: &[(&str, &str)],
    offer: &Offer,
) -> Result<(Transport, &'static str, String), String> {
    let mut builder = Request::builder();
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    let mut request = builder.body(()).unwrap();
    let agreed =
        negotiate(&mut request, offer).map_err(|error| format!("{} {error}", error.code))?;
    let mut answer: Vec<String> = agreed
        .response
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    answer.sort();
    Ok((agreed.transport, agreed.protocol, answer.join("; ")))
}

const WEBSOCKET: [(&str, &str); 3] = [
    ("Connection", "keep-alive, Upgrade"),
    ("Upgrade", "websocket"),
    // The example of RFC 6455.
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];
const SPDY: [(&str, &str); 2] = [("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1")];

#[test]
fn a_websocket_takes_the_clients_first_protocol_that_is_known() {
    let asked = ("Sec-WebSocket-Protocol", "v9, v4, v5");
    let (transport, protocol, answer) = ask(&[&WEBSOCKET[..], &[asked]].concat(), &OFFER).unwrap();
    assert_eq!((transport, protocol), (Transport::WebSocket, "v4"));
    assert_eq!(
        answer,
        "connection: Upgrade; sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=; \
         sec-websocket-protocol: v4; upgrade: websocket"
    );
}

#[test]
fn spdy_lists_protocols_in_headers_of_their_own() {
    let asked = [
        ("X-Stream-Protocol-Version", "v5"),
        ("X-Stream-Protocol-Version", "v4"),
    ];
    let (transport, protocol, answer) = ask(&[&SPDY[..], &asked].concat(), &OFFER).unwrap();
    assert_eq!((transport, protocol), (Transport::Spdy, "v4"));
    assert_eq!(
        answer,
        "connection: Upgrade; upgrade: SPDY/3.1; x-stream-protocol-version: v4"
    );
}

#[test]
fn what_cannot_be_served_is_refused_with_upstreams_words() {
    let refusal = |headers: &[(&str, &str)]| ask(headers, &OFFER).unwrap_err();
    assert_eq!(refusal(&[]), "400 Upgrade request required");
    assert_eq!(
        refusal(&[("Upgrade", "websocket")]),
        "400 Upgrade request required"
    );
    assert_eq!(
        refusal(&[("Connection", "Upgrade"), ("Upgrade", "h2c")]),
        "400 Upgrade request required"
    );
    assert_eq!(
        refusal(&[&SPDY[..], &[("X-Stream-Protocol-Version", "v1")]].concat()),
        "403 unable to upgrade: unable to negotiate protocol: client supports [v1], server accepts [v4]"
    );
    assert_eq!(
        refusal(&[WEBSOCKET[0], WEBSOCKET[1], ("Sec-WebSocket-Protocol", "v4")]),
        "400 the header Sec-WebSocket-Key is missing"
    );
}

#[test]
fn a_client_that_names_no_protocol_is_served_where_that_means_something() {
    assert!(ask(&WEBSOCKET, &OFFER).is_err());
    let lenient = Offer {
        unnamed: true,
        ..OFFER
    };
    let (_, protocol, answer) = ask(&WEBSOCKET, &lenient).unwrap();
    assert_eq!(protocol, "");
    assert!(!answer.contains("protocol"), "{answer}");
}
