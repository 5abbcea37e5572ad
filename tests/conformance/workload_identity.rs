//! Workload identity: the JWT of a platform brings a token without a registered client (MCP Workload Identity Federation, RFC 7523
//! §2.1 and §3).

use serde_json::{Map, Value, json};
use suite::trusted::{CLUSTER, JWT_BEARER, PLATFORM, changed, claims, jwt_bearer, machines, people, typed};
use suite::{Call, Client, Reply, Signer, Tokens, admin, introspection, issuer, jwt, now, url};

/// The claims of a token of the platform.
fn job() -> Map<String, Value> {
    let mut claims = claims(PLATFORM, "repo:octo/app:ref:refs/heads/main");
    for (name, value) in
        [("aud", json!(url("/token"))), ("repository", json!("octo/app")), ("ref", json!("refs/heads/main"))]
    {
        claims.insert(name.to_owned(), value);
    }
    claims
}

fn token(changes: &Value) -> String {
    machines().sign_as("JWT", &changed(job(), changes))
}

fn send_with(assertion: &str, more: &[(&str, &str)]) -> Reply {
    let mut form = vec![("grant_type", JWT_BEARER), ("assertion", assertion)];
    form.extend_from_slice(more);
    Call::post("/token").form(&form).send()
}

fn send(assertion: &str) -> Reply {
    send_with(assertion, &[("resource", &url("/demo-api"))])
}

fn refused(assertion: &str) {
    send(assertion).expect_error(400, "invalid_grant");
}

fn tokens(assertion: &str) -> Tokens {
    Tokens::read(&Client::public("workload"), send(assertion))
}

/// The workload gets a token for the resource, with the scope of its rule and names in a space of their own.
#[test]
fn a_job_gets_a_token_for_the_api() {
    let tokens = tokens(&token(&json!({})));
    assert!(tokens.text("refresh_token").is_none() && tokens.text("id_token").is_none(), "{tokens:?}");
    assert_eq!(tokens.text("scope"), Some("demo:read demo:write"));
    let token = jwt::verify(tokens.access());
    assert_eq!(token.text("client_id"), "workload:suite-deploy");
    assert_eq!(token.text("sub"), "workload:suite-deploy:repo:octo/app:ref:refs/heads/main");
    assert_eq!(token.claims["aud"], json!(url("/demo-api")));
    Call::get("/demo-api").bearer(tokens.access()).send().expect(200);
    let api =
        admin::client("workload-api", &["--service", "--set", &format!("introspects=[\"{}\"]", url("/demo-api"))]);
    assert_eq!(introspection(&api, tokens.access())["client_id"], json!("workload:suite-deploy"));
}

/// The first rule whose claims match decides.
#[test]
fn rules_are_tried_in_order() {
    let of_branch = tokens(&token(&json!({ "ref": "refs/heads/x", "sub": "repo:octo/app:ref:refs/heads/x" })));
    assert_eq!(of_branch.text("scope"), Some("demo:read"));
    assert_eq!(jwt::verify(of_branch.access()).text("sub"), "workload:suite-any-branch");
    let by_mail =
        tokens(&token(&json!({ "repository": null, "sub": "1", "email": "bot@acme.test", "email_verified": true })));
    assert_eq!(jwt::verify(by_mail.access()).text("client_id"), "workload:suite-mail");
}

/// A claim has the value, is of its type, and no name that only begins or ends alike matches.
#[test]
fn claims_that_only_look_alike_match_no_rule() {
    for changes in [
        json!({ "repository": "octo/app2", "sub": "repo:octo/app2:ref:refs/heads/main" }),
        json!({ "repository": null, "sub": "repo:octo/app2:x" }),
        json!({ "repository": null, "sub": "repo:octo/app:" }),
        json!({ "repository": null, "sub": "repo:octo/app" }),
        json!({ "repository": null, "sub": "x-repo:octo/app:ref" }),
        json!({ "repository": null, "sub": "REPO:octo/app:ref" }),
        json!({ "repository": null, "sub": "repo:octo/*" }),
        json!({ "repository": ["octo/app"], "sub": "1" }),
        json!({ "repository": { "octo/app": "octo/app" }, "sub": "1" }),
        json!({ "ref": ["refs/heads/main"], "sub": "1" }),
        json!({ "sub": "1", "repository": "x", "email": "bot@acme.test" }),
        json!({ "sub": "1", "repository": "x", "email": "bot@acme.test", "email_verified": "true" }),
        json!({ "sub": "1", "repository": "x", "email": "bot@acme.test.evil.test", "email_verified": true }),
        json!({ "sub": "1", "repository": "x", "email": "@acme.test", "email_verified": true }),
    ] {
        refused(&token(&changes));
    }
}

/// RFC 7523 §3: the token is of the platform, for this server, and valid now.
#[test]
fn tokens_of_the_platform_are_checked() {
    for changes in [
        json!({ "iss": "https://unknown.test" }),
        json!({ "sub": null }),
        json!({ "aud": null }),
        json!({ "aud": "https://other.example" }),
        json!({ "aud": [url("/token"), "https://other.example"] }),
        json!({ "aud": [url("/token"), issuer()] }),
        json!({ "exp": null }),
        json!({ "exp": now() - 60 }),
        json!({ "exp": now() + 7200 }),
        json!({ "nbf": now() + 120 }),
        json!({ "sub": "two words" }),
    ] {
        refused(&token(&changes));
    }
    let right = token(&json!({}));
    let claims = jwt::read(&right).claims;
    refused(&jwt::unsigned(&right));
    refused(&jwt::tampered(&right, |claims| claims["ref"] = json!("refs/heads/main")).replace("eyJ", "eyK"));
    refused(&Signer::new("RS256", "machines").sign(&claims));
    refused(&people().sign(&claims));
    refused(&machines().sign_with(&json!({ "alg": "HS256", "kid": "machines" }), &claims));
    for typ in ["at+jwt", "oauth-id-jag+jwt", "client-authentication+jwt", "logout+jwt"] {
        refused(&machines().sign_as(typ, &claims));
    }
    for aud in [json!(issuer()), json!([issuer()]), json!([url("/token")])] {
        send(&token(&json!({ "aud": aud }))).expect(200);
    }
    send(&machines().sign_as("JOSE", &changed(job(), &json!({})))).expect(200);
}

/// A token with a `jti` is used once, unless the settings of its platform say otherwise; one without may come again until it
/// expires.
#[test]
fn a_named_token_is_used_once() {
    let named = token(&json!({}));
    send(&named).expect(200);
    refused(&named);
    refused(&token(&json!({ "jti": jwt::read(&named).claims["jti"] })));
    let raced = token(&json!({}));
    let won = suite::at_once(|_| send(&raced)).into_iter().filter(|reply| reply.status == 200).count();
    assert_eq!(won, 1, "requests at the same moment");
    let unnamed = token(&json!({ "jti": null }));
    send(&unnamed).expect(200);
    send(&unnamed).expect(200);
    // kubelet writes a token to a file, and the processes of a pod read it for an hour.
    let pod = machines().sign(&Value::Object(claims(CLUSTER, "system:serviceaccount:agents:router")));
    send(&pod).expect(200);
    send(&pod).expect(200);
    refused(&machines().sign(&Value::Object(claims(CLUSTER, "system:serviceaccount:agents:router2"))));
}

/// The resource is required, and one of the rule; the scope is within the rule.
#[test]
fn the_request_names_a_resource_of_the_rule() {
    let assertion = token(&json!({}));
    let api = url("/demo-api");
    send_with(&assertion, &[]).expect_error(400, "invalid_request");
    send_with(&assertion, &[("resource", issuer())]).expect_error(400, "invalid_target");
    send_with(&assertion, &[("resource", &api), ("resource", issuer())]).expect_error(400, "invalid_target");
    send_with(&assertion, &[("resource", &api), ("scope", "admin")]).expect_error(400, "invalid_scope");
    send_with(&assertion, &[("resource", &api), ("scope", "openid")]).expect_error(400, "invalid_scope");
    let narrowed = send_with(&assertion, &[("resource", &api), ("scope", "demo:read")]);
    assert_eq!(Tokens::read(&Client::public("workload"), narrowed).text("scope"), Some("demo:read"));
}

/// A token of a platform is no assertion of a client, and its names cannot be registered.
#[test]
fn workloads_are_apart_from_clients_and_users() {
    let grants = format!("grant_types=[\"{JWT_BEARER}\"]");
    let client = admin::client("workload-thief", &["--service", "--scope", "demo:read", "--set", &grants]);
    jwt_bearer(&client, &token(&json!({}))).send().expect_error(400, "invalid_grant");
    jwt_bearer(&client, &typed(machines(), job())).send().expect_error(400, "invalid_grant");
    for id in ["workload:suite-deploy", "WORKLOAD:x"] {
        let message = admin::refused(&["client", "add", "--service", "--id", id], "");
        assert!(message.contains("client_id"), "{message}");
    }
    let message = admin::refused(
        &["user", "add", "workload-user", "--subject", "workload:suite-deploy"],
        "seven brass kettles 7\n",
    );
    assert!(message.contains("sub"), "{message}");
    // A client_id alone is no way in.
    let call = Call::post("/token").form(&[
        ("grant_type", JWT_BEARER),
        ("client_id", "workload:suite-deploy"),
        ("assertion", token(&json!({})).as_str()),
    ]);
    call.send().expect_error(401, "invalid_client");
}
