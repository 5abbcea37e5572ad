//! The states of a grant and the transitions between them.

use crate::limits::CLOCK_DIFFERENCE;
use crate::{GrantId, GrantSnapshot, RefreshLifetimes};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::{Jti, Timestamp};

/// The part of a grant that changes: one variant for each state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredGrantState", into = "StoredGrantState")]
pub enum GrantState {
    /// The code is issued and not redeemed.
    Issued(IssuedGrant),
    /// The code is redeemed; tokens are live.
    Active(ActiveGrant),
    /// The grant has ended: each code and token of it is rejected.
    Revoked(RevokedGrant),
}

/// The state as it is stored: one member for the state that applies, beside members that a later version may add.
#[derive(Serialize, Deserialize)]
struct StoredGrantState {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    issued: Option<IssuedGrant>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    active: Option<ActiveGrant>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    revoked: Option<RevokedGrant>,
}

impl From<GrantState> for StoredGrantState {
    fn from(state: GrantState) -> Self {
        let none = Self { issued: None, active: None, revoked: None };
        match state {
            GrantState::Issued(issued) => Self { issued: Some(issued), ..none },
            GrantState::Active(active) => Self { active: Some(active), ..none },
            GrantState::Revoked(revoked) => Self { revoked: Some(revoked), ..none },
        }
    }
}

impl TryFrom<StoredGrantState> for GrantState {
    type Error = &'static str;

    fn try_from(stored: StoredGrantState) -> Result<Self, Self::Error> {
        match stored {
            StoredGrantState { issued: Some(issued), active: None, revoked: None } => Ok(Self::Issued(issued)),
            StoredGrantState { issued: None, active: Some(active), revoked: None } => Ok(Self::Active(active)),
            StoredGrantState { issued: None, active: None, revoked: Some(revoked) } => Ok(Self::Revoked(revoked)),
            _ => Err("the state of a grant is one of issued, active and revoked"),
        }
    }
}

/// A grant whose code is not redeemed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedGrant {
    /// Identifier of the write.
    pub write_id: String,
}

/// A grant with live tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveGrant {
    /// The generation of the current refresh token.
    pub refresh: u32,
    /// The generation of the refresh token before it; 0 if there was none.
    pub previous: u32,
    /// Time of the redemption of the code; the absolute lifetime counts from here.
    pub started_at: Timestamp,
    /// Start of this generation; the grace window counts from here.
    pub rotated_at: Timestamp,
    /// Expiry of the refresh token of this generation.
    pub refresh_expires_at: Timestamp,
    /// True if snapshots of this generation must not be written back without reading the record: when it began, the state
    /// had revoked access tokens or members that a snapshot lacks.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub must_read_first: bool,
    /// The access tokens that were revoked one by one.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub revoked: Vec<RevokedToken>,
    /// Access tokens issued before this time are revoked. Set when the list `revoked` is full.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revoked_before: Option<Timestamp>,
    /// Identifier of the write: tells this write from every other, so that a caller whose answer was lost recognizes its
    /// own.
    pub write_id: String,
}

/// A grant that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedGrant {
    /// Time of the revocation.
    pub revoked_at: Timestamp,
    /// Identifier of the write.
    pub write_id: String,
}

/// An access token that was revoked by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedToken {
    /// Its `jti`.
    pub jti: Jti,
    /// Its expiry. The entry is dropped then.
    pub expires_at: Timestamp,
}

/// Maximum number of access tokens of one grant that are revoked one by one.
const MAX_REVOKED: usize = 32;

impl GrantState {
    /// Returns the state of a grant whose code is issued now.
    pub const fn issued(write_id: String) -> Self {
        Self::Issued(IssuedGrant { write_id })
    }

    /// Redeems the code (RFC 6749 §4.1.3): generation 1. `None` unless the code is issued and not redeemed.
    pub fn redeem(&self, now: Timestamp, lifetimes: &RefreshLifetimes, write_id: String) -> Option<ActiveGrant> {
        matches!(self, Self::Issued(_)).then(|| ActiveGrant::redeemed(now, lifetimes, write_id))
    }

    /// Revokes the grant, whatever its state. A revoked grant stays as it is.
    #[must_use]
    pub fn revoke(&self, now: Timestamp, write_id: String) -> Self {
        match self {
            Self::Issued(_) | Self::Active(_) => Self::revoked(now, write_id),
            Self::Revoked(_) => self.clone(),
        }
    }

    /// Returns the state of a grant that is revoked now.
    pub const fn revoked(now: Timestamp, write_id: String) -> Self {
        Self::Revoked(RevokedGrant { revoked_at: now, write_id })
    }

    /// Returns the active grant; `None` in each other state.
    pub const fn active(&self) -> Option<&ActiveGrant> {
        match self {
            Self::Active(active) => Some(active),
            Self::Issued(_) | Self::Revoked(_) => None,
        }
    }

    /// Returns the active grant; `None` in each other state.
    pub fn into_active(self) -> Option<ActiveGrant> {
        match self {
            Self::Active(active) => Some(active),
            Self::Issued(_) | Self::Revoked(_) => None,
        }
    }

    /// True if the grant has ended.
    pub const fn is_revoked(&self) -> bool {
        matches!(self, Self::Revoked(_))
    }

    /// True if an access token of this grant is accepted.
    pub fn accepts(&self, jti: &Jti, issued_at: Timestamp) -> bool {
        self.active().is_some_and(|active| active.accepts(jti, issued_at))
    }
}

impl ActiveGrant {
    fn redeemed(now: Timestamp, lifetimes: &RefreshLifetimes, write_id: String) -> Self {
        Self {
            refresh: 1,
            previous: 0,
            started_at: now,
            rotated_at: now,
            refresh_expires_at: lifetimes.end(now, now),
            must_read_first: false,
            revoked: Vec::new(),
            revoked_before: None,
            write_id,
        }
    }

    /// Returns the state of a grant that is active from the start: it has neither code nor refresh token, such as the grant
    /// of an assertion (RFC 7521 §4.1). No snapshot describes it: it must be read before it is replaced.
    pub const fn without_code(now: Timestamp, write_id: String) -> Self {
        Self {
            refresh: 0,
            previous: 0,
            started_at: now,
            rotated_at: now,
            refresh_expires_at: now,
            must_read_first: true,
            revoked: Vec::new(),
            revoked_before: None,
            write_id,
        }
    }

    /// Returns the state that a snapshot describes: correct if the record is still at the snapshot's generation and
    /// `must_read_first` is false.
    pub const fn from_snapshot(snapshot: &GrantSnapshot) -> Self {
        Self {
            refresh: snapshot.generation,
            previous: snapshot.previous,
            started_at: snapshot.started_at,
            rotated_at: snapshot.rotated_at,
            refresh_expires_at: snapshot.refresh_expires_at,
            must_read_first: snapshot.must_read_first,
            revoked: Vec::new(),
            revoked_before: None,
            write_id: String::new(),
        }
    }

    /// Returns the snapshot for tokens that are issued from this state.
    pub const fn snapshot(&self, grant: GrantId) -> GrantSnapshot {
        GrantSnapshot {
            grant,
            generation: self.refresh,
            previous: self.previous,
            started_at: self.started_at,
            rotated_at: self.rotated_at,
            refresh_expires_at: self.refresh_expires_at,
            must_read_first: self.must_read_first,
        }
    }

    /// Rotates the refresh token of generation `used` (RFC 6749 §6, RFC 9700 §4.14): a new current one, one generation above the
    /// record's. `used` is the current generation, or the one before it if the client did not receive the answer
    /// ([`RefreshVerdict::LostAnswer`](crate::RefreshVerdict::LostAnswer)): no token of the generation between is accepted.
    #[must_use]
    pub fn rotate(
        &self,
        used: u32,
        record_generation: u32,
        now: Timestamp,
        lifetimes: &RefreshLifetimes,
        write_id: String,
    ) -> Self {
        let revoked: Vec<_> = self.revoked.iter().filter(|token| !token.expires_at.is_past(now)).cloned().collect();
        Self {
            refresh: record_generation.saturating_add(1),
            previous: used,
            started_at: self.started_at,
            rotated_at: now,
            refresh_expires_at: lifetimes.end(self.started_at, now),
            must_read_first: !revoked.is_empty() || self.revoked_before.is_some(),
            revoked,
            revoked_before: self.revoked_before,
            write_id,
        }
    }

    /// Revokes one access token (RFC 7009 §2.1).
    #[must_use]
    pub fn revoke_access_token(&self, token: RevokedToken, now: Timestamp, write_id: String) -> Self {
        let mut next = Self { write_id, ..self.clone() };
        next.revoked.retain(|known| !known.expires_at.is_past(now) && known.jti != token.jti);
        next.revoked.push(token);
        if next.revoked.len() > MAX_REVOKED {
            // The list is full: drop the oldest entry and revoke every access token issued up to this second, by the clock of
            // any instance.
            let oldest = next.revoked.iter().enumerate().min_by_key(|(_, known)| known.expires_at);
            oldest.map(|(index, _)| index).map(|index| next.revoked.remove(index));
            let next_second = now.after(CLOCK_DIFFERENCE).after(Duration::from_secs(1));
            next.revoked_before = Some(Timestamp::from_secs(next_second.as_secs()));
        }
        next
    }

    /// True if an access token of this grant is accepted.
    pub fn accepts(&self, jti: &Jti, issued_at: Timestamp) -> bool {
        self.revoked_before.is_none_or(|before| issued_at >= before)
            && !self.revoked.iter().any(|token| token.jti == *jti)
    }
}
