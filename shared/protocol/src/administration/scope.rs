//! Scopes of admin keys.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// A scope: the requests to the admin API that a key may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "&'static str")]
pub enum AdminScope {
    /// Reads clients.
    ClientsRead,
    /// Reads and changes clients, and issues initial access tokens.
    ClientsWrite,
    /// Reads users and their consents.
    UsersRead,
    /// Reads and changes users, and ends their sessions, grants and consents.
    UsersWrite,
    /// Reads the public signing keys.
    KeysRead,
    /// Reads, rotates and replaces the signing keys.
    KeysWrite,
    /// Reads the admin keys.
    AdminKeysRead,
    /// Reads, creates and revokes admin keys.
    AdminKeysWrite,
    /// Reads the configuration.
    ConfigurationRead,
    /// Reads and applies the configuration.
    ConfigurationWrite,
    /// Everything, also what later versions add.
    All,
}

impl AdminScope {
    /// Every scope.
    pub const ALL: [Self; 11] = [
        Self::ClientsRead,
        Self::ClientsWrite,
        Self::UsersRead,
        Self::UsersWrite,
        Self::KeysRead,
        Self::KeysWrite,
        Self::AdminKeysRead,
        Self::AdminKeysWrite,
        Self::ConfigurationRead,
        Self::ConfigurationWrite,
        Self::All,
    ];

    /// Returns the scope as it is on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientsRead => "clients:read",
            Self::ClientsWrite => "clients:write",
            Self::UsersRead => "users:read",
            Self::UsersWrite => "users:write",
            Self::KeysRead => "keys:read",
            Self::KeysWrite => "keys:write",
            Self::AdminKeysRead => "admin-keys:read",
            Self::AdminKeysWrite => "admin-keys:write",
            Self::ConfigurationRead => "configuration:read",
            Self::ConfigurationWrite => "configuration:write",
            Self::All => "all",
        }
    }

    /// Returns the names of all scopes.
    pub fn names() -> Vec<&'static str> {
        Self::ALL.map(Self::as_str).to_vec()
    }

    /// Returns the scope of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }

    /// True if the scope allows what `needed` allows. Writing includes reading.
    pub const fn includes(self, needed: Self) -> bool {
        match self {
            Self::All => true,
            Self::ClientsWrite => matches!(needed, Self::ClientsWrite | Self::ClientsRead),
            Self::UsersWrite => matches!(needed, Self::UsersWrite | Self::UsersRead),
            Self::KeysWrite => matches!(needed, Self::KeysWrite | Self::KeysRead),
            Self::AdminKeysWrite => matches!(needed, Self::AdminKeysWrite | Self::AdminKeysRead),
            Self::ConfigurationWrite => matches!(needed, Self::ConfigurationWrite | Self::ConfigurationRead),
            Self::ClientsRead => matches!(needed, Self::ClientsRead),
            Self::UsersRead => matches!(needed, Self::UsersRead),
            Self::KeysRead => matches!(needed, Self::KeysRead),
            Self::AdminKeysRead => matches!(needed, Self::AdminKeysRead),
            Self::ConfigurationRead => matches!(needed, Self::ConfigurationRead),
        }
    }
}

impl From<AdminScope> for &'static str {
    fn from(scope: AdminScope) -> Self {
        scope.as_str()
    }
}

impl fmt::Display for AdminScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The scopes of a key. A name that this version does not know is left out when they are read: it allows nothing here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct AdminScopes(Vec<AdminScope>);

impl AdminScopes {
    /// Returns these scopes, sorted and without repetitions.
    pub fn new(scopes: impl IntoIterator<Item = AdminScope>) -> Self {
        let mut scopes: Vec<AdminScope> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        Self(scopes)
    }

    /// True if they allow nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the scopes.
    pub fn iter(&self) -> impl Iterator<Item = AdminScope> {
        self.0.iter().copied()
    }

    /// True if they allow what `needed` allows.
    pub fn allow(&self, needed: AdminScope) -> bool {
        self.iter().any(|scope| scope.includes(needed))
    }

    /// Returns the scopes of `others` that these do not include.
    pub fn lack(&self, others: &Self) -> Vec<AdminScope> {
        others.iter().filter(|scope| !self.allow(*scope)).collect()
    }
}

impl<'de> Deserialize<'de> for AdminScopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        Ok(Self::new(names.iter().filter_map(|name| AdminScope::parse(name))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_scope_has_one_name() {
        for scope in AdminScope::ALL {
            assert_eq!(AdminScope::parse(scope.as_str()), Some(scope));
        }
        for other in ["", "clients", "clients:", "ALL", "clients:read ", "*"] {
            assert_eq!(AdminScope::parse(other), None, "{other:?}");
        }
    }

    /// Of two scopes one includes the other only if it is `all`, or writes what the other reads.
    #[test]
    fn writing_includes_reading_and_nothing_else() {
        for scope in AdminScope::ALL {
            for needed in AdminScope::ALL {
                let reads_the_same = needed.as_str().strip_suffix(":read") == scope.as_str().strip_suffix(":write")
                    && needed.as_str().ends_with(":read");
                let expected = scope == needed || scope == AdminScope::All || reads_the_same;
                assert_eq!(scope.includes(needed), expected, "{scope} {needed}");
            }
        }
    }

    /// All single scopes together are less than `all`, which includes the scopes of later versions.
    #[test]
    fn scopes_that_are_lacking_are_named() {
        let single = AdminScopes::new(AdminScope::ALL.into_iter().filter(|scope| *scope != AdminScope::All));
        let all = AdminScopes::new([AdminScope::All]);
        assert_eq!(single.lack(&all), [AdminScope::All]);
        assert_eq!(all.lack(&single), []);
        let writer = AdminScopes::new([AdminScope::ClientsWrite]);
        let reader = AdminScopes::new([AdminScope::ClientsRead, AdminScope::UsersRead]);
        assert_eq!(writer.lack(&reader), [AdminScope::UsersRead]);
        assert_eq!(AdminScopes::new([]).lack(&writer), [AdminScope::ClientsWrite]);
    }

    #[test]
    fn a_scope_of_a_later_version_is_left_out() {
        let scopes: AdminScopes = serde_json::from_value(json!(["users:read", "audit:read", "all:now"])).unwrap();
        assert_eq!(scopes, AdminScopes::new([AdminScope::UsersRead]));
        assert_eq!(serde_json::to_value(&scopes).unwrap(), json!(["users:read"]));
    }
}
