//! Clients with a metadata document (draft-ietf-oauth-client-id-metadata-document-02), with the documents that MCP clients
//! publish.

use serde_json::{Value, json};
use suite::{
    Answer, AuthorizationRequest, Browser, Call, Client, Host, Landing, Page, Signer, TokenRequest, issuer, jwt, now,
    random,
};

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A document at a host of its own.
struct Document {
    host: Host,
    path: &'static str,
}

impl Document {
    fn new(path: &'static str) -> Self {
        Self { host: Host::start(), path }
    }

    fn url(&self) -> String {
        self.host.url(self.path)
    }

    /// Serves a document with these members beside its `client_id`.
    fn serve(&self, members: &Value) -> Client {
        let mut document = members.clone();
        document["client_id"] = json!(self.url());
        self.host.serve_json(self.path, &document);
        self.client()
    }

    fn client(&self) -> Client {
        Client::public(&self.url())
    }

    fn reads(&self) -> usize {
        self.host.requests(self.path).len()
    }

    /// Returns the error page of a request. It names the host, and the user stays at this server.
    #[track_caller]
    fn refused(&self, status: u16) -> Page {
        let request = AuthorizationRequest::new(&self.client());
        let page = Browser::signed_in().authorize(&request).page();
        assert_eq!(page.reply.status, status, "{:?}", page.reply);
        let authority = self.url().split('/').nth(2).unwrap().to_owned();
        assert!(page.text().contains(&authority), "{}", page.text());
        page
    }
}

fn native() -> Value {
    json!({ "client_name": "Tool", "redirect_uris": ["http://localhost/callback", "http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none" })
}

fn signs_in(client: &Client, redirect_uri: &str) -> suite::Tokens {
    let request = AuthorizationRequest::new(client).set("redirect_uri", redirect_uri).scope("openid offline_access");
    let callback = Browser::signed_in().complete(&request);
    assert_eq!(callback.url.as_str(), redirect_uri);
    TokenRequest::code(&request, &callback.code()).tokens()
}

/// §6: the metadata say that documents are read. MCP clients look for this member, and for `none`.
#[test]
fn the_metadata_offer_documents() {
    let metadata = Call::get("/.well-known/oauth-authorization-server").send().expect(200).json();
    assert_eq!(metadata["client_id_metadata_document_supported"], true);
    assert!(metadata["token_endpoint_auth_methods_supported"].as_array().unwrap().contains(&json!("none")));
}

/// §5, RFC 8252 §7.3: a native application signs in at any port, and its document is read once.
#[test]
fn a_native_application_signs_in_by_its_document() {
    let document = Document::new("/client.json");
    let client = document.serve(&native());
    for redirect_uri in
        ["http://localhost:33418/callback", "http://127.0.0.1:50123/callback", "http://localhost/callback"]
    {
        let tokens = signs_in(&client, redirect_uri);
        assert_eq!(jwt::verify(tokens.id()).claims["aud"], client.id);
        tokens.refresh_request().tokens();
    }
    assert_eq!(document.reads(), 1);
    for other in ["http://localhost/other", "https://localhost/callback", "http://[::1]/callback"] {
        let request = AuthorizationRequest::new(&client).set("redirect_uri", other);
        Browser::signed_in().authorize(&request).error_page();
    }
}

/// Documents as well-known clients publish them: unknown grants and members are ignored, a wildcard never matches, the `scope` is
/// no limit, and a list of methods is a choice.
#[test]
fn documents_of_well_known_clients_are_clients() {
    let jwks = Signer::new("RS256", "key").jwks();
    let bearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    for (name, members, redirect_uri) in [
        (
            "Claude",
            json!({ "client_name": "Claude", "client_uri": "https://claude.ai", "response_types": ["code"],
                "redirect_uris": ["https://claude.ai/api/mcp/auth_callback"], "token_endpoint_auth_method": "none",
                "grant_types": ["authorization_code", "refresh_token", bearer, "urn:example:other"] }),
            "https://claude.ai/api/mcp/auth_callback",
        ),
        (
            "VS Code",
            json!({ "client_name": "Visual Studio Code", "application_type": "native", "response_types": ["code"],
                "grant_types": ["authorization_code", "refresh_token", DEVICE], "token_endpoint_auth_method": "none",
                "logo_uri": "https://code.visualstudio.com/x.png", "client_uri": "https://vscode.dev/product",
                "redirect_uris": ["http://127.0.0.1:33418/", "https://vscode.dev/redirect"] }),
            "http://127.0.0.1:41234/",
        ),
        (
            "Zed",
            json!({ "client_name": "Zed", "redirect_uris": ["http://127.0.0.1/callback"],
                "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"] }),
            "http://127.0.0.1:1234/callback",
        ),
        (
            "FastMCP",
            json!({ "client_name": "FastMCP", "scope": "mcp:tools", "contacts": 3, "client_uri": "",
                "redirect_uris": ["http://localhost:*/callback", "http://localhost:1/callback", 7],
                "grant_types": ["authorization_code", "refresh_token"] }),
            "http://localhost:2/callback",
        ),
        (
            "a choice of methods",
            json!({ "client_name": "Choice", "redirect_uris": ["https://app.example/cb"],
                "grant_types": ["authorization_code", "refresh_token"],
                "token_endpoint_auth_method": "tls_client_auth", "jwks": jwks,
                "token_endpoint_auth_methods_supported": ["tls_client_auth", "none", "private_key_jwt"] }),
            "https://app.example/cb",
        ),
    ] {
        let document = Document::new("/oauth/client.json");
        let client = document.serve(&members);
        signs_in(&client, redirect_uri);
        assert_eq!(document.reads(), 1, "{name}");
        let wildcard = AuthorizationRequest::new(&client).set("redirect_uri", "http://localhost:*/callback");
        Browser::signed_in().authorize(&wildcard).error_page();
    }
}

/// §8.2: a client with keys must prove that it has them.
#[test]
fn a_document_with_keys_is_a_confidential_client() {
    let document = Document::new("/client.json");
    let signer = Signer::new("RS256", "key-1");
    let jwks_uri = document.host.serve_json("/jwks.json", &signer.jwks());
    let client = document.serve(&json!({
        "client_name": "Server", "redirect_uris": ["https://app.example/cb"], "jwks_uri": jwks_uri,
        "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "RS256",
    }));
    let request = AuthorizationRequest::new(&client).set("redirect_uri", "https://app.example/cb");
    let code = Browser::signed_in().complete(&request).code();
    let redeem = TokenRequest::code(&request, &code);
    redeem.send().expect_error(401, "invalid_client");
    let assertion = signer.sign(&json!({
        "iss": client.id, "sub": client.id, "aud": issuer(), "jti": random(), "iat": now(), "exp": now() + 60,
    }));
    redeem
        .set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .set("client_assertion", &assertion)
        .tokens();
}

/// §3: a `client_id` that breaks a rule for URLs names no document, and nothing is fetched.
#[test]
fn a_url_that_breaks_a_rule_is_an_unknown_client() {
    let document = Document::new("/a/client.json");
    document.serve(&native());
    let origin = document.host.url("");
    for url in [
        origin.clone(),
        format!("{origin}/"),
        format!("{origin}/a/./client.json"),
        format!("{origin}/b/../a/client.json"),
        format!("{origin}/b/%2e%2e/a/client.json"),
        format!("{origin}/a/client.json#fragment"),
        format!("{origin}\\a\\client.json"),
        format!("{origin}/a/client.json "),
        origin.replace("http://", "http://user@") + "/a/client.json",
        origin.replace("http://", "HTTP://") + "/a/client.json",
        origin.replace("http://", "ftp://") + "/a/client.json",
        "https://10.0.0.1/client.json".to_owned(),
        "https://metadata.google.internal/client.json".to_owned(),
        "http://client.example/client.json".to_owned(),
    ] {
        let request = AuthorizationRequest::new(&Client::public(&url)).set("redirect_uri", "http://localhost/callback");
        Browser::signed_in().authorize(&request).error_page();
    }
    assert_eq!(document.reads(), 0);
}

/// §4, §4.1, §5: what a document must be. A redirect is not followed.
#[test]
fn a_document_that_breaks_a_rule_is_refused() {
    let changed = |name: &str, value: Value| {
        let mut members = native();
        members[name] = value;
        members
    };
    let private = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "x", "y": "y", "d": "d" }] });
    for members in [
        changed("client_secret", json!("secret")),
        changed("client_secret_expires_at", json!(0)),
        changed("token_endpoint_auth_method", json!("client_secret_basic")),
        changed("redirect_uris", json!(["javascript:alert(1)", "http://app.example/cb", "myapp://cb"])),
        changed("redirect_uris", json!("https://app.example/cb")),
        json!({ "redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "private_key_jwt", "jwks": private }),
        json!({ "redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "private_key_jwt" }),
        json!({ "redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": "https://169.254.169.254/jwks" }),
        json!({ "client_name": "Nothing else" }),
    ] {
        let document = Document::new("/client.json");
        document.serve(&members);
        document.refused(400);
    }
    let valid = |document: &Document| {
        let mut members = native();
        members["client_id"] = json!(document.url());
        members
    };
    let answers: [fn(Value, &Host) -> Answer; 6] = [
        |members, _| Answer::new("text/plain", members.to_string()),
        |members, _| Answer::new("application/json", format!("[{members}]")),
        |mut members, _| {
            members["client_id"] = json!("https://other.example/client.json");
            Answer::new("application/json", members.to_string())
        },
        |mut members, _| {
            members["client_id"] = json!(members["client_id"].as_str().unwrap().to_uppercase());
            Answer::new("application/json", members.to_string())
        },
        |_, _| Answer::status(404),
        |_, _| Answer::new("application/json", vec![0xFF, b'{', b'}']),
    ];
    for answer in answers {
        let document = Document::new("/client.json");
        document.host.serve("/client.json", answer(valid(&document), &document.host));
        document.refused(400);
    }
    let temporary: [fn(Value, &Host) -> Answer; 3] = [
        |members, host| {
            let elsewhere = host.serve_json("/elsewhere.json", &members);
            Answer::status(302).header("location", &elsewhere)
        },
        |_, _| Answer::status(403),
        |members, _| Answer::new("application/json", format!("{members}{}", " ".repeat(6000))),
    ];
    for answer in temporary {
        let document = Document::new("/client.json");
        document.host.serve("/client.json", answer(valid(&document), &document.host));
        let page = document.refused(503);
        assert!(page.reply.header("retry-after").is_some(), "{:?}", page.reply);
        assert_eq!(document.host.requests("/elsewhere.json").len(), 0, "no redirect is followed");
    }
}

/// §5.2: an error is not kept as the answer.
#[test]
fn a_document_that_is_mended_is_read_again() {
    let document = Document::new("/client.json");
    document.host.serve("/client.json", Answer::status(500));
    document.refused(503);
    signs_in(&document.serve(&native()), "http://localhost:7/callback");
}

/// RFC 9126, RFC 8628: a client may begin with a pushed request, or on a device.
#[test]
fn other_endpoints_read_the_document() {
    let document = Document::new("/client.json");
    let mut members = native();
    members["grant_types"] = json!(["authorization_code", DEVICE]);
    let client = document.serve(&members);
    let form = [("client_id", client.id.as_str()), ("scope", "openid")];
    Call::post("/device_authorization").form(&form).send().expect(200);
    let request = AuthorizationRequest::new(&client).set("redirect_uri", "http://localhost:8/callback");
    Call::post("/par").form(&request.parameters).send().expect(201);
    assert_eq!(document.reads(), 1);

    let broken = Document::new("/client.json");
    broken.host.serve("/client.json", Answer::status(503));
    let request = AuthorizationRequest::new(&broken.client());
    Call::post("/par").form(&request.parameters).send().expect_error(503, "temporarily_unavailable");
    let form = [("grant_type", "refresh_token"), ("client_id", broken.url().leak()), ("refresh_token", "lkr_x")];
    let before = broken.reads();
    Call::post("/token").form(&form).send().expect_error(401, "invalid_client");
    assert_eq!(broken.reads(), before, "the token endpoint reads no document");
}

/// §8.5: the page shows the host of the document as the identity, and the host of the redirect URI. A program on this computer is
/// named as such, and consent for it is not remembered (RFC 8252 §8.6).
#[test]
fn the_consent_page_shows_the_identity() {
    let document = Document::new("/client.json");
    let mut members = native();
    members["client_name"] = json!("Claude");
    let client = document.serve(&members);
    let mut browser = Browser::new_signed_in();
    let request = AuthorizationRequest::new(&client).set("redirect_uri", "http://localhost:9/callback");
    for _ in 0..2 {
        let page = browser.authorize(&request).consent_page();
        let authority = document.url().split('/').nth(2).unwrap().to_owned();
        assert_eq!(page.select("#identity"), [authority], "{}", page.text());
        assert!(page.text().contains("localhost:9 (this device)"), "{}", page.text());
        assert!(page.select("#local-warning").len() == 1, "{}", page.text());
        let landing = browser.decide(&page, "allow");
        assert!(matches!(landing, Landing::Callback(_)), "{landing:?}");
    }
}
