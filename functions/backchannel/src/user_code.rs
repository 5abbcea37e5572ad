//! The user code (CIBA Core §7.1): a user who has one gets requests from those alone to whom the user told it.

use latchkey_http::Request;
use protocol::rate_limit::Quota;
use protocol::{Parameters, Password};
use provider::names::PLATFORM_UNICODE;
use provider::rate_limiter::Allowance;
use provider::{ClientRequest, Context, HandlerError, password_hash, responses};
use storage::users::User;
use types::{Error, ErrorCode};

/// Compares the code of the request with that of the user. Comparisons are limited for each client and user: one costs as much as that of a
/// password. Errors: `missing_user_code`, `invalid_user_code`, 429. Round trips: 0; 1 if the user has a code and the request, too.
pub(crate) async fn check(
    parameters: &Parameters,
    opened: &ClientRequest<'_>,
    user: &User,
    request: &Request,
    context: &Context,
) -> Result<(), HandlerError> {
    let Some(hash) = &user.user_code else { return Ok(()) };
    let client = &opened.stored.client;
    let sent = parameters.value("user_code").filter(|_| client.backchannel_user_code_parameter);
    let missing = "the user has a user code: register backchannel_user_code_parameter, and send it";
    let sent = sent.ok_or_else(|| Error::new(ErrorCode::MissingUserCode, missing))?;
    let names = [client.client_id.as_str(), user.subject.as_str()];
    if let Err(wait) = Allowance::new(context, opened.now, Quota::USER_CODES, "user codes", &names).add().await? {
        let description = "the client sent too many user codes for this user; try again later";
        return Err(responses::too_many(request, wait, description).into());
    }
    let wrong = || Error::new(ErrorCode::InvalidUserCode, "user_code is not that of the user");
    let sent = Password::prepare(sent, &PLATFORM_UNICODE).ok_or_else(wrong)?;
    if password_hash::is_own(sent, hash.clone()).await? { Ok(()) } else { Err(wrong().into()) }
}
