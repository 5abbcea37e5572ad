//! Access tokens that are bound to a key: RFC 9449 §7 to §9, RFC 9728 §2.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::arithmetic_side_effects, dead_code, reason = "as above; other tests use the rest of the server")]

mod server;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::executor::block_on;
use http::{HeaderMap, HeaderValue, Method, header};
use jose::dpop::access_token_hash;
use jose::{Algorithm, Jwk, Signer, SigningKey, platform};
use latchkey_resource_server::{
    Access, AccessError, Config, DPOP, DpopNonces, NoncePolicy, RequestHead, ResourceServer, Scope,
};
use serde_json::{Value, json};
use server::{ISSUER, NOW, RESOURCE, Server, claims, key, token};
use std::sync::Arc;

/// The holder of a key.
struct Holder {
    public: Jwk,
    signer: Arc<dyn Signer>,
}

impl Holder {
    async fn new() -> Self {
        let pair = platform().generate(Algorithm::ES256).await.unwrap();
        let signer = platform().signer(Algorithm::ES256, &pair.pkcs8).await.unwrap();
        Self { public: Jwk::from(pair.public), signer }
    }

    fn cnf(&self) -> Value {
        json!({ "cnf": { "jkt": self.public.key.thumbprint() } })
    }

    async fn proof(&self, token: &str, changes: Value) -> String {
        let mut claims = json!({
            "jti": "1", "htm": "GET", "htu": "https://api.example/orders", "iat": NOW.as_secs(),
            "ath": access_token_hash(token),
        });
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.public });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let signature = self.signer.sign(message.as_bytes()).await.unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

struct Api {
    server: Arc<Server>,
    signing: SigningKey,
    guard: ResourceServer,
}

impl Api {
    async fn new(change: impl FnOnce(&mut Config)) -> Self {
        let (signing, public) = key(Algorithm::ES256, "k").await;
        let server = Arc::new(Server::default());
        server.publish(&[&public]);
        let mut config = Config::new(ISSUER, RESOURCE);
        change(&mut config);
        let guard = ResourceServer::new(config, server.clone());
        Self { server, signing, guard }
    }

    async fn token(&self, changes: Value) -> String {
        token(&self.signing, "at+jwt", &claims(changes)).await
    }

    async fn check(&self, authorization: &str, proofs: &[&str]) -> Result<Access, AccessError> {
        self.check_with(authorization, proofs, None).await
    }

    async fn check_with(
        &self,
        authorization: &str,
        proofs: &[&str],
        certificate: Option<&[u8]>,
    ) -> Result<Access, AccessError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(authorization).unwrap());
        for proof in proofs {
            headers.append(DPOP, HeaderValue::from_str(proof).unwrap());
        }
        let head = RequestHead { method: &Method::GET, url: "/orders?page=2", headers: &headers, certificate };
        self.guard.check(&head, &Scope::default(), NOW).await
    }
}

#[test]
fn a_bound_token_needs_a_proof_of_its_key() {
    block_on(async {
        let (api, holder, other) = (Api::new(|_| {}).await, Holder::new().await, Holder::new().await);
        let token = api.token(holder.cnf()).await;
        let proof = holder.proof(&token, json!({})).await;
        let dpop = format!("DPoP {token}");
        let access = api.check(&dpop, &[&proof]).await.unwrap();
        assert!(access.claims.cnf.is_some() && access.dpop_nonce.is_none());
        let invalid = |outcome: Result<Access, AccessError>| match outcome {
            Err(error) => error,
            Ok(access) => panic!("{access:?}"),
        };
        assert!(matches!(invalid(api.check(&dpop, &[]).await), AccessError::InvalidProof(_)));
        assert!(matches!(invalid(api.check(&dpop, &[&proof, &proof]).await), AccessError::InvalidProof(_)));
        for wrong in [
            json!({ "htm": "POST" }),
            json!({ "htu": "https://evil.example/orders" }),
            json!({ "htu": "https://api.example/other" }),
            json!({ "ath": access_token_hash("x") }),
            json!({ "iat": NOW.as_secs() - 3600 }),
        ] {
            let proof = holder.proof(&token, wrong.clone()).await;
            assert!(matches!(invalid(api.check(&dpop, &[&proof]).await), AccessError::InvalidProof(_)), "{wrong}");
        }
        let foreign = other.proof(&token, json!({})).await;
        assert!(matches!(invalid(api.check(&dpop, &[&foreign]).await), AccessError::InvalidBoundToken(_)));
        let bearer = format!("Bearer {token}");
        assert!(matches!(invalid(api.check(&bearer, &[&proof]).await), AccessError::InvalidBoundToken(_)));
        assert!(matches!(invalid(api.check(&bearer, &[]).await), AccessError::InvalidBoundToken(_)));
        let unbound = api.token(json!({})).await;
        let proof = holder.proof(&unbound, json!({})).await;
        let outcome = api.check(&format!("DPoP {unbound}"), &[&proof]).await;
        assert!(matches!(invalid(outcome), AccessError::InvalidBoundToken(_)));
    });
}

/// RFC 8705 §3: the connection has the certificate of the token, which is a bearer token.
#[test]
fn a_certificate_bound_token_needs_its_certificate() {
    block_on(async {
        let (own, other) = (b"own".as_slice(), b"other".as_slice());
        let cnf = json!({ "cnf": { "x5t#S256": jose::certificate_thumbprint(own) } });
        let api = Api::new(|_| {}).await;
        let token = api.token(cnf.clone()).await;
        let bearer = format!("Bearer {token}");
        api.check_with(&bearer, &[], Some(own)).await.unwrap();
        for certificate in [None, Some(other)] {
            let outcome = api.check_with(&bearer, &[], certificate).await;
            assert!(matches!(outcome, Err(AccessError::InvalidToken(_))), "{outcome:?}");
        }
        let holder = Holder::new().await;
        let proof = holder.proof(&token, json!({})).await;
        let outcome = api.check_with(&format!("DPoP {token}"), &[&proof], Some(own)).await;
        assert!(matches!(outcome, Err(AccessError::InvalidBoundToken(_))), "{outcome:?}");
        // A certificate beside any other token does not matter.
        let unbound = api.token(json!({})).await;
        api.check_with(&format!("Bearer {unbound}"), &[], Some(other)).await.unwrap();

        let api = Api::new(|config| config.requires_certificate = true).await;
        let (unbound, bound, of_key) =
            (api.token(json!({})).await, api.token(cnf).await, api.token(holder.cnf()).await);
        let outcome = api.check_with(&format!("Bearer {unbound}"), &[], Some(own)).await;
        assert!(matches!(outcome, Err(AccessError::InvalidToken(_))), "{outcome:?}");
        api.check_with(&format!("Bearer {bound}"), &[], Some(own)).await.unwrap();
        let proof = holder.proof(&of_key, json!({})).await;
        let outcome = api.check_with(&format!("DPoP {of_key}"), &[&proof], Some(own)).await;
        assert!(matches!(outcome, Err(AccessError::InvalidToken(_))), "{outcome:?}");
    });
}

/// The digest is that of the token that was sent, also where the API receives a JWT in place of it.
#[test]
fn an_opaque_token_is_bound_like_a_jwt() {
    block_on(async {
        let api = Api::new(|config| {
            *config = config.clone().with_introspection("api", "s:", std::time::Duration::ZERO);
        })
        .await;
        let holder = Holder::new().await;
        let mut answer = claims(holder.cnf());
        answer["active"] = json!(true);
        answer["token_type"] = json!("DPoP");
        api.server.say("application/json", &answer);
        let proof = holder.proof("lka_a", json!({})).await;
        api.check("DPoP lka_a", &[&proof]).await.unwrap();
        assert!(matches!(api.check("DPoP lka_b", &[&proof]).await, Err(AccessError::InvalidProof(_))));
        assert!(matches!(api.check("Bearer lka_a", &[&proof]).await, Err(AccessError::InvalidBoundToken(_))));
        answer["token_type"] = json!("Bearer");
        api.server.say("application/json", &answer);
        assert!(matches!(api.check("DPoP lka_a", &[&proof]).await, Err(AccessError::InvalidToken(_))));
    });
}

/// RFC 9449 §9: a nonce in place of the clock.
#[test]
fn nonces_are_demanded_by_policy() {
    block_on(async {
        let api = Api::new(|config| config.dpop_nonces = Some(DpopNonces::new(NoncePolicy::Always, [7; 32]))).await;
        let holder = Holder::new().await;
        let token = api.token(holder.cnf()).await;
        let dpop = format!("DPoP {token}");
        let proof = holder.proof(&token, json!({ "iat": 1 })).await;
        let Err(AccessError::UseNonce(nonce)) = api.check(&dpop, &[&proof]).await else { panic!("no nonce") };
        let proof = holder.proof(&token, json!({ "iat": 1, "nonce": nonce })).await;
        assert_eq!(api.check(&dpop, &[&proof]).await.unwrap().dpop_nonce, None);
        // Another instance with the same key accepts it; a server with another key does not.
        for (key, accepts) in [([7; 32], true), ([8; 32], false)] {
            let mut other =
                Api::new(|config| config.dpop_nonces = Some(DpopNonces::new(NoncePolicy::Always, key))).await;
            other.signing = api.signing.clone();
            other.server.publish(&api.server.keys.lock().unwrap().as_ref().unwrap().keys.iter().collect::<Vec<_>>());
            assert_eq!(other.check(&dpop, &[&proof]).await.is_ok(), accepts);
        }
    });
}

/// RFC 9728 §2: `dpop_bound_access_tokens_required`.
#[test]
fn an_api_may_require_bound_tokens() {
    block_on(async {
        let api = Api::new(|config| config.requires_dpop = true).await;
        let token = api.token(json!({})).await;
        assert!(matches!(api.check(&format!("Bearer {token}"), &[]).await, Err(AccessError::InvalidBoundToken(_))));
    });
}
