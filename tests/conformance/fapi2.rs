//! Security profiles: FAPI 2.0 Security Profile (SP) and FAPI 2.0 Message Signing (MS).

use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use suite::dpop::Holder;
use suite::pushed::reference;
use suite::trusted::{JWT_BEARER, MACHINES, PEOPLE, claims, jwt_bearer, machines, people, typed};
use suite::{
    AuthorizationRequest, Browser, Call, Client, Reply, Signer, TokenRequest, Tokens, admin, issuer, jwt, now, random,
};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client with a profile, and its keys.
struct Party {
    client: Client,
    signer: Signer,
    holder: Holder,
}

impl Party {
    fn new(id: &str, alg: &str, profile: &str, settings: &[&str]) -> Self {
        let signer = Signer::new(alg, "key-1");
        let (jwks, profile) = (format!("jwks={}", signer.jwks()), format!("profile={profile}"));
        let grants = r#"grant_types=["authorization_code","refresh_token","client_credentials"]"#;
        let mut arguments = vec!["--scope", "openid email offline_access read"];
        for setting in [&jwks, &profile, "token_endpoint_auth_method=private_key_jwt", grants].iter().chain(settings) {
            arguments.extend(["--set", setting]);
        }
        Self { client: admin::client(id, &arguments), signer, holder: Holder::of(alg) }
    }

    /// Returns the claims of a client assertion, with these in place of its own.
    fn claims(&self, changes: &Value) -> Value {
        let id = &self.client.id;
        let claims = json!({
            "iss": id, "sub": id, "aud": issuer(), "jti": random(), "iat": now(), "nbf": now(), "exp": now() + 60,
        });
        with(claims, changes)
    }

    /// Returns the parameters of a client assertion.
    fn asserted(&self, changes: &Value) -> [(String, String); 2] {
        let assertion = self.signer.sign(&self.claims(changes));
        [("client_assertion_type".to_owned(), TYPE.to_owned()), ("client_assertion".to_owned(), assertion)]
    }

    fn request(&self) -> AuthorizationRequest {
        AuthorizationRequest::new(&self.client).scope("openid email offline_access").set("prompt", "consent")
    }

    fn post(&self, path: &str, parameters: &[(String, String)], assertion: &Value) -> Call {
        let parameters: Vec<_> = parameters.iter().cloned().chain(self.asserted(assertion)).collect();
        Call::post(path).form(&parameters)
    }

    /// Pushes a request.
    fn push(&self, request: &AuthorizationRequest) -> Reply {
        self.post("/par", &request.parameters, &json!({})).send()
    }

    /// Answers a pushed request. Returns the code.
    fn code(&self, pushed: Reply) -> String {
        let request_uri = pushed.expect(201).json()["request_uri"].as_str().expect("request_uri").to_owned();
        let mut browser = Browser::signed_in();
        let landing = browser.open(&reference(&self.client, &request_uri));
        browser.finish(landing, suite::USERNAME, suite::PASSWORD).code()
    }

    /// Returns a token request with a client assertion and a proof.
    fn bound(&self, request: &TokenRequest) -> Call {
        let call = self.post("/token", &request.parameters, &json!({}));
        call.header("dpop", self.holder.proof("POST", "/token", &json!({})))
    }

    fn tokens(&self, request: &TokenRequest) -> Tokens {
        Tokens::read(&self.client, self.bound(request).send())
    }

    /// Returns the tokens of a new grant.
    fn grant(&self) -> Tokens {
        let request = self.request();
        self.tokens(&TokenRequest::code(&request, &self.code(self.push(&request))))
    }

    /// Returns the claims of a request object for a request, with these in place of its own.
    fn object(&self, request: &AuthorizationRequest, changes: &Value) -> Value {
        let mut claims: Map<String, Value> =
            request.parameters.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let times = json!({ "iss": self.client.id, "aud": issuer(), "nbf": now(), "exp": now() + 300 });
        claims.extend(times.as_object().expect("an object").clone());
        with(Value::Object(claims), changes)
    }

    /// Pushes a request object.
    fn push_object(&self, object: &str) -> Reply {
        let parameters = [("client_id".to_owned(), self.client.id.clone()), ("request".to_owned(), object.to_owned())];
        self.post("/par", &parameters, &json!({})).send()
    }
}

/// Replaces members; `null` removes one.
fn with(mut members: Value, changes: &Value) -> Value {
    let all = members.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => all.remove(name),
            value => all.insert(name.clone(), value.clone()),
        };
    }
    members
}

static SECURITY: LazyLock<Party> = LazyLock::new(|| Party::new("suite-fapi2", "ES256", "fapi2-security", &[]));
static SIGNING: LazyLock<Party> = LazyLock::new(|| {
    let jarm = "authorization_signed_response_alg=PS256";
    Party::new("suite-fapi2-ms", "PS256", "fapi2-message-signing", &[jarm])
});

/// SP §5.3.2: the whole flow, with DPoP. SP §5.4.1 (1): no signature is RS256, which is the default without a profile.
#[test]
fn the_flow_yields_bound_tokens() {
    let tokens = SECURITY.grant();
    let access = jwt::verify(tokens.access());
    assert_eq!(access.claims["cnf"], json!({ "jkt": SECURITY.holder.jkt() }));
    assert_eq!(access.header["alg"], "ES256");
    assert_eq!(jwt::verify(tokens.id()).header["alg"], "PS256");
    SECURITY.holder.userinfo(tokens.access(), &json!({})).send().expect(200);
    let service = TokenRequest::client_credentials(&SECURITY.client).set("scope", "read");
    assert_eq!(jwt::verify(SECURITY.tokens(&service).access()).claims["cnf"]["jkt"], SECURITY.holder.jkt());
}

/// SP §5.3.2.1 (4): no token without a proof, whatever the grant. The code is not used up.
#[test]
fn no_token_is_issued_without_a_proof() {
    let party = &*SECURITY;
    let request = party.request();
    let redeem = TokenRequest::code(&request, &party.code(party.push(&request)));
    let service = TokenRequest::client_credentials(&party.client);
    for request in [&redeem, &service] {
        let refused = party.post("/token", &request.parameters, &json!({})).send();
        refused.expect_error(400, "invalid_dpop_proof");
    }
    let refresh = party.tokens(&redeem).refresh_request();
    party.post("/token", &refresh.parameters, &json!({})).send().expect_error(400, "invalid_dpop_proof");
}

/// SP §5.3.2.1 (9): a refresh token does not rotate. It stays the same, and the clock of an earlier use ends nothing. The client may
/// change its key (RFC 9449 §5).
#[test]
fn refresh_tokens_stay() {
    let tokens = SECURITY.grant();
    let first = SECURITY.tokens(&tokens.refresh_request());
    assert_eq!(first.refresh(), tokens.refresh());
    let holder = Holder::new();
    let refresh = tokens.refresh_request();
    let call = SECURITY.post("/token", &refresh.parameters, &json!({}));
    let reply = call.header("dpop", holder.proof("POST", "/token", &json!({}))).send();
    let other = Tokens::read(&SECURITY.client, reply);
    assert_eq!(other.refresh(), tokens.refresh());
    assert_eq!(jwt::verify(other.access()).claims["cnf"]["jkt"], holder.jkt());
    let replies = suite::at_once(|_| SECURITY.bound(&refresh).send().status);
    assert!(replies.iter().all(|status| *status == 200), "{replies:?}");
    SECURITY.holder.userinfo(first.access(), &json!({})).send().expect(200);
    // A narrowed scope is that of one token.
    let narrow = SECURITY.tokens(&tokens.refresh_request().set("scope", "openid"));
    assert_eq!(narrow.document["scope"], "openid");
    assert_eq!(SECURITY.tokens(&tokens.refresh_request()).document["scope"], tokens.document["scope"]);
}

/// RFC 7009 §2.1: revocation ends a refresh token that does not rotate, and the tokens that were issued from it.
#[test]
fn a_refresh_token_that_stays_is_revoked() {
    let tokens = SECURITY.grant();
    let next = SECURITY.tokens(&tokens.refresh_request());
    let form = [("token".to_owned(), tokens.refresh().to_owned())];
    SECURITY.post("/revoke", &form, &json!({})).send().expect(200);
    SECURITY.bound(&tokens.refresh_request()).send().expect_error(400, "invalid_grant");
    SECURITY.holder.userinfo(next.access(), &json!({})).send().expect(401);
}

/// The setting without a profile: a confidential client may keep its refresh tokens, a public one may not (RFC 9700 §4.14.2).
#[test]
fn rotation_is_a_setting_of_confidential_clients() {
    let off = "refresh_token_rotation=false";
    let client = admin::client("suite-no-rotation", &["--confidential", "--set", off]);
    let tokens = suite::grant(&client);
    for _ in 0..2 {
        assert_eq!(tokens.refresh_request().tokens().refresh(), tokens.refresh());
    }
    let ends = |tokens: &Tokens, member: &str| tokens.document[member].as_u64().expect("seconds");
    assert_eq!(
        ends(&tokens, "refresh_token_timeout"),
        ends(&tokens, "authorization_expires_in"),
        "there is no idle end"
    );
    let refused = admin::refused(&["client", "add", "--json", "--id", "suite-no-rotation-public", "--set", off], "");
    assert!(refused.contains("refresh_token_rotation"), "{refused}");
}

/// SP §5.3.2.2 (2), (3): no request that was not pushed.
#[test]
fn requests_must_be_pushed() {
    let error = Browser::signed_in().authorize(&SECURITY.request()).callback();
    assert_eq!(error.error(), "invalid_request");
}

/// SP §5.3.2.2 (1), (4) to (6), and the error codes of the certification suite.
#[test]
fn a_pushed_request_is_complete() {
    let party = &*SECURITY;
    let right = party.request();
    party.push(&right).expect(201);
    for wrong in [
        right.clone().without_pkce(),
        right.clone().set("code_challenge_method", "plain"),
        right.clone().without("redirect_uri"),
        right.clone().scope("read").without("redirect_uri"),
        right.clone().set("request_uri", "urn:ietf:params:oauth:request_uri:x"),
    ] {
        party.push(&wrong).expect_error(400, "invalid_request");
    }
    party.push(&right.clone().set("response_type", "code id_token")).expect_error(400, "unauthorized_client");
    Call::post("/par").form(&right.parameters).send().expect_error(401, "invalid_client");
}

/// SP §5.3.2.1 (8): `aud` of a client assertion is the issuer, as a string. (13): times at most 60 seconds ahead. §5.4.1: no RS256.
#[test]
fn client_assertions_are_narrow() {
    let party = &*SECURITY;
    let request = party.request();
    let push = |changes: &Value| party.post("/par", &request.parameters, changes).send();
    for right in [json!({}), json!({ "nbf": now() + 8, "iat": now() + 8 })] {
        push(&right).expect(201);
    }
    for wrong in [
        json!({ "aud": [issuer()] }),
        json!({ "aud": [issuer(), format!("{}/token", issuer())] }),
        json!({ "aud": format!("{}/token", issuer()) }),
        json!({ "aud": format!("{}/par", issuer()) }),
        json!({ "nbf": now() + 70, "iat": now() + 70 }),
        json!({ "exp": now() - 300 }),
        json!({ "sub": null }),
    ] {
        push(&wrong).expect_error(401, "invalid_client");
    }
    let rsa = Party::new("suite-fapi2-rsa", "PS256", "fapi2-security", &[]);
    let by_rs256 = Signer::new("RS256", "key-1");
    let jwks = format!("jwks={}", by_rs256.jwks());
    let refused = admin::client(
        "suite-fapi2-rs256",
        &["--set", "token_endpoint_auth_method=private_key_jwt", "--set", "profile=fapi2-security", "--set", &jwks],
    );
    let claims = with(rsa.claims(&json!({})), &json!({ "iss": refused.id, "sub": refused.id }));
    let form = [("client_assertion_type", TYPE), ("client_assertion", &by_rs256.sign(&claims))];
    Call::post("/par").form(&form).send().expect_error(401, "invalid_client");
}

/// SP §5.3.2.1 (3), (6), §5.3.2.2 (8): what an operator cannot register.
#[test]
fn settings_that_contradict_the_profile_are_refused() {
    let jwks = format!("jwks={}", SECURITY.signer.jwks());
    let refused = |settings: &[&str]| {
        let mut command =
            vec!["client", "add", "--json", "--id", "suite-fapi2-refused", "--set", "profile=fapi2-security"];
        command.extend(settings.iter().flat_map(|setting| ["--set", setting]));
        admin::refused(&command, "")
    };
    let https = r#"redirect_uris=["https://suite.example/callback"]"#;
    let by_key = "token_endpoint_auth_method=private_key_jwt";
    for (settings, field) in [
        (&[https, "token_endpoint_auth_method=none"][..], "token_endpoint_auth_method"),
        (&[https, "token_endpoint_auth_method=client_secret_basic"], "token_endpoint_auth_method"),
        (&[by_key, &jwks, r#"redirect_uris=["http://localhost/callback"]"#], "redirect_uris"),
        (&[https, by_key, &jwks, r#"response_types=["code id_token"]"#], "response_types"),
        (&[https, by_key, &jwks, "token_endpoint_auth_signing_alg=RS256"], "token_endpoint_auth_signing_alg"),
        (&[https, by_key, &jwks, "request_object_signing_alg=none"], "request_object_signing_alg"),
    ] {
        let shown = refused(settings);
        assert!(shown.contains(field) && shown.contains("fapi2-security"), "{shown}");
    }
}

/// SP §5.3.2.2 (7): the user's refusal reaches the client, with `iss` and the whole `state`.
#[test]
fn long_states_and_nonces_travel() {
    let party = &*SECURITY;
    let (state, nonce) = ("s".repeat(1000), "n".repeat(64));
    let request = party.request().set("state", &state).set("nonce", &nonce);
    let tokens = party.tokens(&TokenRequest::code(&request, &party.code(party.push(&request))));
    assert_eq!(jwt::verify(tokens.id()).text("nonce"), nonce);
}

/// MS §5.3.1 (1): each request is a signed request object.
#[test]
fn message_signing_demands_request_objects() {
    let party = &*SIGNING;
    party.push(&party.request()).expect_error(400, "invalid_request");
    let request = party.request().set("response_mode", "jwt");
    let pushed = party.push_object(&party.signer.sign(&party.object(&request, &json!({}))));
    let request_uri = pushed.expect(201).json()["request_uri"].as_str().expect("request_uri").to_owned();
    let mut browser = Browser::signed_in();
    let landing = browser.open(&reference(&party.client, &request_uri));
    let callback = browser.finish(landing, suite::USERNAME, suite::PASSWORD);
    // MS §5.4.1: the response is signed.
    let response = jwt::verify(callback.value("response").expect("response"));
    assert_eq!(response.header["alg"], "PS256");
    assert_eq!(response.text("state"), request.value("state"));
    party.tokens(&TokenRequest::code(&request, response.text("code")));
}

/// MS §5.3.1 (2) to (4), SP §5.4.1: audience, times and signature of a request object. The certification suite wants this error code.
#[test]
fn request_objects_are_narrow() {
    let party = &*SIGNING;
    let request = party.request().set("response_mode", "jwt");
    let push = |changes: &Value| party.push_object(&party.signer.sign(&party.object(&request, changes)));
    for right in [
        json!({ "aud": [issuer(), "https://other.example"] }),
        json!({ "nbf": now() + 8 }),
        json!({ "nbf": now() - 3500, "exp": now() + 60 }),
        json!({ "nbf": now(), "exp": now() + 3600 }),
    ] {
        push(&right).expect(201);
    }
    for wrong in [
        json!({ "aud": null }),
        json!({ "aud": "https://other.example" }),
        json!({ "nbf": null }),
        json!({ "exp": null }),
        json!({ "exp": now() - 60 }),
        json!({ "exp": now() + 70 * 60 }),
        json!({ "nbf": now() - 70 * 60 }),
        json!({ "nbf": now() - 70 * 60, "exp": now() + 60 }),
        json!({ "request_uri": "urn:ietf:params:oauth:request_uri:x" }),
    ] {
        push(&wrong).expect_error(400, "invalid_request_object");
    }
    let claims = party.object(&request, &json!({}));
    party.push_object(&jwt::unsigned(&party.signer.sign(&claims))).expect_error(400, "invalid_request_object");
    let rs256 = Signer::new("RS256", "key-1").sign(&claims);
    party.push_object(&rs256).expect_error(400, "invalid_request_object");
    party.push_object(&SECURITY.signer.sign(&claims)).expect_error(400, "invalid_request_object");
}

/// MS §5.4.1: a client that registered the signature of its responses gets no other.
#[test]
fn registered_responses_are_signed() {
    let party = &*SIGNING;
    for mode in [None, Some("query"), Some("form_post")] {
        let request = mode.map_or(party.request(), |mode| party.request().set("response_mode", mode));
        let object = party.signer.sign(&party.object(&request, &json!({})));
        party.push_object(&object).expect_error(400, "invalid_request");
    }
    let plain = Party::new("suite-fapi2-ms-plain", "ES256", "fapi2-message-signing", &[]);
    let request = plain.request();
    let object = plain.signer.sign(&plain.object(&request, &json!({})));
    plain.tokens(&TokenRequest::code(&request, &plain.code(plain.push_object(&object))));
}

/// SP §5.4.1 (1): every JWT that the server reads is signed by PS256, ES256 or EdDSA, that of a trusted issuer included.
#[test]
fn assertions_of_trusted_issuers_are_narrow() {
    let grants = format!(r#"grant_types=["{JWT_BEARER}"]"#);
    let party = Party::new("suite-fapi2-assertions", "ES256", "fapi2-security", &[&grants]);
    let subject = jwt::read(suite::grant(&suite::spa()).id()).text("sub").to_owned();
    let allowed = jwt_bearer(&party.client, &typed(people(), claims(PEOPLE, &subject)));
    party.tokens(&allowed);
    let refused = jwt_bearer(&party.client, &typed(machines(), claims(MACHINES, "repo:octo/app")));
    let reply = party.bound(&refused).send().expect_error(400, "invalid_grant");
    assert!(reply.text().contains("profile"), "{reply:?}");
}
