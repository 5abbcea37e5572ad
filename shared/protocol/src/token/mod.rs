//! Tokens: one type for each kind.
//!
//! | kind | prefix | names | bound to |
//! |---|---|---|---|
//! | authorization code | `lkc_` | the grant | client, redirect URI, code challenge |
//! | refresh token | `lkr_` | the grant, with a snapshot of its state | client |
//! | session cookie | `lks_` | the session | |
//! | known browser | `lkb_` | the counter of its attempts | account |
//! | device code | `lkd_` | the decision of the user | client |
//! | `auth_req_id` of a backchannel request | `lkq_` | the decision of the user | client |
//! | `request_uri` of a pushed request | `lkp_` | the pushed request | client |
//! | initial access token | `lki_` | the record that counts its uses | |
//! | registration access token | `lkg_` | the registration | client |
//! | sign-out link | `lkl_` | the logout request, encrypted | browser |
//! | challenge of a passkey | `lpc_` | the mark of its use | ceremony, browser, user who registers a passkey |
//! | access token | `lka_` if opaque | the grant, with a snapshot of its state | |
//!
//! Each token has the epoch in which it was issued. Only a known browser and a registration access token are valid in
//! another epoch.

mod access_token;
mod auth_req_id;
mod authorization_code;
mod bytes;
mod device_code;
mod id_token;
mod initial_access_token;
mod known_browser;
mod passkey_challenge;
mod record_id;
mod reference;
mod refresh_token;
mod registration_access_token;
mod request_uri;
mod sealed;
mod session;
mod sign_out_link;
mod snapshot;

pub use access_token::{AccessTokenClaims, MAX_TOKEN_LIFETIME};
pub use auth_req_id::AuthReqId;
pub use authorization_code::{AuthorizationCode, CodeBinding};
pub use device_code::DeviceCode;
pub use id_token::{IdTokenClaims, left_half_hash};
pub use initial_access_token::InitialAccessToken;
pub use known_browser::KnownBrowser;
pub use passkey_challenge::{Ceremony, PasskeyChallenge};
pub use record_id::{
    DecisionId, GrantId, InitialAccessTokenId, PushedRequestId, RegistrationId, SessionId, UserHandle,
};
pub use refresh_token::RefreshToken;
pub use registration_access_token::RegistrationAccessToken;
pub use request_uri::RequestUri;
pub use sealed::{Mac, SealedToken, TokenError};
pub use session::SessionToken;
pub use sign_out_link::SignOutLink;
pub use snapshot::GrantSnapshot;
