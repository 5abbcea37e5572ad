//! HTTP requests and responses as every platform hands them to a function. No I/O and no OAuth.

mod accept;
mod certificate;
pub mod cookie;
mod forwarded;
mod limits;
mod log;
mod request;
mod response;

pub use certificate::{CertificateChain, ClientCertificate};
pub use forwarded::{Forwarded, ProxyFields};
pub use limits::{MAX_BODY, MAX_QUERY};
pub use log::{LogMembers, RequestLog};
pub use request::{DPOP, Request};
pub use response::Response;
