//! Administration: the keys of administrators, their scopes, and the tokens that they sign for one request each.

mod key;
mod scope;
mod token;

pub use key::{ADMIN_KEY_LIFETIME, AdminKey, AdminKeyId, AdminPublicKey, Administrator, InvalidAdminKey, NewAdminKey};
pub use scope::{AdminScope, AdminScopes};
pub use token::{
    ADMIN_TOKEN_CLOCK_DIFFERENCE, ADMIN_TOKEN_LIFETIME, ADMIN_TOKEN_MOST_AGE, ADMIN_TOKEN_TYPE, AdminRequest,
    AdminTokenClaims, AdminTokenProblem, token_digest,
};
