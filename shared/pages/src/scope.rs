//! The meaning of the standard scopes for a user (OpenID Connect Core 1.0 §5.4, §11).

/// Returns the access that a standard scope gives a client; `None` for every other scope.
pub fn scope_meaning(scope: &str) -> Option<&'static str> {
    Some(match scope {
        "openid" => "Know who you are: a stable identifier of your account",
        "profile" => "See your profile: name, picture, birthday, language and the like",
        "email" => "See your e-mail address, and whether it is verified",
        "address" => "See your postal address",
        "phone" => "See your phone number, and whether it is verified",
        "offline_access" => "Keep this access while you are away, until you withdraw it",
        _ => return None,
    })
}
