//! The part of a request that presents an access token (RFC 6750 §2).

use crate::AccessError;
use crate::sender::Presented;
use http::{HeaderMap, Method, header};
use jose::dpop::TokenScheme;

/// The parts of a request that the check reads.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a Method,
    /// The URL of the request: absolute, or path and query.
    pub url: &'a str,
    /// The header fields.
    pub headers: &'a HeaderMap,
    /// The certificate of the client's TLS connection, in DER (RFC 8705 §3). Take it from the TLS server, or from the header field of a
    /// proxy that replaces what clients send; never from a field that a client can set.
    pub certificate: Option<&'a [u8]>,
}

impl<'a> RequestHead<'a> {
    /// Returns the token of the Authorization header, which must occur once (RFC 6750 §2). A token in the query is rejected,
    /// because queries end up in logs and histories (§2.3, RFC 9700 §4.3.2).
    pub(crate) fn token(&self) -> Result<Presented<'a>, AccessError> {
        let query = self.url.split('#').next().and_then(|url| url.split_once('?')).map_or("", |(_, query)| query);
        if form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token") {
            return Err(AccessError::InvalidRequest(
                "the access token belongs in the Authorization header, not in the query",
            ));
        }
        let mut fields = self.headers.get_all(header::AUTHORIZATION).iter();
        let Some(field) = fields.next() else { return Err(AccessError::NoToken) };
        if fields.next().is_some() {
            return Err(AccessError::InvalidRequest("there is more than one Authorization header"));
        }
        let malformed =
            AccessError::InvalidRequest("the Authorization header must be Bearer, or DPoP, and one access token");
        let field = field.to_str().map_err(|_| malformed.clone())?;
        let (scheme, token) = field.split_once(' ').unwrap_or((field, ""));
        let schemes = [("bearer", TokenScheme::Bearer), ("dpop", TokenScheme::Dpop)];
        let known = schemes.into_iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name));
        let Some((_, scheme)) = known else { return Err(AccessError::NoToken) };
        let token = token.trim_matches(' ');
        if is_token(token) { Ok(Presented { scheme, token }) } else { Err(malformed) }
    }
}

/// True for a `b64token` (RFC 6750 §2.1), which two fields joined by a proxy with a comma are not.
fn is_token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn token(url: &str, fields: &[&[u8]]) -> Result<String, AccessError> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(field).unwrap());
        }
        RequestHead { method: &Method::GET, url, headers: &headers, certificate: None }
            .token()
            .map(|presented| presented.token.to_owned())
    }

    #[test]
    fn the_header_is_the_only_place_and_occurs_once() {
        for field in ["Bearer a.b-c", "bearer a.b-c", "BEARER  a.b-c ", "DPoP a.b-c", "dPOP a.b-c"] {
            assert_eq!(token("/x?y=access_token", &[field.as_bytes()]).as_deref(), Ok("a.b-c"), "{field}");
        }
        for field in ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer a, Bearer b", "Bearer \"a\"", "Bearer ="]
        {
            assert!(matches!(token("/", &[field.as_bytes()]), Err(AccessError::InvalidRequest(_))), "{field}");
        }
        assert!(matches!(token("/", &[b"Bearer \xff"]), Err(AccessError::InvalidRequest(_))));
        assert!(matches!(token("/", &[b"Bearer a", b"Bearer a"]), Err(AccessError::InvalidRequest(_))));
    }

    #[test]
    fn other_schemes_carry_no_token() {
        for field in ["Basic YTpi", "Bearera", "DPoPa", ""] {
            assert_eq!(token("/", &[field.as_bytes()]), Err(AccessError::NoToken), "{field}");
        }
        assert_eq!(token("/", &[]), Err(AccessError::NoToken));
    }

    #[test]
    fn a_token_in_the_query_is_rejected() {
        for url in ["/x?access_token=a", "https://api.example/?b&access%5Ftoken=a#c", "/?access_token"] {
            assert!(matches!(token(url, &[]), Err(AccessError::InvalidRequest(_))), "{url}");
            assert!(matches!(token(url, &[b"Bearer a"]), Err(AccessError::InvalidRequest(_))), "{url}");
        }
        assert_eq!(token("/x#?access_token=a", &[]), Err(AccessError::NoToken));
    }
}
