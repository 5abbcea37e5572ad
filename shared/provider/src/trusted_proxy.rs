//! The proxy in front of the server that is trusted to name the client's address.

use crate::Context;
use http::StatusCode;
use jose::constant_time_eq;
use latchkey_http::{Forwarded, Request, Response};
use protocol::Problem;
use std::net::IpAddr;
use types::{Error, ErrorCode};

/// A trusted proxy. It proves itself by a secret, because a client can send every header field that a proxy can send.
#[derive(Clone, Default)]
pub struct TrustedProxy {
    /// The header field with the client's address, in lower case.
    address_field: String,
    /// The secrets of the proxy: two while the secret changes.
    secrets: Vec<String>,
    /// True if a request that did not pass the proxy is refused.
    is_only_way: bool,
}

impl std::fmt::Debug for TrustedProxy {
    /// Hides the secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrustedProxy").field("address_field", &self.address_field).finish_non_exhaustive()
    }
}

impl TrustedProxy {
    /// The setting with the header field.
    pub const ADDRESS_HEADER: &'static str = "LATCHKEY_PROXY_ADDRESS_HEADER";
    /// The setting with the secret.
    pub const SECRET: &'static str = "LATCHKEY_PROXY_SECRET";
    /// The setting that refuses other requests.
    pub const ONLY: &'static str = "LATCHKEY_PROXY_ONLY";
    /// The least length of a secret, in characters.
    pub const LEAST_SECRET: usize = 32;

    /// Returns the proxy of the settings; `None` if they name none. Errors: what is wrong with which setting.
    pub fn of(
        address_field: Option<String>,
        secret: Option<String>,
        is_only_way: bool,
    ) -> Result<Option<Self>, Problem> {
        let (address_field, secret) = match (address_field, secret) {
            (Some(address_field), Some(secret)) => (address_field.to_ascii_lowercase(), secret),
            (None, None) if !is_only_way => return Ok(None),
            (Some(_), None) => {
                return Err(Problem::new(
                    Self::SECRET,
                    "is not set, but LATCHKEY_PROXY_ADDRESS_HEADER is: set the secret that the proxy sends as Latchkey-Proxy-Secret, or neither",
                ));
            }
            (None, _) => {
                return Err(Problem::new(
                    Self::ADDRESS_HEADER,
                    "is not set, but LATCHKEY_PROXY_SECRET or LATCHKEY_PROXY_ONLY is: name the header field in which the proxy sends the client's address, or set none of the three",
                ));
            }
        };
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if !address_field.bytes().all(is_token) || address_field == Forwarded::SECRET {
            return Err(Problem::new(
                Self::ADDRESS_HEADER,
                "is no name of a header field with an address; set one such as CloudFront-Viewer-Address or X-Forwarded-For",
            ));
        }
        let secrets: Vec<String> = secret.split_ascii_whitespace().map(str::to_owned).collect();
        let is_strong =
            |secret: &String| secret.len() >= Self::LEAST_SECRET && secret.bytes().all(|b| b.is_ascii_graphic());
        if secrets.is_empty() || secrets.len() > 2 || !secrets.iter().all(is_strong) {
            return Err(Problem::new(
                Self::SECRET,
                "is not one secret of at least 32 visible ASCII characters, or two of them separated by a space; set one that `openssl rand -base64 32` makes",
            ));
        }
        Ok(Some(Self { address_field, secrets, is_only_way }))
    }

    /// Returns the header field with the client's address, in lower case.
    pub fn address_field(&self) -> &str {
        &self.address_field
    }

    /// True if a secret is that of the proxy. The time depends on lengths alone.
    fn is_proven_by(&self, secret: &str) -> bool {
        let matches = |own: &String| constant_time_eq(own.as_bytes(), secret.as_bytes());
        self.secrets.iter().fold(false, |proven, own| matches(own) | proven)
    }
}

/// Returns the address that a proxy names: the last one of a list, which the proxy itself appended. A port may follow it.
fn address_of(value: &str) -> Option<IpAddr> {
    let last = value.rsplit(',').next()?.trim();
    let address = last.parse::<IpAddr>().ok().or_else(|| {
        // Some proxies write an IPv6 address without brackets before the port.
        let (address, port) = last.rsplit_once(':')?;
        port.parse::<u16>().ok()?;
        address.trim_matches(['[', ']']).parse().ok()
    });
    address.map(|address| address.to_canonical())
}

impl Context {
    /// Sets the client's address to the one that the trusted proxy names. Without the proxy's secret the platform's address
    /// stays. Errors: the response to a request that did not pass the proxy, if only the proxy may call.
    pub(crate) fn set_client_address(&self, request: &mut Request) -> Option<Response> {
        let proxy = self.config.proxy.as_ref()?;
        let Forwarded { secret, address } = std::mem::take(&mut request.forwarded);
        if secret.is_some_and(|secret| proxy.is_proven_by(&secret)) {
            request.address = address.and_then(|address| address_of(&address)).or(request.address);
            return None;
        }
        proxy.is_only_way.then(|| {
            let description = "this server answers requests through its proxy alone; use the address of its issuer";
            let error = Error::new(ErrorCode::AccessDenied, description);
            request.log.error(error.code.as_str(), &error.description);
            Response::json(StatusCode::FORBIDDEN, &error.to_body())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn an_address_is_the_last_of_a_list_without_its_port() {
        for (value, address) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:46532", "192.0.2.1"),
            ("203.0.113.9, 192.0.2.1", "192.0.2.1"),
            ("192.0.2.9,2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]:46532", "2001:db8::1"),
            ("2001:db8:0:0:0:0:0:1:46532", "2001:db8::1"),
            ("2001:db8::1:46532", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(address_of(value), Some(address.parse().unwrap()), "{value}");
        }
        for value in ["", ",", "192.0.2.1,", "unknown", "192.0.2.1:x", "192.0.2", "2001:db8::1]:1:x", "_hidden"] {
            assert_eq!(address_of(value), None, "{value}");
        }
    }

    fn of(address_field: &str, secret: &str, is_only_way: bool) -> Result<Option<TrustedProxy>, String> {
        let set = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let proxy = TrustedProxy::of(set(address_field), set(secret), is_only_way);
        proxy.map_err(|problem| problem.to_string())
    }

    #[test]
    fn settings_are_both_or_none() {
        assert!(of("", "", false).unwrap().is_none());
        assert_eq!(of("X-Address", SECRET, false).unwrap().unwrap().address_field(), "x-address");
        for (address_field, secret, is_only_way, setting) in [
            ("X-Address", "", false, "LATCHKEY_PROXY_SECRET"),
            ("", SECRET, false, "LATCHKEY_PROXY_ADDRESS_HEADER"),
            ("", "", true, "LATCHKEY_PROXY_ADDRESS_HEADER"),
            ("X Address", SECRET, false, "LATCHKEY_PROXY_ADDRESS_HEADER"),
            ("Latchkey-Proxy-Secret", SECRET, false, "LATCHKEY_PROXY_ADDRESS_HEADER"),
            ("X-Address", "short", false, "LATCHKEY_PROXY_SECRET"),
            ("X-Address", &format!("{SECRET} short"), false, "LATCHKEY_PROXY_SECRET"),
            ("X-Address", &format!("{SECRET} {SECRET} {SECRET}"), false, "LATCHKEY_PROXY_SECRET"),
            ("X-Address", &format!("{SECRET}\u{fc}"), false, "LATCHKEY_PROXY_SECRET"),
        ] {
            let problem = of(address_field, secret, is_only_way).unwrap_err();
            assert!(problem.contains(setting) && problem.contains("set"), "{problem}");
            assert!(!problem.contains("0123"), "{problem}");
        }
    }

    #[test]
    fn each_of_two_secrets_proves_the_proxy() {
        let other = SECRET.to_ascii_uppercase();
        let proxy = of("x-address", &format!("{SECRET} {other}"), false).unwrap().unwrap();
        assert!(proxy.is_proven_by(SECRET) && proxy.is_proven_by(&other));
        let long = format!("{SECRET}x");
        for wrong in ["", "0123456789abcdef", &long, &format!("{SECRET} {other}")] {
            assert!(!proxy.is_proven_by(wrong), "{wrong}");
        }
        assert!(!format!("{proxy:?}").contains(SECRET));
    }
}
