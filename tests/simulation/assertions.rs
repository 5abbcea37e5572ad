//! Assertions and token exchange: round trips and faults.

use crate::common::{PASSWORD, deployment};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jose::{Algorithm, Jwk, SigningKey};
use latchkey_http::Response;
use serde_json::{Value, json};
use simulation::{Flow, Instance, Tokens, client_id, json_of};
use std::sync::Arc;
use std::time::Duration;
use storage::faults::{Fault, Faulty};
use storage::memory::Memory;
use storage::{Records, Verb, clients};

const URN: &str = "urn:ietf:params:oauth";

/// An issuer of assertions, with the setting that trusts it.
struct Issuer {
    key: SigningKey,
    setting: String,
}

impl Issuer {
    async fn new(subject: Value) -> Self {
        let generated = jose::platform().generate(Algorithm::ES256).await.unwrap();
        let signer = jose::platform().signer(Algorithm::ES256, &generated.pkcs8).await.unwrap();
        let jwk = Jwk { kid: Some("one".to_owned()), ..Jwk::from(generated.public) };
        let setting = json!([{ "issuer": "https://idp.test", "jwks": { "keys": [jwk] }, "subject": subject }]);
        Self { key: SigningKey::new("one", Algorithm::ES256, signer), setting: setting.to_string() }
    }

    fn instance(&self, records: Arc<dyn Records>) -> Instance {
        Instance::start(records, &[("LATCHKEY_TRUSTED_ISSUERS", &self.setting)])
    }

    async fn assertion(&self, instance: &Instance, jti: &str, subject: &str) -> String {
        let now = instance.now.as_secs();
        let claims = json!({
            "iss": "https://idp.test", "sub": subject, "aud": simulation::ISSUER, "exp": now + 60, "jti": jti,
        });
        jose::sign_jwt(&self.key, "authorization-grant+jwt", &claims).await.unwrap()
    }
}

async fn present(instance: &Instance, assertion: &str) -> Response {
    let grant = format!("{URN}:grant-type:jwt-bearer");
    let form = [
        ("grant_type", grant.as_str()),
        ("client_id", "asserter"),
        ("client_secret", "secret"),
        ("assertion", assertion),
    ];
    instance.post("/token", &form).await
}

/// The claims of a JWT.
pub(crate) fn claims_of(token: &str) -> Value {
    let claims = token.split('.').nth(1).and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok());
    serde_json::from_slice(&claims.unwrap_or_else(|| panic!("no JWT: {token}"))).unwrap()
}

async fn exchange(instance: &Instance, subject: (&str, &str), actor: Option<&str>) -> Response {
    let (grant, access) = (format!("{URN}:grant-type:token-exchange"), format!("{URN}:token-type:access_token"));
    let kind = format!("{URN}:token-type:{}", subject.1);
    let mut form = vec![
        ("grant_type", grant.as_str()),
        ("client_id", "gateway"),
        ("client_secret", "secret"),
        ("subject_token", subject.0),
        ("subject_token_type", &kind),
    ];
    form.extend(actor.map(|actor| ("actor_token", actor)));
    form.extend(actor.map(|_| ("actor_token_type", access.as_str())));
    instance.post("/token", &form).await
}

/// A user costs one read. An assertion costs one write, which makes it single-use. A request that is rejected earlier costs nothing.
#[tokio::test]
async fn assertions_keep_the_promise() {
    let memory = Arc::new(Memory::new());
    deployment(memory.clone()).await;
    for (subject, name, expected) in [(json!("same"), "alice-subject", 2), (json!({ "prefix": "m:" }), "app", 1)] {
        let issuer = Issuer::new(subject).await;
        let instance = issuer.instance(memory.clone());
        // Warms the caches of clients and keys.
        assert_eq!(
            present(&instance, &issuer.assertion(&instance, &format!("warm{expected}"), name).await).await.status,
            200
        );
        let jti = format!("once{expected}");
        let assertion = issuer.assertion(&instance, &jti, name).await;

        let before = memory.counts().total();
        assert_eq!(present(&instance, &assertion).await.status, 200);
        assert_eq!(memory.counts().total() - before, expected, "{name}");

        let before = memory.counts().total();
        assert_eq!(json_of(&present(&instance, &assertion).await)["error"], "invalid_grant");
        assert!(memory.counts().total() - before <= expected);

        let stranger = Issuer::new(json!("same")).await;
        let before = memory.counts().total();
        for forged in [stranger.assertion(&instance, "x", name).await, assertion.replace('e', "f"), "x".to_owned()] {
            assert_eq!(present(&instance, &forged).await.status, 400);
        }
        assert_eq!(memory.counts().total() - before, 0, "forged");
    }
}

/// If the store fails before the assertion is used, the assertion stays valid. If the response is lost, it is used, and a new
/// assertion works at once.
#[tokio::test]
async fn faults_issue_nothing_twice() {
    let memory: Arc<dyn Records> = Arc::new(Memory::new());
    deployment(memory.clone()).await;
    let issuer = Issuer::new(json!("same")).await;
    // Keys and clients exist: the first `create` is for the assertion.
    let sound = issuer.instance(memory.clone());
    assert_eq!(present(&sound, &issuer.assertion(&sound, "warm", "alice-subject").await).await.status, 200);
    for (fault, jti, again) in
        [(Fault::Before, "before", 200), (Fault::After, "after", 400), (Fault::Twice, "twice", 400)]
    {
        let is_twice = matches!(fault, Fault::Twice);
        let faulty = issuer.instance(Arc::new(Faulty::at(memory.clone(), Verb::Create, 1, fault)));
        let assertion = issuer.assertion(&faulty, jti, "alice-subject").await;
        let first = present(&faulty, &assertion).await;
        assert_eq!(first.status, if is_twice { 200 } else { 503 }, "{jti}");
        assert_eq!(present(&faulty, &assertion).await.status, again, "{jti}");
        let next = issuer.assertion(&faulty, &format!("{jti}-next"), "alice-subject").await;
        assert_eq!(present(&faulty, &next).await.status, 200, "{jti}");
    }
}

/// Each token costs one read. A request that is rejected for its form, signature or client costs none.
#[tokio::test]
async fn exchanges_keep_the_promise() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let code = Flow::default().code(&instance, PASSWORD, "openid profile offline_access").await;
    let tokens = Tokens::of(&Flow::redeem(&instance, &code).await);
    let form = [("grant_type", "client_credentials"), ("client_id", "gateway"), ("client_secret", "secret")];
    let own = json_of(&instance.post("/token", &form).await)["access_token"].as_str().unwrap().to_owned();
    exchange(&instance, (&tokens.access, "access_token"), None).await;

    for (token, kind) in [(&tokens.access, "access_token"), (&tokens.refresh, "refresh_token"), (&tokens.access, "jwt")]
    {
        for (actor, expected) in [(None, 1), (Some(own.as_str()), 2)] {
            let before = memory.counts().total();
            let answer = exchange(&instance, (token, kind), actor).await;
            assert_eq!(answer.status, 200, "{}", json_of(&answer));
            assert_eq!(memory.counts().total() - before, expected, "{kind}");
        }
    }
    let before = memory.counts().total();
    for (token, kind, actor) in [
        (own.as_str(), "access_token", None),
        ("lkr_nonsense", "refresh_token", None),
        (tokens.access.as_str(), "id_token", None),
        (tokens.access.as_str(), "access_token", Some("nonsense")),
    ] {
        assert_eq!(json_of(&exchange(&instance, (token, kind), actor).await)["error"], "invalid_request");
    }
    assert_eq!(memory.counts().total() - before, 0, "refused");
}

/// OpenID Connect Core §8.1: an actor has the pairwise subject of the client of its token, whichever token presents it.
#[tokio::test]
async fn an_actor_goes_by_the_name_that_their_client_knows() {
    let memory = Arc::new(Memory::new());
    let instance = deployment(memory.clone()).await;
    let mut stored = clients::find(memory.as_ref(), &client_id("spa")).await.unwrap().unwrap();
    stored.client.subject_type = protocol::SubjectType::Pairwise;
    clients::save(memory.as_ref(), &stored).await.unwrap();
    let code = Flow::default().code(&instance, PASSWORD, "openid profile offline_access").await;
    let answer = Flow::redeem(&instance, &code).await;
    let tokens = Tokens::of(&answer);
    let id_token = json_of(&answer)["id_token"].as_str().unwrap().to_owned();
    let name = claims_of(&tokens.access)["sub"].clone();
    assert_ne!(name, "alice-subject");
    let kind = |name: &str| format!("{URN}:token-type:{name}");
    for (actor, actor_type) in
        [(&tokens.access, "access_token"), (&tokens.refresh, "refresh_token"), (&id_token, "id_token")]
    {
        let form = [
            ("grant_type", &*format!("{URN}:grant-type:token-exchange")),
            ("client_id", "gateway"),
            ("client_secret", "secret"),
            ("subject_token", &tokens.access),
            ("subject_token_type", &kind("access_token")),
            ("actor_token", actor),
            ("actor_token_type", &kind(actor_type)),
        ];
        let exchanged = json_of(&instance.post("/token", &form).await);
        let claims = claims_of(exchanged["access_token"].as_str().unwrap_or_else(|| panic!("{exchanged}")));
        assert_eq!(claims["act"]["sub"], name, "{actor_type}");
    }
}

/// RFC 7592 §2.3: deleting a client revokes its tokens, and the tokens that other clients exchanged them for.
#[tokio::test]
async fn what_was_exchanged_dies_with_the_client_that_it_came_from() {
    let memory = Arc::new(Memory::new());
    let mut instance = deployment(memory.clone()).await;
    let code = Flow::default().code(&instance, PASSWORD, "openid profile").await;
    let tokens = Tokens::of(&Flow::redeem(&instance, &code).await);
    let exchanged = json_of(&exchange(&instance, (&tokens.access, "access_token"), None).await);
    let exchanged = exchanged["access_token"].as_str().unwrap().to_owned();
    let is_active = async |instance: &Instance| {
        let form = [("client_id", "gateway"), ("client_secret", "secret"), ("token", exchanged.as_str())];
        json_of(&instance.post("/introspect", &form).await)["active"] == true
    };
    assert!(is_active(&instance).await);
    clients::remove(memory.as_ref() as &dyn Records, &client_id("spa")).await.unwrap();
    instance.wait(Duration::from_secs(61));
    assert!(!is_active(&instance).await);
}

/// All wrong settings are reported at once, each with a remedy.
#[test]
fn wrong_issuers_are_reported_together() {
    let settings = |name: &str| match name {
        "LATCHKEY_ISSUER" => Some("https://id.example".to_owned()),
        "LATCHKEY_SECRET" => Some(simulation::SECRET.to_owned()),
        "LATCHKEY_TRUSTED_ISSUERS" => Some(
            json!([
                { "issuer": "https://a.test", "subject": "same" },
                { "issuer": "https://b.test", "jwks": { "keys": [] }, "subject": { "prefix": "x" } },
                { "issuer": "https://a.test", "jwks_uri": "http://a.test/jwks", "subject": "same" },
                { "issuer": "https://d.test", "jwks_uri": "https://10.0.0.1/jwks", "subject": "same" },
            ])
            .to_string(),
        ),
        "LATCHKEY_SOFTWARE_STATEMENT_ISSUERS" => Some(
            json!([
                { "issuer": "https://e.test", "jwks_uri": "nonsense" },
                { "issuer": "https://f.test", "jwks": 7 },
                { "issuer": "https://g.test", "jwks": { "keys": [] }, "jwks_uri": "https://g.test/jwks" },
            ])
            .to_string(),
        ),
        "LATCHKEY_TRUSTED_SAML_ISSUERS" => {
            Some(json!([{ "issuer": "https://c.test", "certificates": ["MIIC"], "subject": "same" }]).to_string())
        }
        _ => None,
    };
    let error = provider::Config::read(&settings).map(|_| ()).unwrap_err();
    let problems: Vec<String> = error.problems.iter().map(ToString::to_string).collect();
    let expected = [
        "(https://a.test) jwks: give either",
        "prefix must end",
        "(https://b.test) jwks: must be a JWK Set",
        "jwks_uri: must be an https URL",
        "twice",
        "(https://d.test) jwks_uri: must be at a public host",
        "certificates[0]",
        "(https://e.test) jwks_uri: must be an absolute URL",
        "(https://f.test) jwks: must be a JWK Set",
        "(https://g.test) jwks: give either",
        "(https://g.test) jwks: must be a JWK Set",
    ];
    for part in expected {
        assert_eq!(problems.iter().filter(|problem| problem.contains(part)).count(), 1, "{part}: {problems:#?}");
    }
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
}
