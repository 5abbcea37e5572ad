//! Holders of a key and their DPoP proofs (RFC 9449).

use crate::authorization::random;
use crate::call::{Call, Reply};
use crate::clock::now;
use crate::signer::Signer;
use crate::target::issuer;
use crate::token::{TokenRequest, Tokens};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A sender with a key of its own.
pub struct Holder {
    alg: String,
    signer: Signer,
}

impl Holder {
    /// Returns a holder of a new key for this algorithm.
    pub fn of(alg: &str) -> Self {
        Self { alg: alg.to_owned(), signer: Signer::new(alg, "ignored") }
    }

    /// Returns a holder of a new P-256 key.
    pub fn new() -> Self {
        Self::of("ES256")
    }

    /// Returns the public key without other members.
    fn jwk(&self) -> Value {
        let mut jwk = self.signer.jwk();
        for name in ["kid", "use", "alg"] {
            jwk.as_object_mut().expect("an object").remove(name);
        }
        jwk
    }

    /// Returns the thumbprint of the key (RFC 7638): the members are in lexicographic order in JSON of this kind.
    pub fn jkt(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.jwk().to_string()))
    }

    /// Returns the claims of a proof for a request to this path.
    pub fn claims(method: &str, path: &str) -> Value {
        json!({ "jti": random(), "htm": method, "htu": format!("{}{path}", issuer()), "iat": now() })
    }

    /// Signs claims as a proof.
    pub fn sign(&self, claims: &Value) -> String {
        self.signer.sign_with(&json!({ "typ": "dpop+jwt", "alg": self.alg, "jwk": self.jwk() }), claims)
    }

    /// Returns a proof for a request to this path, with these claims in place of its own.
    pub fn proof(&self, method: &str, path: &str, changes: &Value) -> String {
        let mut claims = Self::claims(method, path);
        replace(&mut claims, changes);
        self.sign(&claims)
    }

    /// Sends a token request with a proof.
    pub fn send(&self, request: &TokenRequest) -> Reply {
        self.send_with(request, &json!({}))
    }

    /// Sends a token request with a proof that has these claims in place of its own.
    pub fn send_with(&self, request: &TokenRequest, changes: &Value) -> Reply {
        request.call().header("dpop", self.proof("POST", "/token", changes)).send()
    }

    /// Sends a token request with a proof, which must succeed.
    #[track_caller]
    pub fn tokens(&self, request: &TokenRequest) -> Tokens {
        Tokens::read(&request.client, self.send(request))
    }

    /// Returns a call of UserInfo with the token and a proof that has these claims in place of its own.
    pub fn userinfo(&self, token: &str, changes: &Value) -> Call {
        let mut all = json!({ "ath": access_token_hash(token) });
        all.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
        let call = Call::get("/userinfo").header("authorization", format!("DPoP {token}"));
        call.header("dpop", self.proof("GET", "/userinfo", &all))
    }
}

/// Replaces claims; `null` removes one.
fn replace(claims: &mut Value, changes: &Value) {
    let claims = claims.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => claims.remove(name),
            value => claims.insert(name.clone(), value.clone()),
        };
    }
}

impl Default for Holder {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns `ath` of a proof.
pub fn access_token_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token))
}
