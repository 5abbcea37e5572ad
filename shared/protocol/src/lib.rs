//! Every rule of the authorization server, pure: no I/O, no clock, no randomness, no platform.

mod authentication;
mod claims;
mod client;
mod error;
mod grant;
mod parameters;
mod pkce;
pub mod redirect_uri;
mod scope;
pub mod sealed_token;
mod time;

pub use authentication::AuthenticationContext;
pub use claims::{ClaimRequest, ClaimsRequest, SCOPE_CLAIMS, STANDARD_SCOPES, is_profile_claim};
pub use client::{
    Algorithm, ApplicationType, Client, ClientAuthenticationMethod, GrantType, Lifetimes, SecretVerifier, StoredClient,
};
pub use error::{Error, ErrorBody, ErrorCode};
pub use grant::{
    CodeVerdict, Grant, GrantId, GrantState, GrantStatus, RACE, RefreshLifetimes, RefreshVerdict, RevokedToken,
    Standing, judge_code, judge_refresh,
};
pub use parameters::Parameters;
pub use pkce::CodeChallenge;
pub use scope::Scope;
pub use sealed_token::{Mac, SealedToken, TokenContent, TokenKind};
pub use time::Timestamp;
