//! The tokens that this server makes: access tokens, ID tokens, refresh tokens.

use crate::{Context, HandlerError, encrypted};
use keys::Purpose;
use platform::entropy;
use protocol::logout::sid_for;
use protocol::{
    AccessTokenClaims, AccessTokenFormat, Client, Grant, GrantType, IdTokenClaims, Lifetimes, SealedToken, Standing,
    TokenContent, TokenKind, half_hash, resource, sealed_token,
};
use storage::grants::GrantUpdate;
use types::{ACCESS_TOKEN_TYPE, Algorithm, Audience, OPAQUE_PREFIX, Scope, Timestamp};

/// Makes tokens for one client, now.
#[derive(Clone, Copy)]
pub struct Issuer<'a> {
    /// The deployment.
    pub context: &'a Context,
    /// Whom the tokens are for.
    pub client: &'a Client,
    /// When they are made.
    pub now: Timestamp,
}

/// What an ID token goes out with; it vouches for each of them (OpenID Connect Core §3.1.3.6, §3.3.2.11).
#[derive(Clone, Copy, Debug, Default)]
pub struct Companions<'a> {
    /// The access token.
    pub access_token: Option<&'a str>,
    /// The code.
    pub code: Option<&'a str>,
    /// The nonce of the request.
    pub nonce: Option<&'a str>,
    /// How the grant stands, when the ID token shall be good for an exchange.
    pub standing: Option<&'a Standing>,
}

impl Issuer<'_> {
    /// The lifetimes of the client's tokens.
    pub fn lifetimes(&self) -> Lifetimes {
        self.client.lifetimes(&self.context.config.lifetimes)
    }

    /// What a step of one of the client's grants is made with.
    pub fn step(&self) -> Result<GrantUpdate, HandlerError> {
        let lifetimes = self.lifetimes();
        Ok(GrantUpdate {
            now: self.now,
            refresh: self.client.may_use(GrantType::RefreshToken).then_some(lifetimes.refresh),
            access_token: lifetimes.access_token,
            grace: self.context.config.refresh_grace,
            remembered: self.context.remembered(self.client),
            write_id: entropy::name()?,
        })
    }

    /// The claims of an access token for these resources (RFC 9068 §2.2); for the deployment's audience when there
    /// are none.
    pub fn access_token_claims(
        &self,
        subject: &str,
        scope: &Scope,
        resources: &[String],
    ) -> Result<AccessTokenClaims, HandlerError> {
        let config = &self.context.config;
        Ok(AccessTokenClaims {
            iss: config.issuer.clone(),
            sub: subject.to_owned(),
            aud: Audience::of(resources, &config.audience),
            client_id: self.client.client_id.clone(),
            iat: self.now.as_secs(),
            exp: self.now.after(self.lifetimes().access_token).as_secs(),
            jti: entropy::name()?,
            scope: resource::meaningful_scope(scope, resources, &config.resources),
            auth_time: None,
            acr: None,
            amr: Vec::new(),
            act: None,
            may_act: None,
            via: Vec::new(),
            grant: None,
        })
    }

    /// The claims of an access token that a grant stands behind.
    pub fn grant_claims(
        &self,
        grant: &Grant,
        standing: &Standing,
        scope: &Scope,
        resources: &[String],
    ) -> Result<AccessTokenClaims, HandlerError> {
        let authentication = &grant.authentication;
        Ok(AccessTokenClaims {
            auth_time: Some(authentication.auth_time.as_secs()),
            acr: Some(authentication.acr.clone()),
            amr: authentication.amr.clone(),
            grant: Some(standing.to_claim(&self.context.secrets)),
            ..self.access_token_claims(&self.context.subject_for(self.client, &grant.subject), scope, resources)?
        })
    }

    /// The access token of these claims: a JWT (RFC 9068), or opaque when client or resource say so. Neither is
    /// written down anywhere: an opaque one is its claims, sealed.
    pub async fn access_token(&self, claims: &AccessTokenClaims) -> Result<String, HandlerError> {
        match resource::format(self.client, claims.aud.as_slice(), &self.context.config.resources) {
            AccessTokenFormat::Jwt => self.context.sign(Algorithm::ES256, ACCESS_TOKEN_TYPE, claims, self.now).await,
            AccessTokenFormat::Opaque => {
                let json = serde_json::to_vec(claims).map_err(HandlerError::unavailable)?;
                let sealed =
                    self.context.secrets.seal(Purpose::AccessToken, &json).map_err(HandlerError::unavailable)?;
                Ok(format!("{OPAQUE_PREFIX}{sealed}"))
            }
        }
    }

    /// The ID token of a grant (OpenID Connect Core §2), encrypted when the client is registered so.
    pub async fn id_token(&self, grant: &Grant, companions: Companions<'_>) -> Result<String, HandlerError> {
        let algorithm = self.client.id_token_signed_response_alg;
        let hash = |token: &str| half_hash(algorithm, token);
        let jti = match companions.standing {
            Some(standing) => Some(format!("{}.{}", standing.to_claim(&self.context.secrets), entropy::name()?)),
            None => None,
        };
        let claims = IdTokenClaims {
            iss: &self.context.config.issuer,
            sub: &self.context.subject_for(self.client, &grant.subject),
            aud: &grant.client_id,
            exp: self.now.after(self.lifetimes().id_token).as_secs(),
            iat: self.now.as_secs(),
            auth_time: grant.authentication.auth_time.as_secs(),
            nonce: companions.nonce,
            acr: &grant.authentication.acr,
            amr: &grant.authentication.amr,
            at_hash: companions.access_token.map(hash),
            c_hash: companions.code.map(hash),
            sid: &sid_for(&grant.client_id, &grant.sid),
            jti,
            profile: &grant.id_token_claims,
        };
        // The client's keys were read before the grant was redeemed; an error now is the server's fault.
        let recipient = self.context.id_token_recipient(self.client, self.now).await;
        let recipient = recipient.map_err(HandlerError::unavailable)?;
        encrypted(recipient.as_ref(), self.context.sign(algorithm, "JWT", &claims, self.now).await?).await
    }

    /// The live refresh token of a grant: derived from its state, so that a retry gets the very same.
    pub fn refresh_token(&self, standing: Standing) -> SealedToken {
        let content = TokenContent { standing, expires_at: standing.refresh_expires_at };
        let binding = sealed_token::refresh_binding(&self.client.client_id);
        sealed_token::seal(&self.context.secrets, TokenKind::RefreshToken, &content, &binding)
    }
}
