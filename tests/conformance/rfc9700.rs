//! Security best current practice: RFC 9700, where no other file tests it already.

use serde_json::json;
use suite::registration::{Registered, register, register_with};
use suite::{AuthorizationRequest, Browser, Call, Client, TokenRequest, admin, grant, jwt, random, revoke, spa, web};

/// RFC 9700 §4.12: the answer to a form with a password is a 303, after which a browser sends nothing on.
#[test]
fn a_sign_in_is_answered_with_303() {
    let mut browser = Browser::new();
    let page = browser.authorize(&AuthorizationRequest::new(&spa())).login_page();
    let form = page.login().expect("the form");
    let fields = form.filled(&[("username", suite::USERNAME), ("password", suite::PASSWORD)]);
    browser.send(Call::post(form.action.as_str()).form(&fields)).expect(303);
}

/// RFC 9700 §4.12: the answer to a consent is a page that navigates with GET.
#[test]
fn a_consent_is_answered_with_a_navigation() {
    let mut browser = Browser::signed_in();
    let page = browser.authorize(&AuthorizationRequest::new(&spa()).set("prompt", "consent")).consent_page();
    let form = page.consent().expect("the form");
    let call = Call::post(form.action.as_str()).form(&form.filled(&[("decision", "allow")]));
    let reply = browser.send(call).expect(200);
    assert!(reply.onward().is_some_and(|onward| onward.query_pairs().any(|(name, _)| name == "code")), "{reply:?}");
}

/// RFC 9700 §4.2.4: pages give no Referer away, so that neither codes nor states leak.
#[test]
fn pages_give_no_referrer_away() {
    let page = Browser::new().authorize(&AuthorizationRequest::new(&spa())).login_page();
    let policy = page.reply.header("referrer-policy").unwrap_or_default();
    assert!(matches!(policy, "no-referrer" | "same-origin" | "strict-origin" | "origin"), "{:?}", page.reply);
}

/// RFC 9700 §4.2.4: the answer that carries a code is not stored.
#[test]
fn an_answer_with_a_code_is_not_stored() {
    for mode in ["query", "fragment", "form_post"] {
        let request = AuthorizationRequest::new(&spa()).set("response_mode", mode);
        Browser::signed_in().send(Call::get(&request.url())).expect_no_store();
    }
}

/// RFC 9700 §4.11.2: the server itself is no open redirector: wherever a URL can be put, it is not followed.
#[test]
fn no_page_redirects_to_where_it_is_told() {
    let target = "https://attacker.example/";
    for path in ["/login", "/consent", "/logout", "/authorize"] {
        for name in [
            "redirect_uri",
            "post_logout_redirect_uri",
            "next",
            "return_to",
            "continue",
            "url",
            "interaction",
            "target_link_uri",
        ] {
            for mut browser in [Browser::new(), Browser::signed_in()] {
                let reply = browser.send(Call::get(path).query(&[(name, target)]));
                let location = reply.header("location").unwrap_or_default();
                assert!(!location.starts_with("https://attacker"), "{reply:?}");
            }
        }
    }
}

/// Registers a public client with a host of its own; with a token if there is one.
fn registered_at(host: &str, token: Option<&str>) -> Client {
    let metadata =
        json!({ "redirect_uris": [format!("https://{host}/callback")], "token_endpoint_auth_method": "none" });
    Registered::read(match token {
        Some(token) => register_with(token, &metadata),
        None => register(&metadata),
    })
    .client()
}

/// §4.11.2: an error leads to a client that registered openly only if the user continues; in each response mode, and for
/// `prompt=none`.
#[test]
fn an_error_asks_before_it_leads_to_a_client_that_registered_openly() {
    let host = format!("{}.example", random().replace('_', "-").to_ascii_lowercase().trim_matches('-'));
    let client = registered_at(&host, None);
    for (mode, sent_as) in [("query", "query"), ("fragment", "fragment"), ("form_post", "form_post"), ("none", "query")]
    {
        let faults = [("prompt", "none", "login_required"), ("code_challenge_method", "plain", "invalid_request")];
        for (name, value, error) in faults {
            let request = AuthorizationRequest::new(&client).set(name, value).set("response_mode", mode);
            let request = if mode == "none" { request.without("response_mode") } else { request };
            let page = Browser::new().authorize(&request).error_page();
            assert!(page.text().contains(&host), "{}", page.text());
            assert_eq!(page.reply.status, 400, "{:?}", page.reply);
            assert!(!page.reply.text().contains("<script"), "{:?}", page.reply);
            let offered = page.offered();
            assert_eq!(offered.mode, sent_as);
            assert_eq!(offered.url.host_str(), Some(host.as_str()));
            assert_eq!(offered.error(), error, "{offered:?}");
            assert_eq!(offered.value("state"), Some(request.value("state")));
            // A request that a page posts continues as one that the user's browser sent.
            let posted = Browser::new().post("/authorize", &request.parameters).error_page();
            assert_eq!(posted.offered().error(), error);
        }
    }
}

/// §4.11.2: a frame shows no address and no page, so silent authentication gets its error at once. Other values of the header
/// field are no frame.
#[test]
fn silent_authentication_in_a_frame_gets_its_error() {
    let client = registered_at("frame.example", None);
    let request = AuthorizationRequest::new(&client).set("prompt", "none");
    for (destination, status) in
        [("iframe", 303), ("frame", 303), ("document", 400), ("empty", 400), ("iframe, x", 400)]
    {
        let reply = Call::get(&request.url()).header("sec-fetch-dest", destination).send().expect(status);
        assert_eq!(reply.header("location").is_some(), status == 303, "{destination}: {reply:?}");
    }
}

/// §4.11.2: a redirect follows what the user decided on a page that named the host, and errors for clients that a trusted party
/// vouches for.
#[test]
fn an_error_is_redirected_to_clients_that_are_trusted_and_after_a_decision() {
    let open = registered_at("decision.example", None);
    let mut browser = Browser::new();
    let page = browser.authorize(&AuthorizationRequest::new(&open)).login_page();
    assert_eq!(browser.decide(&page, "cancel").callback().error(), "access_denied");
    let mut browser = Browser::signed_in();
    let page = browser.authorize(&AuthorizationRequest::new(&open)).consent_page();
    assert_eq!(browser.decide(&page, "deny").callback().error(), "access_denied");

    let invited = registered_at("invited.example", Some(&admin::invite(1)));
    for client in [invited, spa()] {
        let request = AuthorizationRequest::new(&client).set("prompt", "none");
        assert_eq!(Browser::new().authorize(&request).callback().error(), "login_required");
    }
}

/// RFC 9700 §4.11.2: paths that some servers redirect to other hosts.
#[test]
fn strange_paths_do_not_redirect() {
    for path in [
        "//attacker.example/",
        "/\\attacker.example",
        "/%2f%2fattacker.example",
        "/authorize/..//attacker.example",
        "/login//attacker.example",
    ] {
        let reply = Call::get(&format!("{}{path}", suite::base())).send();
        let location = reply.header("location").unwrap_or_default();
        assert!(!location.contains("attacker") || location.starts_with(suite::base()), "{reply:?}");
    }
}

/// RFC 9700 §2.1.2: no response type, in no mode, brings an access token to the front channel.
#[test]
fn no_token_in_the_front_channel() {
    for kind in ["code", "token", "id_token", "code id_token token"] {
        for mode in ["query", "fragment", "form_post"] {
            let request = AuthorizationRequest::new(&spa()).set("response_type", kind).set("response_mode", mode);
            let callback = Browser::signed_in().authorize(&request).callback();
            assert!(callback.value("access_token").is_none() && callback.value("id_token").is_none(), "{callback:?}");
        }
    }
}

/// RFC 9700 §4.4: mix-up: one client's code at another client, in every pairing, buys nothing.
#[test]
fn a_code_is_good_for_its_client_alone() {
    for (owner, other) in [(spa(), web()), (web(), spa())] {
        let request = AuthorizationRequest::new(&owner);
        let code = Browser::signed_in().complete(&request).code();
        TokenRequest::code(&request, &code).by(&other).send().expect_error(400, "invalid_grant");
        TokenRequest::code(&request, &code).tokens();
    }
}

/// RFC 9700 §2.2.2: a public client's refresh tokens are rotated or bound to it; ours rotate.
#[test]
fn a_public_clients_refresh_tokens_rotate() {
    let first = grant(&spa());
    assert_ne!(first.refresh(), first.refresh_request().tokens().refresh());
}

/// RFC 9700 §4.14.2: a refresh token does not say who it is for, nor what for.
#[test]
fn refresh_tokens_and_codes_are_opaque() {
    let request = AuthorizationRequest::new(&spa()).offline();
    let code = Browser::signed_in().complete(&request).code();
    let tokens = TokenRequest::code(&request, &code).tokens();
    for token in [code.as_str(), tokens.refresh()] {
        assert!(!token.contains("demo"), "{token}");
    }
}

/// RFC 9700 §2.3: an access token is for certain scopes and an audience, not for all.
#[test]
fn an_access_token_has_an_audience_and_a_scope() {
    let token = jwt::verify(grant(&spa()).access());
    assert!(token.claims.get("aud").is_some() && token.claims.get("scope").is_some());
}

/// RFC 9700 §4.10: a revoked token stays revoked through whatever comes later.
#[test]
fn revocation_is_final() {
    let tokens = grant(&spa());
    revoke(&spa(), tokens.refresh(), None).expect(200);
    for _ in 0..3 {
        tokens.refresh_request().send().expect_error(400, "invalid_grant");
        assert!(!tokens.is_live());
    }
}

/// RFC 6749 §10.2, RFC 8252 §8.6: a loopback address or a private-use scheme may lead to any application of the
/// device: without a secret, the user is asked each time.
#[test]
fn consent_is_not_remembered_for_what_any_application_can_claim() {
    let client = |id: &str, more: &[&str]| {
        let client = admin::client(id, &[&["http://127.0.0.1/callback"], more].concat());
        Client { redirect_uri: "http://127.0.0.1:49321/callback".to_owned(), ..client }
    };
    let mut browser = Browser::new_signed_in();
    let native = AuthorizationRequest::new(&client("suite-claimed", &["--set", "token_endpoint_auth_method=none"]));
    for _ in 0..2 {
        let page = browser.authorize(&native).consent_page();
        browser.decide(&page, "allow").callback().code();
        let silent = native.clone().set("prompt", "none");
        assert_eq!(browser.authorize(&silent).callback().error(), "consent_required");
    }
    let proven = AuthorizationRequest::new(&client("suite-claimed-web", &["--confidential"]));
    browser.complete(&proven).code();
    browser.authorize(&proven.set("prompt", "none")).callback().code();
}

/// RFC 8252 §8.6: a client of the operator that skips consent asks all the same where any application of the device can
/// receive the code, or the application would get tokens without a page.
#[test]
fn consent_is_not_skipped_for_what_any_application_can_claim() {
    let client = |id: &str, redirect_uri: &str, method: &str| {
        let method = format!("token_endpoint_auth_method={method}");
        let settings = ["--set", "skip_consent=true", "--set", &method];
        let confidential: &[&str] = if method.ends_with("none") { &[] } else { &["--confidential"] };
        let client = admin::client(id, &[&[redirect_uri], confidential, &settings[..]].concat());
        AuthorizationRequest::new(&Client { redirect_uri: redirect_uri.to_owned(), ..client })
    };
    let mut browser = Browser::new_signed_in();
    for (id, redirect_uri) in
        [("suite-skips-loopback", "http://127.0.0.1/callback"), ("suite-skips-scheme", "com.example.suite:/callback")]
    {
        let native = client(id, redirect_uri, "none");
        for _ in 0..2 {
            let page = browser.authorize(&native).consent_page();
            browser.decide(&page, "allow").callback().code();
            let silent = native.clone().set("prompt", "none");
            assert_eq!(browser.authorize(&silent).callback().error(), "consent_required");
        }
    }
    browser.authorize(&client("suite-skips-web", "https://suite.example/callback", "none")).callback().code();
    let proven = client("suite-skips-proven", "http://127.0.0.1/callback", "client_secret_basic");
    browser.authorize(&proven).callback().code();
}
