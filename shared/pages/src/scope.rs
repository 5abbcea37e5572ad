//! The meaning of the standard scopes for a user (OpenID Connect Core 1.0 §5.4, §11).

/// Returns the access that a standard scope gives a client; `None` for every other scope, and for `openid`, which pages do not
/// show.
pub fn scope_meaning(scope: &str) -> Option<&'static str> {
    Some(match scope {
        "profile" => "See your profile: name, picture, birthday, language and the like",
        "email" => "See your e-mail address, and whether it is verified",
        "address" => "See your postal address",
        "phone" => "See your phone number, and whether it is verified",
        "offline_access" => "Keep this access while you are away, until you withdraw it",
        _ => return None,
    })
}

/// Returns what a client learns by a claim about the user (OpenID Connect Core §5.1); `None` for a claim of another kind.
pub fn claim_meaning(claim: &str) -> Option<&'static str> {
    Some(match claim {
        "name" => "your full name",
        "given_name" => "your first name",
        "family_name" => "your last name",
        "middle_name" => "your middle name",
        "nickname" => "your nickname",
        "preferred_username" => "your username",
        "profile" => "the address of your profile page",
        "picture" => "your picture",
        "website" => "the address of your website",
        "gender" => "your gender",
        "birthdate" => "your birthday",
        "zoneinfo" => "your time zone",
        "locale" => "your language",
        "updated_at" => "when your profile last changed",
        "email" => "your e-mail address",
        "email_verified" => "whether your e-mail address is verified",
        "address" => "your postal address",
        "phone_number" => "your phone number",
        "phone_number_verified" => "whether your phone number is verified",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_standard_claim_has_words() {
        for claim in protocol::SCOPE_CLAIMS.iter().flat_map(|(_, claims)| *claims) {
            assert!(claim_meaning(claim).is_some(), "{claim}");
        }
    }
}
