//! The authorization code grant (RFC 6749 §4.1.3, RFC 7636 §4.6).

use crate::issue::{IdTokenUse, TokenResponse};
use crate::{TokenRequest, restored};
use protocol::{AuthorizationCode, CodeBinding, CodeChallenge, CodeVerdict, GrantId};
use provider::HandlerError;
use storage::grants::{self, Redemption};
use types::Error;

/// Redeems a code, once. A code that is forged, expired, of another epoch, or bound to another client, redirect URI or
/// verifier is rejected without a storage call.
pub(crate) async fn redeem(request: &TokenRequest<'_>) -> Result<TokenResponse, HandlerError> {
    let parameters = request.parameters;
    let code = parameters.required("code")?;
    let challenge = parameters.value("code_verifier").map(CodeChallenge::of_verifier).transpose()?;
    let redirect_uri = match (parameters.value("redirect_uri"), &challenge) {
        (None, Some(_)) => None,
        _ => Some(parameters.required("redirect_uri")?),
    };
    let binding = CodeBinding {
        client_id: &request.client.client.client_id,
        redirect_uri,
        code_challenge: challenge.as_ref().map_or("", CodeChallenge::as_str),
        dpop_jkt: request.sender.as_ref().map(|sender| &sender.key),
    };
    let invalid = || {
        Error::invalid_grant(
            "the code is unknown or expired, or was issued for another client_id, redirect_uri, code_challenge or dpop_jkt",
        )
    };
    let code = AuthorizationCode::open(&request.context.secrets, code, binding, request.now)
        .map_err(|reason| HandlerError::of_token(reason, invalid(), restored("the code")))?;
    if !request.client.existed_at(code.issued_at) {
        return Err(invalid().into());
    }
    check_part(request, code.grant).await?;
    request.spend_assertion().await?;
    match grants::redeem(request.context.records.as_ref(), code.grant, &request.issuer().grant_update()?).await? {
        Redemption::Redeemed(live) => {
            let part = request.narrowed(&live.grant)?;
            Ok(request.tokens(&live, &live.grant.scope, &part, IdTokenUse::First).await?)
        }
        Redemption::Refused(CodeVerdict::Race) => {
            Err(Error::invalid_grant("the code was redeemed a moment ago by another request; a code is good once")
                .into())
        }
        Redemption::Refused(CodeVerdict::Replay) => {
            request.record_code_replay();
            Err(Error::invalid_grant("the code was redeemed before; all tokens that came of it are revoked now").into())
        }
        Redemption::Refused(CodeVerdict::Ended) => {
            Err(Error::invalid_grant("the code was redeemed before, or was revoked").into())
        }
    }
}

/// Checks that the requested resources and details were granted (RFC 8707 §2.2, RFC 9396 §6). The check comes before the redemption, so a
/// mistake does not cost the client its code. Round trips: 1; 0 if the request names neither.
async fn check_part(request: &TokenRequest<'_>, grant: GrantId) -> Result<(), HandlerError> {
    if !request.is_narrowing() {
        return Ok(());
    }
    let live = grants::find(request.context.records.as_ref(), grant).await?;
    let live = live.ok_or_else(|| Error::invalid_grant("the code was redeemed before, or was revoked"))?;
    request.narrowed(&live.grant)?;
    Ok(())
}
