//! Scopes that only some users may grant: `granted_to` of a resource (RFC 6749 §3.3: the server may issue less than was requested).

use serde_json::{Value, json};
use suite::{AuthorizationRequest, Browser, Call, Client, Page, TokenRequest, Tokens, admin, jwt};

const NOTES: &str = "https://suite.test/notes";
const DELETE: &str = "Delete the notes of the suite";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

fn client() -> Client {
    let scope = "openid offline_access notes:read notes:delete";
    admin::client("suite-granted-to", &["--set", "token_endpoint_auth_method=none", "--scope", scope])
}

fn user(name: &str, groups: &str) -> String {
    let name = admin::user(name);
    admin::command(&["user", "set-claim", "--json", &name, &format!("groups={groups}")]);
    name
}

fn request(scope: &str) -> AuthorizationRequest {
    AuthorizationRequest::new(&client()).scope(scope).set("resource", NOTES)
}

fn tokens(request: &AuthorizationRequest, username: &str) -> Tokens {
    let callback = Browser::new().complete_as(request, username, admin::PASSWORD);
    TokenRequest::code(request, &callback.code()).tokens()
}

/// The consent page of a user shows the scopes that this user may grant, the tokens hold them, and `scope` of the response says so
/// (RFC 6749 §5.1).
#[test]
fn a_scope_is_granted_by_those_who_may() {
    let request = request("openid notes:read notes:delete").set("prompt", "consent");
    for (name, groups, may_delete) in [("suite-deleter", "suite-deleters", true), ("suite-reader", "staff", false)] {
        let username = user(name, groups);
        let mut browser = Browser::new();
        let page = browser.authorize(&request).login_page();
        let page = browser.sign_in(&page, &username, admin::PASSWORD).consent_page();
        assert_eq!(page.text().contains(DELETE), may_delete, "{name}: {}", page.text());
        assert!(page.text().contains("Read the notes of the suite"), "{name}");
        let code = browser.decide(&page, "allow").callback().code();
        let tokens = TokenRequest::code(&request, &code).tokens();
        let granted: Vec<&str> = tokens.text("scope").unwrap_or_default().split(' ').collect();
        assert_eq!(granted.contains(&"notes:delete"), may_delete, "{name}: {granted:?}");
        assert_eq!(jwt::verify(tokens.access()).claims["scope"], json!(tokens.text("scope")));
    }
}

/// RFC 6749 §4.1.2.1: `invalid_scope` where nothing is left.
#[test]
fn a_user_who_may_grant_nothing_leads_to_invalid_scope() {
    let username = user("suite-reader", "staff");
    let callback = Browser::new().complete_as(&request("notes:delete"), &username, admin::PASSWORD);
    assert_eq!(callback.error(), "invalid_scope");
}

/// Consent that was given with less does not grant more later: the page shows what is new.
#[test]
fn a_user_who_may_grant_more_later_is_asked() {
    let (name, request) = (user("suite-promoted", "staff"), request("openid notes:read notes:delete"));
    let mut browser = Browser::new();
    browser.complete_as(&request, &name, admin::PASSWORD);
    browser.authorize(&request).callback().code();
    user("suite-promoted", "suite-deleters");
    assert!(browser.authorize(&request).consent_page().text().contains(DELETE));
}

/// A refresh has what the user may still grant.
#[test]
fn a_refresh_loses_what_the_user_may_not_grant_any_more() {
    let name = user("suite-demoted", "suite-deleters");
    let first = tokens(&request("openid offline_access notes:read notes:delete"), &name);
    assert!(first.text("scope").is_some_and(|scope| scope.contains("notes:delete")));
    user("suite-demoted", "staff");
    let second = first.refresh_request().tokens();
    assert!(second.text("scope").is_some_and(|scope| scope.contains("notes:read") && !scope.contains("delete")));
}

/// RFC 6749 §5.2: a refresh token of which nothing is left is ended. The client begins anew, and no replay is reported.
#[test]
fn a_refresh_token_of_which_nothing_is_left_ends() {
    let name = user("suite-dismissed", "suite-deleters");
    let first = tokens(&request("notes:delete"), &name);
    user("suite-dismissed", "staff");
    let description =
        |reply: suite::Reply| reply.expect_error(400, "invalid_grant").json()["error_description"].to_string();
    assert!(description(first.refresh_request().send()).contains("may grant nothing"));
    assert!(description(first.refresh_request().send()).contains("revoked or has ended"));
}

/// A refresh for a part of the scope which the user may not grant any more does not cost the client its token (RFC 6749 §6).
#[test]
fn a_refresh_for_a_lost_scope_alone_is_rejected_before_the_rotation() {
    let name = user("suite-moved", "suite-deleters");
    let first = tokens(&request("openid offline_access notes:read notes:delete"), &name);
    user("suite-moved", "staff");
    first.refresh_request().set("scope", "notes:delete").send().expect_error(400, "invalid_scope");
    assert!(first.refresh_request().tokens().text("scope").is_some_and(|scope| scope.contains("notes:read")));
}

/// Starts a device authorization and enters its code in the browser of the user.
fn device(scope: &str, username: &str) -> (Client, Value, Browser, Page) {
    let arguments = ["--set", "token_endpoint_auth_method=none", "--set", &format!("grant_types=[\"{DEVICE}\"]")];
    let client =
        admin::client("suite-granted-device", &[&arguments[..], &["--scope", "notes:read notes:delete"]].concat());
    let form = [("client_id", client.id.as_str()), ("scope", scope), ("resource", NOTES)];
    let document = Call::post("/device_authorization").form(&form).send().expect(200).json();
    let mut browser = Browser::new();
    browser.complete_as(&request("openid notes:read"), username, admin::PASSWORD);
    let page = browser.open(document["verification_uri_complete"].as_str().unwrap()).page();
    let form = page.forms.iter().find(|form| form.has("user_code")).expect("a field for the code").clone();
    let page = browser.submit(&form, &[("user_code", document["user_code"].as_str().unwrap())]).page();
    (client, document, browser, page)
}

/// RFC 8628 §3.3, §3.5: the page shows what the user may grant, and the device gets that.
#[test]
fn a_device_gets_what_the_user_may_grant() {
    let (client, document, mut browser, page) = device("notes:read notes:delete", &user("suite-viewer", "staff"));
    assert!(page.text().contains("Read the notes") && !page.text().contains(DELETE), "{}", page.text());
    browser.decide(&page, "allow").page();
    let code = document["device_code"].as_str().unwrap();
    let tokens = TokenRequest::new(&client, DEVICE).set("device_code", code).tokens();
    assert_eq!(tokens.text("scope"), Some("notes:read"));
}

/// A user who may grant nothing of it can use another account.
#[test]
fn a_device_that_requests_more_than_the_user_may_grant_is_told_to_the_user() {
    let (_, document, mut browser, page) = device("notes:delete", &user("suite-guest", "staff"));
    assert_eq!(page.reply.status, 403);
    assert!(page.text().contains("Your account cannot allow this"), "{}", page.text());
    let link = page.attributes("#again", "href").first().expect("a way on").clone();
    let login = browser.open(&link).login_page();
    let other = user("suite-other-deleter", "suite-deleters");
    let page = browser.sign_in(&login, &other, admin::PASSWORD).page();
    assert!(page.text().contains(DELETE) && page.consent().is_some(), "{}: {}", document["user_code"], page.text());
}

/// RFC 8693 §2.1: a token that is exchanged for the resource has no scope that the user may not grant there.
#[test]
fn an_exchange_grants_what_the_user_may_grant() {
    let scope = "openid notes:read notes:delete";
    let policy = json!({ "subject_clients": ["suite-granted-to"], "subject_audiences": [NOTES], "audiences": [NOTES], "impersonation": true });
    let set = [format!("grant_types=[\"{EXCHANGE}\"]"), format!("token_exchange={policy}")];
    let exchanger =
        admin::client("suite-granted-exchange", &["--service", "--scope", scope, "--set", &set[0], "--set", &set[1]]);
    let name = user("suite-delegator", "suite-deleters");
    let first = tokens(&request(scope), &name);
    let exchange = |scope: &str| {
        TokenRequest::new(&exchanger, EXCHANGE)
            .set("subject_token", first.access())
            .set("subject_token_type", "urn:ietf:params:oauth:token-type:access_token")
            .set("audience", NOTES)
            .set("scope", scope)
    };
    assert_eq!(exchange("notes:read notes:delete").tokens().text("scope"), Some("notes:read notes:delete"));
    user("suite-delegator", "staff");
    assert_eq!(exchange("notes:read notes:delete").tokens().text("scope"), Some("notes:read"));
    exchange("notes:delete").send().expect_error(400, "invalid_scope");
}
