//! The P-256 key behind the tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, PublicKeyData};
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey,
};
use serde_json::{Value, json};

/// Signs, verifies, and names itself.
pub(super) struct Keys {
    pub(super) kid: String,
    pair: EcdsaKeyPair,
    /// The uncompressed point: 0x04, x, y.
    public: Vec<u8>,
    random: SystemRandom,
}

impl Keys {
    pub(super) fn new(key: &KeyPair) -> Result<Self, String> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            key.serialized_der(),
            &random,
        )
        .map_err(|error| format!("not an ECDSA P-256 key: {error}"))?;
        // Upstream: pkg/serviceaccount/jwt.go, keyIDFromPublicKey.
        let digest = digest::digest(&digest::SHA256, &key.subject_public_key_info());
        let kid = URL_SAFE_NO_PAD.encode(digest.as_ref());
        Ok(Self {
            kid,
            pair,
            public: key.public_key_raw().to_vec(),
            random,
        })
    }

    /// `None` only when the operating system gives no random numbers.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.pair
            .sign(&self.random, message)
            .ok()
            .map(|signature| signature.as_ref().to_vec())
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.public)
            .verify(message, signature)
            .is_ok()
    }

    pub(super) fn jwk(&self) -> Value {
        let coordinate = |range: std::ops::Range<usize>| {
            URL_SAFE_NO_PAD.encode(self.public.get(range).unwrap_or_default())
        };
        json!({
            "use": "sig", "kty": "EC", "kid": self.kid, "crv": "P-256", "alg": "ES256",
            "x": coordinate(1..33), "y": coordinate(33..65),
        })
    }
}
