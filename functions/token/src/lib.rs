//! The token endpoint (RFC 6749 §3.2): one file for each grant type.

mod assertion_grant;
mod authorization_code;
mod ciba;
mod client_credentials;
mod device_code;
mod id_jag;
mod issue;
mod jwt_bearer;
mod refresh_token;
mod saml_bearer;
mod saml_check;
mod token_exchange;
mod without_client;

use http::header;
use issue::TokenResponse;
use latchkey_http::{Request, Response};
use protocol::{
    AuthorizationDetails, ClientAuthenticationMethod, DecisionId, Grant, GrantType, Parameters, ProvenKeys,
    StoredClient, resource,
};
use provider::{
    AuditEvent, ClientRequest, Context, Function, HandlerError, NonceRole, ProofReplay, Sender, SentProof, proven_keys,
};
use storage::decisions::{self, Decision};
use types::{Audience, Confirmation, Error, ErrorCode};
use without_client::Party;

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::api("token", |request, context| Box::pin(handle(request, context)));

/// Answers a token request.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let proof = SentProof::of(request);
    context.with_dpop_nonce(&proof, NonceRole::AuthorizationServer, answer(request, context, &proof)).await
}

async fn answer(request: &Request, context: &Context, proof: &SentProof<'_>) -> Result<Response, HandlerError> {
    let parameters = ClientRequest::parameters(request)?;
    let grant_type = grant_type(&parameters, context.configuration.grant_types())?;
    if grant_type == GrantType::JwtBearer {
        if !without_client::names_client(request, &parameters)? {
            let proof = context.check_proof(proof, None)?;
            let party = Party::of(request, context, &parameters).await?;
            let sender = proof.verify().await?;
            context.check_clock(request).await?;
            let keys = proven_keys(request, sender.as_ref());
            let token_request = TokenRequest {
                http: request,
                parameters: &parameters,
                client: &party.client,
                context,
                sender,
                keys,
                confirmation: keys.confirmation(&party.client.client)?,
                evidence: None,
                now: request.received_at,
            };
            token_request.check(grant_type).await?;
            let tokens = party.issue(&token_request).await?;
            return token_request.answer(grant_type, &tokens).await;
        }
        jwt_bearer::introduce(request, context, &parameters).await?;
    }
    let opened = ClientRequest::authenticate(request, context, parameters, proof).await?;
    context.check_clock(request).await?;
    let keys = opened.proven_keys();
    let token_request = TokenRequest {
        http: request,
        parameters: &opened.parameters,
        client: &opened.stored,
        context,
        sender: opened.sender,
        keys,
        confirmation: keys.confirmation(opened.client())?,
        evidence: Some(&opened),
        now: opened.now,
    };
    token_request.check(grant_type).await?;
    let tokens = match grant_type {
        GrantType::AuthorizationCode => authorization_code::redeem(&token_request).await?,
        GrantType::RefreshToken => refresh_token::refresh(&token_request).await?,
        GrantType::ClientCredentials => client_credentials::issue(&token_request).await?,
        GrantType::DeviceCode => device_code::poll(&token_request).await?,
        GrantType::JwtBearer => jwt_bearer::issue(&token_request).await?,
        GrantType::Saml2Bearer => saml_bearer::issue(&token_request).await?,
        GrantType::TokenExchange => token_exchange::exchange(&token_request).await?,
        GrantType::Ciba => ciba::poll(&token_request).await?,
    };
    token_request.answer(grant_type, &tokens).await
}

fn unsupported(description: &'static str) -> Error {
    Error::new(ErrorCode::UnsupportedGrantType, description)
}

/// A token request of an authenticated client.
#[derive(Clone, Copy)]
struct TokenRequest<'a> {
    http: &'a Request,
    parameters: &'a Parameters,
    client: &'a StoredClient,
    context: &'a Context,
    /// The sender, if the request has a DPoP proof.
    sender: Option<Sender>,
    /// The keys that the sender proved to possess.
    keys: ProvenKeys,
    /// `cnf` of the tokens.
    confirmation: Option<Confirmation>,
    /// The client authentication; `None` if the assertion of the grant takes its place.
    evidence: Option<&'a ClientRequest<'a>>,
    now: types::Timestamp,
}

/// The part of a grant that a token is for.
struct GrantPart {
    resources: Vec<String>,
    authorization_details: AuthorizationDetails,
}

impl TokenRequest<'_> {
    /// Returns the response with tokens, and records their issue. Errors: the grant type left the client assertion unmarked.
    async fn answer(&self, grant_type: GrantType, tokens: &TokenResponse) -> Result<Response, HandlerError> {
        if self.evidence.is_some_and(|opened| !opened.is_spent()) {
            return Err(HandlerError::unavailable("a grant type did not mark the client authentication as used"));
        }
        self.record(grant_type, tokens);
        // A fault here must not lose tokens that are issued: the client's next token request repeats the note.
        drop(self.context.note_use(self.client, self.now).await);
        Ok(Response::json(http::StatusCode::OK, tokens).with(header::PRAGMA, "no-cache"))
    }

    /// Checks that the client may use the grant (RFC 6749 §5.2). A metadata document need not list the JWT bearer grant: only
    /// ID-JAGs are for such clients, and the operator's settings of their issuer decide. If the grant can yield an ID token, also
    /// checks that it can be encrypted for the client, before anything is redeemed.
    async fn check(&self, grant_type: GrantType) -> Result<(), HandlerError> {
        let client = &self.client.client;
        let is_introduced = grant_type == GrantType::JwtBearer && self.client.is_document();
        if !client.may_use(grant_type) && !is_introduced {
            let description = format!("the client may not use the {} grant", grant_type.as_str());
            return Err(Error::new(ErrorCode::UnauthorizedClient, description).into());
        }
        if matches!(
            grant_type,
            GrantType::AuthorizationCode | GrantType::RefreshToken | GrantType::DeviceCode | GrantType::Ciba
        ) {
            self.context.id_token_recipient(client, self.now).await?;
        }
        Ok(())
    }

    /// Returns the request with another `cnf` of its tokens: that of a grant or token which is bound to a key.
    const fn bound_to(self, confirmation: Option<Confirmation>) -> Self {
        Self { confirmation, ..self }
    }

    /// Marks the client assertion as used, before anything is redeemed or issued. Round trips: 0 or 1.
    async fn spend_assertion(&self) -> Result<(), HandlerError> {
        self.spend(None).await
    }

    /// Marks the client assertion as used; without one, the proof of the sender (RFC 9449 §11.1), because nothing else makes the
    /// request single-use. Round trips: 0 or 1.
    async fn spend_assertion_or_proof(&self) -> Result<(), HandlerError> {
        let is_single_use = self.client.client.token_endpoint_auth_method == ClientAuthenticationMethod::PrivateKeyJwt;
        let must_spend = !is_single_use && self.context.config.dpop_replay != ProofReplay::Off;
        self.spend(self.sender.as_ref().filter(|_| must_spend)).await
    }

    async fn spend(&self, proof: Option<&Sender>) -> Result<(), HandlerError> {
        match self.evidence {
            Some(opened) => opened.spend(proof).await,
            None => Ok(()),
        }
    }

    /// Returns the part of a grant that a token is for: the resources and details that the request names, or all (RFC 8707 §2.2,
    /// RFC 9396 §6).
    fn narrowed(&self, granted: &Grant) -> Result<GrantPart, Error> {
        let resources = resource::narrowed(self.parameters, &granted.resources, &self.context.config.audience)?;
        let audience = Audience::of(&resources, &self.context.config.audience);
        let authorization_details = self.details(&granted.authorization_details, audience.as_slice())?;
        Ok(GrantPart { resources, authorization_details })
    }

    /// True if the request names resources or details, which must be within the grant.
    fn is_narrowing(&self) -> bool {
        ["resource", "authorization_details"].iter().any(|name| self.parameters.value(name).is_some())
    }

    /// Checks that the requested resources and details are within what the user decided on another device. The check comes before the tokens are
    /// taken, so a mistake does not cost the client its tokens. Round trips: 1; 0 if the poll names neither.
    async fn check_decided_part(&self, id: DecisionId) -> Result<(), HandlerError> {
        if !self.is_narrowing() {
            return Ok(());
        }
        if let Some(Decision::Approved(live)) = decisions::peek(self.context.records.as_ref(), id).await? {
            self.narrowed(&live.grant)?;
        }
        Ok(())
    }

    /// Returns the details that a token for these audiences holds: those that the request names of the granted ones, or all (RFC 9396
    /// §6, §7). Errors: `invalid_authorization_details`.
    fn details(&self, granted: &AuthorizationDetails, audiences: &[String]) -> Result<AuthorizationDetails, Error> {
        let (types, client) = (self.context.configuration.details_types_of(self.client), &self.client.client);
        let part = granted.narrowed(self.parameters)?;
        if self.parameters.value("authorization_details").is_some() {
            part.check_assigned(types, client, audiences)?;
        }
        Ok(part.assigned(types, client, audiences))
    }

    /// Records the audit event of tokens that were issued.
    fn record(&self, grant_type: GrantType, tokens: &TokenResponse) {
        let (client, subject) = (&self.client.client.client_id, tokens.subject.as_ref());
        if let Some((subject, audience)) = tokens.id_jag() {
            return AuditEvent::IdJagIssued { subject, client, audience }.record(self.http);
        }
        let event = match grant_type {
            GrantType::RefreshToken => AuditEvent::TokenRefreshed { subject, client },
            GrantType::TokenExchange => AuditEvent::TokenExchanged { subject, client },
            GrantType::AuthorizationCode
            | GrantType::ClientCredentials
            | GrantType::DeviceCode
            | GrantType::Ciba
            | GrantType::JwtBearer
            | GrantType::Saml2Bearer => AuditEvent::TokenIssued { subject, client, grant_type: grant_type.as_str() },
        };
        event.record(self.http);
    }

    /// Records the audit event of a code or device code that is replayed.
    fn record_code_replay(&self) {
        AuditEvent::CodeReplayed { client: &self.client.client.client_id }.record(self.http);
    }
}

/// Returns the error for a code or refresh token that was issued before the store was restored from a backup. The store may
/// lack its use: it is rejected, and nothing is revoked.
fn restored(token: &str) -> Error {
    Error::invalid_grant(format!(
        "{token} was issued before the authorization server was restored from a backup; the user must sign in again"
    ))
}

fn grant_type(parameters: &Parameters, mut offered: impl Iterator<Item = GrantType>) -> Result<GrantType, Error> {
    let requested = parameters.required("grant_type")?;
    match offered.find(|grant| grant.as_str() == requested) {
        Some(grant) => Ok(grant),
        None if requested == "password" => {
            Err(unsupported("the password grant is refused (RFC 9700 section 2.4); use authorization_code"))
        }
        None if requested == "implicit" => {
            Err(unsupported("the implicit grant is refused (RFC 9700 section 2.1.2); use authorization_code"))
        }
        None => Err(unsupported(
            "grant_type is unknown; grant_types_supported of the metadata document lists those that this server has",
        )),
    }
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    saml_check::bind(&env);
    provider::worker::serve(FUNCTION, request, &env).await
}
