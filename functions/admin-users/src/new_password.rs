//! A password, or a user code, that an operator sets. On Workers, the Worker `passwords` judges and hashes it: the list of common passwords and
//! the hash would make this Worker too heavy.

use protocol::{BackchannelRequest, Problem, Username};
use provider::{Context, HandlerError, NewPassword, PasswordVerdict};
use serde_json::{Map, Value, json};

/// Claims that name the user.
const NAMES: [&str; 7] =
    ["name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "email"];

/// Returns the hash of a new password, or what is wrong with it.
pub(crate) async fn hash(
    sent: String,
    username: &Username,
    claims: &Map<String, Value>,
    context: &Context,
) -> Result<Result<String, Problem>, HandlerError> {
    let config = &context.config;
    let names = NAMES.iter().filter_map(|name| claims.get(*name)?.as_str());
    let about = [username.as_str(), config.issuer.as_str(), "latchkey"].into_iter().chain(names);
    let password = NewPassword {
        password: sent,
        minimum: config.passwords.minimum,
        about: about.map(str::to_owned).collect(),
        breached_url: config.passwords.breached_url.clone(),
        may_be_local: !config.is_https(),
    };
    verdict("password", password, context).await
}

/// Returns the hash of a new user code, or what is wrong with it. It is shorter than a password: with it a client may ask the user, and no attacker signs in.
pub(crate) async fn hash_user_code(
    sent: String,
    username: &Username,
    context: &Context,
) -> Result<Result<String, Problem>, HandlerError> {
    let code = NewPassword {
        password: sent,
        minimum: BackchannelRequest::SHORTEST_USER_CODE,
        about: vec![username.as_str().to_owned()],
        breached_url: None,
        may_be_local: false,
    };
    verdict("user_code", code, context).await
}

async fn verdict(
    member: &'static str,
    password: NewPassword,
    context: &Context,
) -> Result<Result<String, Problem>, HandlerError> {
    let PasswordVerdict { hash, problem, report } = judge(password, context).await?;
    if let Some(reason) = report {
        (context.log)(&json!({ "function": "admin-users", "reason": reason }).to_string());
    }
    match (hash, problem) {
        (Some(hash), _) => Ok(Ok(hash)),
        (None, Some(problem)) => Ok(Err(Problem::new(member, problem))),
        (None, None) => Err(HandlerError::unavailable("there is no verdict about the password")),
    }
}

#[cfg(not(target_arch = "wasm32"))]
async fn judge(password: NewPassword, context: &Context) -> Result<PasswordVerdict, HandlerError> {
    password.judge(&context.fetch).await
}

#[cfg(target_arch = "wasm32")]
pub(crate) use bound::{bind, judge};

#[cfg(target_arch = "wasm32")]
mod bound {
    use platform::worker::Service;
    use provider::{Context, HandlerError, NewPassword, PasswordVerdict};
    use worker::Env;

    static PASSWORDS: Service = Service::new("PASSWORDS");

    /// Remembers the Worker `passwords`, if it is bound.
    pub(crate) fn bind(env: &Env) {
        PASSWORDS.bind(env);
    }

    /// Lets the Worker `passwords` judge a password. Errors: 503 if it is not bound, or fails.
    pub(crate) async fn judge(password: NewPassword, _: &Context) -> Result<PasswordVerdict, HandlerError> {
        let message = serde_json::to_string(&password).map_err(HandlerError::unavailable)?;
        let answer = PASSWORDS.call(&message, NewPassword::MAX_MESSAGE).await?;
        types::json::decode(&answer).map_err(HandlerError::unavailable)
    }
}
