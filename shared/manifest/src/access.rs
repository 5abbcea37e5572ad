//! Record access: which verbs a function may use on which kinds of record.

use std::fmt;

/// One verb of the record store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Reads a record.
    Get,
    /// Writes a new record.
    Create,
    /// Replaces the state of a record.
    Advance,
    /// Removes a record.
    Delete,
    /// Lists the records of an owner.
    List,
    /// Adds to a counter.
    Count,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 6] = [Self::Get, Self::Create, Self::Advance, Self::Delete, Self::List, Self::Count];

    /// The verb in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Create => "create",
            Self::Advance => "advance",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Count => "count",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One kind of record. Each record key starts with the name of its kind and `#`; permissions are given by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// A registered client.
    Client,
    /// The profile of a user, or an entry of the directory of sign-in names.
    User,
    /// The users of an e-mail address or of an external id.
    UserIndex,
    /// A sign-in name with the verifier of its password. Only the sign-in function reads it.
    Credential,
    /// A passkey of a user.
    Passkey,
    /// The second factor of a user: the sealed secret of an authenticator app, and the MACs of recovery codes.
    SecondFactor,
    /// A session: a user signed in, in one browser.
    Session,
    /// The scope that a user granted to a client.
    Consent,
    /// A grant: its code, its refresh tokens, its revocation.
    Grant,
    /// An authorization request that a client pushed (RFC 9126).
    Pushed,
    /// A device authorization (RFC 8628), or the decision of the user about it.
    Device,
    /// The registration of a client that registered itself, or the uses of an initial access token (RFC 7591).
    Registration,
    /// A single-use value that was used, or an access token without a grant that was revoked.
    Marker,
    /// A pending notification of a client that a session has ended.
    Logout,
    /// A recent sign-out of a user from every session.
    SignOut,
    /// A note for the scheduled function: count the live grants of a user.
    GrantCheck,
    /// A counter, for rate limits and quotas.
    Counter,
    /// The sealed signing keys.
    Keys,
    /// The public half of an admin key.
    AdminKey,
    /// The configuration: sections that the operator applies.
    Configuration,
    /// The logo of a client.
    Logo,
    /// A mail that waits to be sent.
    Mail,
}

impl RecordKind {
    /// Every kind.
    pub const ALL: [Self; 22] = [
        Self::Client,
        Self::User,
        Self::UserIndex,
        Self::Credential,
        Self::Passkey,
        Self::SecondFactor,
        Self::Session,
        Self::Consent,
        Self::Grant,
        Self::Pushed,
        Self::Device,
        Self::Registration,
        Self::Marker,
        Self::Logout,
        Self::SignOut,
        Self::GrantCheck,
        Self::Counter,
        Self::Keys,
        Self::AdminKey,
        Self::Configuration,
        Self::Logo,
        Self::Mail,
    ];

    /// The name that record keys of this kind start with.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::User => "user",
            Self::UserIndex => "user-index",
            Self::Credential => "credential",
            Self::Passkey => "passkey",
            Self::SecondFactor => "second-factor",
            Self::Session => "session",
            Self::Consent => "consent",
            Self::Grant => "grant",
            Self::Pushed => "pushed",
            Self::Device => "device",
            Self::Registration => "registration",
            Self::Marker => "marker",
            Self::Logout => "logout",
            Self::SignOut => "signout",
            Self::GrantCheck => "grant-check",
            Self::Counter => "counter",
            Self::Keys => "keys",
            Self::AdminKey => "admin-key",
            Self::Configuration => "configuration",
            Self::Logo => "logo",
            Self::Mail => "mail",
        }
    }

    /// Returns the kind of the record with this key.
    pub fn of_key(key: &str) -> Option<Self> {
        let (name, _) = key.split_once('#')?;
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One kind of owner, whose records [`Verb::List`] returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A bucket of the clients.
    Clients,
    /// A bucket of the users.
    Users,
    /// A user: sessions, consents and grants.
    User,
    /// A bucket of the pending logout notifications.
    Logouts,
    /// A bucket of the recent sign-outs and of the pending checks of grants: what the scheduled function looks at.
    SignOuts,
    /// A bucket of the admin keys.
    AdminKeys,
    /// A bucket of the mails that wait.
    Mails,
}

impl Owner {
    /// The pattern of the owner's names: `*` at the end matches any text.
    pub const fn pattern(self) -> &'static str {
        match self {
            Self::Clients => "clients/*",
            Self::Users => "users/*",
            Self::User => "user#*",
            Self::Logouts => "logouts/*",
            Self::SignOuts => "signouts/*",
            Self::AdminKeys => "admin-keys/*",
            Self::Mails => "mails/*",
        }
    }

    /// The kinds of the records of such an owner.
    pub const fn kinds(self) -> &'static [RecordKind] {
        match self {
            Self::Clients => &[RecordKind::Client],
            Self::Users => &[RecordKind::User],
            Self::User => &[
                RecordKind::User,
                RecordKind::Session,
                RecordKind::Consent,
                RecordKind::Grant,
                RecordKind::Passkey,
                RecordKind::SecondFactor,
            ],
            Self::Logouts => &[RecordKind::Logout],
            Self::SignOuts => &[RecordKind::SignOut, RecordKind::GrantCheck],
            Self::AdminKeys => &[RecordKind::AdminKey],
            Self::Mails => &[RecordKind::Mail],
        }
    }

    /// True if an owner of this kind can have the name.
    pub fn matches(self, name: &str) -> bool {
        let pattern = self.pattern();
        pattern.strip_suffix('*').map_or(name == pattern, |start| name.starts_with(start))
    }
}

/// The verbs that a function may use on the records of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The kind of record.
    pub kind: RecordKind,
    /// The verbs, in the order of [`Verb::ALL`]; never [`Verb::List`], which is a matter of owners.
    pub verbs: &'static [Verb],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_kind() {
        for kind in RecordKind::ALL {
            assert_eq!(RecordKind::of_key(&format!("{kind}#00ff#id")), Some(kind));
        }
        assert_eq!(RecordKind::of_key("clients#00ff#id"), None);
        assert_eq!(RecordKind::of_key("client"), None);
    }

    #[test]
    fn an_owner_matches_its_own_names_alone() {
        assert!(Owner::Clients.matches("clients/b7") && !Owner::Clients.matches("clients"));
        assert!(Owner::User.matches("user#ada") && !Owner::User.matches("users/b7"));
    }
}
