//! ID-JAG as a grant: draft-ietf-oauth-identity-assertion-authz-grant §3.1, §4.4 and §7.2, with MCP Enterprise-Managed
//! Authorization §5 and §7.

use serde_json::{Value, json};
use suite::trusted::{
    ID_JAG, ID_JAGS, ID_JAGS_OF_PUBLIC_CLIENTS, JWT_BEARER, PEOPLE, changed, claims, id_jag_claims, jwt_bearer,
    machines, people, typed,
};
use suite::{
    Call, Client, Host, Reply, Signer, TokenRequest, Tokens, admin, grant, introspection, issuer, jwt, now, spa, url,
};

const SCOPE: &str = "demo:read demo:write openid offline_access";

fn app() -> Client {
    let grants = format!("grant_types=[\"{JWT_BEARER}\"]");
    admin::client("jag-app", &["--service", "--scope", SCOPE, "--set", &grants])
}

fn other() -> Client {
    let grants = format!("grant_types=[\"{JWT_BEARER}\"]");
    admin::client("jag-other", &["--service", "--scope", SCOPE, "--set", &grants])
}

/// The subject of the demo user.
fn subject() -> String {
    jwt::read(grant(&spa()).id()).text("sub").to_owned()
}

/// An ID-JAG about the demo user that is right but for these changes.
fn id_jag(changes: &Value) -> String {
    people().sign_as(ID_JAG, &changed(id_jag_claims(ID_JAGS, &subject(), "jag-app"), changes))
}

fn present(assertion: &str) -> Reply {
    jwt_bearer(&app(), assertion).send()
}

fn refused(assertion: &str) {
    present(assertion).expect_error(400, "invalid_grant");
}

/// §4.4: an access token about the user, for the resource and with the scope of the ID-JAG, and no refresh token.
#[test]
fn an_id_jag_brings_an_access_token_for_its_resource() {
    let tokens = jwt_bearer(&app(), &id_jag(&json!({}))).tokens();
    assert!(tokens.text("refresh_token").is_none() && tokens.text("id_token").is_none(), "{tokens:?}");
    assert_eq!(tokens.text("scope"), Some("demo:read demo:write"));
    let token = jwt::verify(tokens.access());
    assert_eq!((token.text("sub"), token.text("client_id")), (subject().as_str(), "jag-app"));
    assert_eq!(token.claims["aud"], json!(url("/demo-api")));
    Call::get("/demo-api").bearer(tokens.access()).send().expect(200);
    assert_eq!(introspection(&app(), tokens.access())["active"], json!(true));
}

/// §3.1, §4.4.1: each claim, missing or wrong.
#[test]
fn each_binding_is_checked() {
    for changes in [
        json!({ "iss": null }),
        json!({ "iss": "https://unknown.test" }),
        json!({ "sub": null }),
        json!({ "sub": "nobody" }),
        json!({ "aud": null }),
        json!({ "aud": url("/token") }),
        json!({ "aud": format!("{}/", issuer()) }),
        json!({ "aud": [issuer(), "https://other.example"] }),
        json!({ "aud": [issuer(), issuer()] }),
        json!({ "aud": [] }),
        json!({ "client_id": null }),
        json!({ "client_id": "jag-other" }),
        json!({ "client_id": ["jag-app"] }),
        json!({ "jti": null }),
        json!({ "jti": "" }),
        json!({ "jti": 7 }),
        json!({ "exp": null }),
        json!({ "exp": now() - 60 }),
        json!({ "exp": now() + 3600 }),
        json!({ "iat": null }),
        json!({ "iat": now() + 120 }),
        json!({ "nbf": now() + 120 }),
        json!({ "cnf": { "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }),
        json!({ "authorization_details": [{ "type": "x" }] }),
        json!({ "tenant": "acme" }),
        json!({ "aud_tenant": "acme" }),
    ] {
        refused(&id_jag(&changes));
    }
    present(&id_jag(&json!({ "aud": [issuer()] }))).expect(200);
}

/// §4.4.1: "The client_id claim MUST identify the same client as the client authentication in the request."
#[test]
fn another_client_cannot_present_it() {
    let assertion = id_jag(&json!({}));
    jwt_bearer(&other(), &assertion).send().expect_error(400, "invalid_grant");
    jwt_bearer(&Client::confidential("jag-app", "wrong"), &assertion).send().expect_error(401, "invalid_client");
    jwt_bearer(&Client::public("jag-app"), &assertion).send().expect_error(401, "invalid_client");
    suite::trusted::unauthenticated(&assertion).send().expect_error(401, "invalid_client");
    present(&assertion).expect(200);
}

/// §9.1: a public client proves nothing, so the binding to it would be worth nothing.
#[test]
fn a_registered_public_client_cannot_present_it() {
    let grants = format!("grant_types=[\"{JWT_BEARER}\"]");
    let client = admin::client("jag-public", &["--scope", SCOPE, "--set", &grants]);
    let claims = id_jag_claims(ID_JAGS, &subject(), "jag-public");
    let assertion = people().sign_as(ID_JAG, &Value::Object(claims));
    jwt_bearer(&client, &assertion).send().expect_error(400, "invalid_grant");
}

/// RFC 8725 §3.11: the `typ` is the one of ID-JAGs, and an ID-JAG is nothing else.
#[test]
fn the_type_is_checked_both_ways() {
    let claims = changed(id_jag_claims(ID_JAGS, &subject(), "jag-app"), &json!({}));
    for typ in ["JWT", "authorization-grant+jwt", "at+jwt", "id-jag+jwt", "client-authentication+jwt", ""] {
        refused(&people().sign_as(typ, &claims));
    }
    refused(&people().sign_with(&json!({ "alg": "ES256", "kid": "people" }), &claims));
    present(&people().sign_as("application/OAuth-ID-JAG+jwt", &claims)).expect(200);
    // An issuer of other assertions sends no ID-JAG.
    let claims = id_jag_claims(PEOPLE, &subject(), "jag-app");
    refused(&people().sign_as(ID_JAG, &Value::Object(claims)));
    // An ID-JAG is no client assertion.
    let own = Signer::new("ES256", "own");
    let keys = format!("jwks={}", json!({ "keys": [own.jwk()] }));
    let method = "token_endpoint_auth_method=private_key_jwt";
    admin::client("jag-signs", &["--set", method, "--set", &keys, "--set", &format!("grant_types=[\"{JWT_BEARER}\"]")]);
    let mut claims = id_jag_claims("jag-signs", "jag-signs", "jag-signs");
    claims.remove("resource");
    let request = TokenRequest::new(&Client::public("jag-signs"), JWT_BEARER)
        .set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .set("client_assertion", &own.sign_as(ID_JAG, &Value::Object(claims)))
        .set("assertion", &id_jag(&json!({})));
    request.send().expect_error(401, "invalid_client");
}

/// MCP Enterprise-Managed Authorization §7.4.1: the signature is by a key of that issuer, with an algorithm of its list.
#[test]
fn forged_ones_are_refused() {
    let right = id_jag(&json!({}));
    let claims = jwt::read(&right).claims;
    refused(&jwt::unsigned(&right));
    refused(&jwt::tampered(&right, |claims| claims["sub"] = json!("admin")));
    refused(&Signer::new("ES256", "people").sign_as(ID_JAG, &claims));
    refused(&machines().sign_as(ID_JAG, &claims));
    refused(&people().sign_with(&json!({ "alg": "HS256", "kid": "people", "typ": ID_JAG }), &claims));
    let own = Signer::new("ES256", "own");
    refused(&own.sign_with(&json!({ "alg": "ES256", "jwk": own.jwk(), "typ": ID_JAG }), &claims));
    present(&right).expect(200);
}

/// MCP Enterprise-Managed Authorization §7.4.2: a `jti` is used once, also by requests at the same moment.
#[test]
fn an_id_jag_is_used_once() {
    let assertion = id_jag(&json!({}));
    let (won, lost): (Vec<_>, Vec<_>) =
        jwt_bearer(&app(), &assertion).send_at_once().into_iter().partition(|reply| reply.status == 200);
    assert_eq!(won.len(), 1, "{won:?}");
    lost.into_iter().for_each(|reply| drop(reply.expect_error(400, "invalid_grant")));
    let jti = jwt::read(&assertion).claims["jti"].clone();
    refused(&id_jag(&json!({ "jti": jti, "scope": "demo:read" })));
}

/// MCP Enterprise-Managed Authorization §7.2.1: the scope is what request, ID-JAG, client and resource have in common.
#[test]
fn the_scope_is_narrowed() {
    let scope = |claim: Value, requested: Option<&str>| {
        let request = jwt_bearer(&app(), &id_jag(&json!({ "scope": claim })));
        match requested {
            Some(requested) => request.set("scope", requested),
            None => request,
        }
        .send()
    };
    let granted = |reply: Reply| Tokens::read(&app(), reply).text("scope").map(str::to_owned);
    let read = || Some("demo:read".to_owned());
    assert_eq!(granted(scope(json!("demo:read"), None)), read());
    assert_eq!(granted(scope(json!("demo:read demo:write"), Some("demo:read"))), read());
    assert_eq!(granted(scope(json!("demo:read"), Some("demo:read demo:write"))), read());
    assert_eq!(granted(scope(json!("demo:read openid offline_access unknown"), None)), read());
    assert_eq!(granted(scope(Value::Null, Some("demo:read"))), read());
    scope(json!("demo:read"), Some("demo:write")).expect_error(400, "invalid_scope");
    for wrong in [json!(""), json!([]), json!(["demo:read"]), json!(7), json!("unknown"), json!("openid")] {
        scope(wrong, None).expect_error(400, "invalid_grant");
    }
}

/// MCP Enterprise-Managed Authorization §5.1, §7.6.2: the token is for the resource of the ID-JAG, and for no other.
#[test]
fn the_resource_is_bound() {
    let own = issuer();
    let send = |claim: Value, requested: Option<&str>| {
        let request = jwt_bearer(&app(), &id_jag(&json!({ "resource": claim })));
        requested.map_or(request.clone(), |requested| request.set("resource", requested)).send()
    };
    let api = url("/demo-api");
    let audience = |reply: Reply| jwt::verify(Tokens::read(&app(), reply).access()).claims["aud"].clone();
    assert_eq!(audience(send(json!([api]), None)), json!(api));
    assert_eq!(audience(send(json!([own, api]), Some(&api))), json!(api));
    for wrong in [json!("https://other.example"), json!([api, "https://other.example"]), json!(""), json!([]), json!(7)]
    {
        send(wrong, None).expect_error(400, "invalid_grant");
    }
    send(json!(api), Some(own)).expect_error(400, "invalid_target");
    send(json!(api), Some("https://other.example")).expect_error(400, "invalid_target");
    // Without the claim the request decides, or the scope that belongs to one resource.
    assert_eq!(audience(send(Value::Null, Some(&api))), json!(api));
    assert_eq!(audience(send(Value::Null, None)), json!(api));
    let unbound = id_jag(&json!({ "resource": null, "scope": null }));
    jwt_bearer(&app(), &unbound).send().expect(200);
}

/// A mistake of the request does not use up the ID-JAG.
#[test]
fn a_mistake_does_not_use_it_up() {
    let request = jwt_bearer(&app(), &id_jag(&json!({ "scope": "demo:read" })));
    request.clone().set("scope", "demo:write").send().expect_error(400, "invalid_scope");
    request.clone().set("resource", "https://other.example").send().expect_error(400, "invalid_target");
    jwt_bearer(&other(), &request.parameters.iter().find(|(name, _)| name == "assertion").expect("set").1)
        .send()
        .expect_error(400, "invalid_grant");
    request.tokens();
}

/// MCP Enterprise-Managed Authorization §5: a client that was never here identifies itself by its metadata document. It may be
/// public where the settings of the issuer say so.
#[test]
fn a_client_with_a_document_is_introduced_by_its_identity_provider() {
    let host = Host::start();
    let client = Client::public(&host.url("/client.json"));
    let document = json!({
        "client_id": client.id, "client_name": "Tool", "redirect_uris": ["https://tool.example/callback"],
        "token_endpoint_auth_method": "none", "grant_types": ["authorization_code"],
    });
    host.serve_json("/client.json", &document);
    let user = admin::user("suite-jag@people.test");
    let assertion = |changes: Value| {
        let mut claims = id_jag_claims(ID_JAGS_OF_PUBLIC_CLIENTS, "U019488227", &client.id);
        claims.insert("email".to_owned(), json!(user));
        claims.insert("tenant".to_owned(), json!("acme"));
        people().sign_as(ID_JAG, &changed(claims, &changes))
    };
    // Nothing is fetched for an assertion that is not of that identity provider, or not for this client.
    let own = Signer::new("ES256", "people");
    let forged = own.sign_as(ID_JAG, &jwt::read(&assertion(json!({}))).claims);
    let of_other = people().sign_as(ID_JAG, &Value::Object(id_jag_claims(ID_JAGS, &user, &client.id)));
    let plain = typed(people(), claims(PEOPLE, &user));
    for wrong in
        [&forged, &assertion(json!({ "client_id": "jag-app" })), &assertion(json!({ "tenant": "evil" })), &plain]
    {
        let reply = jwt_bearer(&client, wrong).send();
        assert!(matches!(reply.status, 400 | 401), "{reply:?}");
    }
    assert_eq!(host.requests("/client.json").len(), 0);

    let tokens = jwt_bearer(&client, &assertion(json!({}))).tokens();
    let token = jwt::verify(tokens.access());
    assert_eq!((token.text("client_id"), token.text("scope")), (client.id.as_str(), "demo:read demo:write"));
    Call::get("/demo-api").bearer(tokens.access()).send().expect(200);
    jwt_bearer(&client, &assertion(json!({}))).tokens();
    assert_eq!(host.requests("/client.json").len(), 1, "the copy serves later requests");
    // The other issuer does not admit public clients.
    jwt_bearer(&client, &of_other).send().expect_error(400, "invalid_grant");
    // Neither does an issuer of other assertions.
    jwt_bearer(&client, &plain).send().expect_error(400, "invalid_grant");
}

/// draft-ietf-oauth-client-id-metadata-document §8.2: a client whose document says so must authenticate with its key.
#[test]
fn a_document_that_says_so_makes_the_client_authenticate() {
    let host = Host::start();
    let key = Signer::new("ES256", "app");
    let client = Client::public(&host.url("/client.json"));
    let document = json!({
        "client_id": client.id, "client_name": "App", "redirect_uris": ["https://app.example/callback"],
        "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [key.jwk()] },
    });
    host.serve_json("/client.json", &document);
    let assertion = || people().sign_as(ID_JAG, &Value::Object(id_jag_claims(ID_JAGS, &subject(), &client.id)));
    jwt_bearer(&client, &assertion()).send().expect_error(401, "invalid_client");
    let own = key.sign(&Value::Object(claims(&client.id, &client.id)));
    let request = jwt_bearer(&client, &assertion())
        .set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .set("client_assertion", &own);
    assert_eq!(jwt::verify(request.tokens().access()).text("client_id"), client.id);
}

/// §7.2: the metadata name the profile, and no issuer.
#[test]
fn the_metadata_name_the_profile() {
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let metadata = Call::get(path).send().expect(200).json();
        let profile = "urn:ietf:params:oauth:grant-profile:id-jag";
        assert_eq!(metadata["authorization_grant_profiles_supported"], json!([profile]));
        assert!(metadata["grant_types_supported"].as_array().expect("a list").contains(&json!(JWT_BEARER)));
        assert!(!metadata.to_string().contains(ID_JAGS), "{metadata}");
    }
}
