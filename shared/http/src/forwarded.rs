//! The header fields by which a proxy names the client of a request.

use std::fmt;

/// The fields of a proxy in front of the server. A client can send them, too: nothing here is verified.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// The value of [`Self::SECRET`], by which the proxy proves itself.
    pub secret: Option<String>,
    /// The value of the configured field that names the client's address.
    pub address: Option<String>,
}

impl Forwarded {
    /// The header field with the proxy's secret.
    pub const SECRET: &'static str = "latchkey-proxy-secret";

    /// Reads both fields of a request by the platform's lookup. Without a configured field it reads nothing.
    pub fn read(address_field: Option<&str>, lookup: impl Fn(&str) -> Option<String>) -> Self {
        match address_field {
            None => Self::default(),
            Some(name) => Self { secret: lookup(Self::SECRET), address: lookup(name) },
        }
    }
}

impl fmt::Debug for Forwarded {
    /// Hides the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarded").field("address", &self.address).finish_non_exhaustive()
    }
}
