//! Tokens that hold, expire, and are refused.

use super::{Bound, BoundObject, Reference, TokenError, Tokens};
use crate::pki::Authority;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

static TOKENS: LazyLock<Tokens> =
    LazyLock::new(|| Authority::in_memory(now()).unwrap().tokens().unwrap());

fn now() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn bound() -> Bound {
    Bound {
        namespace: "kube-system".to_owned(),
        service_account: Reference::new("metrics-server", "sa-uid"),
        pod: Some(Reference::new("metrics-server-x", "pod-uid")),
        node: Some(Reference::new("node-1", "node-uid")),
        secret: None,
    }
}

fn audience(name: &str) -> Vec<String> {
    vec![name.to_owned()]
}

#[test]
fn a_token_has_upstreams_claims() {
    let token = TOKENS.mint(now(), &bound(), &[], 3607).unwrap();
    let parts: Vec<Value> = token
        .split('.')
        .take(2)
        .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
        .collect();
    assert_eq!(parts[0]["alg"], "ES256");
    assert_eq!(parts[0]["kid"], TOKENS.jwks()["keys"][0]["kid"]);
    let mut claims = parts[1].clone();
    assert_eq!(claims["jti"].as_str().unwrap().len(), 36);
    claims["jti"] = json!("…");
    assert_eq!(
        claims,
        json!({
            "aud": ["https://kubernetes.default.svc.cluster.local"],
            "exp": 1_767_272_407, "iat": 1_767_268_800, "nbf": 1_767_268_800,
            "iss": "https://kubernetes.default.svc.cluster.local",
            "jti": "…",
            "kubernetes.io": {
                "namespace": "kube-system",
                "node": {"name": "node-1", "uid": "node-uid"},
                "pod": {"name": "metrics-server-x", "uid": "pod-uid"},
                "serviceaccount": {"name": "metrics-server", "uid": "sa-uid"},
            },
            "sub": "system:serviceaccount:kube-system:metrics-server",
        })
    );
}

#[test]
fn the_bearer_is_the_service_account_with_what_it_is_bound_to() {
    let token = TOKENS.mint(now(), &bound(), &[], 3600).unwrap();
    let verified = TOKENS.verify(now(), &token, &[]).unwrap();
    assert_eq!(
        verified.user.name,
        "system:serviceaccount:kube-system:metrics-server"
    );
    assert_eq!(verified.user.uid, "sa-uid");
    let extra = &verified.user.extra;
    assert_eq!(
        extra["authentication.kubernetes.io/pod-name"],
        ["metrics-server-x"]
    );
    assert_eq!(extra["authentication.kubernetes.io/node-uid"], ["node-uid"]);
    assert!(extra["authentication.kubernetes.io/credential-id"][0].starts_with("JTI="));
}

#[test]
fn a_token_is_good_only_in_its_time() {
    let token = TOKENS.mint(now(), &bound(), &[], 600).unwrap();
    for (seconds, want) in [
        (-61, Err(TokenError::NotYetValid)),
        (-60, Ok(())),
        (0, Ok(())),
        (660, Ok(())),
        (661, Err(TokenError::Expired)),
        // Again, now that the first answer is remembered.
        (0, Ok(())),
        (661, Err(TokenError::Expired)),
    ] {
        assert_eq!(
            TOKENS.verify(after(seconds), &token, &[]).map(drop),
            want,
            "after {seconds} s"
        );
    }
}

#[test]
fn a_token_is_good_only_for_its_audience() {
    let token = TOKENS
        .mint(now(), &bound(), &audience("vault"), 600)
        .unwrap();
    assert_eq!(
        TOKENS
            .verify(now(), &token, &audience("vault"))
            .unwrap()
            .audiences,
        ["vault"]
    );
    let error = TOKENS.verify(now(), &token, &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "token audiences [\"vault\"] is invalid for the target audiences \
         [\"https://kubernetes.default.svc.cluster.local\"]"
    );
}

#[test]
fn no_part_of_a_token_can_be_changed() {
    let token = TOKENS.mint(now(), &bound(), &[], 600).unwrap();
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(bytes).unwrap();
        assert_eq!(
            TOKENS.verify(now(), &forged, &[]),
            Err(TokenError::Invalid),
            "byte {at}"
        );
    }
}

#[test]
fn other_keys_and_no_key_sign_nothing_here() {
    let other = Authority::in_memory(now()).unwrap().tokens().unwrap();
    let foreign = other.mint(now(), &bound(), &[], 600).unwrap();
    assert_eq!(
        TOKENS.verify(now(), &foreign, &[]),
        Err(TokenError::Invalid)
    );

    let own = TOKENS.mint(now(), &bound(), &[], 600).unwrap();
    let payload = own.split('.').nth(1).unwrap();
    for header in [
        json!({"alg": "none"}),
        json!({"alg": "HS256", "kid": TOKENS.jwks()["keys"][0]["kid"]}),
    ] {
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        for signature in ["", "AAAA"] {
            let token = format!("{header}.{payload}.{signature}");
            assert_eq!(TOKENS.verify(now(), &token, &[]), Err(TokenError::Invalid));
        }
    }
}

#[test]
fn a_token_dies_with_what_it_is_bound_to() {
    let token = TOKENS.mint(now(), &bound(), &[], 600).unwrap();
    let verified = TOKENS.verify(now(), &token, &[]).unwrap();
    let check = |account: Option<&str>, pod: Option<&str>| {
        let uid_of = |kind, _: &str, _: &str| {
            let uid = match kind {
                BoundObject::ServiceAccount => account,
                BoundObject::Pod => pod,
                BoundObject::Node | BoundObject::Secret => None,
            };
            uid.map(str::to_owned)
        };
        verified
            .check_bound(uid_of)
            .map_err(|error| error.to_string())
    };
    assert_eq!(check(Some("sa-uid"), Some("pod-uid")), Ok(()));
    for (account, pod, want) in [
        (
            None,
            Some("pod-uid"),
            "serviceaccounts \"metrics-server\" not found",
        ),
        (
            Some("new"),
            Some("pod-uid"),
            "service account UID (new) does not match claim (sa-uid)",
        ),
        (
            Some("sa-uid"),
            None,
            "service account token has been invalidated",
        ),
        (
            Some("sa-uid"),
            Some("new"),
            "pod UID (new) does not match service account pod ref claim (pod-uid)",
        ),
    ] {
        assert_eq!(check(account, pod), Err(want.to_owned()));
    }
}

proptest! {
    #[test]
    fn no_text_is_a_token_and_none_panics(text in ".{0,200}", dotted in "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}") {
        prop_assert_eq!(TOKENS.verify(now(), &text, &[]), Err(TokenError::Invalid));
        prop_assert_eq!(TOKENS.verify(now(), &dotted, &[]), Err(TokenError::Invalid));
    }
}
