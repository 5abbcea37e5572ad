//! Every rule of the authorization server, pure: no I/O, no clock, no randomness, no platform.

mod algorithm;
mod assertion;
mod authentication;
pub mod authorization_request;
mod claims;
mod client;
pub mod client_assertion;
mod client_authentication;
pub mod device;
mod error;
mod grant;
pub mod interaction;
pub mod introspection;
pub mod json;
mod jwt;
pub mod logout;
pub mod metadata;
mod parameters;
mod pkce;
pub mod redirect_uri;
pub mod registration;
pub mod remote_url;
pub mod request_object;
pub mod resource;
mod scope;
pub mod sealed_token;
pub mod software_statement;
mod standing;
pub mod throttle;
mod time;
pub mod token_exchange;
mod tokens;
mod trusted_issuer;

pub use algorithm::{Algorithm, ContentEncryption, KeyManagementAlgorithm, RequestObjectAlgorithm, UnknownAlgorithm};
pub use assertion::{
    Assertion, AssertionProblem, AssertionRules, CLOCK_SKEW, MAX_LIFETIME as MAX_ASSERTION_LIFETIME, single_use_digest,
};
pub use authentication::AuthenticationContext;
pub use authorization_request::{AuthorizationRequest, AuthorizationResponse, ResponseTarget};
pub use claims::{ClaimRequest, ClaimsRequest, SCOPE_CLAIMS, STANDARD_SCOPES, is_profile_claim};
pub use client::{
    AccessTokenFormat, ApplicationType, Client, ClientAuthenticationMethod, GrantType, Lifetimes, ResponseType,
    SecretVerifier, StoredClient, SubjectType, TokenExchangePolicy,
};
pub use client_authentication::{ClientCredentials, UNPROVED};
pub use error::{Error, ErrorBody, ErrorCode};
pub use grant::{
    CodeVerdict, Grant, GrantState, GrantStatus, RACE, RefreshLifetimes, RefreshVerdict, RevokedToken, judge_code,
    judge_refresh,
};
pub use parameters::Parameters;
pub use pkce::CodeChallenge;
pub use resource::{Audience, Resource};
pub use scope::Scope;
pub use sealed_token::{Mac, SealedToken, TokenContent, TokenKind};
pub use standing::{GrantId, Standing};
pub use time::Timestamp;
pub use tokens::{ACCESS_TOKEN_TYPE, AccessTokenClaims, IdTokenClaims, MAX_TOKEN_LIFETIME, OPAQUE_PREFIX, half_hash};
pub use trusted_issuer::{MappedSubject, SubjectMapping, TrustedIssuer, key_source_problem};
