//! Limits on the size of a request.

/// Maximum length of a body, in bytes. A platform stops reading there and hands over what it has; the request is then
/// rejected.
pub const MAX_BODY: usize = 64 * 1024;

/// Maximum length of a query, in bytes. API Gateway accepts 10,240 bytes for the request line and all header values
/// together; this limit leaves 3,000 bytes for the headers.
pub const MAX_QUERY: usize = 7 * 1024;
