//! Demonstrating Proof of Possession (DPoP): RFC 9449.

use serde_json::{Value, json};
use std::sync::LazyLock;
use suite::dpop::{Holder, access_token_hash};
use suite::registration::register;
use suite::{
    AuthorizationRequest, Browser, Call, Client, Reply, Signer, TokenRequest, Tokens, admin, at_once, exchanger,
    introspection, issuer, jwt, now, pushed, random, service, spa, url, userinfo, web,
};

const SCOPE: &str = "openid email offline_access";

static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::new("ES256", "key-1"));

fn request(client: &Client) -> AuthorizationRequest {
    AuthorizationRequest::new(client).scope(SCOPE).set("prompt", "consent")
}

/// The redemption of a new code.
fn redemption(request: &AuthorizationRequest) -> TokenRequest {
    TokenRequest::code(request, &Browser::signed_in().complete(request).code())
}

fn tokens(holder: &Holder, client: &Client) -> Tokens {
    holder.tokens(&redemption(&request(client)))
}

/// A service that authenticates with a key.
fn signing_service() -> Client {
    let jwks = format!("jwks={}", SIGNER.jwks());
    let set = ["--set", "token_endpoint_auth_method=private_key_jwt", "--set", r#"grant_types=["client_credentials"]"#];
    admin::client("suite-dpop-jwt", &[&["--scope", "read"], &set[..], &["--set", &jwks]].concat())
}

/// The form of a token request with a client assertion.
fn asserted(client: &Client) -> TokenRequest {
    let claims = json!({
        "iss": client.id, "sub": client.id, "aud": issuer(), "jti": random(), "iat": now(), "exp": now() + 60,
    });
    TokenRequest::client_credentials(&Client::public(&client.id))
        .set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .set("client_assertion", &SIGNER.sign(&claims))
}

/// §5: the access token is bound to the key of the proof, and its type is DPoP. §6: `cnf` has the thumbprint, in the JWT and in the
/// introspection response.
#[test]
fn a_proof_binds_the_access_token() {
    for alg in ["ES256", "PS256", "EdDSA"] {
        let holder = Holder::of(alg);
        let tokens = tokens(&holder, &web());
        let cnf = json!({ "jkt": holder.jkt() });
        assert_eq!(jwt::verify(tokens.access()).claims["cnf"], cnf, "{alg}");
        let document = introspection(&web(), tokens.access());
        assert_eq!((&document["cnf"], &document["token_type"]), (&cnf, &json!("DPoP")), "{alg}");
        assert!(jwt::verify(tokens.id()).claims.get("cnf").is_none(), "an ID token is bound to nothing");
    }
    let tokens = redemption(&request(&web())).tokens();
    assert!(jwt::verify(tokens.access()).claims.get("cnf").is_none());
}

/// §7.1, §7.2: a resource accepts the token with a proof of its key, and in no other way. The challenge is one of the scheme DPoP.
#[test]
fn userinfo_demands_the_key() {
    let (holder, other) = (Holder::new(), Holder::new());
    let opaque = admin::client("suite-dpop-opaque", &["--set", "access_token_format=opaque"]);
    for client in [spa(), opaque] {
        let tokens = tokens(&holder, &client);
        let (token, right) = (tokens.access(), json!({}));
        assert_eq!(holder.userinfo(token, &right).send().expect(200).json()["email"], "demo@example.com");
        let refused = |call: Call, code: &str| {
            let reply = call.send().expect_error(401, code);
            let challenge = reply.header("www-authenticate").unwrap_or_default();
            let is_named = challenge.starts_with("DPoP algs=\"ES256 PS256 EdDSA\", ") && challenge.contains(code);
            assert!(is_named || challenge.starts_with("Bearer "), "{reply:?}");
            challenge.starts_with("DPoP ")
        };
        assert!(refused(other.userinfo(token, &right), "invalid_token"), "another key");
        let authorization = format!("DPoP {token}");
        assert!(refused(Call::get("/userinfo").header("authorization", &authorization), "invalid_dpop_proof"));
        for wrong in [
            json!({ "ath": access_token_hash("other") }),
            json!({ "ath": null }),
            json!({ "htm": "POST" }),
            json!({ "htu": url("/token") }),
        ] {
            assert!(refused(holder.userinfo(token, &wrong), "invalid_dpop_proof"), "{wrong}");
        }
        let proof = holder.proof("GET", "/userinfo", &json!({ "ath": access_token_hash(token) }));
        let twice = Call::get("/userinfo").header("authorization", &authorization);
        assert!(refused(twice.header("dpop", &proof).header("dpop", &proof), "invalid_dpop_proof"), "two proofs");
        let bearer = Call::get("/userinfo").bearer(token);
        refused(bearer.clone(), "invalid_token");
        refused(bearer.header("dpop", &proof), "invalid_token");
        let in_body = Call::post("/userinfo").form(&[("access_token", token)]);
        refused(in_body.header("dpop", holder.proof("POST", "/userinfo", &right)), "invalid_token");
    }
    // A bearer token is none of this scheme.
    let bearer = redemption(&request(&spa())).tokens();
    holder.userinfo(bearer.access(), &json!({})).send().expect_error(401, "invalid_token");
    // §7.1: the scheme is case-insensitive.
    let tokens = tokens(&holder, &spa());
    let proof = holder.proof("GET", "/userinfo", &json!({ "ath": access_token_hash(tokens.access()) }));
    let call = Call::get("/userinfo").header("authorization", format!("dPOP {}", tokens.access()));
    call.header("dpop", proof).send().expect(200);
}

/// §4.3: what is wrong with a proof costs the client nothing: the code is still good.
#[test]
fn wrong_proofs_are_rejected() {
    let holder = Holder::new();
    let redeem = redemption(&request(&spa()));
    for wrong in [
        json!({ "htm": "GET" }),
        json!({ "htm": "post" }),
        json!({ "htu": format!("{}/par", issuer()) }),
        json!({ "htu": "https://other.example/token" }),
        json!({ "jti": null }),
        json!({ "iat": null }),
        json!({ "exp": now() - 3600 }),
        json!({ "ath": access_token_hash("x") }),
    ] {
        holder.send_with(&redeem, &wrong).expect_error(400, "invalid_dpop_proof");
    }
    let claims = Holder::claims("POST", "/token");
    let with_header = |header: &Value| redeem.call().header("dpop", SIGNER.sign_with(header, &claims)).send();
    for header in [
        json!({ "typ": "JWT", "alg": "ES256", "jwk": SIGNER.jwk() }),
        json!({ "typ": "dpop+jwt", "alg": "ES256" }),
        json!({ "typ": "dpop+jwt", "alg": "none", "jwk": SIGNER.jwk() }),
        json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": Signer::new("ES256", "x").jwk() }),
        json!({ "typ": "dpop+jwt", "alg": "ES256", "kid": "key-1", "jku": url("/jwks") }),
    ] {
        with_header(&header).expect_error(400, "invalid_dpop_proof");
    }
    let proof = holder.proof("POST", "/token", &json!({}));
    redeem.call().header("dpop", &proof).header("dpop", &proof).send().expect_error(400, "invalid_dpop_proof");
    redeem.call().header("dpop", format!("{proof}, {proof}")).send().expect_error(400, "invalid_dpop_proof");
    redeem.call().header("dpop", "").send().expect_error(400, "invalid_dpop_proof");
    holder.send_with(&redeem, &json!({ "htu": format!("{}/token?a=b#c", issuer()), "more": [1] })).expect(200);
}

/// §8: a sender whose clock is wrong gets a nonce, and with it the tokens: with the same code, and with the same client assertion.
#[test]
fn a_nonce_helps_a_sender_whose_clock_is_wrong() {
    let holder = Holder::new();
    for redeem in [redemption(&request(&spa())), asserted(&signing_service())] {
        let skewed = json!({ "iat": now() - 7200 });
        let reply = holder.send_with(&redeem, &skewed).expect_error(400, "use_dpop_nonce");
        let nonce = reply.header("dpop-nonce").expect("a nonce").to_owned();
        let reply = holder.send_with(&redeem, &json!({ "iat": now() - 7200, "nonce": "unknown" }));
        reply.expect_error(400, "use_dpop_nonce");
        let reply = holder.send_with(&redeem, &json!({ "iat": now() - 7200, "nonce": nonce }));
        Tokens::read(&redeem.client, reply);
    }
    // A sender whose clock is right needs none.
    let reply = holder.send(&redemption(&request(&spa()))).expect(200);
    assert_eq!(reply.header("dpop-nonce"), None);
}

/// §8: every endpoint that demands a nonce sends one.
#[test]
fn the_endpoints_that_begin_a_request_send_a_nonce() {
    let (holder, spa) = (Holder::new(), spa());
    let device = vec![("client_id".to_owned(), "demo-device".to_owned())];
    for (path, form) in [("/par", request(&spa).parameters.clone()), ("/device_authorization", device)] {
        let call = |changes: &Value| {
            let proof = holder.proof("POST", path, changes);
            Call::post(path).form(&form).header("dpop", proof).send()
        };
        let reply = call(&json!({ "iat": now() - 7200 })).expect_error(400, "use_dpop_nonce");
        let nonce = reply.header("dpop-nonce").expect("a nonce");
        let status = call(&json!({ "iat": now() - 7200, "nonce": nonce })).status;
        assert!((200..300).contains(&status), "{path}: {status}");
    }
}

/// §9: the nonces of a resource are its own.
#[test]
fn a_resource_has_nonces_of_its_own() {
    let holder = Holder::new();
    let tokens = tokens(&holder, &spa());
    let skewed = |more: Value| {
        let mut changes = json!({ "iat": now() + 7200 });
        changes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        changes
    };
    let call = |more: Value| holder.userinfo(tokens.access(), &skewed(more)).send();
    let reply = call(json!({})).expect_error(401, "use_dpop_nonce");
    let challenge = reply.header("www-authenticate").unwrap_or_default();
    assert!(challenge.starts_with("DPoP ") && challenge.contains("error=\"use_dpop_nonce\""), "{challenge}");
    let nonce = reply.header("dpop-nonce").expect("a nonce").to_owned();
    let of_server = holder.send_with(&tokens.refresh_request(), &skewed(json!({})));
    let of_server = of_server.expect_error(400, "use_dpop_nonce").header("dpop-nonce").expect("a nonce").to_owned();
    assert_ne!(nonce, of_server);
    call(json!({ "nonce": of_server })).expect_error(401, "use_dpop_nonce");
    call(json!({ "nonce": nonce })).expect(200);
}

/// §5: the refresh token of a public client is bound to the key, and an error does not cost the client its token.
#[test]
fn a_public_client_refreshes_with_its_key() {
    let (holder, other) = (Holder::new(), Holder::new());
    let first = tokens(&holder, &spa());
    first.refresh_request().send().expect_error(400, "invalid_dpop_proof");
    other.send(&first.refresh_request()).expect_error(400, "invalid_grant");
    let second = holder.tokens(&first.refresh_request());
    assert_eq!(jwt::verify(second.access()).claims["cnf"]["jkt"], holder.jkt());
    second.refresh_request().send().expect_error(400, "invalid_dpop_proof");
    // A retry has a new proof, and gets the same successor.
    let again = holder.tokens(&first.refresh_request());
    assert_eq!(again.refresh(), second.refresh());
    assert!(holder.send(&second.refresh_request()).status == 200);
}

/// A grant of bearer tokens gets its constraint with the first proof, and keeps it.
#[test]
fn a_grant_never_loses_its_constraint() {
    let holder = Holder::new();
    let bearer = redemption(&request(&spa())).tokens();
    let bound = holder.tokens(&bearer.refresh_request());
    bound.refresh_request().send().expect_error(400, "invalid_dpop_proof");
    Holder::new().send(&bound.refresh_request()).expect_error(400, "invalid_grant");
}

/// §5: a confidential client may change its keys, because it authenticates.
#[test]
fn a_confidential_client_refreshes_with_any_key() {
    let first = tokens(&Holder::new(), &web());
    first.refresh_request().send().expect_error(400, "invalid_dpop_proof");
    let other = Holder::new();
    let second = other.tokens(&first.refresh_request());
    assert_eq!(jwt::verify(second.access()).claims["cnf"]["jkt"], other.jkt());
}

/// A bound refresh token is revoked and introspected without a proof (RFC 7009 §2.1, RFC 7662 §2.1).
#[test]
fn a_bound_refresh_token_is_revoked_without_a_proof() {
    let holder = Holder::new();
    let first = tokens(&holder, &web());
    assert_eq!(introspection(&web(), first.refresh())["active"], true);
    let public = tokens(&holder, &spa());
    suite::revoke(&spa(), public.refresh(), None).expect(200);
    holder.send(&public.refresh_request()).expect_error(400, "invalid_grant");
}

/// §10: `dpop_jkt` binds the code.
#[test]
fn a_code_is_bound_to_the_key_that_the_request_names() {
    let holder = Holder::new();
    let request = request(&spa()).set("dpop_jkt", &holder.jkt());
    let redeem = redemption(&request);
    redeem.send().expect_error(400, "invalid_grant");
    Holder::new().send(&redeem).expect_error(400, "invalid_grant");
    assert_eq!(jwt::verify(holder.tokens(&redeem).access()).claims["cnf"]["jkt"], holder.jkt());
    let wrong = request.set("dpop_jkt", "short");
    assert_eq!(Browser::signed_in().authorize(&wrong).callback().error(), "invalid_request");
}

/// §10.1: so does the proof of a pushed request.
#[test]
fn a_code_is_bound_to_the_key_that_pushed_the_request() {
    let holder = Holder::new();
    let push = |request: &AuthorizationRequest, holder: &Holder| -> Reply {
        let parameters: Vec<_> = request.parameters.iter().filter(|(name, _)| name != "client_id").cloned().collect();
        let call = suite::authenticated(Call::post("/par"), &request.client, &parameters);
        call.header("dpop", holder.proof("POST", "/par", &json!({}))).send()
    };
    let request = request(&web());
    push(&request.clone().set("dpop_jkt", &Holder::new().jkt()), &holder).expect_error(400, "invalid_dpop_proof");
    for request in [request.clone(), request.clone().set("dpop_jkt", &holder.jkt())] {
        let reply = push(&request, &holder).expect(201).json();
        let url = pushed::reference(&request.client, reply["request_uri"].as_str().unwrap());
        let mut browser = Browser::new();
        let landing = browser.open(&url);
        let code = browser.finish(landing, suite::USERNAME, suite::PASSWORD).code();
        let redeem = TokenRequest::code(&request, &code);
        Holder::new().send(&redeem).expect_error(400, "invalid_grant");
        holder.tokens(&redeem);
    }
}

/// §11.1: a proof is accepted once where nothing else makes the request single-use.
#[test]
fn a_proof_is_accepted_once() {
    let holder = Holder::new();
    let proof = holder.proof("POST", "/token", &json!({}));
    let call = TokenRequest::client_credentials(&service()).call().header("dpop", &proof);
    let replies = at_once(|_| call.clone().send().status);
    assert_eq!(replies.iter().filter(|status| **status == 200).count(), 1, "{replies:?}");
    call.send().expect_error(400, "invalid_dpop_proof");
    let first = tokens(&holder, &spa());
    let proof = holder.proof("POST", "/token", &json!({}));
    let call = first.refresh_request().call().header("dpop", &proof);
    call.clone().send().expect(200);
    call.send().expect_error(400, "invalid_dpop_proof");
}

/// The `jti` of a client assertion is still good for one request alone (RFC 7523 §3 (7)).
#[test]
fn an_assertion_is_used_once_with_a_proof() {
    let (holder, request) = (Holder::new(), asserted(&signing_service()));
    holder.send_with(&request, &json!({ "htm": "GET" })).expect_error(400, "invalid_dpop_proof");
    holder.tokens(&request);
    holder.send(&request).expect_error(401, "invalid_client");
}

/// §5.2: a client that promised proofs must send them.
#[test]
fn a_client_that_promised_proofs_sends_them() {
    let set = ["--set", "dpop_bound_access_tokens=true"];
    let job = admin::client("suite-dpop-job", &[&["--service", "--scope", "read"], &set[..]].concat());
    TokenRequest::client_credentials(&job).send().expect_error(400, "invalid_dpop_proof");
    let holder = Holder::new();
    assert_eq!(
        jwt::verify(holder.tokens(&TokenRequest::client_credentials(&job)).access()).claims["cnf"]["jkt"],
        holder.jkt()
    );
    let metadata = json!({ "redirect_uris": ["https://dpop.example/callback"], "dpop_bound_access_tokens": true });
    assert_eq!(register(&metadata).expect(201).json()["dpop_bound_access_tokens"], true);
}

/// RFC 8693 §2.2.1: what a bound token is exchanged for is bound, too; to the key of the client that exchanges it.
#[test]
fn an_exchange_keeps_the_constraint() {
    let (holder, gateway) = (Holder::new(), Holder::new());
    let request = AuthorizationRequest::new(&spa()).scope("openid demo:read offline_access").set("prompt", "consent");
    let tokens = holder.tokens(&redemption(&request));
    let exchange = TokenRequest::new(&exchanger(), "urn:ietf:params:oauth:grant-type:token-exchange")
        .set("subject_token", tokens.access())
        .set("subject_token_type", "urn:ietf:params:oauth:token-type:access_token")
        .set("audience", &url("/demo-api"));
    exchange.send().expect_error(400, "invalid_dpop_proof");
    let exchanged = gateway.tokens(&exchange);
    assert_eq!(jwt::verify(exchanged.access()).claims["cnf"]["jkt"], gateway.jkt());
}

/// RFC 8628 §3.4: a device may prove the possession of a key, too.
#[test]
fn a_device_binds_its_tokens() {
    let (device, holder) = (Client::public("demo-device"), Holder::new());
    let form = [("client_id", device.id.as_str()), ("scope", "openid offline_access")];
    let document = Call::post("/device_authorization").form(&form).send().expect(200).json();
    let mut browser = Browser::signed_in();
    let page = browser.open(document["verification_uri_complete"].as_str().unwrap()).page();
    let form = page.forms.iter().find(|form| form.has("user_code")).expect("a field for the code").clone();
    let page = browser.submit(&form, &[("user_code", document["user_code"].as_str().unwrap())]).page();
    browser.decide(&page, "allow").page();
    let poll = TokenRequest::new(&device, "urn:ietf:params:oauth:grant-type:device_code");
    let tokens = holder.tokens(&poll.set("device_code", document["device_code"].as_str().unwrap()));
    assert_eq!(jwt::verify(tokens.access()).claims["cnf"]["jkt"], holder.jkt());
    tokens.refresh_request().send().expect_error(400, "invalid_dpop_proof");
}

/// §5.1, and scripts of other origins can send proofs and read nonces (Fetch Standard §3.2.5).
#[test]
fn metadata_and_cors_name_proofs() {
    let document = Call::get("/.well-known/oauth-authorization-server").send().json();
    assert_eq!(document["dpop_signing_alg_values_supported"], json!(["ES256", "PS256", "EdDSA", "Ed25519"]));
    for path in ["/token", "/par", "/userinfo"] {
        let preflight = Call::new("OPTIONS", path)
            .header("origin", "https://app.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "dpop")
            .send()
            .expect(204);
        assert!(preflight.header("access-control-allow-headers").is_some_and(|names| names.contains("DPoP")), "{path}");
    }
    let exposed = userinfo("x").header("access-control-expose-headers").unwrap_or_default().to_owned();
    assert!(exposed.contains("DPoP-Nonce") && exposed.contains("WWW-Authenticate"), "{exposed}");
}
