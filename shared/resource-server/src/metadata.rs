//! Protected resource metadata (RFC 9728).

use http::{HeaderValue, Method, Response, StatusCode, header};
use serde::Serialize;
use types::Algorithm;
use url::Url;

/// `Cache-Control` of the metadata.
const CACHE: &str = "public, max-age=300";

/// Path of the metadata, which precedes the path of the resource (RFC 9728 §3).
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The metadata of an API (RFC 9728 §2). They have no `jwks_uri`, because the API has no keys: the keys of access tokens are
/// the authorization server's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ResourceMetadata {
    /// `resource`: the identifier of the API.
    pub resource: String,
    /// `authorization_servers`: the issuers whose tokens the API accepts.
    pub authorization_servers: Vec<String>,
    /// `scopes_supported`: the scopes of the API.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// `bearer_methods_supported`: the header alone.
    pub bearer_methods_supported: [&'static str; 1],
    /// `dpop_signing_alg_values_supported`: the algorithms of DPoP proofs.
    pub dpop_signing_alg_values_supported: Vec<&'static str>,
    /// `dpop_bound_access_tokens_required`: true if each token must be bound to a key.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dpop_bound_access_tokens_required: bool,
    /// `authorization_details_types_supported`: the types of authorization details that the API understands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details_types_supported: Vec<String>,
    /// `tls_client_certificate_bound_access_tokens`: true if each token must be bound to a client certificate.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tls_client_certificate_bound_access_tokens: bool,
    /// `resource_name`: the name of the API that is shown to users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
}

impl ResourceMetadata {
    /// Returns the metadata of an API that accepts the tokens of one issuer.
    pub fn new(resource: &str, issuer: &str) -> Self {
        Self {
            resource: resource.to_owned(),
            authorization_servers: vec![issuer.to_owned()],
            scopes_supported: Vec::new(),
            bearer_methods_supported: ["header"],
            dpop_signing_alg_values_supported: Algorithm::DPOP.map(Algorithm::as_str).to_vec(),
            dpop_bound_access_tokens_required: false,
            authorization_details_types_supported: Vec::new(),
            tls_client_certificate_bound_access_tokens: false,
            resource_name: None,
        }
    }

    /// Returns the metadata as `application/json`.
    pub fn to_json(&self) -> String {
        // Strings always serialize.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Returns the response to a request for the metadata (RFC 9728 §3.2), which pages of any origin may read.
    pub fn respond(&self, method: &Method) -> Response<String> {
        let (status, body) = match *method {
            Method::GET | Method::HEAD => (StatusCode::OK, self.to_json()),
            Method::OPTIONS => (StatusCode::NO_CONTENT, String::new()),
            _ => (StatusCode::METHOD_NOT_ALLOWED, String::new()),
        };
        let has_body = !body.is_empty();
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
        set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        set(header::ACCESS_CONTROL_ALLOW_HEADERS, "*");
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(header::ALLOW, "GET, HEAD, OPTIONS");
        if has_body {
            set(header::CONTENT_TYPE, "application/json");
            set(header::CACHE_CONTROL, CACHE);
        }
        if *method == Method::HEAD {
            response.body_mut().clear();
        }
        response
    }
}

/// Returns the URL of the metadata of a resource: the well-known path goes between host and path (RFC 9728 §3.1). `None` if the
/// identifier has no host.
pub fn url_of(resource: &str) -> Option<String> {
    let url = Url::parse(resource).ok().filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))?;
    Some(format!("{}{}", url.origin().ascii_serialization(), path_of(&url)))
}

/// Returns the path of the metadata of a resource.
pub fn path(resource: &str) -> Option<String> {
    Url::parse(resource).ok().map(|url| path_of(&url))
}

fn path_of(url: &Url) -> String {
    let path = if url.path() == "/" { "" } else { url.path() };
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{WELL_KNOWN}{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9728 §3.1.
    #[test]
    fn the_well_known_path_goes_between_host_and_path() {
        for (resource, url) in [
            ("https://api.example", Some("https://api.example/.well-known/oauth-protected-resource")),
            ("https://api.example/", Some("https://api.example/.well-known/oauth-protected-resource")),
            ("https://api.example/a/b", Some("https://api.example/.well-known/oauth-protected-resource/a/b")),
            ("https://api.example/a?b=c", Some("https://api.example/.well-known/oauth-protected-resource/a?b=c")),
            (
                "http://localhost:8787/demo-api",
                Some("http://localhost:8787/.well-known/oauth-protected-resource/demo-api"),
            ),
            ("urn:example:api", None),
            ("api", None),
        ] {
            assert_eq!(url_of(resource).as_deref(), url, "{resource}");
        }
    }
}
