//! Bodies as clients and users receive them: JSON documents and pages, whole. The other tests demand what specifications
//! demand; these show every other change of a byte. `tests/README.md` says how to update the snapshots.

use serde_json::json;
use suite::registration::{Registered, register};
use suite::{
    AuthorizationRequest, Browser, Call, Client, TokenRequest, Tokens, admin, authenticated, exchanger, introspect,
    pushed, service, snapshot, spa, userinfo, web,
};

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const EXCHANGE_GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

fn all_scopes(client: &Client) -> (AuthorizationRequest, Tokens) {
    let scope = "openid profile email address phone offline_access";
    let request = AuthorizationRequest::new(client).set("prompt", "consent").scope(scope);
    let code = Browser::signed_in().complete(&request).code();
    let tokens = TokenRequest::code(&request, &code).tokens();
    (request, tokens)
}

fn device_authorization(scope: &str) -> suite::Reply {
    let parameters = [("scope".to_owned(), scope.to_owned())];
    authenticated(Call::post("/device_authorization"), &Client::public("demo-device"), &parameters).send()
}

#[test]
fn token_responses() {
    let (_, tokens) = all_scopes(&spa());
    snapshot::value("token_authorization_code", tokens.document.clone());
    snapshot::value("token_refresh_token", tokens.refresh_request().tokens().document);
    let machine = TokenRequest::client_credentials(&service()).set("scope", "read").tokens();
    snapshot::value("token_client_credentials", machine.document);
    let exchange = TokenRequest::new(&exchanger(), EXCHANGE_GRANT)
        .set("subject_token", tokens.access())
        .set("subject_token_type", "urn:ietf:params:oauth:token-type:access_token");
    let mut exchanged = exchange.send().expect(200).json();
    // The token expires with the one that it was exchanged from, which may be a second old.
    assert!(exchanged["expires_in"].as_u64().is_some_and(|seconds| (590..=600).contains(&seconds)), "{exchanged}");
    exchanged["expires_in"] = 600.into();
    snapshot::value("token_exchange", exchanged);
}

#[test]
fn token_errors() {
    let (request, _) = all_scopes(&spa());
    let code = TokenRequest::code(&request, "lkc_unknown");
    snapshot::error("error_invalid_grant", &code.send());
    snapshot::error("error_invalid_request", &code.clone().without("code").send());
    snapshot::error("error_repeated", &code.clone().also("code", "twice").send());
    snapshot::error(
        "error_invalid_client",
        &TokenRequest::client_credentials(&Client::confidential("demo-service", "x")).send(),
    );
    snapshot::error("error_unknown_client", &code.by(&Client::public("suite-unknown")).send());
    snapshot::error("error_unsupported_grant_type", &TokenRequest::new(&spa(), "password").send());
    snapshot::error("error_unauthorized_client", &TokenRequest::client_credentials(&spa()).send());
    snapshot::error("error_invalid_scope", &TokenRequest::client_credentials(&service()).set("scope", "admin").send());
    let details = TokenRequest::client_credentials(&service()).set("authorization_details", r#"[{"type":"unknown"}]"#);
    snapshot::error("error_invalid_authorization_details", &details.send());
    snapshot::error("error_invalid_refresh_token", &TokenRequest::refresh(&spa(), "lkr_unknown").send());
    snapshot::error("error_not_a_form", &Call::post("/token").body("application/json", "{}").send());
}

#[test]
fn introspection_responses() {
    let api = Client::confidential("demo-api", "demo-api-secret-7Kq2Xv9Tb4");
    let resource = format!("{}/demo-api", suite::base());
    let machine =
        TokenRequest::client_credentials(&service()).set("scope", "demo:read").set("resource", &resource).tokens();
    snapshot::json("introspection_active", &introspect(&api, machine.access(), "application/json").expect(200));
    snapshot::json("introspection_inactive", &introspect(&api, "unknown", "application/json").expect(200));
    let stranger = Client::confidential("demo-api", "wrong");
    snapshot::error("introspection_error", &introspect(&stranger, machine.access(), "application/json"));
}

#[test]
fn metadata_documents() {
    for (name, path) in [
        ("metadata_openid_configuration", "/.well-known/openid-configuration"),
        ("metadata_oauth_authorization_server", "/.well-known/oauth-authorization-server"),
    ] {
        let mut document = Call::get(path).send().expect(200).json();
        // The scopes of the deployment's own APIs: the local server has two, the other platforms have none.
        let scopes = document["scopes_supported"].as_array_mut().unwrap();
        scopes.retain(|scope| scope != "read" && scope != "write");
        snapshot::value(name, document);
    }
    let resource = Call::get("/.well-known/oauth-protected-resource/demo-api").send().expect(200);
    snapshot::json("metadata_oauth_protected_resource", &resource);
    // Other tests rotate keys: one of each algorithm is shown.
    let mut keys = Call::get("/jwks").send().expect(200).json();
    let list = keys["keys"].as_array_mut().unwrap();
    list.sort_by_key(|key| key["alg"].as_str().unwrap_or_default().to_owned());
    list.dedup_by_key(|key| key["alg"].as_str().unwrap_or_default().to_owned());
    snapshot::value("metadata_jwks", keys);
}

#[test]
fn registration_responses() {
    let metadata = json!({
        "client_name": "Snapshot",
        "redirect_uris": ["https://suite.example/callback"],
        "scope": "openid email",
        "logo_uri": "https://suite.example/logo.png",
        "unknown_member": true,
    });
    let registered = Registered::new(&metadata);
    let id = registered.text("client_id").to_owned();
    let without_id = |document: &serde_json::Value| {
        serde_json::from_str::<serde_json::Value>(&document.to_string().replace(&id, "registered-client")).unwrap()
    };
    snapshot::value("registration_created", without_id(&registered.document));
    snapshot::value("registration_read", without_id(&registered.get().expect(200).json()));
    snapshot::error("registration_error", &register(&json!({ "redirect_uris": ["http://suite.example/callback"] })));
    snapshot::error("registration_wrong_token", &registered.send("GET", "wrong", None));
}

#[test]
fn pushed_request_responses() {
    snapshot::json("pushed_request", &pushed::push(&AuthorizationRequest::new(&web())).expect(201));
    let wrong = AuthorizationRequest::new(&web()).set("redirect_uri", "https://evil.example/");
    snapshot::error("pushed_request_error", &pushed::push(&wrong));
}

#[test]
fn device_responses() {
    let begun = device_authorization("openid profile").expect(200);
    snapshot::json("device_authorization", &begun);
    let code = begun.json()["device_code"].as_str().unwrap().to_owned();
    let poll = TokenRequest::new(&Client::public("demo-device"), DEVICE_GRANT).set("device_code", &code);
    snapshot::error("device_pending", &poll.send());
    // An instance counts the polls that reach it, and some may reach another one.
    let hasty = (0..32).map(|_| poll.send()).find(|reply| reply.json()["error"] == "slow_down");
    snapshot::error("device_slow_down", &hasty.expect("a poll that is told to slow down"));
    snapshot::error("device_error", &device_authorization("unknown"));
}

#[test]
fn userinfo_responses() {
    let (_, tokens) = all_scopes(&spa());
    snapshot::json("userinfo", &userinfo(tokens.access()).expect(200));
    snapshot::error("userinfo_error", &userinfo("unknown"));
}

#[test]
fn administration_responses() {
    let clients = ["demo-spa", "demo-web", "demo-service"].map(|id| admin::command(&["client", "show", "--json", id]));
    snapshot::value("administration_clients", clients.into_iter().collect());
    snapshot::value("administration_user", admin::command(&["user", "show", "--json", suite::USERNAME]));
    snapshot::error("administration_error", &Call::get("/admin/clients").send());
}

#[test]
fn sign_in_pages() {
    let mut browser = Browser::new();
    let page = browser.authorize(&AuthorizationRequest::new(&spa())).login_page();
    snapshot::page("page_sign_in", &page);
    let refused = browser.sign_in(&page, "suite-nobody", "wrong").page();
    snapshot::page("page_sign_in_refused", &refused);
    let account = AuthorizationRequest::new(&spa()).set("prompt", "select_account");
    snapshot::page("page_select_account", &Browser::signed_in().authorize(&account).page());
}

#[test]
fn consent_pages() {
    let request = AuthorizationRequest::new(&web()).set("prompt", "consent");
    let request = request.scope("openid profile email address phone offline_access");
    snapshot::page("page_consent", &Browser::signed_in().authorize(&request).consent_page());
    let types = r#"authorization_details_types=["payment_initiation"]"#;
    let client = admin::client("suite-rar-page", &["--set", "token_endpoint_auth_method=none", "--set", types]);
    let details = json!([{
        "type": "payment_initiation", "instructedAmount": { "currency": "EUR", "amount": "123.50" },
        "creditorName": "Merchant A", "creditorAccount": { "iban": "DE02100100109307118603" },
    }]);
    let request = AuthorizationRequest::new(&client).set("authorization_details", &details.to_string());
    snapshot::page("page_consent_details", &Browser::signed_in().authorize(&request).consent_page());
}

#[test]
fn form_post_page() {
    let request = AuthorizationRequest::new(&web()).set("response_mode", "form_post").set("scope", "unknown");
    let url = suite::url(&request.url());
    let reply = Browser::signed_in().send(Call::get(&url));
    let page = suite::Page::read(&reply.url(), reply);
    snapshot::page("page_form_post", &page);
}

#[test]
fn device_pages() {
    let mut browser = Browser::signed_in();
    snapshot::page("page_device", &browser.open("/device").page());
    let begun = device_authorization("openid profile").expect(200).json();
    let user_code = begun["user_code"].as_str().unwrap();
    let form = browser.open("/device").page().forms[0].clone();
    let page = browser.submit(&form, &[("user_code", user_code)]).consent_page();
    // Cloudflare names the place of the device, other platforms its shortened address.
    let place = page.select("#device-place").join("");
    snapshot::page_without("page_device_consent", &page, &[user_code, &place]);
    snapshot::page_without("page_device_denied", &browser.decide(&page, "deny").page(), &[user_code]);
}

#[test]
fn sign_out_pages() {
    let mut browser = Browser::new_signed_in();
    let page = browser.open("/logout").page();
    snapshot::page("page_sign_out", &page);
    snapshot::page("page_signed_out", &browser.decide(&page, "yes").page());
    let mut browser = Browser::new();
    let user = admin::user("suite-snapshot");
    browser.complete_as(&AuthorizationRequest::new(&web()), &user, admin::PASSWORD).code();
    let page = browser.open("/logout").page();
    let page = browser.decide(&page, "everywhere").page();
    snapshot::page("page_sign_out_everywhere", &page);
    snapshot::page("page_signed_out_everywhere", &browser.decide(&page, "everywhere-yes").page());
}

#[test]
fn error_pages() {
    let wrong = AuthorizationRequest::new(&web()).set("redirect_uri", "https://evil.example/");
    snapshot::page("page_error_redirect_uri", &Browser::new().authorize(&wrong).error_page());
    snapshot::page("page_error_client", &Browser::new().open("/authorize").error_page());
}
