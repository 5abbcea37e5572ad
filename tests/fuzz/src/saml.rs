//! SAML 2.0 assertions (RFC 7522).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use saml::ParsedAssertion;

/// An assertion as XML, and as the parameter that carries it.
pub(crate) fn assertion(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let parsed = ParsedAssertion::parse_xml(text).is_ok();
    let carried = ParsedAssertion::parse(&URL_SAFE_NO_PAD.encode(bytes)).is_ok();
    assert_eq!(parsed, carried, "the parameter and its XML are judged differently");
    let _ = ParsedAssertion::parse(text);
}
