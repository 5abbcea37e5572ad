//! The header fields by which a proxy names the client of a request.

use std::fmt;

/// The names of the header fields of a trusted proxy, in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyFields<'a> {
    /// The field with the client's address.
    pub address: &'a str,
    /// The field with the certificate of the client's TLS connection, if the proxy asks clients for one.
    pub certificate: Option<&'a str>,
}

/// The fields of a proxy in front of the server. A client can send them, too: nothing here is verified.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// The value of [`Self::SECRET`], by which the proxy proves itself.
    pub secret: Option<String>,
    /// The value of [`ProxyFields::address`].
    pub address: Option<String>,
    /// The value of [`ProxyFields::certificate`].
    pub certificate: Option<String>,
}

impl Forwarded {
    /// The header field with the proxy's secret.
    pub const SECRET: &'static str = "latchkey-proxy-secret";

    /// Reads the fields of a request by the platform's lookup. Without a configured proxy it reads nothing.
    pub fn read(fields: Option<ProxyFields<'_>>, lookup: impl Fn(&str) -> Option<String>) -> Self {
        let Some(ProxyFields { address, certificate }) = fields else { return Self::default() };
        Self { secret: lookup(Self::SECRET), address: lookup(address), certificate: certificate.and_then(lookup) }
    }
}

impl fmt::Debug for Forwarded {
    /// Hides the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarded").field("address", &self.address).finish_non_exhaustive()
    }
}
