//! The sender of a request, which proves the possession of a key (RFC 9449, RFC 8705).

use crate::{Context, HandlerError};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderName;
use jose::certificate_thumbprint;
use jose::dpop::{DpopProblem, DpopProof, DpopRequest, Nonces, WINDOW};
pub use jose::dpop::{NonceRole, TokenScheme};
use keys::Purpose;
use latchkey_http::{DPOP, Request, Response};
use platform::entropy;
use protocol::ProvenKeys;
use std::time::Duration;
use storage::markers;
use types::{Error, ErrorCode, Thumbprint, Timestamp};

/// The header field of a nonce (RFC 9449 §8.1).
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The longest time for which a proof is accepted: as long as its nonce, or twice the window of `iat`.
const ACCEPTED_FOR: Duration = WINDOW.saturating_mul(4);

/// The requests whose proofs are accepted once (RFC 9449 §11.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProofReplay {
    /// None: a proof is accepted for as long as it is valid.
    Off,
    /// Token requests that nothing else makes single-use.
    #[default]
    Token,
    /// Those, and requests to UserInfo.
    All,
}

impl ProofReplay {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::Off, Self::Token, Self::All];

    /// Returns the name in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Token => "token",
            Self::All => "all",
        }
    }
}

/// The DPoP proof of a request, if it has one: parsed, for the check and for the nonce of the response, but not checked yet.
#[derive(Debug)]
pub struct SentProof<'a> {
    request: &'a Request,
    proof: Result<Option<DpopProof<'a>>, DpopProblem>,
}

impl<'a> SentProof<'a> {
    /// Parses the proof of a request.
    pub fn of(request: &'a Request) -> Self {
        let parse = || match request.header(&DPOP) {
            Some(text) => DpopProof::parse(text).map(Some),
            // A field that is repeated is two proofs (RFC 9449 §4.3 (1)).
            None if request.headers.contains_key(&DPOP) => Err(DpopProblem::Malformed),
            None => Ok(None),
        };
        Self { request, proof: parse() }
    }
}

/// The DPoP proof of a request, if it has one, which fits the request. Its signature is not verified yet.
#[derive(Clone, Copy, Debug)]
pub struct CheckedProof<'a>(Option<&'a DpopProof<'a>>);

impl CheckedProof<'_> {
    /// That of a request whose proof does not matter.
    pub(crate) const NONE: Self = Self(None);

    /// Verifies the signature. Errors: `invalid_dpop_proof`.
    pub async fn verify(self) -> Result<Option<Sender>, Error> {
        let Some(proof) = self.0 else { return Ok(None) };
        proof.verify().await.map_err(refused)?;
        Ok(Some(Sender { key: proof.thumbprint(), proof: proof.digest() }))
    }
}

/// The sender of a request with a verified proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The thumbprint of its key.
    pub key: Thumbprint,
    proof: [u8; 32],
}

/// Returns the keys that the sender of a request proved to possess: that of a verified proof, and the certificate of its TLS connection.
pub fn proven_keys(request: &Request, sender: Option<&Sender>) -> ProvenKeys {
    let certificate = request.certificate.as_ref();
    ProvenKeys {
        dpop: sender.map(|sender| sender.key),
        certificate: certificate.map(|certificate| certificate_thumbprint(certificate.der())),
    }
}

fn replayed() -> Error {
    Error::new(ErrorCode::InvalidDpopProof, "the DPoP proof was used before; make a new one for each request")
}

fn refused(problem: DpopProblem) -> Error {
    let code = match problem {
        DpopProblem::Nonce => ErrorCode::UseDpopNonce,
        _ => ErrorCode::InvalidDpopProof,
    };
    Error::new(code, format!("the DPoP proof is refused: {}", problem.as_str()))
}

impl Context {
    /// Checks everything of a proof but its signature. `access_token` is the token that a request to a resource has. Round trips: 0.
    /// Errors: `invalid_dpop_proof`, `use_dpop_nonce`.
    pub fn check_proof<'p>(
        &self,
        SentProof { request, proof }: &'p SentProof<'_>,
        access_token: Option<&str>,
    ) -> Result<CheckedProof<'p>, Error> {
        let Some(proof) = proof.as_ref().map_err(|problem| refused(*problem))? else { return Ok(CheckedProof(None)) };
        let urls = self.config.endpoint_urls(&request.path);
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        let expected = DpopRequest { method: request.method.as_str(), urls: &urls, access_token };
        proof.check(&expected).map_err(refused)?;
        let role = if access_token.is_some() { NonceRole::ResourceServer } else { NonceRole::AuthorizationServer };
        self.nonces(role, |nonces| nonces.admit(proof, request.received_at)).map_err(refused)?;
        Ok(CheckedProof(Some(proof)))
    }

    /// Marks a proof as used. Round trips: 1. Errors: `invalid_dpop_proof` if it was used before.
    pub async fn spend_proof(&self, sender: &Sender, now: Timestamp) -> Result<(), HandlerError> {
        let (name, forgotten_at) = (URL_SAFE_NO_PAD.encode(sender.proof), now.after(ACCEPTED_FOR));
        let is_first = markers::use_once(self.records.as_ref(), "dpop", &name, forgotten_at, &entropy::name()?).await?;
        if is_first { Ok(()) } else { Err(replayed().into()) }
    }

    fn nonces<T>(&self, role: NonceRole, use_them: impl FnOnce(Nonces<'_>) -> T) -> T {
        let mac = |message: &[u8]| self.secrets.mac(Purpose::Token, &[message]);
        use_them(Nonces::new(self.config.dpop_nonce, role, &mac))
    }

    /// Returns the response with the nonce for the sender's next proof, if the sender needs one (RFC 9449 §8.2). An error becomes its
    /// response, so that it has the nonce, too.
    pub async fn with_dpop_nonce(
        &self,
        SentProof { request, proof }: &SentProof<'_>,
        role: NonceRole,
        answer: impl Future<Output = Result<Response, HandlerError>>,
    ) -> Result<Response, HandlerError> {
        let answer = answer.await;
        let Ok(Some(proof)) = proof else { return answer };
        let offer = |nonces: Nonces<'_>| nonces.offer(proof, request.received_at);
        let Some(nonce) = self.nonces(role, offer) else { return answer };
        let response = answer.unwrap_or_else(|error| error.into_api_response(request, self));
        Ok(response.with(DPOP_NONCE, &nonce))
    }
}
