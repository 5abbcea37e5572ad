//! The frame of a page: what every page has, whatever it shows.

use protocol::Language;

/// The frame of a page. The caller makes it once for each response, from the request and the deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Nonce, new for each response: 128 random bits or more, base64url.
    pub nonce: String,
    /// The language of the page.
    pub language: Language,
}
