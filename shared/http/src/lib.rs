//! HTTP requests and responses as every platform hands them to a function. No I/O and no OAuth.

mod accept;
mod certificate;
pub mod cookie;
mod forwarded;
mod limits;
mod log;
mod request;
mod request_id;
mod response;

pub use certificate::{CertificateChain, ClientCertificate};
pub use forwarded::{Forwarded, ProxyFields};
pub use limits::{MAX_BODY, MAX_QUERY};
pub use log::{LogMembers, RequestLog};
pub use request::{DPOP, INTERACTION_ID, Request};
pub use request_id::RequestId;
pub use response::Response;
