//! Constants by which an access token is recognized.

/// `typ` of a JWT access token (RFC 9068 §2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// The prefix of an opaque access token.
pub const OPAQUE_PREFIX: &str = "lka_";
