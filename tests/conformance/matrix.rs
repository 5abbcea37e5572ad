//! The matrix: each grant type, with each authentication of the client, each sender constraint and each format of access tokens.
//!
//! A test is a grant type. For each sender it first omits the registered constraint: that request must fail, and use nothing up. The same request
//! with it must yield tokens that are bound to the sender, and of use to the sender alone.

use serde_json::{Map, Value, json};
use std::sync::OnceLock;
use suite::dpop::Holder;
use suite::trusted::{JWT_BEARER, NAMES, SAML_NAMES, SamlAssertion, claims, people, saml_bearer, typed};
use suite::{
    Authentication, AuthorizationRequest, Browser, Call, Certificate, Client, Name, Reply, Signer, TokenRequest,
    Tokens, USERNAME, admin, authenticated, base, device, introspection, issuer, jwt, now, random, url,
};

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const CIBA: &str = "urn:openid:params:grant-type:ciba";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const SAML: &str = "urn:ietf:params:oauth:grant-type:saml2-bearer";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The authentication methods of clients.
const METHODS: [&str; 6] = [
    "none",
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Constraint {
    None,
    Dpop,
    Certificate,
}

/// A client, with the keys that it has.
struct Sender {
    client: Client,
    method: &'static str,
    constraint: Constraint,
    is_opaque: bool,
    signer: Signer,
    holder: Holder,
    certificate: Certificate,
}

/// Returns the senders, of which each is another combination.
fn senders() -> &'static [Sender] {
    static SENDERS: OnceLock<Vec<Sender>> = OnceLock::new();
    SENDERS.get_or_init(|| {
        let constraints = [Constraint::None, Constraint::Dpop, Constraint::Certificate];
        let mut senders = Vec::new();
        for method in METHODS {
            for constraint in constraints {
                senders.extend([false, true].map(|is_opaque| Sender::new(method, constraint, is_opaque)));
            }
        }
        senders
    })
}

/// Returns the senders that authenticate: a public client may have no other grant than those that a user approves.
fn confidential() -> impl Iterator<Item = &'static Sender> {
    senders().iter().filter(|sender| sender.method != "none")
}

impl Sender {
    fn new(method: &'static str, constraint: Constraint, is_opaque: bool) -> Self {
        let format = if is_opaque { "opaque" } else { "jwt" };
        let id = format!("suite-matrix-{method}-{constraint:?}-{format}").to_lowercase().replace('_', "-");
        let name = format!("{id}.suite.example");
        let certificate = match method {
            "self_signed_tls_client_auth" => Certificate::self_signed(&id, &[]),
            _ => Certificate::issued(&id, &[Name::Dns(&name)]),
        };
        let signer = Signer::new("ES256", "key-1");
        let mut settings = Map::new();
        let mut set = |name: &str, value: Value| settings.insert(name.to_owned(), value);
        set("token_endpoint_auth_method", json!(method));
        set("access_token_format", json!(format));
        set("dpop_bound_access_tokens", json!(constraint == Constraint::Dpop));
        set("tls_client_certificate_bound_access_tokens", json!(constraint == Constraint::Certificate));
        let mut grants = vec!["authorization_code", "refresh_token", DEVICE];
        if method != "none" {
            grants.extend(["client_credentials", JWT_BEARER, SAML, EXCHANGE, CIBA]);
            let audiences = [issuer(), &url("/demo-api")];
            let policy = json!({
                "subject_clients": [id], "subject_audiences": audiences, "audiences": audiences, "impersonation": true,
            });
            set("token_exchange", policy);
        }
        set("grant_types", json!(grants));
        match method {
            "private_key_jwt" => drop(set("jwks", signer.jwks())),
            "self_signed_tls_client_auth" => drop(set("jwks", json!({ "keys": [certificate.jwk()] }))),
            "tls_client_auth" => drop(set("tls_client_auth_san_dns", json!(name))),
            _ => {}
        }
        let settings: Vec<String> = settings.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
        let mut arguments = vec!["--scope", "openid email offline_access read demo:read"];
        if method.starts_with("client_secret") {
            arguments.push("--confidential");
        }
        settings.iter().for_each(|setting| arguments.extend(["--set", setting]));
        let client = admin::client(&id, &arguments).with(match method {
            "client_secret_basic" => Authentication::Basic,
            "client_secret_post" => Authentication::Post,
            _ => Authentication::None,
        });
        Self { client, method, constraint, is_opaque, signer, holder: Holder::new(), certificate }
    }

    fn authenticates_by_certificate(&self) -> bool {
        self.method.ends_with("tls_client_auth")
    }

    /// Returns a request with the authentication of the client, and with no more certificate than that takes.
    fn bare(&self, path: &str, parameters: &[(String, String)]) -> Call {
        let mut parameters = parameters.to_vec();
        if self.method == "private_key_jwt" {
            let id = &self.client.id;
            let claims = json!({ "iss": id, "sub": id, "aud": issuer(), "jti": random(), "exp": now() + 60 });
            parameters.push(("client_assertion_type".to_owned(), ASSERTION.to_owned()));
            parameters.push(("client_assertion".to_owned(), self.signer.sign(&claims)));
        }
        let call = authenticated(Call::post(path), &self.client, &parameters);
        if self.authenticates_by_certificate() { call.certificate(&self.certificate) } else { call }
    }

    /// Sends a request to an endpoint that issues no tokens.
    fn post(&self, path: &str, parameters: &[(&str, &str)]) -> Reply {
        let parameters: Vec<_> =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.bare(path, &parameters).send()
    }

    /// Demands that the request fails without the constraint. Then sends it with it, and checks the tokens.
    #[track_caller]
    fn tokens(&self, request: &TokenRequest) -> Tokens {
        let bare = || self.bare("/token", &request.parameters);
        let call = match self.constraint {
            Constraint::None => bare(),
            Constraint::Dpop => {
                bare().send().expect_error(400, "invalid_dpop_proof");
                bare().header("dpop", self.holder.proof("POST", "/token", &json!({})))
            }
            Constraint::Certificate if self.authenticates_by_certificate() => bare(),
            Constraint::Certificate => {
                bare().send().expect_error(400, "invalid_request");
                bare().certificate(&self.certificate)
            }
        };
        let tokens = Tokens::read(&self.client, call.send());
        self.check(&tokens);
        tokens
    }

    /// Demands the format and the confirmation method of an access token, and that the sender alone can use it.
    #[track_caller]
    fn check(&self, tokens: &Tokens) {
        let (id, token) = (&self.client.id, tokens.access());
        let told = introspection(&api(), token);
        assert_eq!((&told["active"], &told["client_id"]), (&json!(true), &json!(id)), "{told}");
        let mut confirmations = vec![told["cnf"].clone()];
        assert_eq!(token.starts_with("lka_"), self.is_opaque, "{id}");
        if !self.is_opaque {
            confirmations.push(jwt::verify(token).claims["cnf"].clone());
        }
        let expected = match self.constraint {
            Constraint::None => Value::Null,
            Constraint::Dpop => json!({ "jkt": self.holder.jkt() }),
            Constraint::Certificate => self.certificate.cnf(),
        };
        assert!(confirmations.iter().all(|cnf| *cnf == expected), "{id}: {confirmations:?}");
        if tokens.text("id_token").is_none() {
            return;
        }
        let bearer = || Call::get("/userinfo").bearer(token);
        let (own, stolen) = match self.constraint {
            Constraint::None => (bearer(), None),
            Constraint::Dpop => {
                (self.holder.userinfo(token, &json!({})), Some(Holder::new().userinfo(token, &json!({}))))
            }
            Constraint::Certificate => {
                let other = Certificate::issued("thief", &[]);
                (bearer().certificate(&self.certificate), Some(bearer().certificate(&other)))
            }
        };
        own.send().expect(200);
        if let Some(stolen) = stolen {
            for call in [stolen, bearer()] {
                call.send().expect(401);
            }
        }
    }

    fn authorization(&self) -> AuthorizationRequest {
        AuthorizationRequest::new(&self.client).scope("openid email offline_access").set("prompt", "consent")
    }

    /// Returns a request that redeems a new code.
    #[track_caller]
    fn redemption(&self) -> TokenRequest {
        let request = self.authorization();
        TokenRequest::code(&request, &Browser::signed_in().complete(&request).code())
    }
}

/// An API that asks what the tokens of all senders are worth.
fn api() -> Client {
    let introspects = format!("introspects={}", json!([issuer(), url("/demo-api")]));
    admin::client("suite-matrix-api", &["--confidential", "--set", "grant_types=[]", "--set", &introspects])
}

/// Writes a value as `latchkey client add --set` reads it.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// RFC 6749 §4.1, RFC 7636; and §6: the refresh token, with which the client gets tokens of the same kind.
#[test]
fn codes_and_refresh_tokens() {
    for sender in senders() {
        let tokens = sender.tokens(&sender.redemption());
        let again = sender.tokens(&tokens.refresh_request());
        assert_ne!(again.access(), tokens.access());
    }
}

/// RFC 6749 §4.4.
#[test]
fn client_credentials() {
    confidential().for_each(|sender| drop(sender.tokens(&TokenRequest::client_credentials(&sender.client))));
}

/// RFC 8628.
#[test]
fn device_codes() {
    for sender in senders() {
        let waiting = sender.post("/device_authorization", &[("scope", "openid email")]).expect(200).json();
        let mut browser = Browser::signed_in();
        let page = device::enter(&mut browser, waiting["user_code"].as_str().unwrap()).consent_page();
        browser.decide(&page, "allow").page();
        let code = waiting["device_code"].as_str().unwrap();
        sender.tokens(&TokenRequest::new(&sender.client, DEVICE).set("device_code", code));
    }
}

/// CIBA Core §10.
#[test]
fn backchannel_authentication() {
    let user = admin::user("matrix-backchannel");
    let mut browser = Browser::new();
    browser.complete_as(&AuthorizationRequest::new(&suite::spa()), &user, admin::PASSWORD).code();
    for sender in confidential() {
        let parameters = [("scope", "openid email offline_access"), ("login_hint", user.as_str())];
        let waiting = sender.post("/bc-authorize", &parameters).expect(200).json();
        let links = browser.open("/requests").page().attributes("#requests a", "href");
        let page = browser.open(&links[0]).consent_page();
        browser.decide(&page, "allow").page();
        let id = waiting["auth_req_id"].as_str().unwrap();
        let tokens = sender.tokens(&TokenRequest::new(&sender.client, CIBA).set("auth_req_id", id));
        sender.tokens(&tokens.refresh_request());
    }
}

/// RFC 7523 §2.1.
#[test]
fn jwt_assertions() {
    for sender in confidential() {
        let mut claims = claims(NAMES, "whoever");
        claims.insert("login".to_owned(), json!(USERNAME));
        let request = TokenRequest::new(&sender.client, JWT_BEARER).set("assertion", &typed(people(), claims));
        sender.tokens(&request);
    }
}

/// RFC 7522 §2.1.
#[test]
fn saml_assertions() {
    for sender in confidential() {
        sender.tokens(&saml_bearer(&sender.client, &SamlAssertion::new(SAML_NAMES, "whoever", USERNAME).signed()));
    }
}

/// RFC 8693: what a bound token is exchanged for is bound, too.
#[test]
fn token_exchange() {
    for sender in confidential() {
        let own = sender.tokens(&TokenRequest::client_credentials(&sender.client).set("scope", "demo:read"));
        let exchange = TokenRequest::new(&sender.client, EXCHANGE)
            .set("subject_token", own.access())
            .set("subject_token_type", ACCESS_TOKEN)
            .set("audience", &format!("{}/demo-api", base()));
        sender.tokens(&exchange);
    }
}
