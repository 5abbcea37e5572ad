//! Offline access: OpenID Connect Core §11.

use suite::{AuthorizationRequest, Browser, TokenRequest, admin, grant, spa, web};

/// Core §11: with `offline_access` and `prompt=consent` there is a refresh token.
#[test]
fn consent_to_offline_access_brings_a_refresh_token() {
    for client in [spa(), web()] {
        let tokens = grant(&client);
        assert!(tokens.text("scope").is_some_and(|scope| scope.contains("offline_access")), "{tokens:?}");
        tokens.refresh_request().tokens();
    }
}

/// Core §11: the page says that access continues while the user is away.
#[test]
fn the_consent_page_names_it() {
    let page = Browser::signed_in().authorize(&AuthorizationRequest::new(&spa()).offline()).consent_page();
    assert!(page.text().contains("offline_access"), "{}", page.text());
}

/// Core §11: the refresh token works after the user has left.
#[test]
fn the_refresh_token_outlives_the_session() {
    let mut browser = Browser::new_signed_in();
    let request = AuthorizationRequest::new(&spa()).offline();
    let tokens = TokenRequest::code(&request, &browser.complete(&request).code()).tokens();
    let landing = browser.open(&format!("{}?id_token_hint={}", suite::url("/logout"), tokens.id()));
    if let suite::Landing::Page(page) = landing
        && page.deciding("yes").is_some()
    {
        browser.decide(&page, "yes");
    }
    assert_eq!(browser.authorize(&request.set("prompt", "none")).callback().error(), "login_required");
    tokens.refresh_request().tokens();
}

/// Core §11: a client that may not have refresh tokens gets none, whatever it asks for.
#[test]
fn a_client_without_the_grant_gets_none() {
    let client = admin::client(
        "suite-once",
        &["--set", "token_endpoint_auth_method=none", "--set", "grant_types=[\"authorization_code\"]"],
    );
    let request = AuthorizationRequest::new(&client).offline();
    let tokens = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
    assert!(tokens.text("refresh_token").is_none());
    assert_eq!(tokens.text("scope"), Some("openid"), "nor does it seem to have been granted");
}
