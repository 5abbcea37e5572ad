//! Parameters: `application/x-www-form-urlencoded` (queries and bodies), `scope`, `claims`.

use protocol::{ClaimsRequest, Parameters};
use types::Scope;

/// The query of a GET and the body of a POST have one parser.
pub(crate) fn form(bytes: &[u8]) {
    let Ok(parameters) = Parameters::parse(bytes) else { return };
    let again = Parameters::parse(bytes).expect("the parser gives the same answer twice");
    assert!(parameters == again);
    let count = bytes.iter().filter(|byte| **byte == b'&').count();
    assert!(count < 64, "more parameters than allowed");
    for name in ["client_id", "redirect_uri", "scope", "state", "code", "resource", "audience"] {
        let values = parameters.values(name).count();
        assert!(values <= 1 || matches!(name, "resource" | "audience"), "{name} has {values} values");
        assert!(parameters.values(name).all(|value| !value.is_empty()), "{name} is empty");
        assert_eq!(parameters.value(name), parameters.values(name).next());
    }
}

/// `scope` (RFC 6749 §3.3).
pub(crate) fn scope(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(scope) = Scope::parse(text) else { return };
    let written = scope.to_string();
    assert!(Scope::parse(&written).is_some_and(|again| again == scope), "{written}");
    assert!(scope.is_within(&scope) && scope.iter().count() <= 256);
}

/// `claims` (OpenID Connect Core §5.5).
pub(crate) fn claims(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(claims) = ClaimsRequest::parse(text) else { return };
    let within = claims.clone().within(&Scope::default());
    assert!(within.is_empty() || !claims.is_empty());
}
