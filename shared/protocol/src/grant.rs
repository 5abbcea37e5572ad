//! A grant: one record for a code, every refresh token that follows it, and their revocation.
//!
//! ```text
//! Issued --redeem--> Active --rotate--> Active … --revoke--> Revoked
//! ```
//!
//! The generation of the record arbitrates: each step names the generation it starts from, and the store lets exactly
//! one win. Whoever loses is shown the record as it is, and [`judge_code`] or [`judge_refresh`] says what that means.

use crate::{AuthenticationContext, ClaimsRequest, GrantId, Standing};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::{Scope, Timestamp};

/// What was granted: never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// Who asked.
    pub client_id: String,
    /// Who granted it.
    pub subject: String,
    /// What was granted. A refresh may ask for less, never for more (RFC 6749 §6).
    pub scope: Scope,
    /// Returned in the ID token of the first exchange (OpenID Connect Core §3.1.2.1).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nonce: Option<String>,
    /// How and when the person signed in.
    pub authentication: AuthenticationContext,
    /// The session that it came from; clients know it by another name (`logout::sid_for`).
    pub sid: String,
    /// The resources that were asked for (RFC 8707); none means the deployment's own audience.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub resources: Vec<String>,
    /// Single claims asked for (OpenID Connect Core §5.5).
    #[serde(skip_serializing_if = "ClaimsRequest::is_empty", default)]
    pub claims: ClaimsRequest,
    /// Claims for the ID token, as they were when it was granted.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty", default)]
    pub id_token_claims: serde_json::Map<String, serde_json::Value>,
}

impl Grant {
    /// Whether it outlasts the session that it came from (OpenID Connect Core §11).
    pub fn is_for_offline_use(&self) -> bool {
        self.scope.contains("offline_access")
    }
}

/// Where a grant is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantStatus {
    /// The code is out and not redeemed.
    Issued,
    /// The code was redeemed.
    Active,
    /// Over: nothing made from it is good any more.
    Revoked,
}

/// An access token that was revoked by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedToken {
    /// Its `jti`.
    pub jti: String,
    /// When it would have expired; forgotten from then on.
    pub expires_at: Timestamp,
}

/// What changes of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantState {
    /// Where it is in its life.
    pub status: GrantStatus,
    /// The generation of the live refresh token.
    pub refresh: u32,
    /// The generation of the one before it; 0 when there was none.
    pub previous: u32,
    /// See [`Standing::started_at`].
    pub started_at: Timestamp,
    /// See [`Standing::rotated_at`].
    pub rotated_at: Timestamp,
    /// See [`Standing::refresh_expires_at`].
    pub refresh_expires_at: Timestamp,
    /// See [`Standing::carries`]: as it was when this generation began.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub carries: bool,
    /// Access tokens revoked by themselves.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub revoked: Vec<RevokedToken>,
    /// Access tokens made before this moment are revoked: set when too many were revoked one by one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revoked_before: Option<Timestamp>,
    /// Tells the request that wrote this state apart from every other, so that a write whose answer was lost is known
    /// for one's own when it is tried again.
    pub writer: String,
}

/// How many access tokens of one grant are remembered as revoked before all older ones are.
const MAX_REVOKED: usize = 32;

impl GrantState {
    /// Of a grant whose code was just made.
    pub fn issued(now: Timestamp, writer: String) -> Self {
        Self {
            status: GrantStatus::Issued,
            refresh: 0,
            previous: 0,
            started_at: now,
            rotated_at: now,
            refresh_expires_at: now,
            carries: false,
            revoked: Vec::new(),
            revoked_before: None,
            writer,
        }
    }

    /// Of a grant that is alive from the start, with no code before it and no refresh token after it: one that an
    /// assertion stands for. It must be read before it is replaced, for no token vouches for such a state.
    pub fn active(now: Timestamp, writer: String) -> Self {
        Self { status: GrantStatus::Active, carries: true, ..Self::issued(now, writer) }
    }

    /// The state that a token vouches for: right if and only if the record is still at the token's generation.
    pub fn vouched_by(standing: &Standing) -> Self {
        Self {
            status: if standing.generation == 0 { GrantStatus::Issued } else { GrantStatus::Active },
            refresh: standing.generation,
            previous: standing.previous,
            started_at: standing.started_at,
            rotated_at: standing.rotated_at,
            refresh_expires_at: standing.refresh_expires_at,
            carries: standing.carries,
            revoked: Vec::new(),
            revoked_before: None,
            writer: String::new(),
        }
    }

    /// The standing of tokens made from this state.
    pub fn standing(&self, grant: GrantId) -> Standing {
        Standing {
            grant,
            generation: self.refresh,
            previous: self.previous,
            started_at: self.started_at,
            rotated_at: self.rotated_at,
            refresh_expires_at: self.refresh_expires_at,
            carries: self.carries,
        }
    }

    /// After the code was redeemed (RFC 6749 §4.1.3): generation 1.
    #[must_use]
    pub fn redeemed(&self, now: Timestamp, lifetimes: &RefreshLifetimes, writer: String) -> Self {
        Self { started_at: now, ..self.clone() }.refreshed(0, now, lifetimes, writer)
    }

    /// After a refresh (RFC 6749 §6, RFC 9700 §4.14): a new live refresh token, one generation above the record's.
    #[must_use]
    pub fn refreshed(
        &self,
        record_generation: u32,
        now: Timestamp,
        lifetimes: &RefreshLifetimes,
        writer: String,
    ) -> Self {
        let revoked: Vec<_> = self.revoked.iter().filter(|token| !token.expires_at.is_past(now)).cloned().collect();
        Self {
            status: GrantStatus::Active,
            refresh: record_generation.saturating_add(1),
            previous: self.refresh,
            started_at: self.started_at,
            rotated_at: now,
            refresh_expires_at: lifetimes.end(self.started_at, now),
            carries: !revoked.is_empty() || self.revoked_before.is_some(),
            revoked,
            revoked_before: self.revoked_before,
            writer,
        }
    }

    /// After its end.
    #[must_use]
    pub fn ended(&self, now: Timestamp, writer: String) -> Self {
        Self { status: GrantStatus::Revoked, rotated_at: now, writer, ..self.clone() }
    }

    /// After one of its access tokens was revoked by itself (RFC 7009 §2.1).
    #[must_use]
    pub fn without(&self, token: RevokedToken, now: Timestamp, writer: String) -> Self {
        let mut next = Self { writer, ..self.clone() };
        next.revoked.retain(|known| !known.expires_at.is_past(now) && known.jti != token.jti);
        next.revoked.push(token);
        if next.revoked.len() > MAX_REVOKED {
            // What is forgotten by name dies by its age, and so does what came of it: all of this second and before.
            let oldest = next.revoked.iter().enumerate().min_by_key(|(_, known)| known.expires_at);
            oldest.map(|(index, _)| index).map(|index| next.revoked.remove(index));
            next.revoked_before = Some(Timestamp::from_secs(now.after(Duration::from_secs(1)).as_secs()));
        }
        next
    }

    /// Whether an access token made from this grant is still good.
    pub fn accepts(&self, jti: &str, issued_at: Timestamp) -> bool {
        self.status == GrantStatus::Active
            && self.revoked_before.is_none_or(|before| issued_at >= before)
            && !self.revoked.iter().any(|token| token.jti == jti)
    }
}

/// How long refresh tokens live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshLifetimes {
    /// From redemption to the end of the family, however often it is used.
    pub absolute: Duration,
    /// From one use to the next.
    pub idle: Duration,
}

impl RefreshLifetimes {
    /// When a refresh token made at `now` in a family that began at `started_at` expires; whole seconds.
    fn end(&self, started_at: Timestamp, now: Timestamp) -> Timestamp {
        Timestamp::from_secs(now.after(self.idle).min(started_at.after(self.absolute)).as_secs())
    }
}

/// Redemptions of one code within this time of the first are one client racing itself (a double submit, a retry):
/// refused, but nothing is revoked. A later one is a replay.
pub const RACE: Duration = Duration::from_secs(1);

/// What a second redemption of a code means (RFC 6749 §4.1.2: MUST deny, SHOULD revoke). In either case it is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeVerdict {
    /// One client racing itself. Deny.
    Race,
    /// A replay. Deny, and revoke the grant.
    Replay,
    /// The grant is over already. Deny.
    Ended,
}

/// Judges a redemption that lost to an earlier one.
pub fn judge_code(state: &GrantState, now: Timestamp) -> CodeVerdict {
    match state.status {
        GrantStatus::Revoked => CodeVerdict::Ended,
        _ if now.since(state.started_at) <= RACE => CodeVerdict::Race,
        _ => CodeVerdict::Replay,
    }
}

/// What a refresh token means whose generation is not the record's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshVerdict {
    /// It is the live one; the record moved on for another reason. Rotate from where the record is.
    Live,
    /// It was rotated a moment ago by the same client and sender: a retry. Answer with the same successor.
    Retry,
    /// It was used before (RFC 9700 §4.14.2). Revoke the grant.
    Replay,
    /// The grant is over.
    Ended,
}

/// Judges a refresh token of generation `generation` against the state of its grant.
pub fn judge_refresh(state: &GrantState, generation: u32, now: Timestamp, grace: Duration) -> RefreshVerdict {
    match state.status {
        GrantStatus::Revoked | GrantStatus::Issued => RefreshVerdict::Ended,
        GrantStatus::Active if generation == state.refresh => RefreshVerdict::Live,
        GrantStatus::Active if generation == state.previous && now.since(state.rotated_at) < grace => {
            RefreshVerdict::Retry
        }
        GrantStatus::Active => RefreshVerdict::Replay,
    }
}
