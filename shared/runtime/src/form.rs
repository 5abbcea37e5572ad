//! Parameters of a request, from its query or its body.

use crate::{Fault, Request, Response};
use http::{Method, StatusCode, header};
use protocol::{Error, ErrorCode, Parameters};

impl Request {
    /// The parameters: of a GET from the query, of a POST from the body, which must be a form.
    pub fn parameters(&self) -> Result<Parameters, Error> {
        if self.method == Method::POST { self.form() } else { Parameters::parse(self.query.as_bytes()) }
    }

    /// The parameters of the body, which must be a form (RFC 6749 §3.2, appendix B).
    pub fn form(&self) -> Result<Parameters, Error> {
        if !self.has_content_type("application/x-www-form-urlencoded") {
            return Err(Error::invalid_request("the body must be application/x-www-form-urlencoded"));
        }
        Parameters::parse(&self.body)
    }

    /// The Authorization header; one that is repeated or not visible ASCII is refused.
    pub fn authorization(&self) -> Result<Option<&str>, Error> {
        if !self.headers.contains_key(header::AUTHORIZATION) {
            return Ok(None);
        }
        let value = self.header(&header::AUTHORIZATION);
        value
            .map(Some)
            .ok_or_else(|| Error::invalid_request("the Authorization header is repeated or not visible ASCII"))
    }
}

impl Response {
    /// An error of the protocol, as JSON (RFC 6749 §5.2). A failed client authentication names the scheme.
    pub fn error(error: &Error) -> Self {
        let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = Self::json(status, &error.to_body()).with(header::PRAGMA, "no-cache");
        if error.code == ErrorCode::InvalidClient {
            response = response.with(header::WWW_AUTHENTICATE, "Basic realm=\"latchkey\", charset=\"UTF-8\"");
        }
        response.failed(error)
    }

    /// Notes an error for the log.
    #[must_use]
    pub fn failed(mut self, error: &Error) -> Self {
        self.outcome.error = Some(error.code.as_str().to_owned());
        self.outcome.reason = Some(error.description.clone().into_owned());
        self
    }

    /// Notes the client for the log.
    #[must_use]
    pub fn of_client(mut self, client_id: &str) -> Self {
        self.outcome.client = Some(client_id.to_owned());
        self
    }
}

/// Why a function did not answer as it was asked to.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// The request is at fault.
    Error(Error),
    /// We are.
    Fault(Fault),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl<T: Into<Fault>> From<T> for Refusal {
    fn from(fault: T) -> Self {
        Self::Fault(fault.into())
    }
}

impl Refusal {
    /// As JSON, when the request is at fault.
    pub fn into_json(self) -> Result<Response, Fault> {
        match self {
            Self::Error(error) => Ok(Response::error(&error)),
            Self::Fault(fault) => Err(fault),
        }
    }
}
