//! The authorization code grant (RFC 6749 §4.1.3, RFC 7636 §4.6).

use crate::Exchange;
use crate::issue::{Nonce, TokenResponse};
use protocol::{CodeChallenge, CodeVerdict, Error, ErrorCode, TokenKind, sealed_token};
use runtime::Refusal;
use storage::grants::{self, Redemption};

/// Redeems a code: once. A code that is forged, expired, or bound to another client, redirect URI or verifier is
/// refused before any storage is asked.
pub(crate) async fn redeem(exchange: &Exchange<'_>) -> Result<TokenResponse, Refusal> {
    let parameters = exchange.parameters;
    let code = parameters.required("code")?;
    let challenge = parameters.value("code_verifier").map(CodeChallenge::of_verifier).transpose()?;
    let redirect_uri = parameters.required("redirect_uri")?;
    let binding = sealed_token::code_binding(
        &exchange.client.client.client_id,
        redirect_uri,
        challenge.as_ref().map_or("", CodeChallenge::as_str),
    );
    let code = sealed_token::open(&exchange.context.secrets, TokenKind::Code, code, &binding, exchange.now)
        .ok_or_else(|| {
            invalid_grant(
                "the code is unknown or expired, or was issued for another client_id, redirect_uri or code_challenge",
            )
        })?;
    match grants::redeem(exchange.context.records.as_ref(), &code.standing, &exchange.step()?).await? {
        Redemption::Redeemed(live) => {
            let scope = live.grant.scope.clone();
            Ok(exchange.tokens(&live, scope, Nonce::Repeated).await?)
        }
        Redemption::Refused(CodeVerdict::Race) => {
            Err(invalid_grant("the code was redeemed a moment ago by another request; a code is good once").into())
        }
        Redemption::Refused(CodeVerdict::Replay) => {
            Err(invalid_grant("the code was redeemed before; all tokens that came of it are revoked now").into())
        }
        Redemption::Refused(CodeVerdict::Ended) => {
            Err(invalid_grant("the code was redeemed before, or was revoked").into())
        }
    }
}

fn invalid_grant(description: &'static str) -> Error {
    Error::new(ErrorCode::InvalidGrant, description)
}
