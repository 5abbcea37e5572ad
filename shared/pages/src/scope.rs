//! What the standard scopes mean to a person (OpenID Connect Core 1.0 §5.4, §11).

/// What a standard scope lets an application do; `None` for any other scope.
pub fn scope_meaning(scope: &str) -> Option<&'static str> {
    Some(match scope {
        "openid" => "Know who you are: a stable identifier of your account",
        "profile" => "See your profile: name, picture, birthday, language and the like",
        "email" => "See your e-mail address, and whether it is verified",
        "address" => "See your postal address",
        "phone" => "See your phone number, and whether it is verified",
        "offline_access" => "Keep this access while you are away, until you take it back",
        _ => return None,
    })
}
