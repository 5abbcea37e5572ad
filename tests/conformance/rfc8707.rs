//! Resource indicators: RFC 8707. The deployment knows the resource `/demo-api`, with scopes `demo:read` and `demo:write`.

use serde_json::json;
use suite::{
    AuthorizationRequest, Browser, Call, Client, TokenRequest, Tokens, admin, jwt, service, spa, url, userinfo, web,
};

fn api() -> String {
    url("/demo-api")
}

fn request(client: &Client) -> AuthorizationRequest {
    AuthorizationRequest::new(client).scope("openid email offline_access demo:read").set("resource", &api())
}

fn tokens(client: &Client) -> Tokens {
    let request = request(client);
    TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens()
}

/// §2: the token is for the resource that was asked for, and for no other; so are those that follow it.
#[test]
fn the_audience_is_the_resource() {
    for client in [spa(), web()] {
        let first = tokens(&client);
        let second = first.refresh_request().tokens();
        let third = second.refresh_request().set("resource", &api()).tokens();
        for tokens in [&first, &second, &third] {
            assert_eq!(jwt::verify(tokens.access()).claims["aud"], json!(api()));
        }
    }
    let own = TokenRequest::client_credentials(&service()).set("scope", "demo:read").set("resource", &api()).tokens();
    assert_eq!(jwt::verify(own.access()).claims["aud"], json!(api()));
}

/// RFC 9068 §4, RFC 9700 §2.3: a resource server cannot use its token to learn the user's claims; a token for this
/// server too is asked for by name.
#[test]
fn userinfo_is_not_for_the_resource() {
    let tokens = tokens(&spa());
    userinfo(tokens.access()).expect(401);
    let metadata = Call::get("/.well-known/openid-configuration").send().expect(200).json();
    let both = request(&spa()).also("resource", metadata["issuer"].as_str().unwrap());
    let tokens = TokenRequest::code(&both, &Browser::signed_in().complete(&both).code()).tokens();
    userinfo(tokens.access()).expect(200);
}

/// §2: "invalid_target", for what is unknown, and for what only looks alike.
#[test]
fn other_resources_are_invalid_targets() {
    for resource in [
        "https://unknown.example/",
        &format!("{}/", api()),
        &format!("{}#part", api()),
        &format!("{}?x=y", api()),
        &api().to_uppercase(),
        "demo-api",
        "*",
    ] {
        let callback = Browser::signed_in().authorize(&request(&spa()).set("resource", resource)).callback();
        assert_eq!(callback.error(), "invalid_target", "{resource}");
        TokenRequest::client_credentials(&service())
            .set("resource", resource)
            .send()
            .expect_error(400, "invalid_target");
    }
}

/// One URL can be written in more than one way (RFC 3986 §6.2.2.1); the audience is as the deployment writes it.
#[test]
fn a_resource_is_known_however_it_is_written() {
    let (scheme, rest) = api().split_once("://").map(|(scheme, rest)| (scheme.to_owned(), rest.to_owned())).unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let written = format!("{}://{}/./{path}", scheme.to_uppercase(), host.to_uppercase());
    let request = request(&spa()).set("resource", &written);
    let tokens = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
    let tokens = tokens.refresh_request().set("resource", &written).tokens();
    assert_eq!(jwt::verify(tokens.access()).claims["aud"], json!(api()));
}

/// §2.2: a token request may name what was granted, never more; and the refusal costs nothing.
#[test]
fn a_token_request_never_widens() {
    let request = AuthorizationRequest::new(&spa()).offline();
    let code = Browser::signed_in().complete(&request).code();
    let redeem = TokenRequest::code(&request, &code);
    redeem.clone().set("resource", &api()).send().expect_error(400, "invalid_target");
    let tokens = redeem.tokens();
    tokens.refresh_request().set("resource", &api()).send().expect_error(400, "invalid_target");
    assert!(tokens.refresh_request().tokens().is_live());
}

/// §2: the parameter may be sent more than once; one good and one bad is bad.
#[test]
fn several_resources() {
    let twice = request(&spa()).also("resource", &api());
    let tokens = TokenRequest::code(&twice, &Browser::signed_in().complete(&twice).code()).tokens();
    assert_eq!(jwt::verify(tokens.access()).claims["aud"], json!(api()));
    let mixed = request(&spa()).also("resource", "https://unknown.example/");
    assert_eq!(Browser::signed_in().authorize(&mixed).callback().error(), "invalid_target");
}

/// A client's own list limits it.
#[test]
fn a_client_may_be_limited() {
    let client = admin::client("no-resources", &["--service", "--scope", "demo:read", "--set", "resources=[]"]);
    let ask = TokenRequest::client_credentials(&client);
    ask.clone().set("resource", &api()).send().expect_error(400, "invalid_target");
    ask.tokens();
}

/// The scope means what the resource knows: `read` is another API's.
#[test]
fn the_scope_is_the_resources() {
    let ask = TokenRequest::client_credentials(&service()).set("scope", "read demo:read");
    assert_eq!(ask.clone().set("resource", &api()).tokens().document["scope"], "demo:read");
    assert_eq!(ask.tokens().document["scope"], "read demo:read");
    let nothing = TokenRequest::client_credentials(&service()).set("scope", "read").set("resource", &api());
    nothing.send().expect_error(400, "invalid_scope");
}

/// §2.1: without `scope`, a request asks for the scopes of its resource that the client may have, and for no claims about the user.
#[test]
fn a_resource_without_a_scope_asks_for_its_scopes() {
    let client = admin::client("suite-resource-scope", &["--scope", "openid profile email demo:read demo:write"]);
    let request = AuthorizationRequest::new(&client).without("scope").set("resource", &api());
    let mut browser = Browser::new_signed_in();
    let page = browser.authorize(&request).consent_page();
    assert!(page.text().contains("Read the demo data"), "the words of the deployment: {}", page.text());
    assert!(!page.text().to_lowercase().contains("mail"), "{}", page.text());
    let tokens = TokenRequest::code(&request, &browser.complete(&request).code()).tokens();
    assert_eq!(tokens.document["scope"], "demo:read demo:write");
    assert_eq!(tokens.text("id_token"), None);
}

/// §2.2: a token for a resource holds the scopes of that resource alone; the ID token comes all the same.
#[test]
fn a_token_holds_the_scopes_of_its_resource() {
    let tokens = tokens(&spa());
    assert_eq!(tokens.document["scope"], "demo:read");
    assert_eq!(jwt::verify(tokens.access()).claims["scope"], "demo:read");
    assert!(jwt::verify(tokens.id()).claims["email"].is_string());
}

/// Without `resource`, scopes that all belong to one resource make it the audience.
#[test]
fn the_scopes_of_one_resource_imply_it() {
    let request = AuthorizationRequest::new(&spa()).scope("demo:read offline_access");
    let first = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
    let own = TokenRequest::client_credentials(&service()).set("scope", "demo:write").tokens();
    for tokens in [&first, &own] {
        assert_eq!(jwt::verify(tokens.access()).claims["aud"], json!(api()));
    }
    let mixed = TokenRequest::client_credentials(&service()).set("scope", "read demo:write").tokens();
    assert_ne!(jwt::verify(mixed.access()).claims["aud"], json!(api()));
}

/// §2.2: a token request may name the audience that the token has anyway.
#[test]
fn a_token_request_may_name_the_usual_audience() {
    let request = AuthorizationRequest::new(&spa()).offline();
    let redeem = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code());
    let metadata = Call::get("/.well-known/openid-configuration").send().expect(200).json();
    let tokens = redeem.set("resource", metadata["issuer"].as_str().unwrap()).tokens();
    tokens.refresh_request().set("resource", metadata["issuer"].as_str().unwrap()).tokens();
}

/// RFC 6749 §3.3, §4.1.2.1: an unknown scope is an error that names the known ones; one that the client may not have is left out.
#[test]
fn an_unknown_scope_is_named() {
    let ask = |scope: &str| Browser::signed_in().authorize(&AuthorizationRequest::new(&spa()).scope(scope)).callback();
    let callback = ask("openid demo:unknown");
    assert_eq!(callback.error(), "invalid_scope");
    let description = callback.value("error_description").unwrap().to_owned();
    assert!(description.contains("demo:unknown") && description.contains("demo:read"), "{description}");
    let narrow = admin::client("suite-narrow-scope", &["--scope", "openid demo:read"]);
    let request = AuthorizationRequest::new(&narrow).scope("openid demo:read demo:write");
    let tokens = TokenRequest::code(&request, &Browser::signed_in().complete(&request).code()).tokens();
    assert!(!tokens.document["scope"].as_str().unwrap().contains("demo:write"), "{tokens:?}");
}
