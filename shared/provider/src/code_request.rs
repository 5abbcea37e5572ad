//! The answer to an authorization request with a code, after sign-in and consent.

use crate::sessions::SignedIn;
use crate::{
    AuditEvent, Context, HandlerError, IdTokenBinding, TokenIssuer, authorization_response, interactions, responses,
};
use http::StatusCode;
use keys::Purpose;
use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::{
    AuthorizationCode, ClaimDestination, CodeBinding, Grant, GrantState, Interaction, RequestedAuthorization,
    ResponseType, SealedToken, SessionGroup, StoredClient, grants_are_counted,
};
use std::time::Duration;
use storage::grants::{self, CreatedForCode};
use storage::pushed::{self, Answer};
use storage::{grant_checks, markers};
use types::{Error, ErrorCode, Scope, Subject, Timestamp};

/// An authorization request that the user allowed, and that is answered now.
#[derive(Clone, Copy)]
pub struct CodeRequest<'a> {
    /// The HTTP request.
    pub request: &'a Request,
    /// Context of the function.
    pub context: &'a Context,
    /// The interaction of the request.
    pub interaction: &'a Interaction,
    /// The authorization request.
    pub requested: &'a RequestedAuthorization,
    /// The user.
    pub signed_in: &'a SignedIn,
    /// The client.
    pub client: &'a StoredClient,
}

/// The outcome of a request for a code.
enum Outcome {
    /// The tokens of the authorization response.
    Issued { code: SealedToken, id_token: Option<String> },
    /// This user received the code before, and the client redeemed it.
    Answered,
    /// The request was pushed, and another user or browser received the code.
    Used,
}

/// The code of a request.
enum Claimed {
    /// The code that answers the request.
    Code(AuthorizationCode),
    /// See [`Outcome::Answered`].
    Answered,
    /// See [`Outcome::Used`].
    Used,
}

impl CodeRequest<'_> {
    /// Answers the request. A request that a page interrupted has one answer: with "Back", a user gets the same code while it is
    /// unredeemed, and then a page that leads on. If the request demands a sign-in (`prompt=login`, `max_age`) that was used for an earlier
    /// response, the user must sign in again. Errors: the request was pushed, and answered before. Round trips: 1; 1
    /// more for a demanded sign-in, for an ID token with claims of the profile, and for a pushed request each; 2 more if
    /// the request was answered before. Once in half of the lifetime of a shared client, 2 more at the same time. For one code in
    /// 50, 1 more at the same time.
    pub async fn answer(self) -> Result<Response, HandlerError> {
        self.context.check_clock(self.request).await?;
        if !self.claim_sign_in().await? {
            return interactions::ask(self.context, "/login", &self.interaction.clone().sign_in_used());
        }
        let (code, id_token) = match self.issue().await? {
            Outcome::Issued { code, id_token } => (code, id_token),
            Outcome::Answered => return self.show_answered(),
            Outcome::Used => {
                let error = Error::new(ErrorCode::InvalidRequestUri, "this pushed request was answered already");
                return Err(HandlerError::from(error).of_client(self.context, self.client));
            }
        };
        let (subject, client) = (&self.signed_in.session.subject, &self.client.client.client_id);
        AuditEvent::CodeIssued { subject, client }.record(self.request);
        let target = &self.requested.request.target;
        let response = target.code_response(code.expose(), id_token, &self.context.config.issuer);
        let answers = interactions::answers(self.interaction);
        authorization_response::deliver(response, answers, self.request, self.context).await
    }

    /// Shows the page for a user whose request was answered before.
    fn show_answered(self) -> Result<Response, HandlerError> {
        let frame = responses::frame(self.request, self.context)?;
        let client = &self.client.client;
        let start_uri = client.start_uri(&self.context.config.issuer);
        let page = pages::answered(&pages::Answered {
            frame: &frame,
            user: self.signed_in.profile(),
            client: (client.display_name(), start_uri.as_deref()),
        });
        Ok(responses::page(StatusCode::OK, page))
    }

    /// Claims the sign-in that the request demands. Returns true to exactly one caller, or if the request demands none. A
    /// sign-in creates a session, which names it. Round trips: 0 or 1.
    async fn claim_sign_in(self) -> Result<bool, HandlerError> {
        let (session, interaction) = (self.signed_in.id, self.interaction);
        if !interaction.uses_sign_in(session) {
            return Ok(true);
        }
        let write_id = entropy::name()?;
        let expires_at = interaction.expires_at;
        Ok(markers::use_once(self.context.records.as_ref(), "sign-in", &session.name(), expires_at, &write_id).await?)
    }

    /// Creates the grant and issues its code (RFC 6749 §4.1.2), in the hybrid flow with the ID token.
    async fn issue(self) -> Result<Outcome, HandlerError> {
        let Self { context, signed_in, client, .. } = self;
        let request = &self.requested.request;
        let grant = self.grant().await?;
        let extend = context.extend_shared(self.client, self.request.received_at);
        let counted = self.context.note_grant(&grant.subject, self.request.received_at);
        let (code, extended, ()) = futures::join!(self.create(&grant), extend, counted);
        // A fault here must not lose the code: the next code of the client extends its lifetime.
        drop(extended);
        let Some(code) = code? else { return Ok(Outcome::Answered) };
        let code = match self.claim_pushed_request(code, signed_in.session.group).await? {
            Claimed::Code(code) => code,
            Claimed::Answered => return Ok(Outcome::Answered),
            Claimed::Used => return Ok(Outcome::Used),
        };
        let binding = CodeBinding {
            client_id: &request.client_id,
            redirect_uri: Some(request.target.redirect_uri().as_str()),
            code_challenge: request.code_challenge.as_ref().map_or("", |challenge| challenge.as_str()),
            dpop_jkt: request.dpop_jkt.as_ref(),
        };
        let code = code.seal(&context.secrets, binding);
        let id_token = match request.response_type {
            ResponseType::Code => None,
            ResponseType::CodeIdToken => {
                let issuer = TokenIssuer { context, client: &client.client, now: self.request.received_at };
                let definitions = &context.configuration.claims;
                let by_name = definitions.named(ClaimDestination::IdToken, issuer.client, &grant.claims);
                let mut profile = grant.claims.for_id_token(&Scope::default(), &grant.id_token_claims);
                profile.extend(definitions.select(by_name, &grant.operator_claims));
                let binding = IdTokenBinding {
                    code: Some(code.expose()),
                    nonce: request.nonce.as_ref(),
                    profile,
                    ..IdTokenBinding::default()
                };
                Some(issuer.id_token(&grant, binding).await?)
            }
        };
        Ok(Outcome::Issued { code, id_token })
    }

    /// Returns the grant of the request. Round trips: 0; 1 if its tokens hold claims about the user.
    async fn grant(self) -> Result<Grant, HandlerError> {
        let (request, session) = (&self.requested.request, &self.signed_in.session);
        let client = &self.client.client;
        let classes = &self.context.configuration.classes;
        let claims = self
            .signed_in
            .token_claims(self.context, client, &request.scope, &request.resources, &request.claims)
            .await?;
        let Some(claims) = claims else {
            let error = Error::new(ErrorCode::LoginRequired, "the session has ended; the user must sign in");
            return Err(HandlerError::Redirect(Box::new(request.target.clone()), error));
        };
        Ok(Grant {
            client_id: request.client_id.clone(),
            subject: session.subject.clone(),
            scope: request.scope.clone(),
            nonce: request.nonce.clone(),
            created_at: Some(self.request.received_at),
            authentication: classes.describe(&session.authentication, &request.acr_values, &request.claims),
            session_group: Some(session.group),
            outlives_session: self.context.grant_outlives_session(self.client, &request.resources),
            resources: request.resources.clone(),
            authorization_details: request.authorization_details.clone(),
            claims: request.claims.clone(),
            id_token_claims: claims.id_token,
            operator_claims: claims.of_operator,
        })
    }

    /// Stores the grant. Returns its code, or the code that the same user received before if it is unredeemed; `None` if it is
    /// redeemed. Round trips: 1; 2 if the earlier code expired.
    async fn create(self, grant: &Grant) -> Result<Option<AuthorizationCode>, HandlerError> {
        let (records, now) = (self.context.records.as_ref(), self.request.received_at);
        let lifetime = self.code_lifetime();
        let (state, expires_at) = (GrantState::issued(entropy::name()?), now.after(lifetime));
        if let Some(random) = self.derived() {
            let id = grants::new_id(&grant.subject, random);
            match grants::create_for_code(records, id, grant, &state, expires_at).await? {
                CreatedForCode::Created => {
                    return Ok(Some(AuthorizationCode { grant: id, issued_at: now, expires_at }));
                }
                CreatedForCode::Unredeemed(expires_at) if !expires_at.is_past(now) => {
                    let issued_at = expires_at.before(lifetime);
                    return Ok(Some(AuthorizationCode { grant: id, issued_at, expires_at }));
                }
                CreatedForCode::Redeemed => return Ok(None),
                CreatedForCode::Unredeemed(_) => {}
            }
        }
        let id = grants::new_id(&grant.subject, entropy::bytes()?);
        grants::create(records, id, grant, &state, expires_at).await?;
        Ok(Some(AuthorizationCode { grant: id, issued_at: now, expires_at }))
    }

    fn code_lifetime(self) -> Duration {
        self.client.client.code_lifetime(self.context.config.code_lifetime)
    }

    /// Returns the random part of the grant's key, which the interaction, the session of the user and the granted scope determine.
    /// A new sign-in of the same user in this browser changes nothing. `None` if no page interrupted the request.
    fn derived(self) -> Option<[u8; 16]> {
        let (request, group) = (&self.requested.request, self.signed_in.session.group);
        let (session, scope) = (group.sid(&request.client_id), request.scope.to_string());
        let parts = [b"grant", self.interaction.id()?.as_bytes(), session.as_str().as_bytes(), scope.as_bytes()];
        let tag = self.context.secrets.mac(Purpose::Interaction, &parts);
        tag.first_chunk().copied()
    }

    /// Claims the pushed request for a new code: a pushed request yields one code (RFC 9126 §7.3). Returns the code to answer
    /// with: the new one, or the earlier one if this session already holds an unredeemed code for the request, because the
    /// response was lost. Round trips: 0 for a request that was not pushed; 1; 2
    /// if the request was answered before.
    async fn claim_pushed_request(self, code: AuthorizationCode, group: SessionGroup) -> Result<Claimed, HandlerError> {
        let records = self.context.records.as_ref();
        let Some(id) = self.requested.pushed else { return Ok(Claimed::Code(code)) };
        let answer = Answer { grant: code.grant, issued_at: code.issued_at, group };
        let Some(before) = pushed::answer(records, id, &answer).await? else { return Ok(Claimed::Used) };
        if before == answer {
            return Ok(Claimed::Code(code));
        }
        if before.group != group {
            return Ok(Claimed::Used);
        }
        let found = grants::find(records, before.grant).await?;
        let is_unredeemed = found.is_some_and(|found| matches!(found.state, GrantState::Issued(_)));
        let issued_at = before.issued_at;
        let expires_at = issued_at.after(self.code_lifetime());
        Ok(match is_unredeemed {
            true => Claimed::Code(AuthorizationCode { grant: before.grant, issued_at, expires_at }),
            false if self.interaction.id().is_some() => Claimed::Answered,
            false => Claimed::Used,
        })
    }
}

impl Context {
    /// Leaves a note for the scheduled function to count the grants of a user, for one new grant in 50. A fault must not fail the
    /// request: a later grant leaves the note. Round trips: 0; 1 for one grant in 50.
    pub async fn note_grant(&self, subject: &Subject, now: Timestamp) {
        if !grants_are_counted(subject, now) {
            return;
        }
        if let Err(fault) = grant_checks::note(self.records.as_ref(), subject, now).await {
            (self.log)(&format!("the grants of a user will be counted later: {fault}"));
        }
    }
}
