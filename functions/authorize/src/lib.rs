//! The authorization endpoint (RFC 6749 §3.1).
