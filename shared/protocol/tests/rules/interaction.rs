//! The prompts that a request needs: sign-in, selection of an account, consent (OpenID Connect Core §3.1.2.1, §3.1.2.3, §3.1.2.4).

use latchkey_protocol::{
    ActiveSession, AuthenticationMethod, AuthorizationRequest, Client, Interaction, NextPrompt, Parameters,
    RedirectUri, RequestEndpoint, Requested, RequestedAuthorization, ResponseTarget, SentRequest, SessionId,
    UncheckedTarget,
};
use std::time::Duration;
use types::{ErrorCode, Issuer, Scope, Subject, Timestamp};

/// No claims of an operator.
static NO_CLAIMS: latchkey_protocol::ClaimDefinitions = latchkey_protocol::ClaimDefinitions(Vec::new());
/// No types of authorization details.
static NO_DETAILS: latchkey_protocol::AuthorizationDetailsTypes =
    latchkey_protocol::AuthorizationDetailsTypes(Vec::new());
/// No classes of an operator.
static NO_CLASSES: latchkey_protocol::AuthenticationClasses = latchkey_protocol::AuthenticationClasses(Vec::new());

fn sub(text: &str) -> Subject {
    Subject::parse(text).unwrap()
}

const ISSUER: &str = "http://localhost:8787";
const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

fn client() -> Client {
    serde_json::from_value(
        serde_json::json!({"client_id": "web", "redirect_uris": ["https://a.example/"], "require_pkce": false, "require_nonce": false}),
    )
    .unwrap()
}

fn checked(client: &Client, query: &str) -> AuthorizationRequest {
    let parameters = Parameters::parse(query.as_bytes()).unwrap();
    let target = ResponseTarget::check(&parameters, client).unwrap();
    let sent = SentRequest {
        parameters: &parameters,
        in_request_object: false,
        endpoint: RequestEndpoint::Authorization,
        client,
        targets: latchkey_protocol::resource::Targets {
            resources: &[],
            scopes: &[],
            claim_scopes: &[],
            claims: &NO_CLAIMS,
            details_types: &NO_DETAILS,
            classes: &NO_CLASSES,
        },
        require_pushed_requests: false,
    };
    AuthorizationRequest::check(&sent, target).unwrap()
}

/// An interaction that has just started; `expected` is the user of the ID token hint.
fn hinted(more: &str, expected: Option<&str>) -> Interaction {
    let query = format!("redirect_uri=https://a.example/&response_type=code&scope=openid&{more}");
    let requested = RequestedAuthorization {
        request: checked(&client(), &query),
        expected_subject: expected.map(sub),
        pushed: None,
        stays_in_store: false,
        refused_claims: Vec::new(),
    };
    Interaction::start(Requested::Authorization(Box::new(requested)), Some("b".into()), T0)
}

fn interaction(more: &str) -> Interaction {
    hinted(more, None)
}

/// The id of the session of this name.
fn id(name: &str) -> SessionId {
    let mut random = [0; 16];
    random.iter_mut().zip(name.bytes()).for_each(|(byte, letter)| *byte = letter);
    SessionId::new([1, 2], random)
}

/// The next prompt for a user who signed in `ago` seconds ago.
fn after(interaction: &Interaction, ago: u64) -> Result<NextPrompt, ErrorCode> {
    let authentication = AuthenticationMethod::Password.context(T0.before(Duration::from_secs(ago)));
    let session = ActiveSession { id: id("session"), subject: &sub("alice"), authentication: &authentication };
    interaction.next_prompt(Some(&session), &NO_CLASSES, T0).map_err(|error| error.code)
}

fn signed_out(interaction: &Interaction) -> Result<NextPrompt, ErrorCode> {
    interaction.next_prompt(None, &NO_CLASSES, T0).map_err(|error| error.code)
}

fn signed_in(interaction: &Interaction, session: &str) -> Interaction {
    interaction.clone().sign_in(id(session)).unwrap()
}

#[test]
fn no_user_is_signed_in() {
    assert_eq!(signed_out(&interaction("")), Ok(NextPrompt::SignIn));
    assert_eq!(signed_out(&interaction("prompt=none")), Err(ErrorCode::LoginRequired));
}

#[test]
fn prompt_login_asks_once_for_this_request() {
    let request = interaction("prompt=login");
    assert_eq!(after(&request, 0), Ok(NextPrompt::SignIn), "even when the last sign-in was this very second");
    assert_eq!(after(&signed_in(&request, "another"), 0), Ok(NextPrompt::SignIn));
    assert_eq!(after(&signed_in(&request, "session"), 0), Ok(NextPrompt::Proceed));
}

/// OpenID Connect Core §3.1.2.1: a sign-in that the request demands counts for one response.
#[test]
fn a_sign_in_of_the_request_is_used_once() {
    for (more, is_used) in [("prompt=login", true), ("max_age=0", true), ("max_age=60", true), ("", false)] {
        let request = signed_in(&interaction(more), "session");
        assert_eq!(request.uses_sign_in(id("session")), is_used, "{more}");
        assert!(!request.uses_sign_in(id("another")) && !interaction(more).uses_sign_in(id("session")), "{more}");
        let expected = if is_used { NextPrompt::SignIn } else { NextPrompt::Proceed };
        assert_eq!(after(&request.clone().sign_in_used(), 61), Ok(expected), "{more}");
        let again = request.sign_in_used().sign_in(id("next")).unwrap();
        assert!(!again.uses_sign_in(id("session")) && again.uses_sign_in(id("next")) == is_used);
    }
}

#[test]
fn max_age_bounds_the_age_of_the_sign_in() {
    assert_eq!(after(&interaction("max_age=10"), 10), Ok(NextPrompt::Proceed));
    assert_eq!(after(&interaction("max_age=10"), 11), Ok(NextPrompt::SignIn));
    assert_eq!(after(&interaction("max_age=0"), 0), Ok(NextPrompt::SignIn));
    assert_eq!(after(&interaction("max_age=10&prompt=none"), 11), Err(ErrorCode::LoginRequired));
    assert_eq!(after(&interaction("max_age=18446744073709551615"), 11), Ok(NextPrompt::Proceed));
}

#[test]
fn select_account_shows_the_session() {
    let request = interaction("prompt=select_account");
    assert_eq!(after(&request, 5), Ok(NextPrompt::SelectAccount));
    assert_eq!(after(&signed_in(&request, "session"), 5), Ok(NextPrompt::Proceed));
}

#[test]
fn selecting_an_account_is_no_sign_in() {
    let request = interaction("prompt=select_account&max_age=10").continue_as(id("session")).unwrap();
    assert_eq!(after(&request, 10), Ok(NextPrompt::Proceed));
    assert_eq!(after(&request, 11), Ok(NextPrompt::SignIn), "the selection is valid, the sign-in too old by now");
    assert_eq!(after(&signed_in(&request, "session"), 11), Ok(NextPrompt::Proceed));
    let request = request.continue_as(id("another")).unwrap();
    assert_eq!(after(&request, 10), Ok(NextPrompt::SelectAccount));
}

#[test]
fn a_sign_in_stays_a_sign_in() {
    let request = signed_in(&interaction("prompt=login"), "session");
    let request = request.continue_as(id("session")).unwrap().allow(id("session")).unwrap();
    assert_eq!(after(&request, 0), Ok(NextPrompt::Proceed));
    let request = interaction("prompt=login").allow(id("session")).unwrap();
    assert_eq!(after(&request, 0), Ok(NextPrompt::SignIn), "consent is no sign-in");
}

#[test]
fn another_user_must_sign_in() {
    let request = signed_in(&interaction(""), "session").restart_as_other_user().unwrap();
    assert_eq!(after(&request, 0), Ok(NextPrompt::SignIn));
    assert_eq!(after(&signed_in(&request, "session"), 0), Ok(NextPrompt::Proceed));
}

#[test]
fn the_user_named_by_the_request_must_sign_in() {
    let request = hinted("", Some("bob"));
    assert_eq!(after(&request, 5), Ok(NextPrompt::SignIn));
    assert_eq!(after(&signed_in(&request, "session"), 5), Err(ErrorCode::LoginRequired), "another user signed in");
    assert_eq!(after(&hinted("prompt=none", Some("bob")), 5), Err(ErrorCode::LoginRequired));
    let by_claim =
        interaction("prompt=none&claims=%7B%22id_token%22%3A%7B%22sub%22%3A%7B%22value%22%3A%22bob%22%7D%7D%7D");
    assert_eq!(after(&by_claim, 5), Err(ErrorCode::LoginRequired));
}

#[test]
fn a_denial_goes_to_the_client_and_is_final() {
    let request = interaction("").deny();
    assert_eq!(signed_out(&request), Err(ErrorCode::AccessDenied));
    assert!(request.clone().sign_in(id("session")).is_err());
    assert!(request.clone().continue_as(id("session")).is_err());
    assert!(request.clone().allow(id("session")).is_err());
    assert!(request.restart_as_other_user().is_err());
}

/// Another browser does not inherit the state of an interaction.
#[test]
fn only_an_interaction_without_a_browser_is_adopted() {
    assert_eq!(interaction("").adopt("other".into()), None);
    let mut posted = signed_in(&interaction("prompt=login"), "session");
    posted.browser = None;
    let adopted = posted.adopt("other".into()).unwrap();
    assert_eq!(adopted.browser.as_deref(), Some("other"));
    assert_eq!(after(&adopted, 0), Ok(NextPrompt::SignIn));
}

#[test]
fn a_sealed_interaction_is_checked_again() {
    let interaction = signed_in(&interaction("state=x"), "session");
    let opened = || {
        let json = serde_json::to_vec(&interaction).unwrap();
        serde_json::from_slice::<Interaction<UncheckedTarget>>(&json).unwrap()
    };
    assert_eq!(opened().recheck(Some(&client())).unwrap(), interaction);
    let mut changed = client();
    changed.redirect_uris = vec![RedirectUri::new("https://b.example/")];
    assert!(opened().recheck(Some(&changed)).is_err());
}

#[test]
fn consent_is_remembered_for_clients_that_can_be_told_from_others() {
    let remembers = |redirect_uri: &str, method: &str| {
        let client: Client = serde_json::from_value(serde_json::json!({
            "client_id": "app", "redirect_uris": [redirect_uri], "token_endpoint_auth_method": method,
            "skip_consent": true,
        }))
        .unwrap();
        let query = format!(
            "redirect_uri={redirect_uri}&response_type=code&scope=openid&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
        let request = checked(&client, &query);
        let may_use = request.may_use_earlier_consent(&client, &Issuer::new(ISSUER));
        let requested = RequestedAuthorization {
            request,
            expected_subject: None,
            pushed: None,
            stays_in_store: false,
            refused_claims: Vec::new(),
        };
        let interaction = Interaction::start(Requested::Authorization(Box::new(requested)), None, T0);
        let asks = interaction.needs_consent(id("session"), &client, &Issuer::new(ISSUER), &Scope::default()).unwrap();
        assert_eq!(may_use, !asks, "consent is skipped exactly where earlier consent counts (RFC 8252 §8.6)");
        may_use
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
    let needs = |interaction: &Interaction, remembered: &str| {
        interaction
            .needs_consent(id("session"), &client(), &Issuer::new(ISSUER), &Scope::parse(remembered).unwrap())
            .map_err(|error| error.code)
    };
    assert_eq!(needs(&interaction(""), ""), Ok(true));
    assert_eq!(needs(&interaction(""), "openid"), Ok(false));
    assert_eq!(needs(&interaction("prompt=consent"), "openid"), Ok(true));
    assert_eq!(needs(&interaction("prompt=none"), ""), Err(ErrorCode::ConsentRequired));
    let allowed = |session: &str| interaction("prompt=consent").allow(id(session)).unwrap();
    assert_eq!(needs(&allowed("session"), ""), Ok(false));
    assert_eq!(needs(&allowed("another"), ""), Ok(true), "the consent of one user says nothing for another");
}

/// The session of a user whom another issuer asserted: its class is not that of a sign-in here.
fn with_acr(acr: &str, subject: &Subject, check: impl FnOnce(&ActiveSession<'_>)) {
    let mut authentication = AuthenticationMethod::Password.context(T0);
    authentication.acr = acr.to_owned();
    check(&ActiveSession { id: id("one"), subject, authentication: &authentication });
}

/// RFC 9470 §5, OpenID Connect Core §5.5.1.1: a session of another class needs a sign-in; the class after it decides.
#[test]
fn the_class_of_the_session_counts() {
    let password = "urn:latchkey:acr:password";
    let claims = format!(r#"claims={{"id_token":{{"acr":{{"essential":true,"value":"{password}"}}}}}}"#);
    let voluntary = format!("acr_values=urn:other {password}").replace(' ', "+");
    let user = sub("ada");
    for more in [claims.as_str(), voluntary.as_str()] {
        let started = interaction(more);
        with_acr(password, &user, |session| {
            assert_eq!(started.next_prompt(Some(session), &NO_CLASSES, T0), Ok(NextPrompt::Proceed))
        });
        with_acr("urn:weak", &user, |session| {
            assert_eq!(started.next_prompt(Some(session), &NO_CLASSES, T0), Ok(NextPrompt::SignIn), "{more}");
            let none = interaction(&format!("{more}&prompt=none"));
            assert_eq!(none.next_prompt(Some(session), &NO_CLASSES, T0).unwrap_err().code, ErrorCode::LoginRequired);
            let after = started.clone().sign_in(id("one")).unwrap().next_prompt(Some(session), &NO_CLASSES, T0);
            match more == claims {
                true => assert_eq!(after.unwrap_err().code, ErrorCode::UnmetAuthenticationRequirements),
                false => assert_eq!(after, Ok(NextPrompt::Proceed), "a wish"),
            }
        });
    }
    // Nothing is asked for that no sign-in reaches.
    let wish = interaction("acr_values=urn:other");
    with_acr("urn:weak", &user, |session| {
        assert_eq!(wish.next_prompt(Some(session), &NO_CLASSES, T0), Ok(NextPrompt::Proceed))
    });
}

/// OpenID Connect Core §5.5.1.1: a session satisfies a configured class by its methods; a wish that a sign-in would fulfil leads to one,
/// another wish to none.
#[test]
fn configured_classes_count_by_their_methods() {
    let classes: latchkey_protocol::AuthenticationClasses =
        serde_json::from_value(serde_json::json!([{ "name": "silver", "methods": [["password"]] }])).unwrap();
    let password = AuthenticationMethod::Password.context(T0);
    let asserted = latchkey_protocol::AuthenticationContext::assertion(T0);
    let claim = |claim: &str| format!(r#"claims={{"id_token":{{"acr":{claim}}}}}"#);
    let prompt = |more: &str, authentication| {
        // The check of the request knows the built-in classes alone, so classes in acr_values are put in here.
        let mut interaction = interaction(more.trim_start_matches("silver"));
        if let (true, Requested::Authorization(requested)) = (more.starts_with("silver"), &mut interaction.requested) {
            requested.request.acr_values = vec!["silver".to_owned()];
        }
        let session = ActiveSession { id: id("one"), subject: &sub("ada"), authentication };
        interaction.next_prompt(Some(&session), &classes, T0).map_err(|error| error.code)
    };
    for (more, for_asserted) in [
        ("silver".to_owned(), NextPrompt::SignIn),
        (claim(r#"{"value":"silver"}"#), NextPrompt::SignIn),
        (claim(r#"{"values":["gold","silver"]}"#), NextPrompt::SignIn),
        (claim(r#"{"value":"gold"}"#), NextPrompt::Proceed),
        (claim("null"), NextPrompt::Proceed),
    ] {
        assert_eq!(prompt(&more, &password), Ok(NextPrompt::Proceed), "{more}");
        assert_eq!(prompt(&more, &asserted), Ok(for_asserted), "{more}");
    }
}
