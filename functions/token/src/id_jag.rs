//! Issue of an ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant §4.3): this server is the identity provider, and the client
//! acts for a user of this server at another authorization server.

use crate::TokenRequest;
use crate::issue::TokenResponse;
use crate::token_exchange::Role;
use platform::entropy;
use protocol::id_jag_issue::{self, IdJagClaims, IdJagTarget, IdJagUser};
use protocol::token_exchange::ExchangeRequest;
use protocol::{ID_JAG_TYPE, TokenExchangePolicy, metadata_document};
use provider::HandlerError;
use storage::users;
use types::{ClientId, Error, ErrorCode, Jti, Subject};

/// Exchanges an ID token or refresh token of the client itself for an ID-JAG. Each check of the policy comes before a storage
/// call. Round trips: 1; 2 if the ID-JAG has the user's e-mail address. Errors: those of [`id_jag_issue::decide`];
/// `invalid_request` for a token that is forged, expired, revoked or of another client.
pub(crate) async fn issue(
    request: &TokenRequest<'_>,
    asked: &ExchangeRequest<'_>,
    policy: &TokenExchangePolicy,
) -> Result<TokenResponse, HandlerError> {
    let context = request.context;
    let issuer = &context.config.issuer;
    let decision = id_jag_issue::decide(asked, policy, issuer)?;
    let verified = request.verified(&asked.subject, Role::Identity, policy).await?;
    let active = request.active(verified, Role::Identity).await?;
    // Without openid the user did not sign in to the client.
    let signed_in = active.grant.filter(|live| live.grant.scope.contains("openid"));
    let grant = signed_in.ok_or_else(|| Role::Identity.refusal())?.grant;
    request.spend_assertion_or_proof().await?;
    let subject = subject_at(request, decision.target, &grant.subject).await?;
    let profile = match decision.target.email {
        false => None,
        true => {
            let user = users::find(context.records.as_ref(), &grant.subject).await?;
            let user = user.filter(|user| user.admits(grant.authentication.auth_time));
            Some(user.ok_or_else(|| Role::Identity.refusal())?.profile())
        }
    };
    let user = IdJagUser { subject: &subject, authentication: &grant.authentication, profile: profile.as_ref() };
    let jti = Jti::from_random(entropy::bytes()?);
    let claims = IdJagClaims::new(&decision, user, &active.info, issuer, jti, request.now);
    let algorithm = request.client.client.id_token_signed_response_alg;
    let (id_jag, lifetime) =
        (context.sign(&request.client.client, algorithm, ID_JAG_TYPE, &claims, request.now).await?, claims.lifetime());
    Ok(TokenResponse::of_id_jag(id_jag, lifetime, decision, grant.subject))
}

/// Returns the `sub` of the user as the other authorization server knows it: that of an ID token for it (§3.1). If it signs no
/// users in here, a pairwise client does not learn the public `sub` of the user: the ID-JAG has the one of that server's sector.
async fn subject_at(
    request: &TokenRequest<'_>,
    target: &IdJagTarget,
    subject: &Subject,
) -> Result<Subject, HandlerError> {
    let context = request.context;
    if let Some(relying_party) = &target.relying_party {
        let client = context.client(relying_party, request.now).await?;
        let client = client.ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidTarget,
                "the authorization server that audience names is no client here any more",
            )
        })?;
        return Ok(context.subject_for(&client.client, subject));
    }
    let host = || ClientId::parse(&target.audience).and_then(|audience| metadata_document::host(&audience));
    match request.client.client.pairwise_sector().and_then(|_| host()) {
        Some(sector) => Ok(context.pairwise_subject(&sector, subject)),
        None => Ok(subject.clone()),
    }
}
