//! Client credentials: RFC 6749 §4.4.

use suite::{TokenRequest, Tokens, jwt, service, userinfo};

fn scope(tokens: &Tokens) -> Vec<String> {
    let mut scope: Vec<_> = tokens.text("scope").unwrap_or_default().split(' ').map(str::to_owned).collect();
    scope.sort();
    scope
}

/// RFC 6749 §4.4.2: a client gets a token for itself.
#[test]
fn a_client_gets_a_token_for_itself() {
    let tokens = TokenRequest::client_credentials(&service()).set("scope", "read").tokens();
    let token = jwt::verify(tokens.access());
    assert_eq!(token.text("sub"), "demo-service", "RFC 9068 §2.2");
    assert_eq!(token.text("client_id"), "demo-service");
    assert_eq!(token.text("scope"), "read");
}

/// RFC 6749 §4.4.3: "A refresh token SHOULD NOT be included"; without a user there is no ID token.
#[test]
fn there_is_no_refresh_token_and_no_id_token() {
    for scope in ["", "read", "read write", "read openid offline_access"] {
        let tokens = TokenRequest::client_credentials(&service()).set("scope", scope).send();
        if tokens.status == 400 {
            tokens.expect_error(400, "invalid_scope");
            continue;
        }
        let document = tokens.expect(200).json();
        assert!(document.get("refresh_token").is_none() && document.get("id_token").is_none(), "{document}");
    }
}

/// RFC 6749 §3.3: without `scope` the client gets what it is registered for.
#[test]
fn the_default_scope_is_the_registered_one() {
    assert_eq!(
        scope(&TokenRequest::client_credentials(&service()).tokens()),
        ["demo:read", "demo:write", "read", "write"]
    );
}

/// RFC 6749 §3.3: it gets what it asks for, and the order does not matter.
#[test]
fn a_part_of_the_scope_can_be_asked_for() {
    assert_eq!(scope(&TokenRequest::client_credentials(&service()).set("scope", "write").tokens()), ["write"]);
    assert_eq!(
        scope(&TokenRequest::client_credentials(&service()).set("scope", "write read write").tokens()),
        ["read", "write"]
    );
}

/// RFC 6749 §5.2: a scope that the client may not have is `invalid_scope`.
#[test]
fn a_foreign_scope_is_refused() {
    for scope in ["admin", "READ", "read\"", "\u{fc}", "openid profile"] {
        TokenRequest::client_credentials(&service()).set("scope", scope).send().expect_error(400, "invalid_scope");
    }
}

/// RFC 9700 §4.15: a token of the client itself is not accepted as a token of a user.
#[test]
fn the_token_opens_no_userinfo() {
    let tokens = TokenRequest::client_credentials(&service()).tokens();
    let reply = userinfo(tokens.access());
    assert!(matches!(reply.status, 401 | 403), "{reply:?}");
}

/// RFC 6749 §10.10: no two tokens are the same.
#[test]
fn tokens_differ() {
    let (one, two) =
        (TokenRequest::client_credentials(&service()).tokens(), TokenRequest::client_credentials(&service()).tokens());
    assert_ne!(jwt::verify(one.access()).text("jti"), jwt::verify(two.access()).text("jti"));
}
