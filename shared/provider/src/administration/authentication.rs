//! Authentication of administrators: a JWT that an admin key signed for this request.

use crate::{Context, HandlerError};
use jose::{Algorithm, Jwt, PublicKey, VerificationKey};
use latchkey_http::Request;
use protocol::administration::{ADMIN_TOKEN_TYPE, AdminKeyId, AdminPublicKey, AdminRequest, Administrator};

/// The reason for which a token is rejected, for the administrator.
pub(super) struct Rejection(pub(super) String);

impl Rejection {
    pub(super) fn new(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

/// Authenticates a request by its token. `of_deployment` are the keys in the settings, which may do everything.
///
/// A right token is accepted also from a network that sent too many wrong ones. So a key of the store is read for each token that
/// names it, as a client is read for each `client_id` that a request names.
///
/// Round trips: 1 for a key of the store. A token for another request, another deployment or another time costs none.
pub(super) async fn administrator(
    token: &str,
    of_deployment: &[AdminPublicKey],
    request: &Request,
    context: &Context,
) -> Result<Result<Administrator, Rejection>, HandlerError> {
    let jwt = Jwt::parse(token).filter(|jwt| jwt.typ_is(ADMIN_TOKEN_TYPE) && jwt.header().alg == Algorithm::EdDSA);
    let kid = jwt.as_ref().and_then(|jwt| AdminKeyId::parse(jwt.header().kid.as_deref()?));
    let (Some(jwt), Some(kid)) = (jwt, kid) else {
        let reason = "an admin token is needed: a JWT of the type admin-request+jwt, signed by an admin key (EdDSA)";
        return Ok(Err(Rejection::new(reason)));
    };
    let now = request.received_at;
    let bound = AdminRequest {
        method: request.method.as_str(),
        path: &request.path,
        query: &request.query,
        body: &request.body,
    };
    // The claims are checked before the signature, because that needs no key. Nothing else uses them.
    if let Err(problem) = bound.check(&jwt.unverified_claims().unwrap_or_default(), &context.config.issuer, now) {
        return Ok(Err(Rejection(problem.to_string())));
    }
    let (key, administrator, end) = match of_deployment.iter().find(|key| key.id() == kid) {
        Some(key) => (*key, Administrator::of_deployment(kid), None),
        None => match storage::admin_keys::find(&*context.records, &kid).await? {
            Some(stored) => {
                let key = stored.key;
                let end = match stored.revoked_at {
                    Some(_) => Some("the admin key is revoked"),
                    None => key.expires_at.is_past(now).then_some("the admin key has expired"),
                };
                let administrator = Administrator { key: kid, scopes: key.scopes, expires_at: Some(key.expires_at) };
                (key.public_key, administrator, end)
            }
            None => return Ok(Err(unknown())),
        },
    };
    if !is_signed_by(key, &jwt).await {
        return Ok(Err(unknown()));
    }
    Ok(match end {
        Some(reason) => Err(Rejection::new(reason)),
        None => Ok(administrator),
    })
}

fn unknown() -> Rejection {
    Rejection::new("the token is signed by no admin key of this deployment")
}

async fn is_signed_by(key: AdminPublicKey, jwt: &Jwt<'_>) -> bool {
    let public = PublicKey::Ed25519 { x: key.to_bytes() };
    match jose::platform().verifier(Algorithm::EdDSA, &public).await {
        Ok(verifier) => VerificationKey::new("", Algorithm::EdDSA, verifier).verify(jwt).await.is_some(),
        Err(_) => false,
    }
}
