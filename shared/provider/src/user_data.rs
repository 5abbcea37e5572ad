//! All that is stored about a user, for the user and for an operator who answers a request for it.

use serde_json::{Value, json};
use storage::account::Account;
use storage::passkeys::StoredPasskey;
use storage::sessions::ListedSession;
use storage::users::User;
use types::Timestamp;

/// Returns the profile, sessions, consents, grants and sign-in methods of a user. Times are in seconds since the epoch. The document holds no
/// credential and no token, and no identifier of a session.
pub fn export(user: &User, account: &Account, now: Timestamp) -> Value {
    let changes = user.address_changes.iter().map(|change| json!({ "at": change.at.as_secs(), "old": change.old }));
    json!({
        "exported_at": now.as_secs(),
        "sub": user.subject,
        "username": user.username,
        "external_id": user.external_id,
        "disabled": user.disabled,
        "has_user_code": user.user_code.is_some(),
        "claims": user.claims,
        "address_changes": changes.collect::<Vec<_>>(),
        "sign_in_methods": sign_in_methods(account),
        "sessions": account.sessions.iter().map(session).collect::<Vec<_>>(),
        "consents": account.consents,
        "grants": account.grants,
    })
}

/// Returns the passkeys and the second factor of a user.
pub fn sign_in_methods(account: &Account) -> Value {
    let app = account.second_factor.as_ref().map(
        |factor| json!({ "since": factor.created_at.as_secs(), "recovery_codes_left": factor.recovery_codes.len() }),
    );
    json!({ "passkeys": account.passkeys.iter().map(passkey).collect::<Vec<_>>(), "authenticator_app": app })
}

fn passkey(stored: &StoredPasskey) -> Value {
    json!({
        "name": stored.usage.name,
        "created_at": stored.passkey.created_at.as_secs(),
        "last_used_on": stored.usage.last_used_on.map(|day| day.as_secs()),
        "is_synchronised": stored.usage.backed_up,
    })
}

fn session(listed: &ListedSession) -> Value {
    json!({
        "signed_in_at": listed.session.authentication.auth_time.as_secs(),
        "expires_at": listed.expires_at.map(|expires_at| expires_at.as_secs()),
        "browser": listed.session.browser,
        "acr": listed.session.authentication.acr,
        "amr": listed.session.authentication.amr,
    })
}
