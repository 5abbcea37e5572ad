//! When a person must sign in, choose, or consent (OpenID Connect Core §3.1.2.1, §3.1.2.3, §3.1.2.4).

use latchkey_protocol::interaction::{
    ActiveSession, Decision, Interaction, Step, needs_consent, remembers_consent, step,
};
use latchkey_protocol::{AuthenticationContext, AuthorizationRequest, Client, Parameters, ResponseTarget};
use std::time::Duration;
use types::{ErrorCode, Scope, Timestamp};

const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

fn client() -> Client {
    serde_json::from_value(
        serde_json::json!({"client_id": "web", "redirect_uris": ["https://a.example/"], "require_pkce": false}),
    )
    .unwrap()
}

fn interaction(more: &str) -> Interaction {
    let query = format!("redirect_uri=https://a.example/&response_type=code&scope=openid&{more}");
    let parameters = Parameters::parse(query.as_bytes()).unwrap();
    let target = ResponseTarget::check(&parameters, &client()).unwrap();
    Interaction {
        request: AuthorizationRequest::check(&parameters, &client(), target, &[]).unwrap(),
        pushed: None,
        expected_subject: None,
        browser: Some("b".into()),
        expires_at: T0,
        chosen: None,
        signed_in: None,
        decision: None,
        device: None,
    }
}

/// The step for somebody who signed in `ago` seconds ago.
fn after(interaction: &Interaction, ago: u64) -> Result<Step, ErrorCode> {
    let authentication = AuthenticationContext::password(T0.before(Duration::from_secs(ago)));
    let session = ActiveSession { id: "session", subject: "alice", authentication: &authentication };
    step(interaction, Some(&session), T0).map_err(|error| error.code)
}

fn nobody(interaction: &Interaction) -> Result<Step, ErrorCode> {
    step(interaction, None, T0).map_err(|error| error.code)
}

#[test]
fn nobody_signed_in() {
    assert_eq!(nobody(&interaction("")), Ok(Step::SignIn));
    assert_eq!(nobody(&interaction("prompt=none")), Err(ErrorCode::LoginRequired));
}

#[test]
fn prompt_login_asks_once_for_this_request() {
    let mut request = interaction("prompt=login");
    assert_eq!(after(&request, 0), Ok(Step::SignIn), "even when the last sign-in was this very second");
    request.signed_in = Some("another".into());
    assert_eq!(after(&request, 0), Ok(Step::SignIn));
    request.signed_in = Some("session".into());
    assert_eq!(after(&request, 0), Ok(Step::Proceed));
}

#[test]
fn max_age_bounds_the_age_of_the_sign_in() {
    assert_eq!(after(&interaction("max_age=10"), 10), Ok(Step::Proceed));
    assert_eq!(after(&interaction("max_age=10"), 11), Ok(Step::SignIn));
    assert_eq!(after(&interaction("max_age=0"), 0), Ok(Step::SignIn));
    assert_eq!(after(&interaction("max_age=10&prompt=none"), 11), Err(ErrorCode::LoginRequired));
    assert_eq!(after(&interaction("max_age=18446744073709551615"), 11), Ok(Step::Proceed));
}

#[test]
fn select_account_shows_who_is_there() {
    let mut request = interaction("prompt=select_account");
    assert_eq!(after(&request, 5), Ok(Step::SelectAccount));
    request.signed_in = Some("session".into());
    assert_eq!(after(&request, 5), Ok(Step::Proceed));
}

#[test]
fn choosing_an_account_is_no_sign_in() {
    let mut request = interaction("prompt=select_account&max_age=10");
    request.chosen = Some("session".into());
    assert_eq!(after(&request, 10), Ok(Step::Proceed));
    assert_eq!(after(&request, 11), Ok(Step::SignIn), "the choice is good, the sign-in too old by now");
    request.signed_in = Some("session".into());
    assert_eq!(after(&request, 11), Ok(Step::Proceed));
    request.chosen = Some("another".into());
    request.signed_in = None;
    assert_eq!(after(&request, 10), Ok(Step::SelectAccount));
}

#[test]
fn the_person_named_by_the_request_must_be_the_one() {
    let mut request = interaction("");
    request.expected_subject = Some("bob".into());
    assert_eq!(after(&request, 5), Ok(Step::SignIn));
    request.signed_in = Some("session".into());
    assert_eq!(after(&request, 5), Err(ErrorCode::LoginRequired), "somebody else signed in");
    let mut silent = interaction("prompt=none");
    silent.expected_subject = Some("bob".into());
    assert_eq!(after(&silent, 5), Err(ErrorCode::LoginRequired));
    let by_claim =
        interaction("prompt=none&claims=%7B%22id_token%22%3A%7B%22sub%22%3A%7B%22value%22%3A%22bob%22%7D%7D%7D");
    assert_eq!(after(&by_claim, 5), Err(ErrorCode::LoginRequired));
}

#[test]
fn a_refusal_goes_to_the_client() {
    let mut request = interaction("");
    request.decision = Some(Decision::Denied);
    assert_eq!(nobody(&request), Err(ErrorCode::AccessDenied));
}

#[test]
fn consent_is_remembered_for_clients_that_can_be_told_from_others() {
    let remembers = |redirect_uri: &str, method: &str| {
        let client: Client = serde_json::from_value(serde_json::json!({
            "client_id": "app", "redirect_uris": [redirect_uri], "token_endpoint_auth_method": method,
        }))
        .unwrap();
        let query = format!(
            "redirect_uri={redirect_uri}&response_type=code&scope=openid&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
        let parameters = Parameters::parse(query.as_bytes()).unwrap();
        let target = ResponseTarget::check(&parameters, &client).unwrap();
        let request = AuthorizationRequest::check(&parameters, &client, target, &[]).unwrap();
        remembers_consent(&request, &client, "http://localhost:8787")
    };
    assert!(remembers("https://a.example/cb", "none"));
    assert!(remembers("http://localhost:8787/playground/callback", "none"), "served by this server itself");
    for anybodys in ["http://127.0.0.1/cb", "http://[::1]/cb", "http://localhost/cb", "com.example.app:/cb"] {
        assert!(!remembers(anybodys, "none"), "{anybodys}");
        assert!(remembers(anybodys, "client_secret_basic"), "{anybodys}");
    }
}

#[test]
fn consent_is_asked_for_once_and_for_what_is_new() {
    let authentication = AuthenticationContext::password(T0);
    let session = ActiveSession { id: "session", subject: "alice", authentication: &authentication };
    let needs = |interaction: &Interaction, remembered: &str| {
        needs_consent(interaction, session.id, &client(), &Scope::parse(remembered).unwrap())
            .map_err(|error| error.code)
    };
    assert_eq!(needs(&interaction(""), ""), Ok(true));
    assert_eq!(needs(&interaction(""), "openid"), Ok(false));
    assert_eq!(needs(&interaction("prompt=consent"), "openid"), Ok(true));
    assert_eq!(needs(&interaction("prompt=none"), ""), Err(ErrorCode::ConsentRequired));
    let mut decided = interaction("prompt=consent");
    decided.decision = Some(Decision::Allowed { session: "session".into() });
    assert_eq!(needs(&decided, ""), Ok(false));
    decided.decision = Some(Decision::Allowed { session: "another".into() });
    assert_eq!(needs(&decided, ""), Ok(true), "what one person allowed says nothing for another");
}
