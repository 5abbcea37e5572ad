//! The pages show who asks: the client's site, its destination, and whether the operator knows it.

use serde_json::json;
use suite::registration::{Registered, register};
use suite::{AuthorizationRequest, Browser, Call, Page, USERNAME, admin};

fn registered(name: &str) -> Registered {
    Registered::new(&json!({
        "client_name": name, "client_uri": "https://notes.example/home", "redirect_uris": ["https://cb.example/cb"],
        "token_endpoint_auth_method": "client_secret_basic",
    }))
}

fn request(client: &Registered) -> AuthorizationRequest {
    AuthorizationRequest::new(&client.client()).set("prompt", "consent")
}

fn mark(page: &Page) -> String {
    page.select("#unreviewed").concat()
}

/// RFC 9700 §4.11: the sign-in and consent pages name the client's site and the place that the browser is sent to, and they mark
/// a client that the operator neither registered nor reviewed.
#[test]
fn pages_name_the_site_and_mark_what_the_operator_has_not_reviewed() {
    let client = registered("Notes");
    let host = suite::issuer().split("://").nth(1).expect("a host");
    let sign_in = Browser::new().authorize(&request(&client)).login_page();
    let consent = Browser::signed_in().authorize(&request(&client)).consent_page();
    for page in [sign_in, consent] {
        assert_eq!(mark(&page), format!("Not reviewed by the operator of {host}"));
        assert_eq!(page.select("#site"), ["notes.example"]);
        assert_eq!(page.select("#destination"), ["cb.example"]);
    }
    let known = admin::client("suite-who", &["--set", "token_endpoint_auth_method=none"]);
    let page = Browser::new().authorize(&AuthorizationRequest::new(&known)).login_page();
    assert_eq!(mark(&page), "");
}

/// The operator reviews the settings of a client. A change by the client ends that.
#[test]
fn a_review_counts_until_the_client_changes() {
    let reviewed = registered("Reviewed");
    let answer = admin::command(&["client", "review", "--json", reviewed.text("client_id")]);
    assert_eq!(answer["reviewed"], true);
    assert_eq!(answer["client"]["client_name"], "Reviewed");
    assert_eq!(mark(&Browser::new().authorize(&request(&reviewed)).login_page()), "");

    let same = registered("Same");
    admin::command(&["client", "review", "--json", same.text("client_id")]);
    same.replace(&json!({})).expect(200);
    assert_eq!(mark(&Browser::new().authorize(&request(&same)).login_page()), "", "nothing changed");

    let changed = registered("Changed");
    admin::command(&["client", "review", "--json", changed.text("client_id")]);
    changed.replace(&json!({ "client_name": "Your bank" })).expect(200);
    assert_ne!(mark(&Browser::new().authorize(&request(&changed)).login_page()), "");

    let withdrawn = registered("Withdrawn");
    for options in [&[][..], &["--withdraw"]] {
        admin::command(&[&["client", "review", "--json", withdrawn.text("client_id")], options].concat());
    }
    assert_ne!(mark(&Browser::new().authorize(&request(&withdrawn)).login_page()), "");
    assert!(admin::refused(&["client", "review", "--json", "suite-nobody"], "").contains("no client suite-nobody"));
}

/// A name with bidirectional controls could show another name or host (UAX #9).
#[test]
fn names_have_no_bidirectional_controls() {
    for control in ["\u{202e}", "\u{2067}", "\u{200f}", "\u{2069}", "\u{61c}"] {
        let metadata = json!({
            "client_name": format!("Notes {control}moc.knab"), "redirect_uris": ["https://cb.example/cb"],
            "token_endpoint_auth_method": "none",
        });
        let reply = register(&metadata).expect_error(400, "invalid_client_metadata");
        assert!(
            reply.json()["error_description"].as_str().is_some_and(|text| text.contains("client_name")),
            "{reply:?}"
        );
    }
}

/// RFC 8628 §5.4: the user sees the kind of the asking device, its place, and when it asked, at the sign-in too. The kind is text
/// from a table: a device cannot write on the page.
#[test]
fn the_asking_device_is_shown() {
    let form = [("client_id", "demo-device"), ("scope", "openid")];
    let agent = "Mozilla/5.0 (Linux; Tizen 7.0) <b>Trusted</b>";
    let codes = Call::post("/device_authorization").header("user-agent", agent).form(&form).send().expect(200).json();
    let mut browser = Browser::new();
    let page = browser.open(&format!("/device?user_code={}", codes["user_code"].as_str().expect("a code"))).page();
    let form = page.forms.first().expect("the form").clone();
    let sign_in = browser.submit(&form, &[]).login_page();
    assert_eq!(sign_in.select("#device-kind"), ["Samsung TV"]);
    let page = browser.sign_in(&sign_in, USERNAME, suite::PASSWORD).page();
    assert_eq!(page.select("#device-kind"), ["Samsung TV"]);
    assert_eq!(page.select("#device-age"), ["less than a minute ago"]);
    assert!(!page.text().contains("Trusted"));
    let html = page.reply.text();
    assert!(html.find("id=\"warning\"") < html.find("id=\"user-code\""), "the warning comes before the code");
    assert_eq!(page.attributes("#confirmed", "required").len(), 1);
}
