//! A password, or a user code, that an operator sets.

use protocol::{BackchannelRequest, Problem, Username};
use provider::{Context, HandlerError, NewPassword};
use serde_json::{Map, Value};

/// Returns the hash of a new password, or what is wrong with it.
pub(crate) async fn hash(
    sent: String,
    username: &Username,
    claims: &Map<String, Value>,
    context: &Context,
) -> Result<Result<String, Problem>, HandlerError> {
    let password = NewPassword::of_user(sent, username.as_str(), claims, &context.config);
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
    Ok(password.hash("admin-users", context).await?.map_err(|problem| Problem::new(member, problem)))
}
