//! Request objects: an authorization request as a JWT (RFC 9101, OpenID Connect Core §6).

use crate::jwt::{self, NotNow};
use crate::{Client, Parameters};
use serde_json::{Map, Value};
use types::{Error, ErrorCode, RequestObjectAlgorithm, Timestamp};

/// Where references of pushed requests begin (RFC 9126 §2.2).
pub const PUSHED_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// The longest `request_uri` (RFC 9101 §5.2).
pub const MAX_REQUEST_URI: usize = 512;

/// The `typ` of a request object (RFC 9101 §10.8). OpenID Connect Core knows none: `JWT` and none at all are good too;
/// what says that it is something else is not.
pub const TYPES: &[&str] = &["oauth-authz-req+jwt", "JWT"];

/// Whether the client may sign its request objects so; `None` stands for not at all. Unsigned ones are for clients that
/// are registered for them alone, by name (OpenID Connect Core §6.1).
pub fn check_algorithm(client: &Client, algorithm: Option<types::Algorithm>) -> Result<(), Error> {
    let registered = client.request_object_signing_alg;
    if algorithm.is_none() {
        return match registered {
            Some(RequestObjectAlgorithm::None) if !client.require_signed_request_object => Ok(()),
            None if client.jwks.is_none() && client.jwks_uri.is_none() => Err(Error::new(
                ErrorCode::RequestNotSupported,
                "this client is not registered for request objects: it has neither keys nor request_object_signing_alg",
            )),
            _ => Err(invalid("the request object is not signed, and this client's must be")),
        };
    }
    match registered {
        Some(registered) if registered.signature() != algorithm => {
            Err(invalid("the request object is not signed with the client's request_object_signing_alg"))
        }
        _ => Ok(()),
    }
}

/// The parameters that a request object holds: these, and nothing of what was sent beside it, make the request
/// (RFC 9101 §6.3).
pub fn parameters(
    mut claims: Map<String, Value>,
    client_id: &str,
    issuer: &str,
    now: Timestamp,
) -> Result<Parameters, Error> {
    if claims.contains_key("request") || claims.contains_key("request_uri") {
        return Err(invalid("a request object must hold neither request nor request_uri (RFC 9101 section 4)"));
    }
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("client_id") != Some(client_id) {
        return Err(invalid("client_id of the request object is not the client's (RFC 9101 section 5)"));
    }
    if claims.contains_key("iss") && text("iss") != Some(client_id) {
        return Err(invalid("iss of the request object is not the client"));
    }
    if text("sub") == Some(client_id) {
        return Err(invalid(
            "sub of the request object is the client: it could pass for a client assertion (RFC 9101 section 10.8)",
        ));
    }
    if !jwt::is_for(&claims, issuer) {
        return Err(invalid("aud of the request object is not this issuer"));
    }
    jwt::check_time(&claims, now).map_err(|problem| match problem {
        NotNow::Unreadable => invalid("exp and nbf of a request object are seconds since the epoch"),
        NotNow::Expired => invalid("the request object has expired"),
        NotNow::TooEarly => invalid("the request object is not good yet"),
    })?;
    for name in ["iss", "aud", "sub", "exp", "nbf", "iat", "jti"] {
        claims.remove(name);
    }
    Parameters::from_members(&claims)
}

/// Whether the client registered the URI for request objects (OpenID Connect Registration §2); a fragment, which stands
/// for the content's hash, may differ.
pub fn is_registered(client: &Client, request_uri: &str) -> bool {
    client.request_uris.iter().any(|known| without_fragment(known) == without_fragment(request_uri))
}

fn without_fragment(uri: &str) -> &str {
    uri.split('#').next().unwrap_or_default()
}

/// `invalid_request_object`, explained.
pub fn invalid(description: &'static str) -> Error {
    Error::new(ErrorCode::InvalidRequestObject, description)
}
