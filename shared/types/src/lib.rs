#![doc = include_str!("../README.md")]

mod algorithm;
mod audience;
mod cache;
mod certificate;
mod client_id;
mod confirmation;
pub mod der;
mod error;
mod identifier;
mod issuer;
pub mod json;
mod jti;
mod nonce;
pub mod remote_url;
mod scope;
mod subject;
mod timestamp;
mod token;

pub use algorithm::{Algorithm, ContentEncryption, KeyManagementAlgorithm, RequestObjectAlgorithm, UnknownAlgorithm};
pub use audience::Audience;
pub use cache::BoundedCache;
pub use certificate::{Certificate, CertificateSubject, DistinguishedName};
pub use client_id::ClientId;
pub use confirmation::{Confirmation, Thumbprint};
pub use error::{Error, ErrorBody, ErrorCode};
pub use identifier::InvalidIdentifier;
pub use issuer::Issuer;
pub use jti::Jti;
pub use nonce::Nonce;
pub use scope::Scope;
pub use subject::Subject;
pub use timestamp::Timestamp;
pub use token::{ACCESS_TOKEN_TYPE, OPAQUE_PREFIX};
