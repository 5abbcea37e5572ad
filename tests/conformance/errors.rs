//! Errors as clients and users receive them: JSON or a page, with or without CORS, in words of this project.

use serde_json::{Value, json};
use suite::admin::AdminKey;
use suite::registration::{Registered, register};
use suite::{AuthorizationRequest, Browser, Call, Host, Reply, Signer, admin, issuer, now, random, trusted};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// Paths that no function serves. On Workers several functions receive them, because a pattern of a route ends in `*`.
const UNKNOWN: [&str; 6] = ["/no-such-page", "/tokens", "/jwks.json", "/registered", "/userinfo/x", "/a//b"];

fn cors(reply: &Reply) -> Option<&str> {
    reply.header("access-control-allow-origin")
}

/// Returns the sorted names of the field Vary, in lower case.
fn varies(reply: &Reply) -> Vec<String> {
    let fields = reply.headers.get_all("vary").iter().map(|field| field.to_str().expect("text").to_lowercase());
    let mut names: Vec<String> =
        fields.flat_map(|field| field.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A user gets a page with a way on, a program gets JSON that a page of any origin may read.
#[test]
fn unknown_paths_answer_users_and_programs() {
    for path in UNKNOWN {
        let page = Call::get(path).header("accept", BROWSER).send().expect(404);
        assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{page:?}");
        assert!(page.text().contains(r#"href="/logout""#), "{page:?}");
        assert_eq!(
            (cors(&page), varies(&page)),
            (None, vec!["accept".to_owned(), "accept-encoding".to_owned()]),
            "{page:?}"
        );
        for accept in ["*/*", "application/json", "application/json, text/plain, */*"] {
            let reply = Call::get(path).header("accept", accept).header("origin", "https://app.example").send();
            let reply = reply.expect_error(404, "invalid_request");
            assert_eq!(cors(&reply), Some("*"), "{reply:?}");
        }
    }
    Call::post("/no-such-endpoint").form(&[("a", "b")]).send().expect_error(404, "invalid_request");
}

/// RFC 9110 §15.5.6, §15.5.14, §15.5.15. The pages refuse what they cannot read: with a page and a way on for a user, with JSON for a
/// program. A page of another origin may not read it.
#[test]
fn pages_refuse_users_with_a_page_and_programs_with_json() {
    let too_long = "x".repeat(65 * 1024);
    for path in ["/authorize", "/login", "/consent", "/device", "/logout"] {
        let calls = [
            (405, Call::new("PUT", path)),
            (413, Call::post(path).body("application/x-www-form-urlencoded", too_long.clone())),
            (414, Call::get(path).query(&[("a", &too_long[..7200])])),
        ];
        for (status, call) in calls {
            let page = call.clone().header("accept", BROWSER).send().expect(status).expect_no_store();
            assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{page:?}");
            assert!(page.header("content-security-policy").is_some_and(|policy| policy.contains("style-src")));
            assert!(page.text().contains(r#"href="/logout""#), "{page:?}");
            assert_eq!((cors(&page), page.header("allow").is_some()), (None, status == 405), "{page:?}");
            assert!(varies(&page).contains(&"accept".to_owned()), "{page:?}");
            for accept in ["*/*", "application/json"] {
                let reply = call.clone().header("accept", accept).send().expect_error(status, "invalid_request");
                assert_eq!((cors(&reply), varies(&reply)), (None, vec!["accept".to_owned()]), "{reply:?}");
            }
        }
    }
}

/// RFC 6749 §3.1: what the pages cannot read as parameters is an error page for a user, and JSON for a program that prefers it.
#[test]
fn malformed_parameters_are_a_page_for_users_and_json_for_programs() {
    for path in ["/authorize", "/login", "/consent", "/device", "/logout"] {
        let form = |body: &str| Call::post(path).body("application/x-www-form-urlencoded", body);
        let mut calls = vec![form("client_id=%FF"), Call::post(path).body("text/plain", "a=b")];
        // The sign-out page ignores what it cannot trust, and asks the user.
        if path != "/logout" {
            calls.extend([form("client_id=1&client_id=2"), Call::get(path).query(&[("a", "1"); 2])]);
        }
        for call in calls {
            let page = call.clone().header("accept", BROWSER).send().expect(400);
            // The page of devices needs no request: it asks for the code.
            let shown = if path == "/device" { "id=\"device-form\"" } else { "id=\"problem\"" };
            assert!(page.text().contains(shown), "{page:?}");
            let reply = call.header("accept", "application/json").send().expect_error(400, "invalid_request");
            assert_eq!(cors(&reply), None, "{reply:?}");
        }
    }
}

/// RFC 8615: clients look for documents below this path, some with the Accept field of a browser.
#[test]
fn well_known_documents_that_are_not_there_are_json() {
    for path in ["/.well-known/openid-federation", "/.well-known/oauth-authorization-server/x", "/.well-known/x"] {
        let reply = Call::get(path).header("accept", BROWSER).send().expect_error(404, "invalid_request");
        assert_eq!(cors(&reply), Some("*"), "{reply:?}");
    }
}

/// The endpoints that pages of other origins may call, and the errors that they answer before any rule of theirs.
#[test]
fn errors_of_open_endpoints_are_json_for_every_origin() {
    let too_long = "x".repeat(65 * 1024);
    for path in ["/token", "/revoke", "/par", "/device_authorization", "/register", "/userinfo"] {
        let form = |body: &str| Call::post(path).body("application/x-www-form-urlencoded", body).send();
        let replies = [
            Call::new("PATCH", path).send().expect(405),
            form(&too_long).expect(413),
            form("a=%FF&b"),
            form("a=1&a=1"),
            Call::post(path).query(&[("a", &too_long[..7200])]).send().expect(414),
        ];
        for reply in replies {
            assert!((400..500).contains(&reply.status) && reply.json()["error"].is_string(), "{reply:?}");
            assert_eq!(cors(&reply), Some("*"), "{reply:?}");
        }
    }
    for path in ["/jwks", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        let reply = Call::post(path).form(&[("a", "b")]).header("accept", BROWSER).send().expect(405);
        assert_eq!((reply.json()["error"].as_str(), cors(&reply)), (Some("invalid_request"), Some("*")), "{reply:?}");
    }
    for call in [Call::get("/register/x"), Call::new("DELETE", "/register/x"), Call::new("PATCH", "/register/x")] {
        assert_eq!(cors(&call.send()), Some("*"));
    }
}

/// RFC 9700 §2.6. No answer of the pages and of the endpoints for servers may be read by a page of another origin: not an error, not a
/// preflight, not what is below them.
#[test]
fn closed_paths_send_no_cors_header_ever() {
    for path in ["/authorize", "/login", "/consent", "/logout", "/device", "/introspect", "/admin/clients", "/health"] {
        for path in [path.to_owned(), format!("{path}/x"), format!("{path}?a=1&a=1"), format!("{path}/../x")] {
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "OPTIONS"] {
                let call = Call::new(method, &path).header("origin", "https://app.example");
                let reply = call.header("access-control-request-method", "POST").header("accept", "*/*").send();
                // `..` is resolved by the client of the test.
                if reply.url().path() == "/x" {
                    continue;
                }
                let sent = reply.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
                assert_eq!(sent, None, "{reply:?}");
            }
        }
    }
    let reply = Call::get("/admin").send().expect_error(404, "invalid_request");
    assert_eq!(cors(&reply), None, "{reply:?}");
}

/// Words of serde and of its JSON parser. They name types of this program, and tell a client nothing.
const SERDE: [&str; 18] = [
    "unknown variant",
    "unknown field",
    "expected one of",
    "invalid type",
    "invalid value",
    "invalid length",
    "missing field",
    "duplicate field",
    "trailing characters",
    "trailing comma",
    "EOF while parsing",
    "expected value",
    "key must be a string",
    "recursion limit",
    "control character",
    "lone leading surrogate",
    "number out of range",
    "did not match any variant",
];

#[track_caller]
fn is_plain(reply: &Reply) {
    let location = reply.header("location").unwrap_or_default().replace('+', " ").replace("%20", " ");
    let challenge = reply.header("www-authenticate").unwrap_or_default();
    for text in [reply.text(), location, challenge.to_owned()] {
        let quoted = SERDE.iter().find(|words| text.contains(**words));
        assert_eq!(quoted, None, "{reply:?}");
    }
    assert!(reply.status < 500, "{reply:?}");
}

/// Texts that are no JSON, or not what any endpoint expects.
const HOSTILE: [&str; 16] = [
    "",
    "{",
    "{\"client_name\":}",
    "{\"client_name\":\"a\"}x",
    "{\"client_name\":\"a\",}",
    "{\"client_name\":\"a\",\"client_name\":\"b\"}",
    "{\"client_name\":\"\u{1}\"}",
    "{\"client_name\":\"\\ud800\"}",
    "{\"default_max_age\":1e999}",
    "{\"default_max_age\":-1}",
    "{1:2}",
    "[]",
    "null",
    "1",
    "\"text\"",
    "nul",
];

/// Values that are wrong for nearly every member.
fn odd() -> [Value; 8] {
    [json!(1), json!(-1.5), json!(true), json!("odd"), json!([1]), json!({}), json!({ "keys": [1] }), json!([["x"]])]
}

fn deep() -> String {
    format!("{}{}", "{\"a\":".repeat(200), "1".to_owned() + &"}".repeat(200))
}

/// The members of client metadata, as a client that registered itself and one of the operator show them.
fn members() -> Vec<String> {
    let mut names: Vec<String> = [
        "jwks",
        "jwks_uri",
        "request_uris",
        "sector_identifier_uri",
        "default_acr_values",
        "contacts",
        "logo_uri",
        "client_name#de",
        "backchannel_logout_uri",
        "frontchannel_logout_uri",
        "initiate_login_uri",
        "request_object_signing_alg",
        "id_token_encrypted_response_alg",
        "id_token_encrypted_response_enc",
        "userinfo_signed_response_alg",
        "software_statement",
        "post_logout_redirect_uris",
        "default_max_age",
        "localized",
        "token_exchange",
        "introspects",
        "client_secret",
        "secrets",
    ]
    .map(str::to_owned)
    .into();
    let shown =
        Registered::new(&json!({ "redirect_uris": ["https://client.example/callback"], "client_name": random() }));
    names.extend(shown.document.as_object().unwrap().keys().cloned());
    names.extend(administered().as_object().unwrap().keys().cloned());
    names.sort_unstable();
    names.dedup();
    names
}

fn administered() -> Value {
    let client = admin::client("errors-shown", &["--confidential"]);
    admin::command(&["client", "show", "--json", &client.id])
}

/// RFC 7591 §3.2.2: registration.
#[test]
fn registration_never_quotes_the_parser() {
    for body in HOSTILE.map(str::to_owned).into_iter().chain([deep()]) {
        is_plain(&Call::post("/register").body("application/json", body).send());
    }
    is_plain(&Call::post("/register").body("application/json", b"{\"client_name\":\"\xff\"}".to_vec()).send());
    for name in members() {
        for value in odd() {
            let mut metadata = json!({ "redirect_uris": ["https://client.example/callback"] });
            metadata[&name] = value;
            is_plain(&register(&metadata));
        }
    }
}

/// RFC 7591 §2.3: the claims of a software statement, which an issuer signed.
#[test]
fn software_statements_never_quote_the_parser() {
    for name in ["aud", "exp", "nbf", "iat", "iss", "redirect_uris", "jwks", "grant_types", "scope", "default_max_age"]
    {
        for value in odd() {
            let mut claims =
                json!({ "iss": "https://software.example", "redirect_uris": ["https://client.example/cb"] });
            claims[name] = value;
            let statement = trusted::people().sign(&claims);
            is_plain(&register(&json!({ "software_statement": statement })));
        }
    }
}

fn administer(key: &AdminKey, method: &str, target: &str, body: &str) -> Reply {
    let token = key.token(method, target, body);
    Call::new(method, target).bearer(&token).body("application/json", body).send()
}

/// The admin API.
#[test]
fn the_administration_never_quotes_the_parser() {
    let key = admin::key(&["clients:write", "users:write", "keys:write", "admin-keys:write"]);
    let targets = [
        ("PUT", "/admin/clients/errors-hostile"),
        ("PUT", "/admin/users/errors-hostile"),
        ("POST", "/admin/admin-keys"),
        ("POST", "/admin/initial-access-tokens"),
        ("POST", "/admin/keys/rotate"),
    ];
    for (method, target) in targets {
        for body in HOSTILE.map(str::to_owned).into_iter().chain([deep()]) {
            is_plain(&administer(&key, method, target, &body));
        }
        for name in [
            "name",
            "scopes",
            "public_key",
            "expires_at",
            "uses",
            "lifetime",
            "alg",
            "claims",
            "password_hash",
            "status",
        ] {
            for value in odd() {
                is_plain(&administer(&key, method, target, &json!({ name: value }).to_string()));
            }
        }
    }
    for name in members() {
        for value in odd() {
            is_plain(&administer(&key, "PUT", "/admin/clients/errors-hostile", &json!({ &name: value }).to_string()));
        }
    }
}

/// The configuration of the deployment. Nothing is applied: the version is wrong, or only a check is asked for.
#[test]
fn the_configuration_never_quotes_the_parser() {
    let key = admin::key(&["configuration:write"]);
    let put = |body: &str| is_plain(&administer(&key, "PUT", "/admin/configuration", body));
    HOSTILE.into_iter().for_each(put);
    put(&deep());
    for value in odd() {
        for name in ["version", "sections", "dry_run", "other"] {
            let mut body = json!({ "version": 0, "sections": {}, "dry_run": true });
            body[name] = value.clone();
            if name == "dry_run" {
                body["version"] = json!(1_000_000);
            }
            put(&body.to_string());
        }
        let resources =
            ["resource", "scopes", "scope_descriptions", "access_token_format", "access_token_signed_response_alg"];
        let issuers = ["issuer", "jwks", "subject", "algorithms", "clients", "max_lifetime"];
        for name in resources {
            let mut resource = json!({ "resource": "https://api.example" });
            resource[name] = value.clone();
            put(&json!({ "version": 0, "sections": { "resources": [resource] }, "dry_run": true }).to_string());
        }
        for name in issuers {
            let mut trusted =
                json!({ "issuer": "https://a.example", "jwks_uri": "https://a.example/jwks", "subject": "same" });
            trusted[name] = value.clone();
            put(&json!({ "version": 0, "sections": { "issuers": { "jwt": [trusted] } }, "dry_run": true }).to_string());
        }
        for section in ["resources", "issuers", "other"] {
            put(&json!({ "version": 0, "sections": { section: value }, "dry_run": true }).to_string());
        }
    }
}

/// OpenID Connect Core §5.5: the parameter `claims`, at each endpoint that has it.
#[test]
fn the_claims_parameter_never_quotes_the_parser() {
    let client = suite::spa();
    let values =
        [json!({ "essential": 1 }), json!({ "values": "x" }), json!({ "values": [[]] }), json!({ "value": {} })];
    let of_acr = values.map(|value| json!({ "id_token": { "acr": value } }).to_string());
    let more = ["{\"id_token\":1}", "{\"userinfo\":{\"name\":1}}", "{\"id_token\":{\"sub\":{\"value\":1}}}"];
    let texts = HOSTILE.map(str::to_owned).into_iter().chain([deep()]).chain(of_acr).chain(more.map(str::to_owned));
    for text in texts {
        let request = AuthorizationRequest::new(&client).set("claims", &text);
        is_plain(&Browser::new().send(Call::get(&request.url())));
        is_plain(&Call::post("/par").form(&request.parameters).send());
        let device = [("client_id", "demo-device"), ("scope", "openid"), ("claims", text.as_str())];
        is_plain(&Call::post("/device_authorization").form(&device).send());
    }
}

/// RFC 9101: the claims of a request object.
#[test]
fn request_objects_never_quote_the_parser() {
    let signer = Signer::new("ES256", "errors");
    let client = admin::client("errors-jar", &["--set", &format!("jwks={}", signer.jwks())]);
    let names = [
        "iss",
        "aud",
        "exp",
        "nbf",
        "client_id",
        "redirect_uri",
        "scope",
        "claims",
        "max_age",
        "resource",
        "state",
        "prompt",
    ];
    for name in names {
        for value in odd() {
            let request = AuthorizationRequest::new(&client);
            let mut claims: serde_json::Map<String, Value> =
                request.parameters.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            claims.extend(json!({ "iss": client.id, "aud": issuer(), "exp": now() + 60 }).as_object().unwrap().clone());
            claims.insert(name.to_owned(), value);
            let object = signer.sign(&Value::Object(claims));
            let parameters = [("client_id", client.id.as_str()), ("request", &object)];
            is_plain(&Browser::new().send(Call::get("/authorize").query(&parameters)));
        }
    }
    for object in HOSTILE.into_iter().chain(["a.b.c", "e30.e30.", "eyJhbGciOiJub25lIn0.W10."]) {
        is_plain(
            &Browser::new()
                .send(Call::get("/authorize").query(&[("client_id", client.id.as_str()), ("request", object)])),
        );
    }
}

/// RFC 7523 §3: the claims of a client assertion and of an assertion grant, and the tokens of a token exchange.
#[test]
fn assertions_never_quote_the_parser() {
    const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let signer = Signer::new("ES256", "errors");
    let method = "token_endpoint_auth_method=private_key_jwt";
    let jwks = format!("jwks={}", signer.jwks());
    let client = admin::client(
        "errors-assertion",
        &["--set", method, "--set", r#"grant_types=["client_credentials"]"#, "--set", &jwks],
    );
    for name in ["iss", "sub", "aud", "jti", "iat", "nbf", "exp"] {
        for value in odd() {
            let mut claims =
                json!({ "iss": client.id, "sub": client.id, "aud": issuer(), "jti": random(), "exp": now() + 60 });
            claims[name] = value.clone();
            let assertion = signer.sign(&claims);
            let form = [
                ("grant_type", "client_credentials"),
                ("client_assertion_type", TYPE),
                ("client_assertion", &assertion),
            ];
            is_plain(&Call::post("/token").form(&form).send());
            let mut claims = trusted::claims(trusted::PEOPLE, "alice");
            claims.insert(name.to_owned(), value);
            let assertion = trusted::typed(trusted::people(), claims);
            is_plain(&trusted::jwt_bearer(&trusted::bearer(), &assertion).send());
        }
    }
}

/// Metadata documents of clients, which the server fetches. Their errors tell the caller nothing of their content.
#[test]
fn fetched_documents_never_quote_the_parser() {
    let mut documents: Vec<String> = HOSTILE.map(str::to_owned).into();
    documents.push(deep());
    let members =
        ["redirect_uris", "jwks", "client_name", "grant_types", "default_max_age", "logo_uri", "contacts", "scope"];
    let values = [json!(1), json!("odd"), json!([1]), json!({ "keys": [1] })];
    for (name, value) in members.iter().flat_map(|name| values.iter().map(move |value| (name, value))) {
        let mut document = json!({ "client_id": "HERE", "redirect_uris": ["https://client.example/callback"] });
        document[*name] = value.clone();
        documents.push(document.to_string());
    }
    for (position, document) in documents.into_iter().enumerate() {
        // The server asks a new host five times a second.
        if position % 5 == 4 {
            suite::wait(std::time::Duration::from_secs(1));
        }
        let host = Host::start();
        let document = document.replace("HERE", &host.url("/client.json"));
        let url = host.serve("/client.json", suite::Answer::new("application/json", document));
        let request = AuthorizationRequest::new(&suite::Client::public(&url));
        let call = Call::get(&request.url()).through_proxy(&suite::address());
        is_plain(&Browser::new().send(call));
        assert_eq!(host.requests("/client.json").len(), 1, "the document was read");
    }
}
