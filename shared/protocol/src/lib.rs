//! Every rule of the authorization server, pure: no I/O, no clock, no randomness, no platform.

pub mod administration;
mod assertion;
mod authentication;
mod authorization;
mod claim_definition;
mod client;
pub mod client_authentication;
mod decoupled;
mod grant;
pub mod id_jag_issue;
mod interaction;
pub mod introspection;
mod jwt;
mod language;
pub mod limits;
mod localized;
pub mod logout;
pub mod mail;
pub mod metadata;
mod parameters;
mod problem;
mod profile;
pub mod rate_limit;
pub mod resource;
mod response;
pub mod sender_constraint;
mod session;
pub mod shape;
mod signing;
mod token;
pub mod token_exchange;
mod user;

pub use assertion::{
    Assertion, AssertionKind, AssertionProblem, AssertionRules, CLOCK_SKEW, ClaimRules, ID_JAG_PROFILE,
    ID_JAG_TOKEN_TYPE, ID_JAG_TYPE, IdJag, MAX_LIFETIME as MAX_ASSERTION_LIFETIME, MappedSubject, SubjectMapping,
    TrustedIssuer, Workload, is_reserved, key_source_problem, single_use_digest,
};
pub use authentication::{
    AuthenticationClass, AuthenticationClasses, AuthenticationContext, AuthenticationDenied, AuthenticationMethod,
    AuthenticationState, CredentialId, MAX_PASSKEYS, PassedFirstFactor, Passkey, PasskeyAssertion, PasskeyKey,
    PasskeyProblem, PasskeyRegistration, PasskeyUse, PasskeyUser, Password, PasswordAttempt, PasswordRules,
    Pbkdf2Digest, RecoveryCode, RelyingParty, ScryptCost, SignedByPasskey, StoredHash, TotpSecret, TotpStep, Transport,
    Unicode, Username, creation_options, request_options,
};
pub use authorization::{
    AuthorizationDetails, AuthorizationDetailsType, AuthorizationDetailsTypes, AuthorizationRequest, ClaimRequest,
    ClaimsRequest, CodeChallenge, ConsentParts, DetailLine, DetailWords, MAX_DETAILS, MAX_DETAILS_DEPTH,
    MAX_DETAILS_ITEMS, MAX_DETAILS_LENGTH, MONTHS, NamedClaim, PUSHED_REQUEST_PREFIX, Prompt, RequestEndpoint,
    RequestObject, SCHEMA_KEYWORDS, SCOPE_CLAIMS, STANDARD_SCOPES, SentRequest, is_profile_claim,
};
pub use claim_definition::{ClaimDefinition, ClaimDefinitions, ClaimDestination, ClaimType};
pub use client::software::SWITCHES as SOFTWARE_SWITCHES;
pub use client::{
    AccessTokenFormat, ApplicationType, BackchannelDelivery, Client, ClientAuthenticationMethod, ClientOrigin,
    GrantType, Lifetimes, Logo, LogoFormat, LogoName, MutualTls, RedirectUri, RefreshTokenReplay, ResponseType,
    ScopeClaims, SecretRotation, SecretVerifier, StoredClient, SubjectType, TokenExchangePolicy, chosen_secret_problem,
    is_secure_url, metadata_document, registration, settings as client_settings, software_statement,
};
pub use client_authentication::ClientCredentials;
pub use decoupled::{
    AskingDevice, BackchannelRequest, DeviceRequest, PollInterval, PollVerdict, REQUEST_NOTIFICATION_TYPE,
    RequestNotificationClaims, UserCode, UserHint, judge_poll, signed_parameters,
};
pub use grant::{
    ActiveGrant, CodeVerdict, Grant, GrantState, RACE, RefreshLifetimes, RefreshVerdict, RetryWindows, RevokedToken,
    excess_grants, grants_are_counted,
};
pub use interaction::{
    AccountPage, ActiveSession, Interaction, NextPrompt, PushedReference, Requested, RequestedAuthorization,
    RequestedBackchannel, RequestedDevice, RequestedPage, SignInReason,
};
pub use language::{Language, LanguageWishes};
pub use parameters::Parameters;
pub use problem::Problem;
pub use profile::Profile;
pub use resource::Resource;
pub use response::{
    AuthorizationResponse, Delivery, PlainResponse, ResponseClaims, ResponseMode, ResponseParameters, ResponseTarget,
    UncheckedTarget, UnsignedResponse,
};
pub use sender_constraint::{ProvenKeys, RefreshSender};
pub use session::{SessionGroup, Sid};
pub use signing::SigningAlgorithms;
pub use token::{
    AccessTokenClaims, AuthReqId, AuthorizationCode, Ceremony, CodeBinding, DecisionId, DeviceCode, GrantId,
    GrantSnapshot, IdTokenClaims, InitialAccessToken, InitialAccessTokenId, KnownBrowser, MAX_TOKEN_LIFETIME, Mac,
    PasskeyChallenge, PushedRequestId, RefreshToken, RegistrationAccessToken, RegistrationId, RequestUri, SealedToken,
    SessionId, SessionToken, SignOutLink, TokenError, UserHandle, left_half_hash,
};
pub use user::{EmailAddress, ExternalId};
