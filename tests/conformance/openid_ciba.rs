//! OpenID Connect Client-Initiated Backchannel Authentication Flow 1.0 (CIBA Core), and FAPI-CIBA.

use serde_json::{Value, json};
use std::sync::LazyLock;
use std::time::Duration;
use suite::dpop::Holder;
use suite::{
    Answer, AuthorizationRequest, Browser, Call, Client, Host, Page, Reply, Signer, TokenRequest, Tokens, admin,
    issuer, jwt, now, random, spa,
};

const GRANT: &str = "urn:openid:params:grant-type:ciba";
const GRANTS: &str = r#"grant_types=["urn:openid:params:grant-type:ciba","refresh_token"]"#;

fn bank() -> Client {
    admin::client("suite-ciba", &["--confidential", "--scope", "openid email offline_access", "--set", GRANTS])
}

/// Sends a request for a user.
fn ask(client: &Client, user: &str, more: &[(&str, &str)]) -> Reply {
    let parameters = [&[("scope", "openid email"), ("login_hint", user)], more].concat();
    send(client, &parameters)
}

fn send(client: &Client, parameters: &[(&str, &str)]) -> Reply {
    let secret = client.secret.clone().expect("a client with a secret");
    Call::post("/bc-authorize").basic(&client.id, &secret).form(parameters).send()
}

/// A request that waits.
struct Waiting {
    client: Client,
    document: Value,
}

impl Waiting {
    #[track_caller]
    fn of(client: &Client, user: &str, more: &[(&str, &str)]) -> Self {
        let reply = ask(client, user, more).expect(200).expect_no_store();
        Self { client: client.clone(), document: reply.json() }
    }

    fn id(&self) -> &str {
        self.document["auth_req_id"].as_str().expect("auth_req_id")
    }

    fn poll(&self) -> TokenRequest {
        TokenRequest::new(&self.client, GRANT).set("auth_req_id", self.id())
    }
}

/// Returns a browser in which a new user is signed in, and the name of the user.
fn signed_in(name: &str) -> (Browser, String) {
    let user = admin::user(&format!("{name}-{}", random().to_lowercase().replace(['-', '_'], "x")));
    let mut browser = Browser::new();
    browser.complete_as(&AuthorizationRequest::new(&spa()), &user, admin::PASSWORD).code();
    (browser, user)
}

/// Opens the only request that waits for the user of a browser.
#[track_caller]
fn open(browser: &mut Browser) -> Page {
    let list = browser.open("/requests").page();
    let links = list.attributes("#requests a", "href");
    assert_eq!(links.len(), 1, "{:?}", list.reply);
    browser.open(&links[0]).consent_page()
}

#[track_caller]
fn decide(browser: &mut Browser, decision: &str) -> Page {
    let page = open(browser);
    browser.decide(&page, decision).page()
}

/// §7.3, §10.1.1: the acknowledgement; a poll before the decision, and the one after it.
#[test]
fn an_approved_request_yields_tokens() {
    let (mut browser, user) = signed_in("ciba-approves");
    let waiting = Waiting::of(&bank(), &user, &[("binding_message", "1234")]);
    assert!(
        waiting.id().len() > 40
            && waiting.id().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    );
    assert_eq!((&waiting.document["expires_in"], &waiting.document["interval"]), (&json!(120), &json!(5)));
    waiting.poll().send().expect_error(400, "authorization_pending");
    let page = open(&mut browser);
    assert_eq!(page.select("#binding-message output"), ["1234"]);
    assert!(page.text().contains("suite-ciba"), "{}", page.text());
    assert!(browser.decide(&page, "allow").page().text().contains("You approved the request"));
    let tokens = waiting.poll().tokens();
    assert_eq!(tokens.document["scope"], "openid email");
    let id = jwt::verify(tokens.id());
    assert!(id.is_for(&bank().id) && id.claims.get("nonce").is_none(), "{id:?}");
    assert!(id.claims["auth_time"].is_i64() && id.claims["acr"].is_string(), "{id:?}");
    assert!(tokens.is_live());
    assert!(tokens.refresh_request().tokens().is_live());
    assert_eq!(browser.open("/requests").page().attributes("#requests a", "href").len(), 0);
}

/// §11: the second use of an auth_req_id is `invalid_grant`, also in a race. The tokens of the first one live.
#[test]
fn an_auth_req_id_is_good_once() {
    let (mut browser, user) = signed_in("ciba-once");
    let waiting = Waiting::of(&bank(), &user, &[]);
    decide(&mut browser, "allow");
    let replies = suite::at_once(|_| waiting.poll().send());
    let (won, lost): (Vec<Reply>, Vec<Reply>) = replies.into_iter().partition(|reply| reply.status == 200);
    assert_eq!(won.len(), 1);
    lost.into_iter().for_each(|reply| drop(reply.expect_error(400, "invalid_grant")));
    suite::wait(Duration::from_secs(10));
    waiting.poll().send().expect_error(400, "invalid_grant");
    assert!(Tokens::read(&bank(), won.into_iter().next().expect("one")).is_live());
}

/// §11: `access_denied`, each time. The user may say that the request was unexpected: then the client may not ask again for a while.
#[test]
fn a_denied_request_yields_nothing() {
    let (mut browser, user) = signed_in("ciba-denies");
    let waiting = Waiting::of(&bank(), &user, &[]);
    decide(&mut browser, "deny");
    for _ in 0..2 {
        waiting.poll().send().expect_error(400, "access_denied");
    }
    let unexpected = Waiting::of(&bank(), &user, &[]);
    let page = decide(&mut browser, "unexpected");
    assert!(page.text().contains("cannot ask you again"), "{}", page.text());
    unexpected.poll().send().expect_error(400, "access_denied");
    ask(&bank(), &user, &[]).expect_error(403, "access_denied");
    let other = admin::client("suite-ciba-other", &["--confidential", "--set", GRANTS]);
    Waiting::of(&other, &user, &[]);
}

/// §14: a client cannot ask until the user gives in. Requests that the user does not approve are counted; an approval ends the count.
#[test]
fn a_client_asks_ten_times_without_an_approval() {
    let (mut browser, user) = signed_in("ciba-flood");
    let deny = |browser: &mut Browser| {
        Waiting::of(&bank(), &user, &[]);
        decide(browser, "deny");
    };
    (0..8).for_each(|_| deny(&mut browser));
    let waiting = Waiting::of(&bank(), &user, &[]);
    decide(&mut browser, "allow");
    waiting.poll().tokens();
    (0..10).for_each(|_| deny(&mut browser));
    let refused = ask(&bank(), &user, &[]);
    assert_eq!(refused.status, 429, "{refused:?}");
    let wait: u64 = refused.header("retry-after").and_then(|text| text.parse().ok()).expect("Retry-After");
    // Retry-After is jittered by up to a quarter.
    assert!((1..=1200).contains(&wait), "{wait}");
    assert!(browser.open("/requests").page().attributes("#requests a", "href").is_empty());
    let other = admin::client("suite-ciba-other", &["--confidential", "--set", GRANTS]);
    Waiting::of(&other, &user, &[]);
}

/// §7.1: `requested_expiry`, as a number of seconds. §11: `expired_token`; the page is over, too.
#[test]
fn a_request_expires() {
    let (mut browser, user) = signed_in("ciba-expires");
    let waiting = Waiting::of(&bank(), &user, &[("requested_expiry", "10")]);
    assert_eq!(waiting.document["expires_in"], 10);
    let page = open(&mut browser);
    waiting.poll().send().expect_error(400, "authorization_pending");
    suite::wait(Duration::from_secs(12));
    waiting.poll().send().expect_error(400, "expired_token");
    let outcome = browser.decide(&page, "allow").page();
    assert!(outcome.reply.status >= 400 || !outcome.text().contains("You approved"), "{:?}", outcome.reply);
    waiting.poll().send().expect_error(400, "expired_token");
    ask(&bank(), &user, &[("requested_expiry", "soon")]).expect_error(400, "invalid_request");
}

/// §7.1, §13: one hint; a user who exists; the scope openid; a client that authenticates and may use the grant.
#[test]
fn requests_are_checked() {
    let (_, user) = signed_in("ciba-checked");
    let (user, scope) = (user.as_str(), ("scope", "openid"));
    send(&bank(), &[scope]).expect_error(400, "invalid_request");
    send(&bank(), &[scope, ("login_hint", user), ("id_token_hint", "x")]).expect_error(400, "invalid_request");
    send(&bank(), &[scope, ("id_token_hint", "x")]).expect_error(400, "invalid_request");
    send(&bank(), &[scope, ("login_hint_token", "x")]).expect_error(400, "invalid_request");
    send(&bank(), &[scope, ("login_hint", "no-such-user")]).expect_error(400, "unknown_user_id");
    send(&bank(), &[("scope", "email"), ("login_hint", user)]).expect_error(400, "invalid_scope");
    ask(&bank(), user, &[("acr_values", "urn:unknown")]).expect_error(400, "unmet_authentication_requirements");
    for message in ["x".repeat(141), "a\u{202e}b".to_owned(), "a\u{7}b".to_owned()] {
        ask(&bank(), user, &[("binding_message", &message)]).expect_error(400, "invalid_binding_message");
    }
    let web = suite::web();
    ask(&web, user, &[]).expect_error(400, "unauthorized_client");
    let form = [scope, ("login_hint", user), ("client_id", "demo-spa")];
    Call::post("/bc-authorize").form(&form).send().expect_error(401, "invalid_client");
    let wrong = Client::confidential(&bank().id, "wrong");
    ask(&wrong, user, &[]).expect_error(401, "invalid_client");
}

/// §11: an auth_req_id is that of one client. A forged one costs nothing.
#[test]
fn an_auth_req_id_is_bound_to_its_client() {
    let (_, user) = signed_in("ciba-bound");
    let waiting = Waiting::of(&bank(), &user, &[]);
    let other = admin::client("suite-ciba-other", &["--confidential", "--set", GRANTS]);
    waiting.poll().by(&other).send().expect_error(400, "invalid_grant");
    for forged in ["x", &suite::altered(waiting.id(), 10)] {
        TokenRequest::new(&bank(), GRANT).set("auth_req_id", forged).send().expect_error(400, "invalid_grant");
    }
    waiting.poll().without("auth_req_id").send().expect_error(400, "invalid_request");
}

/// §7.1: `id_token_hint` is an ID token of this client, expired or not.
#[test]
fn an_id_token_names_the_user() {
    let (mut browser, user) = signed_in("ciba-hint");
    let pairwise = ["--set", "subject_type=pairwise", "https://pairwise.example/cb", "--set", GRANTS];
    let pairwise = admin::client("suite-ciba-pairwise", &[&["--confidential"], &pairwise[..]].concat());
    for client in [bank(), pairwise] {
        let waiting = Waiting::of(&client, &user, &[]);
        decide(&mut browser, "allow");
        let id_token = waiting.poll().tokens().id().to_owned();
        let reply = send(&client, &[("scope", "openid"), ("id_token_hint", &id_token)]).expect(200);
        let again = Waiting { client: client.clone(), document: reply.json() };
        decide(&mut browser, "allow");
        assert_eq!(jwt::verify(again.poll().tokens().id()).text("sub"), jwt::verify(&id_token).text("sub"));
        let other = admin::client("suite-ciba-other", &["--confidential", "--set", GRANTS]);
        send(&other, &[("scope", "openid"), ("id_token_hint", &id_token)]).expect_error(400, "invalid_request");
    }
}

/// Prompt bombing: three requests wait at most, of all clients together. A decision makes room.
#[test]
fn few_requests_wait_at_a_time() {
    let (mut browser, user) = signed_in("ciba-few");
    for message in ["one", "two", "three"] {
        Waiting::of(&bank(), &user, &[("binding_message", message)]);
    }
    ask(&bank(), &user, &[]).expect_error(403, "access_denied");
    let list = browser.open("/requests").page();
    let links = list.attributes("#requests a", "href");
    assert_eq!(links.len(), 3);
    let page = browser.open(&links[1]).consent_page();
    assert_eq!(page.select("#binding-message output"), ["two"]);
    browser.decide(&page, "deny");
    Waiting::of(&bank(), &user, &[]);
}

/// The page is the user's alone: another user gets to no decision by the link, and none is made without the form.
#[test]
fn only_the_user_decides() {
    let (mut browser, user) = signed_in("ciba-mine");
    let waiting = Waiting::of(&bank(), &user, &[]);
    let link = browser.open("/requests").page().attributes("#requests a", "href").remove(0);
    // Another browser: first the sign-in, which another user does not pass.
    let mut other = Browser::new();
    let page = other.open(&link).login_page();
    let outcome = other.sign_in(&page, suite::USERNAME, suite::PASSWORD).page();
    assert!(outcome.consent().is_none(), "{:?}", outcome.reply);
    waiting.poll().send().expect_error(400, "authorization_pending");
    // The list needs a sign-in, which may be cancelled.
    let mut third = Browser::new();
    let page = third.open("/requests").login_page();
    assert!(third.decide(&page, "cancel").page().text().contains("not signed in"));
    let page = third.open("/requests").login_page();
    let list = third.sign_in(&page, &user, admin::PASSWORD).page();
    assert_eq!(list.attributes("#requests a", "href").len(), 1, "{:?}", list.reply);
    let request = third.open(&list.attributes("#requests a", "href")[0]).consent_page();
    assert!(request.deciding("allow").is_some(), "{:?}", request.reply);
    // A form of another browser.
    let page = open(&mut browser);
    let form = page.deciding("allow").expect("the form");
    let stolen = form.call(&[("decision", "allow")]).send();
    assert!(!stolen.text().contains("You approved"), "{stolen:?}");
    let tampered = form.call(&[("decision", "allow"), ("csrf", "x")]);
    let landed = browser.go(tampered).page();
    assert!(!landed.text().contains("You approved"), "{:?}", landed.reply);
    // A second sign-in in another browser as the right user.
    let mut second = Browser::new();
    let page = second.open(&link).login_page();
    let page = second.sign_in(&page, &user, admin::PASSWORD).consent_page();
    second.decide(&page, "allow");
    waiting.poll().tokens();
    // The first browser learns of the outcome.
    assert!(browser.open(&link).page().text().contains("You approved"));
}

/// §10.2: the ping after the decision; §5: a client in ping mode may poll, too. Nothing is repeated after an error of the client.
#[test]
fn a_client_is_pinged() {
    let host = Host::start();
    let (mut browser, user) = signed_in("ciba-ping");
    let endpoint = format!("backchannel_client_notification_endpoint={}", host.url("/ping"));
    let set = ["--confidential", "--set", GRANTS, "--set", "backchannel_token_delivery_mode=ping", "--set", &endpoint];
    let client = admin::client("suite-ciba-ping", &set);
    ask(&client, &user, &[]).expect_error(400, "invalid_request");
    ask(&client, &user, &[("client_notification_token", "a b")]).expect_error(400, "invalid_request");
    for (decision, status) in [("allow", 204), ("deny", 401)] {
        host.serve("/ping", Answer::status(status));
        let before = host.requests("/ping").len();
        let token = format!("{}~+/=", random());
        let waiting = Waiting::of(&client, &user, &[("client_notification_token", &token)]);
        waiting.poll().send().expect_error(400, "authorization_pending");
        decide(&mut browser, decision);
        let pings = host.wait_for("/ping", before + 1);
        let ping = &pings[before];
        assert_eq!(ping.headers["authorization"], format!("Bearer {token}"));
        assert_eq!(ping.headers["content-type"], "application/json");
        let body: Value = serde_json::from_slice(&ping.body).expect("JSON");
        assert_eq!(body, json!({ "auth_req_id": waiting.id() }));
        match decision {
            "allow" => drop(waiting.poll().tokens()),
            _ => drop(waiting.poll().send().expect_error(400, "access_denied")),
        }
    }
}

/// A client of FAPI-CIBA, and its keys.
struct Party {
    client: Client,
    signer: Signer,
    holder: Holder,
}

static FAPI: LazyLock<Party> = LazyLock::new(|| {
    let signer = Signer::new("PS256", "key-1");
    let jwks = format!("jwks={}", signer.jwks());
    let set = [
        "--scope",
        "openid email offline_access",
        "--set",
        GRANTS,
        "--set",
        &jwks,
        "--set",
        "profile=fapi-ciba",
        "--set",
        "token_endpoint_auth_method=private_key_jwt",
    ];
    Party { client: admin::client("suite-fapi-ciba", &set), signer, holder: Holder::of("PS256") }
});

impl Party {
    fn authenticated(&self, path: &str, parameters: &[(&str, &str)], aud: &str) -> Call {
        let id = &self.client.id;
        let claims = json!({ "iss": id, "sub": id, "aud": aud, "jti": random(), "exp": now() + 60 });
        let assertion = self.signer.sign(&claims);
        let kind = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        Call::post(path).form(&[parameters, &[kind, ("client_assertion", &assertion)]].concat())
    }

    /// Sends a signed request with these claims in place of its own; `null` removes one.
    fn ask(&self, user: &str, changes: &Value) -> Reply {
        let mut claims = json!({
            "iss": self.client.id, "aud": issuer(), "iat": now(), "nbf": now(), "exp": now() + 300, "jti": random(),
            "scope": "openid email", "login_hint": user, "binding_message": "1234", "requested_expiry": 300,
        });
        let all = claims.as_object_mut().expect("an object");
        for (name, value) in changes.as_object().expect("an object") {
            match value {
                Value::Null => all.remove(name),
                value => all.insert(name.clone(), value.clone()),
            };
        }
        self.send(&self.signer.sign(&claims))
    }

    fn send(&self, request: &str) -> Reply {
        self.authenticated("/bc-authorize", &[("request", request)], &format!("{}/token", issuer())).send()
    }

    fn poll(&self, id: &str) -> Call {
        self.authenticated("/token", &[("grant_type", GRANT), ("auth_req_id", id)], issuer())
    }
}

/// FAPI-CIBA: signed requests, bound tokens. The `aud` of a client assertion may be the token endpoint here.
#[test]
fn fapi_ciba_demands_signed_requests_and_bound_tokens() {
    let (mut browser, user) = signed_in("ciba-fapi");
    let party = &*FAPI;
    let acknowledged = party.ask(&user, &json!({})).expect(200).json();
    assert_eq!(acknowledged["expires_in"], 300);
    let id = acknowledged["auth_req_id"].as_str().expect("auth_req_id");
    decide(&mut browser, "allow");
    party.poll(id).send().expect_error(400, "invalid_dpop_proof");
    let proof = party.holder.proof("POST", "/token", &json!({}));
    let tokens = Tokens::read(&party.client, party.poll(id).header("dpop", proof).send());
    let access = jwt::verify(tokens.access());
    assert_eq!(access.claims["cnf"]["jkt"], party.holder.jkt());
    assert_eq!((&access.header["alg"], &jwt::verify(tokens.id()).header["alg"]), (&json!("ES256"), &json!("PS256")));

    let plain = [("scope", "openid"), ("login_hint", user.as_str()), ("binding_message", "1234")];
    party.authenticated("/bc-authorize", &plain, issuer()).send().expect_error(400, "invalid_request");
    for wrong in [
        json!({ "aud": null }),
        json!({ "aud": "https://other.example" }),
        json!({ "iss": null }),
        json!({ "iss": "demo-spa" }),
        json!({ "exp": null }),
        json!({ "exp": now() - 300 }),
        json!({ "exp": now() + 70 * 60 }),
        json!({ "iat": null }),
        json!({ "nbf": null }),
        json!({ "nbf": now() + 600 }),
        json!({ "nbf": now() - 70 * 60 }),
        json!({ "jti": null }),
        json!({ "id_token_hint": "x" }),
        json!({ "id_token_hint": "x", "binding_message": null }),
    ] {
        party.ask(&user, &wrong).expect_error(400, "invalid_request");
    }
    party.ask(&user, &json!({ "binding_message": null })).expect_error(400, "invalid_binding_message");
    let claims = json!({
        "iss": party.client.id, "aud": issuer(), "iat": now(), "nbf": now(), "exp": now() + 60, "jti": random(),
        "scope": "openid", "login_hint": user, "binding_message": "1234",
    });
    for forged in [Signer::new("PS256", "key-1"), Signer::new("RS256", "key-1")] {
        party.send(&forged.sign(&claims)).expect_error(400, "invalid_request");
    }
    party.send(&jwt::unsigned(&party.signer.sign(&claims))).expect_error(400, "invalid_request");
    let request = party.signer.sign(&claims);
    let beside = [("request", request.as_str()), ("scope", "openid")];
    party.authenticated("/bc-authorize", &beside, issuer()).send().expect_error(400, "invalid_request");
}

/// §7.1, §13: a client that does not send the code of a user who has one may not ask. A wrong code counts as a request to the user.
#[test]
fn a_user_code_is_demanded_of_each_client() {
    let (mut browser, user) = signed_in("ciba-code");
    let parameter = ["--set", "backchannel_user_code_parameter=true"];
    let client = admin::client("suite-ciba-code", &[&["--confidential", "--set", GRANTS], &parameter[..]].concat());
    let code = ("user_code", "wombat-7");
    // A code of a user who has none is ignored.
    Waiting::of(&client, &user, &[code]);
    decide(&mut browser, "deny");
    let set = ["user", "set-user-code", "--json", &user];
    assert!(admin::refused(&set, "12345\n").contains("needs 6"));
    assert!(admin::refused(&set, "123456\n").contains("user_code"));
    assert_eq!(admin::command_with(&set, "wombat-7\n")["has_user_code"], true);
    let shown = admin::command(&["user", "show", "--json", &user]);
    assert!(shown["has_user_code"] == true && !shown.to_string().contains("argon2"), "{shown}");
    ask(&client, &user, &[]).expect_error(400, "missing_user_code");
    for wrong in ["wombat-8", "", "Wombat-7"] {
        let code = if wrong.is_empty() { "missing_user_code" } else { "invalid_user_code" };
        ask(&client, &user, &[("user_code", wrong)]).expect_error(400, code);
    }
    // A client that did not register the parameter cannot send it.
    ask(&bank(), &user, &[code]).expect_error(400, "missing_user_code");
    assert_eq!(browser.open("/requests").page().attributes("#requests a", "href").len(), 0);
    // Other changes keep the code.
    admin::command_with(&["user", "set-claim", "--json", &user, "nickname=wombat"], "");
    let waiting = Waiting::of(&client, &user, &[code]);
    decide(&mut browser, "allow");
    waiting.poll().tokens();
    let more: Vec<Reply> = (0..10).map(|_| ask(&client, &user, &[("user_code", "guess-77")])).collect();
    assert_eq!(more.last().expect("replies").status, 429, "guesses are limited");
    admin::command_with(&["user", "set-user-code", "--json", &user, "--remove"], "");
    Waiting::of(&bank(), &user, &[]);
}

/// §4: what the metadata list, and what a client registers.
#[test]
fn metadata_and_settings() {
    let metadata = Call::get("/.well-known/openid-configuration").send().expect(200).json();
    assert_eq!(metadata["backchannel_authentication_endpoint"], format!("{}/bc-authorize", issuer()));
    assert_eq!(metadata["backchannel_token_delivery_modes_supported"], json!(["poll", "ping"]));
    assert_eq!(metadata["backchannel_user_code_parameter_supported"], true);
    assert!(metadata["grant_types_supported"].as_array().expect("a list").contains(&json!(GRANT)));
    let refused = |settings: &[&str]| {
        let mut command = vec!["client", "add", "--json", "--id", "suite-ciba-refused", "--confidential"];
        command.extend(settings.iter().flat_map(|setting| ["--set", setting]));
        admin::refused(&command, "")
    };
    assert!(refused(&[GRANTS, "backchannel_token_delivery_mode=push"]).contains("backchannel_token_delivery_mode"));
    let without = refused(&[GRANTS, "backchannel_token_delivery_mode=ping"]);
    assert!(without.contains("backchannel_client_notification_endpoint"), "{without}");
    let unsigned = refused(&[GRANTS, "backchannel_authentication_request_signing_alg=ES256"]);
    assert!(unsigned.contains("needs jwks or jwks_uri"), "{unsigned}");
    let public = admin::refused(&["client", "add", "--json", "--id", "suite-ciba-public", "--set", GRANTS], "");
    assert!(public.contains("needs a client that authenticates"), "{public}");
}
