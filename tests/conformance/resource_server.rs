//! The sample API behind its guard: `/demo-api` behind the Worker gateway, the Lambda authorizer, or the same checks in
//! the local server. API Gateway answers 401 without a token and 403 to all else that an authorizer refuses, and its
//! answers carry no challenge; the others answer as RFC 6750 §3 says.

use serde_json::{Value, json};
use std::thread::sleep;
use std::time::{Duration, Instant};
use suite::dpop::{Holder, access_token_hash};
use suite::{
    AuthorizationRequest, Browser, Call, Client, Reply, Signer, TokenRequest, Tokens, admin, grant, issuer, jwt, now,
    platform, revoke, service, spa, url, web,
};

const API: &str = "/demo-api";

fn is_behind_authorizer() -> bool {
    platform() == "lambda"
}

fn token_of(client: &Client, scope: &str) -> Tokens {
    TokenRequest::client_credentials(client).set("scope", scope).set("resource", &url(API)).tokens()
}

fn opaque() -> Client {
    let arguments = ["--service", "--scope", "demo:read demo:write", "--set", "access_token_format=opaque"];
    admin::client("suite-opaque-caller", &arguments)
}

/// Returns a token of a user for the API.
fn token_of_person() -> Tokens {
    let request = AuthorizationRequest::new(&spa()).scope("openid demo:read").set("resource", &url(API));
    TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens()
}

fn call(token: &str) -> Reply {
    Call::get(API).bearer(token).send()
}

/// RFC 6750 §3: status, challenge, error code; where the metadata are (RFC 9728 §5.1).
#[track_caller]
fn is_refused(reply: Reply, status: u16, code: &str) {
    if is_behind_authorizer() {
        reply.expect(403);
        return;
    }
    let reply = reply.expect(status).expect_no_store();
    assert_eq!(reply.json()["error"], code, "{reply:?}");
    let challenge = reply.header("www-authenticate").unwrap_or_else(|| panic!("no WWW-Authenticate: {reply:?}"));
    assert!(challenge.starts_with("Bearer "), "{reply:?}");
    assert!(challenge.contains(&format!("error=\"{code}\"")), "{reply:?}");
    let metadata = url("/.well-known/oauth-protected-resource/demo-api");
    assert!(challenge.contains(&format!("resource_metadata=\"{metadata}\"")), "{reply:?}");
}

#[test]
fn a_good_jwt_is_let_in() {
    let tokens = token_of(&service(), "demo:read");
    assert!(jwt::verify(tokens.access()).is_for(&url(API)));
    let answer = call(tokens.access()).expect(200).json();
    assert_eq!(answer["subject"], "demo-service");
    assert_eq!(answer["client"], "demo-service");
    assert_eq!(answer["scope"], "demo:read");
    assert_eq!(answer["token"], "jwt");
    Call::get("/demo-api/below").bearer(tokens.access()).send().expect(200);
}

#[test]
fn a_persons_token_is_let_in() {
    let tokens = token_of_person();
    let answer = call(tokens.access()).expect(200).json();
    assert_eq!(answer["subject"], jwt::verify(tokens.access()).text("sub"));
    assert_eq!(answer["client"], "demo-spa");
}

/// The gateway passes on a JWT in its place (phantom token); API Gateway cannot.
#[test]
fn a_good_opaque_token_is_let_in() {
    let tokens = token_of(&opaque(), "demo:read");
    assert!(tokens.access().starts_with("lka_"));
    let answer = call(tokens.access()).expect(200).json();
    assert_eq!((&answer["subject"], &answer["scope"]), (&json!("suite-opaque-caller"), &json!("demo:read")));
    assert_eq!(answer["token"], if is_behind_authorizer() { "opaque" } else { "jwt" });
}

/// RFC 9110 §11.1: scheme names are not case-sensitive.
#[test]
fn the_scheme_may_be_in_any_case() {
    let tokens = token_of(&service(), "demo:read");
    for scheme in ["bearer", "BEARER"] {
        Call::get(API).header("authorization", format!("{scheme} {}", tokens.access())).send().expect(200);
    }
}

/// RFC 6750 §3.1: a request without credentials, or with an unknown scheme, gets no error code.
#[test]
fn no_token_gets_a_bare_challenge() {
    let reply = Call::get(API).send().expect(401);
    if is_behind_authorizer() {
        Call::get(API).header("authorization", "Basic YTpi").send().expect(403);
        return;
    }
    let other = Call::post(API).header("authorization", "Basic YTpi").send().expect(401);
    for (reply, scope) in [(reply, "demo:read"), (other, "demo:write")] {
        let challenge = reply.header("www-authenticate").expect("WWW-Authenticate");
        // RFC 6750 §3: the scope that this request needs. MCP clients ask for exactly that.
        assert!(challenge.ends_with(&format!(", scope=\"{scope}\"")), "{reply:?}");
        assert!(challenge.starts_with("Bearer resource_metadata=") && !challenge.contains("error"), "{reply:?}");
        assert_eq!(reply.text(), "", "{reply:?}");
        // A page of another origin may learn where to get a token.
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    }
}

/// RFC 9068 §4, RFC 8707 §2: a token for another audience.
#[test]
fn another_audience_is_refused() {
    for client in [service(), opaque()] {
        let resource = issuer();
        let tokens =
            TokenRequest::client_credentials(&client).set("resource", resource).set("scope", "demo:read").tokens();
        is_refused(call(tokens.access()), 401, "invalid_token");
    }
    let tokens = grant(&web());
    is_refused(call(tokens.access()), 401, "invalid_token");
}

/// RFC 9068 §4, RFC 8725 §3.1, §3.2: another key, issuer, algorithm; none, HMAC.
#[test]
fn forged_tokens_are_refused() {
    let good = token_of(&service(), "demo:read");
    let claims = jwt::read(good.access()).claims;
    let header = jwt::read(good.access()).header;
    let signer = Signer::new("ES256", header["kid"].as_str().expect("kid"));
    let mut foreign = claims.clone();
    foreign["iss"] = json!("https://evil.example");
    let with = |name: &str, value: &str| {
        let mut header = header.clone();
        header[name] = json!(value);
        header
    };
    let (body, signature) = good.access().rsplit_once('.').expect("a JWT");
    for forged in [
        signer.sign_with(&header, &claims),
        signer.sign_with(&header, &foreign),
        signer.sign_with(&with("kid", "unknown"), &claims),
        signer.sign_with(&with("alg", "HS256"), &claims),
        signer.sign_with(&with("alg", "none"), &claims),
        signer.sign_with(&with("alg", "ES256K"), &claims),
        jwt::unsigned(good.access()),
        jwt::tampered(good.access(), |claims| claims["scope"] = json!("demo:read demo:write")),
        jwt::tampered(good.access(), |claims| claims["exp"] = json!(now() + 86_400)),
        format!("{body}."),
        format!("{body}.{signature}x"),
        "lka_made-up".to_owned(),
        "x".repeat(4000),
    ] {
        is_refused(call(&forged), 401, "invalid_token");
    }
    call(good.access()).expect(200);
}

/// RFC 9068 §4 (`typ`), RFC 8725 §3.11: other kinds of token are no access tokens.
#[test]
fn other_kinds_of_token_are_refused() {
    let tokens = grant(&web());
    for token in [tokens.id(), tokens.refresh()] {
        is_refused(call(token), 401, "invalid_token");
    }
}

/// RFC 6750 §3.1: `insufficient_scope` names the scope that it takes.
#[test]
fn a_narrower_scope_is_refused() {
    for client in [service(), opaque()] {
        let tokens = token_of(&client, "demo:read");
        let reply = Call::post(API).bearer(tokens.access()).body("text/plain", "x").send();
        if !is_behind_authorizer() {
            let challenge = reply.header("www-authenticate").expect("WWW-Authenticate");
            assert!(challenge.contains("scope=\"demo:write\""), "{reply:?}");
        }
        is_refused(reply, 403, "insufficient_scope");
    }
    // A route without a rule is closed.
    let all = token_of(&service(), "demo:read demo:write");
    is_refused(Call::new("PUT", API).bearer(all.access()).send(), 403, "insufficient_scope");
}

/// RFC 6750 §2, §2.3, RFC 9700 §4.3.2: in the header, once, and never in the query.
#[test]
fn a_token_in_the_query_or_twice_is_refused() {
    let tokens = token_of(&service(), "demo:read");
    let token = tokens.access();
    is_refused(Call::get(API).query(&[("access_token", token)]).bearer(token).send(), 400, "invalid_request");
    is_refused(Call::get(API).bearer(token).bearer(token).send(), 400, "invalid_request");
    is_refused(
        Call::get(API).header("authorization", format!("Bearer {token} {token}")).send(),
        400,
        "invalid_request",
    );
    let reply = Call::get(API).query(&[("access_token", token)]).send();
    if is_behind_authorizer() {
        reply.expect(401);
    } else {
        is_refused(reply, 400, "invalid_request");
    }
    let reply = Call::post(API).form(&[("access_token", token)]).send();
    reply.expect(401);
}

/// Expires the token at the server, so that a guard that introspects notices within its cache age.
#[test]
fn an_expired_token_is_refused() {
    let arguments = ["--service", "--scope", "demo:read", "--set", "access_token_lifetime=1"];
    let client = admin::client("suite-short-lived", &arguments);
    let tokens = token_of(&client, "demo:read");
    is_refused_in_time(tokens.access());
}

/// A revocation is noticed within the stated time (`LATCHKEY_INTROSPECTION_AGE`).
#[test]
fn a_revoked_token_is_refused_in_time() {
    for client in [service(), opaque()] {
        let tokens = token_of(&client, "demo:read");
        call(tokens.access()).expect(200);
        revoke(&client, tokens.access(), None).expect(200);
        is_refused_in_time(tokens.access());
    }
    // With the grant behind it, too.
    let tokens = token_of_person();
    call(tokens.access()).expect(200);
    revoke(&spa(), tokens.access(), None).expect(200);
    is_refused_in_time(tokens.access());
}

#[track_caller]
fn is_refused_in_time(token: &str) {
    let age = std::env::var("LATCHKEY_TEST_INTROSPECTION_AGE").ok().and_then(|age| age.parse().ok()).unwrap_or(30);
    let last = Instant::now() + Duration::from_secs(age + 2);
    loop {
        let reply = call(token);
        if reply.status != 200 {
            return is_refused(reply, 401, "invalid_token");
        }
        assert!(Instant::now() < last, "still let in: {reply:?}");
        sleep(Duration::from_millis(200));
    }
}

/// Nothing that a client writes is taken for what the guard says.
#[test]
fn identity_is_the_guards_to_state() {
    let tokens = token_of(&service(), "demo:read");
    let reply = Call::get(API)
        .bearer(tokens.access())
        .header("x-latchkey-subject", "root")
        .header("x-latchkey-scope", "everything")
        .header("x-latchkey-admin", "1")
        .header("connection", "x-latchkey-subject")
        .header("cookie", "latchkey_session=stolen; theme=dark")
        .send()
        .expect(200);
    let answer = reply.json();
    assert_eq!((&answer["subject"], &answer["scope"]), (&json!("demo-service"), &json!("demo:read")), "{reply:?}");
    if !is_behind_authorizer() {
        let names = answer["headers"].to_string();
        assert!(!names.contains("x-latchkey-admin"), "{reply:?}");
        assert_eq!(answer["cookie"], "theme=dark", "{reply:?}");
    }
}

#[test]
fn bodies_arrive_whole() {
    let tokens = token_of(&service(), "demo:write");
    for length in [0, 1, 60_000] {
        let body = vec![0xff; length];
        let reply = Call::post(API).bearer(tokens.access()).body("application/octet-stream", body).send().expect(200);
        assert_eq!(reply.json()["body_length"], length, "{reply:?}");
    }
}

/// Fetch standard: a preflight carries no token; the guard answers it, or lets it pass to the API.
#[test]
fn a_preflight_passes() {
    let reply = Call::new("OPTIONS", API)
        .header("origin", "https://app.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization")
        .send()
        .expect(204);
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    let allowed = reply.header("access-control-allow-headers").unwrap_or_default().to_ascii_lowercase();
    assert!(allowed.contains("authorization"), "{reply:?}");
    // The metadata of the API accepts any header field that a library adds (RFC 9728 §3.1).
    let reply = Call::new("OPTIONS", "/.well-known/oauth-protected-resource/demo-api")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "mcp-protocol-version")
        .send();
    assert!(matches!(reply.status, 200 | 204), "{reply:?}");
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    assert!(reply.header("access-control-allow-headers").unwrap_or_default().contains('*'), "{reply:?}");
}

/// The way that a client goes which knows nothing but the API: challenge, metadata, issuer, token (RFC 9728 §5).
#[test]
fn an_api_leads_to_its_issuer() {
    let metadata = match Call::get(API).send().expect(401).header("www-authenticate") {
        Some(challenge) => {
            let (_, rest) = challenge.split_once("resource_metadata=\"").expect("resource_metadata");
            rest.split('"').next().expect("a URL").to_owned()
        }
        None => url("/.well-known/oauth-protected-resource/demo-api"),
    };
    let document = Call::get(&metadata).send().expect(200).json();
    assert_eq!(document["authorization_servers"], json!([issuer()]));
    let resource = document["resource"].as_str().expect("resource");
    let request = TokenRequest::client_credentials(&service()).set("scope", "demo:read").set("resource", resource);
    Call::get(resource).bearer(request.tokens().access()).send().expect(200);
}

/// RFC 9449 §7: a token that is bound to a key needs a proof, through each guard.
#[test]
fn a_bound_token_needs_a_proof() {
    let (holder, other) = (Holder::new(), Holder::new());
    let request = TokenRequest::client_credentials(&service()).set("scope", "demo:read").set("resource", &url(API));
    let tokens = holder.tokens(&request);
    let call = |holder: &Holder, changes: &Value| {
        let mut claims = json!({ "ath": access_token_hash(tokens.access()) });
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let call = Call::get(API).header("authorization", format!("DPoP {}", tokens.access()));
        call.header("dpop", holder.proof("GET", API, &claims)).send()
    };
    let answer = call(&holder, &json!({})).expect(200).json();
    assert_eq!(answer["client"], "demo-service");
    assert_eq!(answer["token"], "jwt");
    let refused = |reply: Reply, code: &str| {
        if is_behind_authorizer() {
            reply.expect(403);
            return;
        }
        let reply = reply.expect_error(401, code);
        let challenge = reply.header("www-authenticate").unwrap_or_default();
        assert!(challenge.starts_with("DPoP ") && challenge.contains(code), "{reply:?}");
    };
    refused(call(&other, &json!({})), "invalid_token");
    refused(call(&holder, &json!({ "htu": url("/other") })), "invalid_dpop_proof");
    refused(call(&holder, &json!({ "ath": access_token_hash("x") })), "invalid_dpop_proof");
    refused(Call::get(API).header("authorization", format!("DPoP {}", tokens.access())).send(), "invalid_dpop_proof");
    refused(Call::get(API).bearer(tokens.access()).send(), "invalid_token");
    let metadata = Call::get("/.well-known/oauth-protected-resource/demo-api").send().expect(200).json();
    assert_eq!(metadata["dpop_signing_alg_values_supported"], json!(["ES256", "PS256", "EdDSA"]));
}
