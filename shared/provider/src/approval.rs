//! The approval of a request that comes from another device: its grant, which is active at once.

use crate::sessions::SignedIn;
use crate::{Context, HandlerError, TokenIssuer};
use platform::entropy;
use protocol::{AuthorizationDetails, ClaimsRequest, Grant, GrantState, SessionGroup, StoredClient};
use storage::grants::{self, LiveGrant, Redemption};
use types::{Scope, Timestamp};

/// A request that the user who is signed in approved.
#[derive(Clone, Debug)]
pub struct Approval<'a> {
    /// The client that asks.
    pub client: &'a StoredClient,
    /// The user.
    pub signed_in: &'a SignedIn,
    /// The scope that the user grants.
    pub scope: &'a Scope,
    /// The resources.
    pub resources: &'a [String],
    /// The authorization details (RFC 9396).
    pub authorization_details: &'a AuthorizationDetails,
    /// `acr_values` of the request.
    pub acr_values: &'a [String],
    /// The claims that are requested by name, without those that the user refused.
    pub claims: ClaimsRequest,
    /// The end of the request.
    pub expires_at: Timestamp,
}

impl Approval<'_> {
    /// Creates the grant, and makes it active. `None` if the sign-in does not count any more. Round trips: 2; 1 more if tokens hold claims about
    /// the user.
    pub async fn create_grant(self, context: &Context, now: Timestamp) -> Result<Option<Box<LiveGrant>>, HandlerError> {
        let Self { client, signed_in, scope, resources, authorization_details, acr_values, claims, expires_at } = self;
        let (records, session) = (context.records.as_ref(), &signed_in.session);
        let held = signed_in.token_claims(context, &client.client, scope, resources, &claims).await?;
        let Some(held) = held else { return Ok(None) };
        let grant = Grant {
            client_id: client.client.client_id.clone(),
            subject: session.subject.clone(),
            scope: scope.clone(),
            nonce: None,
            created_at: Some(now),
            authentication: context.configuration.classes.describe(&session.authentication, acr_values, &claims),
            // A session of the device alone: signing out of this browser does not end it.
            session_group: Some(SessionGroup::new(entropy::bytes()?)),
            outlives_session: context.grant_outlives_session(client, resources),
            resources: resources.to_vec(),
            authorization_details: authorization_details.clone(),
            claims,
            id_token_claims: held.id_token,
            operator_claims: held.of_operator,
        };
        let issuer = TokenIssuer { context, client: &client.client, now };
        let id = grants::new_id(&session.subject, entropy::bytes()?);
        let state = GrantState::issued(entropy::name()?);
        let create = grants::create(records, id, &grant, &state, expires_at);
        let (created, ()) = futures::join!(create, context.note_grant(&session.subject, now));
        created?;
        match grants::redeem(records, id, &issuer.grant_update()?).await? {
            Redemption::Redeemed(live) => Ok(Some(live)),
            Redemption::Refused(_) => Err(HandlerError::unavailable("a new grant was redeemed by another request")),
        }
    }
}
