//! What a page tells about the application that asks.

/// A client as shown to a person; the URIs are the client's metadata (RFC 7591 §2). A link that is not http or https, and a
/// logo that is not https, is left out.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClientProfile<'a> {
    /// `client_name`, or the client identifier where it has none.
    pub name: &'a str,
    /// `logo_uri`.
    pub logo_uri: Option<&'a str>,
    /// `client_uri`: the application's home page.
    pub client_uri: Option<&'a str>,
    /// `policy_uri`: its privacy policy.
    pub policy_uri: Option<&'a str>,
    /// `tos_uri`: its terms of service.
    pub tos_uri: Option<&'a str>,
}
