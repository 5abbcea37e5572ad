//! The checks of an authorization request, by section.

use latchkey_protocol::{
    AuthorizationRequest, AuthorizationResponse, Client, ClientAuthenticationMethod, Delivery, Parameters,
    RequestEndpoint, ResponseTarget, SentRequest, UncheckedTarget,
};
use serde_json::json;
use types::{Error, ErrorCode, Issuer, Timestamp};

/// No claims of an operator.
static NO_CLAIMS: latchkey_protocol::ClaimDefinitions = latchkey_protocol::ClaimDefinitions(Vec::new());
/// No types of authorization details.
static NO_DETAILS: latchkey_protocol::AuthorizationDetailsTypes =
    latchkey_protocol::AuthorizationDetailsTypes(Vec::new());
/// No classes of an operator.
static NO_CLASSES: latchkey_protocol::AuthenticationClasses = latchkey_protocol::AuthenticationClasses(Vec::new());

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const ISSUER: &str = "https://as.example";

fn client() -> Client {
    serde_json::from_value(serde_json::json!({
        "client_id": "spa",
        "redirect_uris": ["https://app.example/cb", "http://127.0.0.1/cb", "https://app.example/cb?x=1"],
        "token_endpoint_auth_method": "none",
        "scope": "openid profile",
    }))
    .unwrap()
}

fn parameters(pairs: &[(&str, &str)]) -> Parameters {
    let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    Parameters::parse(encoded.as_bytes()).unwrap()
}

const GOOD: [(&str, &str); 7] = [
    ("client_id", "spa"),
    ("redirect_uri", "https://app.example/cb"),
    ("response_type", "code"),
    ("scope", "openid profile"),
    ("state", "s t"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];

fn check_with(changes: &[(&str, &str)]) -> Result<AuthorizationRequest, Error> {
    let mut pairs: Vec<(&str, &str)> =
        GOOD.iter().copied().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name)).collect();
    pairs.extend(changes.iter().copied());
    let parameters = parameters(&pairs);
    let target = ResponseTarget::check(&parameters, &client())?;
    AuthorizationRequest::check(&sent(&parameters, &client()), target)
}

/// Parameters that arrive at the authorization endpoint.
fn sent<'a>(parameters: &'a Parameters, client: &'a Client) -> SentRequest<'a> {
    SentRequest {
        parameters,
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
    }
}

fn code_of(changes: &[(&str, &str)]) -> ErrorCode {
    check_with(changes).unwrap_err().code
}

#[test]
fn a_good_request_passes() {
    let request = check_with(&[]).unwrap();
    assert_eq!(request.scope.to_string(), "openid profile");
    assert_eq!(request.target.redirect_uri().as_str(), "https://app.example/cb");
}

#[test]
fn pkce_cannot_be_downgraded() {
    for changes in [
        &[("code_challenge", "")][..],
        &[("code_challenge_method", "")],
        &[("code_challenge_method", "plain")],
        &[("code_challenge_method", "s256")],
        &[("code_challenge", "short")],
        &[("code_challenge", &format!("{CHALLENGE}="))],
        &[("code_challenge", ""), ("code_challenge_method", "")],
    ] {
        assert_eq!(code_of(changes), ErrorCode::InvalidRequest, "{changes:?}");
    }
}

/// RFC 9700 §2.1.1.
#[test]
fn a_request_without_challenge_needs_openid_and_a_nonce() {
    let check = |require_nonce: bool, scope: &str, nonce: &str| {
        let client = Client {
            token_endpoint_auth_method: ClientAuthenticationMethod::ClientSecretBasic,
            require_pkce: false,
            require_nonce,
            ..client()
        };
        let uri = "https://app.example/cb";
        let pairs = [("response_type", "code"), ("redirect_uri", uri), ("scope", scope), ("nonce", nonce)];
        let parameters = parameters(&pairs);
        let target = ResponseTarget::check(&parameters, &client).unwrap();
        AuthorizationRequest::check(&sent(&parameters, &client), target).map(|_| ()).map_err(|error| error.code)
    };
    assert_eq!(check(true, "openid", "n"), Ok(()));
    assert_eq!(check(false, "openid", ""), Ok(()), "the operator exempts the client");
    for (require_nonce, scope, nonce) in [(true, "openid", ""), (true, "profile", "n"), (false, "profile", "n")] {
        assert_eq!(check(require_nonce, scope, nonce), Err(ErrorCode::InvalidRequest), "{scope} {nonce}");
    }
}

#[test]
fn the_error_names_the_switch_of_a_known_software() {
    let description = |software_id: Option<&str>| {
        let client = Client {
            token_endpoint_auth_method: ClientAuthenticationMethod::ClientSecretBasic,
            require_pkce: false,
            software_id: software_id.map(str::to_owned),
            ..client()
        };
        let pairs = [("response_type", "code"), ("redirect_uri", "https://app.example/cb"), ("scope", "openid")];
        let parameters = parameters(&pairs);
        let target = ResponseTarget::check(&parameters, &client).unwrap();
        AuthorizationRequest::check(&sent(&parameters, &client), target).map(|_| ()).unwrap_err().description
    };
    assert!(description(Some("passport")).ends_with("; set nonce: true"));
    for software_id in [None, Some("unknown")] {
        assert!(description(software_id).ends_with("(RFC 9700 section 2.1.1)"), "{software_id:?}");
    }
}

#[test]
fn the_front_channel_returns_no_token() {
    for response_type in ["token", "id_token", "id_token token", "code token", "code id_token token", "none", "CODE"] {
        assert_eq!(code_of(&[("response_type", response_type)]), ErrorCode::UnsupportedResponseType);
    }
    assert_eq!(code_of(&[("response_type", "")]), ErrorCode::InvalidRequest);
    assert_eq!(code_of(&[("response_type", "code id_token")]), ErrorCode::UnauthorizedClient, "not registered for it");
}

#[test]
fn prompt_none_stands_alone() {
    assert!(check_with(&[("prompt", "login consent")]).is_ok());
    for prompt in ["none login", "none none consent", "unknown", "create"] {
        assert_eq!(code_of(&[("prompt", prompt)]), ErrorCode::InvalidRequest);
    }
}

#[test]
fn registration_in_a_request_is_refused_by_name() {
    assert_eq!(code_of(&[("registration", "{}")]), ErrorCode::RegistrationNotSupported);
}

#[test]
fn unknown_scopes_are_named_and_others_left_out() {
    assert_eq!(check_with(&[("scope", "openid address")]).unwrap().scope.to_string(), "openid");
    assert_eq!(code_of(&[("scope", "openid admin")]), ErrorCode::InvalidScope);
    assert_eq!(code_of(&[("scope", "admin")]), ErrorCode::InvalidScope);
    assert_eq!(code_of(&[("scope", "open\"id")]), ErrorCode::InvalidScope);
}

#[test]
fn numbers_and_json_are_what_they_must_be() {
    assert_eq!(check_with(&[("max_age", "0")]).unwrap().max_age, Some(0));
    for max_age in ["-1", "1.5", "x", "99999999999999999999"] {
        assert_eq!(code_of(&[("max_age", max_age)]), ErrorCode::InvalidRequest);
    }
    for claims in
        ["x", "[]", "{\"userinfo\":1}", "{\"userinfo\":{\"a\":1}}", "{\"id_token\":{\"a\":{\"essential\":3}}}"]
    {
        assert_eq!(code_of(&[("claims", claims)]), ErrorCode::InvalidRequest, "{claims}");
    }
    assert!(check_with(&[("claims", "{\"userinfo\":{\"name\":null,\"email\":{\"essential\":true}},\"x\":1}")]).is_ok());
}

#[test]
fn an_essential_acr_out_of_reach_fails() {
    let essential = r#"{"id_token":{"acr":{"essential":true,"values":["urn:gold"]}}}"#;
    assert_eq!(code_of(&[("claims", essential)]), ErrorCode::UnmetAuthenticationRequirements);
    let voluntary = r#"{"id_token":{"acr":{"values":["urn:gold"]}}}"#;
    assert!(check_with(&[("claims", voluntary)]).is_ok());
}

#[test]
fn a_redirect_uri_must_match_to_the_character() {
    for uri in [
        "https://app.example/cb/",
        "https://app.example/CB",
        "https://App.example/cb",
        "https://app.example./cb",
        "https://app.example:443/cb",
        "https://app.example/cb#f",
        "https://app.example/cb?",
        "https://app.example/%63b",
        "https://app.example/x/../cb",
        "https://user@app.example/cb",
        "https://app.example/cb?x=2",
        "http://app.example/cb",
        "https://app.example.evil.example/cb",
        "http://localhost/cb",
        "http://127.0.0.1:70000/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:x/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1:8080/cb2",
        "https://127.0.0.1/cb",
    ] {
        let error = ResponseTarget::check(&parameters(&[("client_id", "spa"), ("redirect_uri", uri)]), &client());
        assert!(error.is_err(), "{uri}");
    }
    for uri in
        ["http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb", "https://app.example/cb?x=1"]
    {
        assert!(ResponseTarget::check(&parameters(&[("redirect_uri", uri)]), &client()).is_ok(), "{uri}");
    }
}

#[test]
fn repeated_parameters_are_refused_and_never_trusted_for_the_redirect() {
    let repeated = |name| {
        let mut pairs = GOOD.to_vec();
        pairs.push((name, "x"));
        parameters(&pairs)
    };
    for name in ["client_id", "redirect_uri"] {
        assert!(ResponseTarget::check(&repeated(name), &client()).is_err(), "{name}");
    }
    for name in ["state", "scope", "response_type", "code_challenge"] {
        let parameters = repeated(name);
        let target = ResponseTarget::check(&parameters, &client()).unwrap();
        assert_eq!(
            AuthorizationRequest::check(&sent(&parameters, &client()), target).unwrap_err().code,
            ErrorCode::InvalidRequest
        );
    }
}

#[test]
fn answers_carry_state_and_issuer_in_every_mode() {
    let target = |mode: &str, uri: &str| {
        ResponseTarget::check(
            &parameters(&[("redirect_uri", uri), ("state", "s&t"), ("response_mode", mode)]),
            &client(),
        )
        .unwrap()
    };
    let issuer = Issuer::new(ISSUER);
    let delivery = |response: AuthorizationResponse<'_>| match response {
        AuthorizationResponse::Plain(plain) => plain.delivery(),
        AuthorizationResponse::Jwt(unsigned) => unsigned.signed("jwt".to_owned()).delivery(),
    };
    let redirect = |target: ResponseTarget| match delivery(target.code_response("c+d", None, &issuer)) {
        Delivery::Redirect(location) => location,
        Delivery::FormPost { .. } => panic!("not a form"),
    };
    let fields = "code=c%2Bd&state=s%26t&iss=https%3A%2F%2Fas.example";
    assert_eq!(redirect(target("query", "https://app.example/cb")), format!("https://app.example/cb?{fields}"));
    assert_eq!(redirect(target("query", "https://app.example/cb?x=1")), format!("https://app.example/cb?x=1&{fields}"));
    assert_eq!(redirect(target("fragment", "https://app.example/cb")), format!("https://app.example/cb#{fields}"));
    // JARM §2.3: the JWT is the only parameter.
    for (mode, expected) in [
        ("jwt", "https://app.example/cb?response=jwt"),
        ("query.jwt", "https://app.example/cb?response=jwt"),
        ("fragment.jwt", "https://app.example/cb#response=jwt"),
    ] {
        assert_eq!(redirect(target(mode, "https://app.example/cb")), expected);
    }
    let in_form = target("form_post.jwt", "https://app.example/cb");
    let Delivery::FormPost { fields, .. } = delivery(in_form.code_response("c", None, &issuer)) else {
        panic!("no form")
    };
    assert_eq!(fields, [("response", "jwt".to_owned())]);
    let AuthorizationResponse::Jwt(unsigned) = in_form.code_response("c", None, &issuer) else { panic!("no JWT") };
    let claims = serde_json::to_value(unsigned.claims(&issuer, Timestamp::from_secs(1000))).unwrap();
    let expected = json!({ "iss": ISSUER, "aud": "spa", "exp": 1300, "code": "c", "state": "s&t" });
    assert_eq!(claims, expected);

    let target = target("form_post", "https://app.example/cb");
    let form = delivery(target.error_response(&Error::invalid_request("a \"b\""), &issuer));
    let Delivery::FormPost { action, fields } = form else { panic!("not a redirect") };
    assert_eq!(action, "https://app.example/cb");
    assert!(
        fields.contains(&("error", "invalid_request".into()))
            && fields.contains(&("error_description", "a 'b'".into()))
    );
    assert!(fields.contains(&("iss", ISSUER.into())) && fields.contains(&("state", "s&t".into())));
}

#[test]
fn a_check_applies_where_the_table_says() {
    let (client, mut pushed_only) = (client(), self::client());
    pushed_only.require_pushed_authorization_requests = true;
    let check = |client: &Client, endpoint, in_request_object| {
        let parameters = parameters(&GOOD);
        let target = ResponseTarget::check(&parameters, client).unwrap();
        let sent = SentRequest { endpoint, in_request_object, ..sent(&parameters, client) };
        AuthorizationRequest::check(&sent, target).is_ok()
    };
    for in_request_object in [false, true] {
        assert!(check(&client, RequestEndpoint::Authorization, in_request_object));
        assert!(!check(&pushed_only, RequestEndpoint::Authorization, in_request_object));
        assert!(check(&pushed_only, RequestEndpoint::PushedRequest, in_request_object));
    }
    let reference = parameters(&[("request_uri", "https://app.example/object")]);
    let sent = sent(&reference, &client);
    assert!(sent.check_references().is_ok());
    assert!(SentRequest { endpoint: RequestEndpoint::PushedRequest, ..sent }.check_references().is_err());
}

/// A request that was sealed or stored redirects only to a redirect URI that the client still has.
#[test]
fn a_stored_request_is_checked_again() {
    let json = serde_json::to_value(check_with(&[]).unwrap()).unwrap();
    let stored = |json| serde_json::from_value::<AuthorizationRequest<UncheckedTarget>>(json).unwrap();
    assert_eq!(stored(json.clone()).recheck(&client()).unwrap(), check_with(&[]).unwrap());
    let mut changed = client();
    changed.redirect_uris.retain(|uri| uri.as_str() != "https://app.example/cb");
    assert!(stored(json.clone()).recheck(&changed).is_err());
    let mut other = client();
    other.client_id = types::ClientId::parse("other").unwrap();
    assert!(stored(json.clone()).recheck(&other).is_err());
    let mut forged = json;
    forged["target"]["redirect_uri"] = "https://evil.example/".into();
    assert!(stored(forged).recheck(&client()).is_err());
}

/// OpenID Connect Registration §2: `default_acr_values` stand in for `acr_values`, unless the request has a class of its own. They are no
/// error where no sign-in reaches them.
#[test]
fn default_classes_stand_in_for_requested_ones() {
    let classes: latchkey_protocol::AuthenticationClasses =
        serde_json::from_value(serde_json::json!([{ "name": "silver", "methods": [["password"]] }])).unwrap();
    let acr_values = |defaults: &[&str], changes: &[(&str, &str)]| {
        let mut client = client();
        client.default_acr_values = defaults.iter().map(|acr| (*acr).to_owned()).collect();
        let pairs: Vec<(&str, &str)> = GOOD.iter().chain(changes).copied().collect();
        let parameters = parameters(&pairs);
        let target = ResponseTarget::check(&parameters, &client).unwrap();
        let mut sent = sent(&parameters, &client);
        sent.targets.classes = &classes;
        AuthorizationRequest::check(&sent, target).unwrap().acr_values
    };
    let own = "urn:latchkey:acr:password";
    assert_eq!(acr_values(&["gold", "silver", own], &[]), ["silver", own]);
    assert_eq!(acr_values(&["silver"], &[("acr_values", own)]), [own]);
    assert!(acr_values(&["silver"], &[("claims", r#"{"id_token":{"acr":null}}"#)]).is_empty());
    assert!(acr_values(&["gold"], &[]).is_empty());
    assert!(acr_values(&[], &[("acr_values", "silver gold")]) == ["silver"]);
}
