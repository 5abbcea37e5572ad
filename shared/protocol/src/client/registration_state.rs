//! The states of a registration and the transitions between them (RFC 7592).

use serde::{Deserialize, Serialize};

/// The part of a registration that changes: one variant for each state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub enum RegistrationState {
    /// The client can be read, changed and deleted.
    Active(ActiveRegistration),
    /// The client was deleted. The record stays for a while: late requests must not create the client again, and an
    /// interrupted deletion can be finished.
    Ended(EndedRegistration),
}

/// The state as it is stored: one member for the state that applies, beside members that a later version may add.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    active: Option<ActiveRegistration>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    ended: Option<EndedRegistration>,
}

impl From<RegistrationState> for Stored {
    fn from(state: RegistrationState) -> Self {
        match state {
            RegistrationState::Active(active) => Self { active: Some(active), ended: None },
            RegistrationState::Ended(ended) => Self { active: None, ended: Some(ended) },
        }
    }
}

impl TryFrom<Stored> for RegistrationState {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        match stored {
            Stored { active: Some(active), ended: None } => Ok(Self::Active(active)),
            Stored { active: None, ended: Some(ended) } => Ok(Self::Ended(ended)),
            _ => Err("the state of a registration is one of active and ended"),
        }
    }
}

/// The generations of the registration access token that are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidGenerations {
    /// Generation of the newest registration access token.
    pub latest: u32,
    /// Oldest valid generation: the one before the newest, until the newest is used. A client that lost the response to
    /// its update can retry.
    pub oldest: u32,
}

impl ValidGenerations {
    fn contains(self, generation: u32) -> bool {
        (self.oldest..=self.latest).contains(&generation)
    }
}

/// A registration whose client exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveRegistration {
    /// The valid registration access tokens.
    pub tokens: ValidGenerations,
    /// Generation at which the client's secret was created.
    pub secret: u32,
    /// Identifier of the write.
    pub write_id: String,
}

/// A registration whose client was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedRegistration {
    /// The registration access tokens that may repeat the deletion.
    pub tokens: ValidGenerations,
    /// Identifier of the write.
    pub write_id: String,
}

impl RegistrationState {
    /// Returns the state of a new registration.
    pub const fn new(write_id: String) -> Self {
        Self::Active(ActiveRegistration { tokens: ValidGenerations { latest: 0, oldest: 0 }, secret: 0, write_id })
    }

    /// Returns the active registration, if a token of this generation may read and change it.
    pub fn accepting(&self, generation: u32) -> Option<&ActiveRegistration> {
        match self {
            Self::Active(active) if active.tokens.contains(generation) => Some(active),
            Self::Active(_) | Self::Ended(_) => None,
        }
    }

    /// True if a token of this generation may delete the client, or finish an earlier deletion.
    pub fn may_end_with(&self, generation: u32) -> bool {
        match self {
            Self::Active(ActiveRegistration { tokens, .. }) | Self::Ended(EndedRegistration { tokens, .. }) => {
                tokens.contains(generation)
            }
        }
    }

    /// Returns the active registration if it is as it was created.
    pub fn unchanged(&self) -> Option<&ActiveRegistration> {
        match self {
            Self::Active(active) if active.tokens.latest == 0 => Some(active),
            Self::Active(_) | Self::Ended(_) => None,
        }
    }
}

impl ActiveRegistration {
    /// Returns the state after a read with a token of this generation; `None` if it does not change.
    pub fn read_with(&self, generation: u32, write_id: String) -> Option<RegistrationState> {
        let ValidGenerations { latest, oldest } = self.tokens;
        (generation == latest && oldest < latest).then(|| {
            let tokens = ValidGenerations { latest, oldest: latest };
            RegistrationState::Active(Self { tokens, secret: self.secret, write_id })
        })
    }

    /// Returns the state after an update with a token of this generation: a new token follows the newest. An update with
    /// the previous token is a retry, whose response was lost, and gets the same token and the same secret.
    pub fn replaced_with(&self, generation: u32, new_secret: bool, write_id: String) -> RegistrationState {
        if generation != self.tokens.latest {
            return RegistrationState::Active(Self { write_id, ..self.clone() });
        }
        let latest = generation.saturating_add(1);
        let secret = if new_secret { latest } else { self.secret };
        let tokens = ValidGenerations { latest, oldest: generation };
        RegistrationState::Active(Self { tokens, secret, write_id })
    }

    /// Returns the state after the client was deleted.
    pub const fn end(&self, write_id: String) -> RegistrationState {
        RegistrationState::Ended(EndedRegistration { tokens: self.tokens, write_id })
    }
}
