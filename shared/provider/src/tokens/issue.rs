//! Issue of tokens: access tokens, ID tokens, refresh tokens.

use crate::{Context, HandlerError, encrypted};
use keys::Purpose;
use platform::entropy;
use protocol::{
    AccessTokenClaims, AccessTokenFormat, AuthorizationDetails, ClaimDestination, Client, Grant, GrantSnapshot,
    GrantType, IdTokenClaims, Lifetimes, RefreshSender, RefreshToken, RefreshTokenReplay, SealedToken, left_half_hash,
    resource,
};
use serde_json::{Map, Value};
use storage::grants::GrantUpdate;
use types::{Audience, Jti, Nonce, OPAQUE_PREFIX, Scope, Subject, Timestamp};

/// Issues tokens to one client at one time.
#[derive(Clone, Copy)]
pub struct TokenIssuer<'a> {
    /// The deployment.
    pub context: &'a Context,
    /// The client.
    pub client: &'a Client,
    /// The time of issue.
    pub now: Timestamp,
}

/// The values that an ID token binds (OpenID Connect Core §3.1.3.6, §3.3.2.11).
#[derive(Clone, Debug, Default)]
pub struct IdTokenBinding<'a> {
    /// The access token of the same response: `at_hash`.
    pub access_token: Option<&'a str>,
    /// The code of the same response: `c_hash`.
    pub code: Option<&'a str>,
    /// `nonce` of the authorization request.
    pub nonce: Option<&'a Nonce>,
    /// Claims about the user.
    pub profile: Map<String, Value>,
    /// The part that an exchange needs (RFC 8693); none if the ID token cannot be exchanged.
    pub exchange: Option<ExchangeBinding<'a>>,
}

/// The binding of an ID token to the access token of the same response: an exchange yields no more scope than that token
/// has, and nothing after its revocation.
#[derive(Clone, Copy, Debug)]
pub struct ExchangeBinding<'a> {
    /// The snapshot of the grant.
    pub snapshot: &'a GrantSnapshot,
    /// `jti` of the access token.
    pub access_token_jti: &'a Jti,
    /// The scope of the access token.
    pub scope: &'a Scope,
}

impl TokenIssuer<'_> {
    /// Returns the lifetimes of the client's tokens.
    pub fn lifetimes(&self) -> Lifetimes {
        self.client.lifetimes(&self.context.config.lifetimes)
    }

    /// Returns the parameters of a change of one of the client's grants.
    pub fn grant_update(&self) -> Result<GrantUpdate, HandlerError> {
        let lifetimes = self.lifetimes();
        Ok(GrantUpdate {
            now: self.now,
            refresh: self.client.may_use(GrantType::RefreshToken).then_some(lifetimes.refresh),
            access_token: lifetimes.access_token,
            retry: self.context.config.refresh_retry,
            rotates: self.client.rotates_refresh_tokens(),
            replay_revokes: self.client.refresh_token_replay == RefreshTokenReplay::Revoke,
            remembered: self.context.remembered(self.client),
            write_id: entropy::name()?,
        })
    }

    /// Returns the claims of an access token for these resources (RFC 9068 §2.2); for the deployment's audience if there
    /// are none.
    pub fn access_token_claims(
        &self,
        subject: &Subject,
        scope: &Scope,
        resources: &[String],
    ) -> Result<AccessTokenClaims, HandlerError> {
        let config = &self.context.config;
        Ok(AccessTokenClaims {
            iss: config.issuer.clone(),
            sub: subject.clone(),
            aud: Audience::of(resources, &config.audience),
            client_id: self.client.client_id.clone(),
            iat: self.now.as_secs(),
            exp: self.now.after(self.lifetimes().access_token).as_secs(),
            jti: Jti::from_random(entropy::bytes()?),
            scope: resource::meaningful_scope(scope, resources, &self.context.configuration.resources),
            auth_time: None,
            acr: None,
            amr: Vec::new(),
            cnf: None,
            act: None,
            may_act: None,
            authorization_details: AuthorizationDetails::default(),
            parent_jtis: Vec::new(),
            introspection_claims: Vec::new(),
            grant: None,
            user: Map::new(),
        })
    }

    /// Returns the claims of an access token of a grant. `user` has the claims of the user that the operator defined.
    pub fn grant_claims(
        &self,
        grant: &Grant,
        snapshot: &GrantSnapshot,
        scope: &Scope,
        resources: &[String],
        user: &Map<String, Value>,
    ) -> Result<AccessTokenClaims, HandlerError> {
        let subject = self.context.subject_for(self.client, &grant.subject);
        let claims = self.access_token_claims(&subject, scope, resources)?;
        let definitions = &self.context.configuration.claims;
        let released = |destination| definitions.released(destination, self.client, scope, claims.aud.as_slice());
        let authentication = &grant.authentication;
        Ok(AccessTokenClaims {
            auth_time: Some(authentication.auth_time.as_secs()),
            acr: Some(authentication.acr.clone()),
            amr: authentication.amr.clone(),
            introspection_claims: released(ClaimDestination::Introspection).map(str::to_owned).collect(),
            user: definitions.select(released(ClaimDestination::AccessToken), user),
            grant: Some(snapshot.to_claim(&self.context.secrets)),
            ..claims
        })
    }

    /// Returns the access token with these claims: a JWT (RFC 9068), or an opaque token if the client or the resource says
    /// so. Neither is stored: an opaque token is its claims, sealed.
    pub async fn access_token(&self, claims: &AccessTokenClaims) -> Result<String, HandlerError> {
        let known = &self.context.configuration.resources;
        match resource::format(self.client, claims.aud.as_slice(), known) {
            AccessTokenFormat::Jwt => self.signed_access_token(claims).await,
            AccessTokenFormat::Opaque => {
                let json = serde_json::to_vec(claims).map_err(HandlerError::unavailable)?;
                let sealed =
                    self.context.secrets.seal(Purpose::AccessToken, &json).map_err(HandlerError::unavailable)?;
                Ok(format!("{OPAQUE_PREFIX}{sealed}"))
            }
        }
    }

    /// Returns the JWT access token with these claims, as client and resources want it signed (RFC 9068 §2.1).
    pub async fn signed_access_token(&self, claims: &AccessTokenClaims) -> Result<String, HandlerError> {
        let (audiences, known) = (claims.aud.as_slice(), &self.context.configuration.resources);
        let algorithm = resource::signature(self.client, audiences, known);
        self.context.sign(self.client, algorithm, resource::token_type(audiences, known), claims, self.now).await
    }

    /// Returns the ID token of a grant (OpenID Connect Core §2), encrypted if the client is registered for that.
    pub async fn id_token(&self, grant: &Grant, binding: IdTokenBinding<'_>) -> Result<String, HandlerError> {
        let algorithm = self.context.config.signing.signature(self.client.id_token_signed_response_alg, self.client);
        let hash = |token: &str| left_half_hash(algorithm, token);
        let jti = binding.exchange.map(|exchange| {
            format!("{}.{}", exchange.snapshot.to_claim(&self.context.secrets), exchange.access_token_jti.as_str())
        });
        let claims = IdTokenClaims {
            iss: &self.context.config.issuer,
            sub: &self.context.subject_for(self.client, &grant.subject),
            aud: &grant.client_id,
            exp: self.now.after(self.lifetimes().id_token).as_secs(),
            iat: self.now.as_secs(),
            auth_time: grant.authentication.auth_time.as_secs(),
            nonce: binding.nonce,
            acr: &grant.authentication.acr,
            amr: &grant.authentication.amr,
            at_hash: binding.access_token.map(hash),
            c_hash: binding.code.map(hash),
            sid: grant.session_group.map(|group| group.sid(&grant.client_id)),
            jti,
            scope: binding.exchange.map(|exchange| exchange.scope).filter(|scope| **scope != grant.scope),
            profile: &binding.profile,
        };
        // The client's keys were read before the grant was redeemed: an error now is the server's fault.
        let recipient = self.context.id_token_recipient(self.client, self.now).await;
        let recipient = recipient.map_err(HandlerError::unavailable)?;
        encrypted(recipient.as_ref(), self.context.sign(self.client, algorithm, "JWT", &claims, self.now).await?).await
    }

    /// Returns the current refresh token of a grant, for this sender. It follows from both, so a retry gets the same token.
    pub fn refresh_token(&self, snapshot: GrantSnapshot, sender: RefreshSender) -> SealedToken {
        RefreshToken { snapshot, sender }.seal(&self.context.secrets, &self.client.client_id)
    }
}
