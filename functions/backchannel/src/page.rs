//! The pages of the user: the requests that wait, and the decision about one. No link decides: the form does, after a sign-in.

use crate::decide;
use http::{Method, StatusCode, header};
use latchkey_http::{Request, Response};
use pages::{
    ClientProfile, ConsentKind, ConsentView, RequestLine, RequestOutcome, ScopeLine, UserProfile, WaitingRequests,
};
use protocol::{
    AccountPage, DecisionId, Interaction, NextPrompt, Parameters, Requested, RequestedBackchannel, StoredClient,
};
use provider::browser::{Browser, FormOrigin};
use provider::interactions::{self, OpenedInteraction};
use provider::sessions::SignedIn;
use provider::{AuditEvent, Context, HandlerError, RequestParameters, responses};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use storage::waiting::{self, WaitingRequest};
use types::{Error, ErrorCode, Subject};

/// Path of the pages.
const PATH: &str = "/requests";

/// Shows the pages, or handles the form.
pub(crate) async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let browser = Browser::of(request, context)?;
    let page = RequestPage { request, context, browser: &browser };
    let parameters = request.parameters()?;
    parameters.refuse_repeated()?;
    let response = page.respond(&parameters).await?;
    Ok(browser.remember(response, context))
}

/// A request on the way to its page: it names the user, and travels sealed. It lets no one in.
#[derive(Serialize, Deserialize)]
pub(crate) struct RequestReference {
    pub(crate) subject: Subject,
    pub(crate) decision: DecisionId,
}

impl RequestReference {
    /// Returns the URL of the page of the request.
    pub(crate) fn location(&self, context: &Context) -> Result<String, HandlerError> {
        Ok(format!("{}{PATH}?request={}", context.config.issuer, interactions::seal(context, self)?))
    }
}

/// A request to the pages.
struct RequestPage<'a> {
    request: &'a Request,
    context: &'a Context,
    browser: &'a Browser,
}

/// A request that waits for the decision of the user who is signed in.
pub(crate) struct Opened {
    pub(crate) interaction: Interaction,
    pub(crate) signed_in: SignedIn,
    pub(crate) client: Arc<StoredClient>,
    pub(crate) waiting: WaitingRequest,
}

impl RequestPage<'_> {
    async fn respond(&self, parameters: &Parameters) -> Result<Response, HandlerError> {
        match (self.request.method == Method::POST, parameters.value("interaction"), parameters.value("request")) {
            (true, Some(sealed), _) => self.submit(self.open(sealed).await?, sealed, parameters).await,
            (true, None, _) => Ok(Response::see_other(&format!("{}{PATH}", self.context.config.issuer))),
            (false, Some(sealed), _) => self.ask(&self.open(sealed).await?, sealed),
            (false, None, Some(reference)) => self.begin(reference).await,
            (false, None, None) => self.list().await,
        }
    }

    /// Shows the requests that wait for the user, who signs in first. Round trips: 2; 1 without a session.
    async fn list(&self) -> Result<Response, HandlerError> {
        let (context, now) = (self.context, self.request.received_at);
        let Some(signed_in) = SignedIn::of(self.request, context).await? else {
            return interactions::sign_in(context, self.browser, AccountPage::Requests.into(), now);
        };
        let subject = &signed_in.session.subject;
        let mut found = Vec::new();
        for waiting in waiting::of_user(context.records.as_ref(), subject, now).await? {
            let client = context.client(&waiting.request.client_id, now).await?;
            found.extend(client.map(|client| (client, waiting)));
        }
        let mut lines = Vec::new();
        for (client, waiting) in &found {
            let reference = RequestReference { subject: subject.clone(), decision: waiting.decision };
            lines.push(RequestLine {
                client: client.client.display_name(),
                binding_message: waiting.request.binding_message.as_deref(),
                minutes: now.since(waiting.asked_at).as_secs().div_euclid(60),
                href: reference.location(context)?,
            });
        }
        self.show(Some(signed_in.profile()), &lines)
    }

    /// Shows the page with the requests; `user` is `None` for a user who cancelled the sign-in.
    fn show(&self, user: Option<UserProfile<'_>>, requests: &[RequestLine<'_>]) -> Result<Response, HandlerError> {
        let frame = responses::frame(self.request, self.context)?;
        let view = WaitingRequests { frame: &frame, user, requests };
        Ok(responses::page(StatusCode::OK, pages::waiting_requests(&view)))
    }

    /// Starts the interaction of a request that a link names. Round trips: 1.
    async fn begin(&self, reference: &str) -> Result<Response, HandlerError> {
        let (context, now) = (self.context, self.request.received_at);
        let Some(RequestReference { subject, decision }) = interactions::open(context, reference) else {
            return self.outcome(RequestOutcome::Over);
        };
        let waiting = self.find(&subject, decision).await?;
        let client = match &waiting {
            Some(waiting) => context.client(&waiting.request.client_id, now).await?,
            None => None,
        };
        let (Some(waiting), Some(client)) = (waiting, client) else {
            let outcome = match SignedIn::of(self.request, context).await? {
                Some(signed_in) => decide::earlier_outcome(context, decision, &signed_in).await?,
                None => RequestOutcome::Over,
            };
            return self.outcome(outcome);
        };
        let expected_subject = context.subject_for(&client.client, &subject);
        // The page reads the request again, with its details.
        let request = waiting.request.without_details();
        let requested = Requested::Backchannel(RequestedBackchannel { request, decision, expected_subject });
        interactions::resume(context, &Interaction::start(requested, Some(self.browser.id.clone()), waiting.expires_at))
    }

    async fn find(&self, subject: &Subject, decision: DecisionId) -> Result<Option<WaitingRequest>, HandlerError> {
        let waiting = waiting::of_user(self.context.records.as_ref(), subject, self.request.received_at).await?;
        Ok(waiting.into_iter().find(|waiting| waiting.decision == decision))
    }

    /// Opens the interaction of the user who is signed in. Errors: the page or redirect that is needed first.
    async fn open(&self, sealed: &str) -> Result<Opened, HandlerError> {
        let (context, now) = (self.context, self.request.received_at);
        let opened = OpenedInteraction::open(context, self.browser, sealed, now).await?;
        let Ok(OpenedInteraction { interaction, client, has_restarted }) = opened else {
            return Err(self.outcome(RequestOutcome::Over)?.into());
        };
        let Some(client) = client else {
            // The user signed in for the list, or cancelled that.
            return Err(match interactions::signed_in_for(context, sealed, AccountPage::Requests) {
                Some(response) => response,
                None => self.show(None, &[])?,
            }
            .into());
        };
        if has_restarted {
            // The form is out of date: the user signed in in another tab since, or the request is over.
            return Err(interactions::resume(context, &interaction)?.into());
        }
        let Requested::Backchannel(RequestedBackchannel { decision, .. }) = &interaction.requested else {
            return Err(self.outcome(RequestOutcome::Over)?.into());
        };
        if interaction.is_denied() {
            // The user cancelled the sign-in, which decides nothing.
            let signed_in = SignedIn::of(self.request, context).await?;
            return Err(match signed_in {
                Some(_) => self.list().await?,
                None => self.show(None, &[])?,
            }
            .into());
        }
        self.request.log.client(&client.client.client_id);
        let signed_in = SignedIn::of(self.request, context).await?;
        let prompt = interactions::next_prompt(context, &interaction, signed_in.as_ref(), &client.client, now);
        let signed_in = match (prompt, signed_in) {
            (Ok(NextPrompt::Proceed), Some(signed_in)) => signed_in,
            (Ok(_), _) => return Err(interactions::ask(context, "/login", &interaction)?.into()),
            // Another user signed in for this request.
            (Err(_), _) => return Err(self.outcome(RequestOutcome::Over)?.into()),
        };
        let Some(mut waiting) = self.find(&signed_in.session.subject, *decision).await? else {
            let outcome = decide::earlier_outcome(context, *decision, &signed_in).await?;
            return Err(self.outcome(outcome)?.into());
        };
        let asked = &mut waiting.request;
        match context.grantable(&signed_in.session.subject, &asked.scope, &asked.resources).await {
            Ok(scope) => asked.scope = scope,
            Err(HandlerError::Request(error)) => {
                self.request.log.error(error.code.as_str(), &error.description);
                return Err(self.outcome(RequestOutcome::NotGrantable)?.into());
            }
            Err(fault) => return Err(fault),
        }
        Ok(Opened { interaction, signed_in, client, waiting })
    }

    /// Handles the form with the decision.
    async fn submit(&self, opened: Opened, sealed: &str, parameters: &Parameters) -> Result<Response, HandlerError> {
        let (context, now) = (self.context, self.request.received_at);
        let csrf = parameters.value("csrf");
        match self.browser.form_origin(context, "request-consent", sealed, &opened.signed_in, csrf) {
            FormOrigin::ThisSession => {}
            FormOrigin::OtherSession => return interactions::resume(context, &opened.interaction),
            FormOrigin::Elsewhere => return self.outcome(RequestOutcome::Over),
        }
        context.check_clock(self.request).await?;
        let outcome = match parameters.value("decision") {
            Some("allow") => decide::approve(context, &opened, now).await?,
            Some("unexpected") => decide::deny(context, &opened, RequestOutcome::Unexpected, now).await?,
            _ => decide::deny(context, &opened, RequestOutcome::Denied, now).await?,
        };
        let (subject, client) = (&opened.signed_in.session.subject, &opened.client.client.client_id);
        match outcome {
            RequestOutcome::Approved => AuditEvent::ConsentGiven { subject, client }.record(self.request),
            RequestOutcome::Denied => AuditEvent::ConsentRefused { subject, client }.record(self.request),
            RequestOutcome::Unexpected => AuditEvent::RequestUnexpected { subject, client }.record(self.request),
            RequestOutcome::Over | RequestOutcome::NotGrantable => {}
        }
        self.outcome(outcome)
    }

    /// Shows the request.
    fn ask(&self, opened: &Opened, sealed: &str) -> Result<Response, HandlerError> {
        let frame = responses::frame(self.request, self.context)?;
        let request = &opened.waiting.request;
        let words = |name| self.context.configuration.scope_description(name);
        let scopes: Vec<ScopeLine<'_>> = ScopeLine::all(&request.scope, words, |_| false).collect();
        let view = ConsentView {
            frame: &frame,
            client: ClientProfile::of(&opened.client, &self.context.config.issuer),
            user: opened.signed_in.profile(),
            scopes: &scopes,
            claims: &[],
            resources: &request.resources,
            details: &request
                .authorization_details
                .words(&self.context.configuration.details_types, self.request.header(&header::ACCEPT_LANGUAGE)),
            interaction: sealed,
            csrf: &self.browser.consent_token(self.context, "request-consent", sealed, &opened.signed_in),
            kind: ConsentKind::Backchannel {
                binding_message: request.binding_message.as_deref(),
                minutes: self.request.received_at.since(opened.waiting.asked_at).as_secs().div_euclid(60),
            },
        };
        Ok(responses::page(StatusCode::OK, pages::consent(&view)))
    }

    /// Shows the outcome.
    fn outcome(&self, outcome: RequestOutcome) -> Result<Response, HandlerError> {
        let frame = responses::frame(self.request, self.context)?;
        let page = pages::request_outcome(&frame, outcome);
        let status = match outcome {
            RequestOutcome::Approved | RequestOutcome::Denied | RequestOutcome::Unexpected => StatusCode::OK,
            RequestOutcome::NotGrantable => StatusCode::FORBIDDEN,
            RequestOutcome::Over => {
                let error = Error::new(ErrorCode::ExpiredToken, "the request has expired, or was decided before");
                self.request.log.error(error.code.as_str(), &error.description);
                StatusCode::BAD_REQUEST
            }
        };
        Ok(responses::page(status, page))
    }
}
