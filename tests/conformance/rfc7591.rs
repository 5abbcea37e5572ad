//! OAuth 2.0 Dynamic Client Registration (RFC 7591), with OpenID Connect Registration.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use suite::registration::{Registered, register, register_with};
use suite::{
    Answer, AuthorizationRequest, Browser, Call, Client, Host, Signer, TokenRequest, admin, issuer, now, random,
    trusted,
};

/// Returns the metadata of a web application with a new name.
fn web() -> Value {
    json!({ "client_name": format!("Suite {}", random()), "redirect_uris": ["https://client.example/callback"] })
}

fn with(changes: &Value) -> Value {
    let mut metadata = web();
    metadata.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    metadata
}

#[track_caller]
fn invalid_metadata(changes: &Value) {
    register(&with(changes)).expect_error(400, "invalid_client_metadata");
}

#[track_caller]
fn invalid_redirect(changes: &Value) {
    register(&with(changes)).expect_error(400, "invalid_redirect_uri");
}

/// RFC 8414 §2, OpenID Connect Discovery §3.
#[test]
fn metadata_names_the_endpoint() {
    let metadata = Call::get("/.well-known/openid-configuration").send().expect(200).json();
    assert_eq!(metadata["registration_endpoint"], format!("{}/register", issuer()), "{metadata}");
}

/// §3.2.1: the answer has all registered metadata, defaults and all; a secret of our making (§2: `client_secret_basic`).
#[test]
fn a_web_application_registers() {
    let registered = Registered::new(&web());
    let document = &registered.document;
    assert_eq!(document["token_endpoint_auth_method"], "client_secret_basic", "{document}");
    assert_eq!(document["grant_types"], json!(["authorization_code"]), "{document}");
    assert_eq!(document["response_types"], json!(["code"]), "{document}");
    assert_eq!(document["application_type"], "web", "{document}");
    assert_eq!(document["id_token_signed_response_alg"], "RS256", "{document}");
    assert_eq!(document["client_secret_expires_at"], 0, "{document}");
    assert!(registered.text("client_secret").len() >= 43, "{document}");
    let issued_at = document["client_id_issued_at"].as_i64().unwrap();
    assert!((issued_at - now()).abs() < 60, "{document}");
    for ours in
        ["skip_consent", "require_pkce", "require_nonce", "introspects", "token_exchange", "access_token_lifetime"]
    {
        assert!(document.get(ours).is_none(), "{ours} is told: {document}");
    }
}

/// The whole way: register, sign in, consent, redeem, refresh, userinfo; as certification does it, without PKCE.
#[test]
fn a_registered_client_is_used() {
    let grants = json!(["authorization_code", "refresh_token"]);
    let registered = Registered::new(&with(&json!({ "grant_types": grants })));
    let request = AuthorizationRequest::new(&registered.client()).offline().without_pkce();
    let code = Browser::new_signed_in().complete(&request).code();
    let tokens = TokenRequest::code(&request, &code).tokens();
    assert!(tokens.is_live());
    tokens.refresh_request().tokens();
}

/// RFC 9700 §2.1.1: a public client that registered itself must use PKCE.
#[test]
fn a_public_client_registers_and_must_use_pkce() {
    let registered = Registered::new(&with(&json!({ "token_endpoint_auth_method": "none" })));
    assert!(registered.document.get("client_secret").is_none());
    let request = AuthorizationRequest::new(&registered.client());
    Browser::new_signed_in().complete(&request.clone()).code();
    let page = Browser::signed_in().open(&request.without_pkce().url()).error_page();
    assert_eq!(page.offered().error(), "invalid_request");
}

/// OpenID Connect Core §9: a client that registers keys proves itself with them.
#[test]
fn a_client_registers_with_keys() {
    let signer = Signer::new("ES256", "a");
    let registered = Registered::new(&with(&json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": signer.jwks(),
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "scope": "read",
    })));
    assert!(registered.document.get("client_secret").is_none());
    let id = registered.text("client_id");
    let claims = json!({ "iss": id, "sub": id, "aud": issuer(), "jti": random(), "exp": now() + 60 });
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", &signer.sign(&claims)),
    ];
    Call::post("/token").form(&form).send().expect(200);
}

/// §2: "MUST ignore any client metadata sent by the client that it does not understand"; and what is ours to decide.
#[test]
fn unknown_and_privileged_members_are_dropped() {
    let registered = Registered::new(&with(&json!({
        "favourite_colour": "green",
        "client_id": "demo-web",
        "client_secret": "chosen-by-the-client",
        "skip_consent": true,
        "require_pkce": false,
        "require_nonce": false,
        "access_token_lifetime": 86_400,
        "access_token_format": "opaque",
        "resources": ["https://api.example"],
        "introspects": [issuer()],
        "token_exchange": { "subject_clients": ["demo-spa"], "audiences": [issuer()], "impersonation": true },
        "localized": { "client_name#de": "x" },
    })));
    let document = &registered.document;
    assert_ne!(document["client_id"], "demo-web");
    assert_ne!(document["client_secret"], "chosen-by-the-client");
    for dropped in
        ["favourite_colour", "skip_consent", "access_token_lifetime", "introspects", "token_exchange", "resources"]
    {
        assert!(document.get(dropped).is_none(), "{dropped}: {document}");
    }
    // Only the operator lets a client skip consent, or introspect.
    let request = AuthorizationRequest::new(&registered.client());
    Browser::new_signed_in().open(&request.url()).consent_page();
}

/// §2.2: names and URLs in several languages.
#[test]
fn internationalized_names_are_kept() {
    let registered = Registered::new(&with(&json!({
        "client_name#de": "Anwendung",
        "client_name#ja-Hani-JP": "クライアント名",
        "tos_uri#fr": "https://client.example/fr/tos",
        "client_name#": "x",
        "scope#de": "x",
    })));
    let document = &registered.document;
    assert_eq!(document["client_name#de"], "Anwendung");
    assert_eq!(document["client_name#ja-Hani-JP"], "クライアント名");
    assert_eq!(document["tos_uri#fr"], "https://client.example/fr/tos");
    assert!(document.get("client_name#").is_none() && document.get("scope#de").is_none(), "{document}");
    invalid_metadata(&json!({ "tos_uri#fr": "javascript:alert(1)" }));
}

/// §3.2.2, RFC 6749 §3.1.2, RFC 8252 §8.4: invalid redirect URIs are rejected.
#[test]
fn redirect_uris_that_are_refused() {
    for uri in [
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "about:blank",
        "https://client.example/callback#fragment",
        "https://client.example/*",
        "https://*.client.example/callback",
        "http://client.example/callback",
        "https://user@client.example/",
        "client.example/callback",
        "/callback",
        "",
        "https://",
        "https://client.example\\@evil.example/",
        "https://client.example/ x",
        "https:///evil.example/callback",
        "https:/evil.example/callback",
        "https:evil.example/callback",
        "https://%65vil.example/callback",
        "https://b\u{fc}cher.example/callback",
        "https://client.example/\"<{x}>",
        "https://client.example/%zz",
    ] {
        invalid_redirect(&json!({ "redirect_uris": [uri] }));
        // §3.2.1: beside an acceptable one it is left out.
        let mixed = json!({ "redirect_uris": ["https://client.example/callback", uri] });
        let registered = Registered::new(&with(&mixed));
        assert_eq!(registered.document["redirect_uris"], json!(["https://client.example/callback"]), "{uri}");
    }
    invalid_redirect(&json!({ "redirect_uris": [] }));
    invalid_redirect(&json!({ "redirect_uris": null }));
    for wrong in [json!("https://client.example/callback"), json!([7]), json!({}), json!([["https://x.example/"]])] {
        invalid_redirect(&json!({ "redirect_uris": wrong }));
    }
}

/// OpenID Connect Registration §2, RFC 8252 §7: which redirect URIs go with which kind of application.
#[test]
fn redirect_uris_by_application_type() {
    for uri in
        ["com.example.app:/callback", "http://127.0.0.1/callback", "http://[::1]/callback", "https://app.example/cb"]
    {
        Registered::new(&with(&json!({ "application_type": "native", "redirect_uris": [uri] })));
    }
    invalid_redirect(&json!({ "application_type": "web", "redirect_uris": ["com.example.app:/callback"] }));
    let mixed = json!(["com.example.app:/callback", "https://client.example/cb", "http://127.0.0.1/cb", "cursor://cb"]);
    for (kind, registered_kind, kept) in [
        (Value::Null, "native", [true, true, true]),
        (json!("native"), "native", [true, true, true]),
        (json!("web"), "web", [false, true, true]),
    ] {
        let registered = Registered::new(&with(&json!({ "application_type": kind, "redirect_uris": mixed })));
        let uris: Vec<&Value> =
            mixed.as_array().unwrap().iter().zip(kept).filter(|(_, kept)| *kept).map(|(uri, _)| uri).collect();
        assert_eq!(registered.document["redirect_uris"], json!(uris), "{kind}");
        assert_eq!(registered.document["application_type"], registered_kind);
    }
    invalid_redirect(&json!({ "application_type": "native", "redirect_uris": ["myapp:/callback"] }));
    invalid_metadata(&json!({ "application_type": "toaster" }));
}

/// §2.1: grant types and response types go together.
#[test]
fn grant_and_response_types_are_consistent() {
    let hybrid =
        json!({ "grant_types": ["authorization_code", "implicit"], "response_types": ["id_token code", "code"] });
    let registered = Registered::new(&with(&hybrid));
    assert_eq!(registered.document["response_types"], json!(["code id_token", "code"]));
    assert_eq!(registered.document["grant_types"], json!(["authorization_code"]));
    for changes in [
        json!({ "grant_types": ["authorization_code"], "response_types": [] }),
        json!({ "grant_types": ["implicit"], "response_types": ["token"] }),
        json!({ "response_types": ["token"] }),
        json!({ "response_types": ["code token"] }),
        json!({ "response_types": ["id_token"] }),
        json!({ "grant_types": ["password"] }),
        json!({ "grant_types": ["refresh_token"], "response_types": [] }),
        json!({ "grant_types": ["implicit", "password"] }),
        json!({ "grant_types": "authorization_code" }),
        json!({ "grant_types": ["client_credentials"], "token_endpoint_auth_method": "none" }),
    ] {
        invalid_metadata(&changes);
    }
}

/// §3.2.1: lists are requests. One entry too many costs the client nothing, and empty texts count as omitted.
#[test]
fn what_cannot_be_registered_is_left_out() {
    let all = Call::get("/.well-known/openid-configuration").send().expect(200).json()["grant_types_supported"].clone();
    assert!(all.as_array().unwrap().len() > 3, "{all}");
    for (changes, member, registered) in [
        (json!({ "response_types": ["code", "token", "id_token token"] }), "response_types", json!(["code"])),
        (json!({ "response_types": ["id_token code"] }), "response_types", json!(["code id_token"])),
        (
            json!({ "grant_types": ["authorization_code", "password", "x"] }),
            "grant_types",
            json!(["authorization_code"]),
        ),
        (
            json!({ "client_uri": "", "logo_uri": "", "policy_uri": "", "client_name#de": "" }),
            "client_uri",
            Value::Null,
        ),
        (json!({ "token_endpoint_auth_method": "" }), "token_endpoint_auth_method", json!("client_secret_basic")),
        (
            json!({ "token_endpoint_auth_method": "client_secret_jwt" }),
            "token_endpoint_auth_method",
            json!("client_secret_basic"),
        ),
        (
            json!({ "token_endpoint_auth_method": "client_secret_jwt", "jwks": Signer::new("ES256", "a").jwks() }),
            "token_endpoint_auth_method",
            json!("private_key_jwt"),
        ),
        (
            json!({ "post_logout_redirect_uris": ["https://client.example/bye", "javascript:alert(1)"] }),
            "post_logout_redirect_uris",
            json!(["https://client.example/bye"]),
        ),
    ] {
        let document = Registered::new(&with(&changes)).document;
        assert_eq!(document.get(member).cloned().unwrap_or_default(), registered, "{changes}");
    }
    let everything = Registered::new(&with(&json!({ "grant_types": all, "scope": "" }))).document;
    let grants = everything["grant_types"].as_array().unwrap();
    assert!(grants.contains(&json!("authorization_code")) && grants.contains(&json!("refresh_token")), "{everything}");
    assert!(everything["scope"].as_str().unwrap().contains("openid"), "an empty scope counts as omitted");
}

/// §2: invalid metadata is rejected with a reason.
#[test]
fn invalid_metadata_is_refused() {
    let signer = Signer::new("ES256", "a");
    let mut private = signer.jwks();
    private["keys"][0]["d"] = json!("AAAA");
    for changes in [
        json!({ "token_endpoint_auth_method": 7 }),
        json!({ "token_endpoint_auth_method": "private_key_jwt" }),
        json!({ "jwks": signer.jwks(), "jwks_uri": "https://client.example/jwks" }),
        json!({ "jwks": private }),
        json!({ "jwks": { "keys": [{ "kty": "oct", "k": "AAAA" }] } }),
        json!({ "jwks": { "keys": [] } }),
        json!({ "jwks": "x" }),
        json!({ "id_token_signed_response_alg": "none" }),
        json!({ "id_token_signed_response_alg": "HS256" }),
        json!({ "userinfo_signed_response_alg": "HS256" }),
        json!({ "id_token_encrypted_response_alg": "RSA-OAEP-256" }),
        json!({ "id_token_encrypted_response_enc": "A256GCM" }),
        json!({ "subject_type": "secret" }),
        json!({ "logo_uri": "http://client.example/logo.png" }),
        json!({ "client_uri": "javascript:alert(1)" }),
        json!({ "policy_uri": "data:text/html,x" }),
        json!({ "client_name": { "de": "x" } }),
        json!({ "client_name": "x".repeat(3000) }),
        json!({ "contacts": "me@client.example" }),
        json!({ "default_max_age": -1 }),
        json!({ "initiate_login_uri": "http://client.example/login" }),
        json!({ "initiate_login_uri": "http://localhost:8443/login" }),
        json!({ "frontchannel_logout_uri": "https://other.example/logout" }),
        json!({ "post_logout_redirect_uris": ["javascript:alert(1)"] }),
        json!({ "require_signed_request_object": true }),
        json!({ "scope": "a\"b" }),
        json!({ "scope": ["openid"] }),
        json!({ "scope": "admin" }),
        json!({ "contacts": vec!["x".repeat(400); 99] }),
    ] {
        invalid_metadata(&changes);
    }
}

/// §3.1: the body is a JSON object; oversize is refused.
#[test]
fn malformed_requests_are_refused() {
    for body in ["", "{", "[]", "7", "null", "\"x\"", "client_name=x"] {
        Call::post("/register").body("application/json", body).send().expect_error(400, "invalid_client_metadata");
    }
    Call::post("/register").form(&[("client_name", "x")]).send().expect_error(400, "invalid_client_metadata");
    Call::post("/register").untyped_body("{}").send().expect_error(400, "invalid_client_metadata");
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    Call::post("/register").body("application/json", deep).send().expect_error(400, "invalid_client_metadata");
    let reply = register(&with(&json!({ "contacts": ["x".repeat(70_000)] })));
    assert_eq!(reply.status, 413, "{reply:?}");
}

/// §2: the scope is narrowed to what such clients may have, and the answer says so (§3.2.1). It is that of requests without a scope;
/// the limit is the deployment's, because a client registers once and needs more later.
#[test]
fn the_scope_is_narrowed() {
    let registered = Registered::new(&with(&json!({ "scope": "openid admin email root" })));
    assert_eq!(registered.text("scope"), "openid email");
    let granted = |request: &AuthorizationRequest| {
        let code = Browser::new_signed_in().complete(request).code();
        TokenRequest::code(request, &code).tokens().text("scope").unwrap_or_default().to_owned()
    };
    let request = AuthorizationRequest::new(&registered.client());
    assert_eq!(granted(&request.clone().without("scope")), "email");
    assert_eq!(granted(&request.clone().scope("openid profile")), "openid profile");
    let beyond = Browser::new_signed_in().authorize(&request.scope("admin")).page().offered();
    assert_eq!(beyond.error(), "invalid_scope");
}

/// RFC 7591 §5, OpenID Connect Registration §9: internal addresses in whatever we would fetch.
#[test]
fn internal_addresses_are_refused() {
    for host in [
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "0.0.0.0",
        "100.64.0.1",
        "2852039166",
        "0xa9.0xfe.0xa9.0xfe",
        "metadata.google.internal",
        "printer.local",
        "intranet",
        "x.localhost",
    ] {
        for scheme in ["https", "http"] {
            let url = format!("{scheme}://{host}/x");
            invalid_metadata(&json!({ "jwks_uri": url }));
            invalid_metadata(&json!({ "sector_identifier_uri": url }));
            invalid_metadata(&json!({ "backchannel_logout_uri": url }));
            invalid_metadata(&json!({ "request_uris": [url] }));
        }
    }
    for url in ["http://client.example/x", "file:///etc/passwd", "https://user:pass@client.example/", "x"] {
        invalid_metadata(&json!({ "jwks_uri": url }));
        invalid_metadata(&json!({ "backchannel_logout_uri": url }));
    }
}

/// OpenID Connect Registration §5: the sector identifier lists the redirect URIs.
#[test]
fn the_sector_identifier_is_fetched_and_checked() {
    let host = Host::start();
    let uris = ["https://one.example/callback", "https://two.example/callback"];
    let pairwise =
        |uri: &str| json!({ "redirect_uris": uris, "subject_type": "pairwise", "sector_identifier_uri": uri });
    let good = host.serve_json("/good", &json!([uris[0], uris[1], "https://three.example/"]));
    let registered = Registered::new(&with(&pairwise(&good)));
    assert_eq!(registered.text("subject_type"), "pairwise");
    host.serve_json("/less", &json!([uris[0]]));
    host.serve_json("/object", &json!({ "redirect_uris": uris }));
    host.serve("/html", Answer::new("text/html", "<html>"));
    host.serve("/error", Answer { status: 500, ..Answer::new("application/json", json!(uris).to_string()) });
    host.serve("/redirect", Answer::status(302).header("location", &good));
    host.serve("/long", Answer::new("application/json", json!([uris[0], uris[1], "x".repeat(100_000)]).to_string()));
    host.serve("/slow", Answer::new("application/json", json!(uris).to_string()).after(Duration::from_secs(6)));
    invalid_metadata(&pairwise(&host.url("/less")));
    // All failures look the same: a client must not learn what listens at an address.
    let mut urls: Vec<String> =
        ["/object", "/html", "/error", "/redirect", "/long", "/slow", "/missing"].map(|path| host.url(path)).to_vec();
    let mut closed = url::Url::parse(&host.url("/closed")).expect("a URL");
    closed.set_port(Some(1)).expect("a port");
    urls.push(closed.to_string());
    let told: BTreeSet<String> = urls
        .iter()
        .map(|url| register(&with(&pairwise(url))).expect_error(400, "invalid_client_metadata").text())
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(host.requests("/good").len(), 1, "a redirect was followed");
    // Several hosts and no list.
    invalid_metadata(&json!({ "redirect_uris": uris, "subject_type": "pairwise" }));
}

/// Identical registrations of a public client share one client from the first on. RFC 7592 §2.2, §2.3: each of them reads it,
/// and none may change or delete it.
#[test]
fn identical_public_registrations_are_one() {
    let metadata = with(&json!({ "token_endpoint_auth_method": "none" }));
    let refuses_changes = |registered: &Registered| {
        assert_eq!(registered.get().expect(200).json()["redirect_uris"], metadata["redirect_uris"]);
        let evil = json!({ "redirect_uris": ["https://evil.example/"] });
        registered.replace(&evil).expect_error(403, "access_denied");
        registered.send("DELETE", registered.token(), None).expect_error(403, "access_denied");
    };
    let one = Registered::new(&metadata);
    refuses_changes(&one);
    let two = Registered::new(&metadata);
    assert_eq!(one.document, two.document);
    refuses_changes(&two);
    let other = Registered::new(&with(&json!({ "token_endpoint_auth_method": "none" })));
    assert_ne!(one.text("client_id"), other.text("client_id"));
    two.send("GET", other.token(), None).expect_error(401, "invalid_token");

    let request = AuthorizationRequest::new(&two.client());
    let code = Browser::new_signed_in().complete(&request).code();
    TokenRequest::code(&request, &code).tokens();
}

/// All of many identical registrations at the same moment get the same client.
#[test]
fn identical_public_registrations_at_the_same_moment_are_one() {
    let metadata = with(&json!({ "token_endpoint_auth_method": "none" }));
    let documents: BTreeSet<String> =
        suite::at_once(|_| Registered::new(&metadata).document.to_string()).into_iter().collect();
    assert_eq!(documents.len(), 1, "{documents:?}");
}

/// A client with a secret is never shared.
#[test]
fn identical_confidential_registrations_are_two() {
    let metadata = web();
    let (one, two) = (Registered::new(&metadata), Registered::new(&metadata));
    assert_ne!(one.text("client_id"), two.text("client_id"));
    assert_ne!(one.text("client_secret"), two.text("client_secret"));
}

/// A public client that registered with an initial access token manages itself, and is not what the same open registration
/// gets.
#[test]
fn a_public_client_with_an_initial_access_token_is_not_shared() {
    let metadata = with(&json!({ "token_endpoint_auth_method": "none" }));
    let (token, shared) = (admin::invite(2), Registered::new(&metadata));
    let [one, two] = [(); 2].map(|()| Registered::read(register_with(&token, &metadata)));
    let ids: BTreeSet<&str> = [&shared, &one, &two].iter().map(|registered| registered.text("client_id")).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    one.replace(&json!({ "redirect_uris": ["https://other.example/"] })).expect(200);
    two.send("DELETE", two.token(), None).expect(204);
    assert_eq!(Registered::new(&metadata).document, shared.document);
}

/// A shared client belongs to the operator: after its deletion the same registration makes it anew, and earlier registration
/// access tokens are invalid. A client of the operator with its name is returned to no registration.
#[test]
fn a_shared_client_is_deleted_by_the_operator() {
    let metadata = with(&json!({ "token_endpoint_auth_method": "none" }));
    let one = Registered::new(&metadata);
    admin::take_over(one.text("client_id"));
    one.get().expect_error(401, "invalid_token");
    let two = Registered::new(&metadata);
    assert_ne!(two.text("client_id"), one.text("client_id"));
    assert_eq!(Registered::new(&metadata).document, two.document);
}

/// §3: an initial access token allows its number of registrations, also for concurrent requests.
#[test]
fn an_initial_access_token_is_used_up() {
    let token = admin::invite(1);
    let metadata = web();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let (token, metadata) = (&token, &metadata);
        let all: Vec<_> = (0..16).map(|_| scope.spawn(move || register_with(token, metadata).status)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 201 | 401)), "{statuses:?}");
    register_with(&token, &web()).expect_error(401, "invalid_token");

    let token = admin::invite(2);
    let (one, two) = (register_with(&token, &web()), register_with(&token, &web()));
    assert_ne!(Registered::read(one).text("client_id"), Registered::read(two).text("client_id"));
    register_with(&token, &web()).expect_error(401, "invalid_token");
}

/// A lost response strands no client: the same registration with the same token gets the same response.
#[test]
fn a_lost_answer_is_given_again() {
    let (token, metadata) = (admin::invite(1), web());
    let first = Registered::read(register_with(&token, &metadata));
    suite::wait(suite::race_window());
    let again = Registered::read(register_with(&token, &metadata));
    for member in ["client_id", "client_secret", "registration_access_token"] {
        assert_eq!(first.document[member], again.document[member], "{member}");
    }
    register_with(&token, &web()).expect_error(401, "invalid_token");
}

/// RFC 6750 §3: a token that is not one is refused, also where none is needed.
#[test]
fn other_tokens_are_refused() {
    let service = TokenRequest::client_credentials(&suite::service()).tokens();
    let registered = Registered::new(&web());
    let invitation = admin::invite(1);
    for token in ["x", "lki_x", "", service.access(), registered.token(), &invitation[..invitation.len() - 4]] {
        let reply = register_with(token, &web()).expect_error(401, "invalid_token");
        assert!(reply.header("www-authenticate").is_some_and(|field| field.starts_with("Bearer")), "{reply:?}");
    }
    // Another scheme is no token (RFC 6750 §3.1): the error is about the body.
    let reply = Call::post("/register").basic("x", "y").body("application/json", "{}").send();
    reply.expect_error(400, "invalid_redirect_uri");
}

/// §2.3: the software statement of a trusted issuer takes precedence over the client's own metadata.
#[test]
fn a_software_statement_is_verified_and_counts_for_more() {
    let claims = json!({
        "iss": "https://software.example",
        "iat": now(),
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "client_name": "Vouched for",
        "redirect_uris": ["https://vouched.example/callback"],
    });
    let statement = trusted::people().sign(&claims);
    let metadata = with(&json!({ "software_statement": statement, "software_id": "other" }));
    let registered = Registered::new(&metadata);
    assert_eq!(registered.text("client_name"), "Vouched for");
    assert_eq!(registered.text("software_id"), "4NRB1-0XZABZI9E6-5SM3R");
    assert_eq!(registered.document["redirect_uris"], claims["redirect_uris"]);
    assert_eq!(registered.text("software_statement"), statement, "§3.2.1: unmodified");
    // A value of the software statement cannot be changed.
    let changed = registered.replace(&json!({ "redirect_uris": ["https://evil.example/"] })).expect(200).json();
    assert_eq!(changed["redirect_uris"], claims["redirect_uris"]);
}

/// §3.2.2: `invalid_software_statement` and `unapproved_software_statement`.
#[test]
fn software_statements_that_are_refused() {
    let claims = |changes: Value| {
        let mut claims = json!({ "iss": "https://software.example", "client_name": "x" });
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims
    };
    let good = trusted::people().sign(&claims(json!({})));
    for statement in [
        json!("x"),
        json!(7),
        json!(suite::jwt::unsigned(&good)),
        json!(suite::jwt::tampered(&good, |claims| claims["client_name"] = json!("y"))),
        json!(trusted::machines().sign(&claims(json!({})))),
        json!(trusted::people().sign(&claims(json!({ "exp": now() - 60 })))),
        json!(trusted::people().sign(&claims(json!({ "exp": "never" })))),
        json!(trusted::people().sign(&claims(json!({ "aud": "https://other.example" })))),
        json!(trusted::people().sign(&json!({ "client_name": "x" }))),
    ] {
        register(&with(&json!({ "software_statement": statement }))).expect_error(400, "invalid_software_statement");
    }
    let unknown = trusted::people().sign(&claims(json!({ "iss": "https://nobody.example" })));
    register(&with(&json!({ "software_statement": unknown }))).expect_error(400, "unapproved_software_statement");
}

/// Anyone can register openly, so the server fetches no request object for such a client unless the operator allows it
/// (`LATCHKEY_REGISTRATION_REQUEST_URIS`). The response says what was registered (§3.2.1).
#[test]
fn an_open_registration_has_no_request_uris() {
    let metadata = json!({
        "redirect_uris": ["https://request-uris.example/callback"],
        "request_uris": ["https://request-uris.example/object"],
    });
    let document = register(&metadata).expect(201).json();
    assert_eq!(document.get("request_uris"), None, "{document}");
    let client = Client::public(document["client_id"].as_str().expect("client_id"));
    let client = Client { redirect_uri: "https://request-uris.example/callback".to_owned(), ..client };
    let request = AuthorizationRequest::new(&client).set("request_uri", "https://request-uris.example/object");
    let reply = Call::get(&request.url()).send();
    assert!(!reply.text().contains("interaction"), "{reply:?}");
    assert!(reply.location().is_none_or(|location| location.as_str().contains("invalid_request_uri")), "{reply:?}");
}
