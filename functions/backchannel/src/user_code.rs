//! The user code (CIBA Core §7.1): a user who has one gets requests from those alone to whom the user told it.

use protocol::{Client, Parameters, Password};
use provider::names::PLATFORM_UNICODE;
use provider::{Context, HandlerError, password_hash};
use storage::users::User;
use types::{Error, ErrorCode};

/// Compares the code of the request with that of the user. The client's requests about this user are counted before: they limit the
/// guesses, too. Errors: `missing_user_code`, `invalid_user_code`. Round trips: 0.
pub(crate) async fn check(
    parameters: &Parameters,
    client: &Client,
    user: &User,
    context: &Context,
) -> Result<(), HandlerError> {
    let Some(hash) = &user.user_code else { return Ok(()) };
    let sent = parameters.value("user_code").filter(|_| client.backchannel_user_code_parameter);
    let missing = "the user has a user code: register backchannel_user_code_parameter, and send it";
    let sent = sent.ok_or_else(|| Error::new(ErrorCode::MissingUserCode, missing))?;
    let wrong = || Error::new(ErrorCode::InvalidUserCode, "user_code is not that of the user");
    let sent = Password::prepare(sent, &PLATFORM_UNICODE).ok_or_else(wrong)?;
    let compared = password_hash::compare(sent, Some(hash.clone()), context.config.passwords.hash_work).await?;
    if compared.is_right { Ok(()) } else { Err(wrong().into()) }
}
