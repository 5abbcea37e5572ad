//! How a client presents its token (RFC 6750 §2).

use crate::Denial;
use http::{HeaderMap, Method, header};

/// What of a request the check looks at.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// The method.
    pub method: &'a Method,
    /// The URL that the client called: absolute, or path and query.
    pub url: &'a str,
    /// The header fields.
    pub headers: &'a HeaderMap,
}

impl<'a> Presented<'a> {
    /// The token, from the Authorization field alone: once (RFC 6750 §2), and never with one in the query as well or
    /// instead, where it ends up in logs and histories (§2.3, RFC 9700 §4.3.2).
    pub(crate) fn token(&self) -> Result<&'a str, Denial> {
        let query = self.url.split('#').next().and_then(|url| url.split_once('?')).map_or("", |(_, query)| query);
        if form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token") {
            return Err(Denial::InvalidRequest(
                "the access token belongs in the Authorization header, not in the query",
            ));
        }
        let mut fields = self.headers.get_all(header::AUTHORIZATION).iter();
        let Some(field) = fields.next() else { return Err(Denial::NoToken) };
        if fields.next().is_some() {
            return Err(Denial::InvalidRequest("there is more than one Authorization header"));
        }
        let malformed = Denial::InvalidRequest("the Authorization header must be Bearer and one access token");
        let field = field.to_str().map_err(|_| malformed.clone())?;
        let (scheme, token) = field.split_once(' ').unwrap_or((field, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            // Another scheme, such as DPoP: nothing that this API can check.
            return Err(Denial::NoToken);
        }
        let token = token.trim_matches(' ');
        if is_token(token) { Ok(token) } else { Err(malformed) }
    }
}

/// `b64token` (RFC 6750 §2.1). Two fields that a proxy joined by a comma are none.
fn is_token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn token(url: &str, fields: &[&[u8]]) -> Result<String, Denial> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(field).unwrap());
        }
        Presented { method: &Method::GET, url, headers: &headers }.token().map(str::to_owned)
    }

    #[test]
    fn the_header_alone_and_once() {
        for field in ["Bearer a.b-c", "bearer a.b-c", "BEARER  a.b-c "] {
            assert_eq!(token("/x?y=access_token", &[field.as_bytes()]).as_deref(), Ok("a.b-c"), "{field}");
        }
        for field in ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer a, Bearer b", "Bearer \"a\"", "Bearer ="]
        {
            assert!(matches!(token("/", &[field.as_bytes()]), Err(Denial::InvalidRequest(_))), "{field}");
        }
        assert!(matches!(token("/", &[b"Bearer \xff"]), Err(Denial::InvalidRequest(_))));
        assert!(matches!(token("/", &[b"Bearer a", b"Bearer a"]), Err(Denial::InvalidRequest(_))));
    }

    #[test]
    fn other_schemes_are_no_token() {
        for field in ["Basic YTpi", "DPoP a", "Bearera", ""] {
            assert_eq!(token("/", &[field.as_bytes()]), Err(Denial::NoToken), "{field}");
        }
        assert_eq!(token("/", &[]), Err(Denial::NoToken));
    }

    #[test]
    fn never_the_query() {
        for url in ["/x?access_token=a", "https://api.example/?b&access%5Ftoken=a#c", "/?access_token"] {
            assert!(matches!(token(url, &[]), Err(Denial::InvalidRequest(_))), "{url}");
            assert!(matches!(token(url, &[b"Bearer a"]), Err(Denial::InvalidRequest(_))), "{url}");
        }
        assert_eq!(token("/x#?access_token=a", &[]), Err(Denial::NoToken));
    }
}
