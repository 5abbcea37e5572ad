//! The authorization request (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1) and its checks.

mod checks;
mod claims;
mod details;
mod pkce;
mod prompt;
mod request;
mod request_object;

pub use checks::{RequestEndpoint, SentRequest};
pub(crate) use checks::{requested_claims, unmet};
pub use claims::{
    ClaimRequest, ClaimsRequest, ConsentParts, NamedClaim, SCOPE_CLAIMS, STANDARD_SCOPES, is_profile_claim,
};
pub use details::{
    AuthorizationDetails, AuthorizationDetailsType, AuthorizationDetailsTypes, DetailLine, DetailWords, MAX_DETAILS,
    MAX_DETAILS_DEPTH, MAX_DETAILS_ITEMS, MAX_DETAILS_LENGTH, MONTHS, SCHEMA_KEYWORDS,
};
pub use pkce::CodeChallenge;
pub use prompt::Prompt;
pub use request::AuthorizationRequest;
pub use request_object::{PUSHED_REQUEST_PREFIX, RequestObject};
