//! The parameters of a request.

use http::Method;
use latchkey_http::Request;
use protocol::Parameters;
use types::Error;

/// Reading of parameters from a request.
pub trait RequestParameters {
    /// Returns the parameters: of a GET from the query, of a POST from the body, which must be a form. Errors:
    /// `invalid_request`.
    fn parameters(&self) -> Result<Parameters, Error>;

    /// Returns the parameters of the body, which must be a form (RFC 6749 §3.2, appendix B). Errors: `invalid_request`.
    fn form(&self) -> Result<Parameters, Error>;
}

impl RequestParameters for Request {
    fn parameters(&self) -> Result<Parameters, Error> {
        if self.method == Method::POST { self.form() } else { Parameters::parse(self.query.as_bytes()) }
    }

    fn form(&self) -> Result<Parameters, Error> {
        if !self.has_content_type("application/x-www-form-urlencoded") {
            return Err(Error::invalid_request("the body must be application/x-www-form-urlencoded"));
        }
        Parameters::parse(&self.body)
    }
}
