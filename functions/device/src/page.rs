//! The verification page (RFC 8628 §3.3): the user enters the code, signs in, sees what the device requests, and decides.

use crate::{decide, find};
use http::{Method, StatusCode, header};
use latchkey_http::{Request, Response};
use pages::{ClaimLine, ConsentKind, ConsentView, DeviceOutcome, DeviceProblem, DeviceProfile, ScopeLine};
use protocol::rate_limit::Limit;
use protocol::{Interaction, NextPrompt, Parameters, Requested, RequestedDevice, StoredClient, UserCode};
use provider::browser::{Browser, FormOrigin};
use provider::interactions::{self, OpenedInteraction};
use provider::rate_limiter::{RateLimiter, acquire_all, fail_all, network, release_all};
use provider::refused_claims;
use provider::sessions::SignedIn;
use provider::{AuditEvent, Context, HandlerError, RequestParameters, responses};
use std::sync::Arc;
use storage::devices::Pending;
use types::{Error, ErrorCode};

/// Shows the page, or handles its forms.
pub(crate) async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let browser = Browser::of(request, context)?;
    let page = DevicePage { request, context, browser: &browser };
    let parameters = request.parameters().and_then(|parameters| parameters.refuse_repeated().map(|()| parameters));
    let response = match parameters {
        Ok(parameters) => page.respond(&parameters).await?,
        Err(error) if request.prefers_json() => return Err(error.into()),
        Err(_) => page.entry(StatusCode::BAD_REQUEST, "", None)?,
    };
    Ok(browser.remember(response, context))
}

/// A request to the verification page.
struct DevicePage<'a> {
    request: &'a Request,
    context: &'a Context,
    browser: &'a Browser,
}

/// A device that waits for the decision of a user who is signed in.
pub(crate) struct Approval {
    pub(crate) interaction: Interaction,
    pub(crate) signed_in: SignedIn,
    pub(crate) client: Arc<StoredClient>,
    /// Name of the device's record.
    pub(crate) name: String,
    pub(crate) pending: Pending,
    user_code: UserCode,
}

impl DevicePage<'_> {
    async fn respond(&self, parameters: &Parameters) -> Result<Response, HandlerError> {
        let typed = parameters.value("user_code").unwrap_or_default();
        match (self.request.method == Method::POST, parameters.value("interaction")) {
            (false, None) => self.entry(StatusCode::OK, typed, None),
            (true, None) => self.submit_code(typed, parameters).await,
            (false, Some(sealed)) => self.ask(&self.open(sealed).await?, sealed),
            (true, Some(sealed)) => self.submit_decision(self.open(sealed).await?, sealed, parameters).await,
        }
    }

    /// Handles the form with the user code: finds the device that shows it. Attempts are counted before the code is looked up
    /// (RFC 8628 §5.1).
    async fn submit_code(&self, typed: &str, parameters: &Parameters) -> Result<Response, HandlerError> {
        let (context, now) = (self.context, self.request.received_at);
        if self.browser.known_id().is_none() {
            // The form needs the browser cookie, which only a response to a GET sets.
            let query = UserCode::parse(typed).map(|code| format!("?user_code={code}")).unwrap_or_default();
            return Ok(Response::see_other(&format!("{}/device{query}", context.config.issuer)));
        }
        if !self.browser.accepts_form(context, "device", "", parameters.value("csrf")) {
            return self.entry(StatusCode::BAD_REQUEST, typed, Some(DeviceProblem::SessionExpired));
        }
        let Some(user_code) = UserCode::parse(typed) else {
            return self.entry(StatusCode::FORBIDDEN, typed, Some(DeviceProblem::NotACode));
        };
        let limiters = [
            RateLimiter::new(context, now, Limit::NETWORK, "device network", &[&network(self.request.address)]),
            RateLimiter::new(context, now, Limit::USER_CODE, "device browser", &[&self.browser.id]),
        ];
        if let Err(wait) = acquire_all(&limiters).await? {
            let problem = DeviceProblem::TooManyAttempts { retry_after_secs: wait.as_secs() };
            let response = self.entry(StatusCode::TOO_MANY_REQUESTS, typed, Some(problem))?;
            let error = Error::new(ErrorCode::TemporarilyUnavailable, "too many user codes were tried");
            self.request.log.error(error.code.as_str(), &error.description);
            return Ok(response.with(header::RETRY_AFTER, &wait.as_secs().to_string()));
        }
        let found = match find(context, &user_code, now).await {
            Ok(found) => found,
            Err(error) => {
                release_all(&limiters).await;
                return Err(error);
            }
        };
        let Some((_, pending)) = found else {
            fail_all(&limiters).await?;
            let error = Error::new(ErrorCode::AccessDenied, "an unknown user code");
            self.request.log.error(error.code.as_str(), &error.description);
            return self.entry(StatusCode::FORBIDDEN, typed, Some(DeviceProblem::Unknown));
        };
        release_all(&limiters).await;
        let expires_at = now.after(context.config.interaction_lifetime).min(pending.expires_at);
        // The page reads the request again, with its details.
        let request = pending.request.without_details();
        let requested = Box::new(RequestedDevice { request, user_code, decision: pending.decision });
        let interaction = Interaction::start(Requested::Device(requested), Some(self.browser.id.clone()), expires_at);
        interactions::resume(context, &interaction)
    }

    /// Opens the interaction of a user who is signed in, for the device that waits. Errors: the page or redirect that is
    /// needed first.
    async fn open(&self, sealed: &str) -> Result<Approval, HandlerError> {
        let (context, now) = (self.context, self.request.received_at);
        let opened = OpenedInteraction::open(context, self.browser, sealed, now).await?;
        let Ok(OpenedInteraction { interaction, client: Some(client), has_restarted }) = opened else {
            return Err(self.outcome(DeviceOutcome::Over)?.into());
        };
        if has_restarted {
            // The page was open for too long, or the user signed in in another tab since: its form is out of date.
            return Err(interactions::resume(context, &interaction)?.into());
        }
        let Requested::Device(requested) = &interaction.requested else {
            return Err(self.outcome(DeviceOutcome::Over)?.into());
        };
        let RequestedDevice { user_code, decision, .. } = requested.as_ref();
        if interaction.is_denied() {
            // The user cancelled the sign-in, which decides nothing about the device.
            return Err(self.entry(StatusCode::OK, "", None)?.into());
        }
        self.request.log.client(&client.client.client_id);
        let signed_in = SignedIn::of(self.request, context).await?;
        let prompt = interactions::next_prompt(context, &interaction, signed_in.as_ref(), &client.client, now);
        let (Ok(NextPrompt::Proceed), Some(signed_in)) = (prompt, signed_in) else {
            return Err(interactions::ask(context, "/login", &interaction)?.into());
        };
        match find(context, user_code, now).await? {
            Some((name, mut pending)) => {
                let asked = &mut pending.request;
                let subject = &signed_in.session.subject;
                match context.grantable(subject, &asked.scope, &asked.resources).await {
                    Ok(scope) => asked.scope = scope,
                    Err(HandlerError::Request(error)) => return Err(self.not_grantable(interaction, &error)?.into()),
                    Err(fault) => return Err(fault),
                }
                let user_code = user_code.clone();
                Ok(Approval { interaction, signed_in, client, name, pending, user_code })
            }
            None => {
                let outcome = decide::earlier_outcome(context, *decision, &signed_in).await?;
                Err(self.outcome(outcome)?.into())
            }
        }
    }

    /// Handles the form with the decision.
    async fn submit_decision(
        &self,
        approval: Approval,
        sealed: &str,
        parameters: &Parameters,
    ) -> Result<Response, HandlerError> {
        let context = self.context;
        let csrf = parameters.value("csrf");
        match self.browser.form_origin(context, "device-consent", sealed, &approval.signed_in, csrf) {
            FormOrigin::ThisSession => {}
            FormOrigin::OtherSession => return interactions::resume(context, &approval.interaction),
            FormOrigin::Elsewhere => return self.outcome(DeviceOutcome::Over),
        }
        let outcome = match parameters.value("decision") {
            Some("switch") => {
                return interactions::ask(context, "/login", &approval.interaction.restart_as_other_user()?);
            }
            Some("allow") => {
                context.check_clock(self.request).await?;
                let refused = refused_claims(&approval.interaction, parameters);
                decide::approve(context, &approval, &refused, self.request.received_at).await?
            }
            _ => decide::deny(context, &approval).await?,
        };
        let (subject, client) = (&approval.signed_in.session.subject, &approval.client.client.client_id);
        match outcome {
            DeviceOutcome::Approved => AuditEvent::ConsentGiven { subject, client }.record(self.request),
            DeviceOutcome::Denied => AuditEvent::ConsentRefused { subject, client }.record(self.request),
            DeviceOutcome::Over => {}
        }
        self.outcome(outcome)
    }

    /// Shows the page that asks for the user code.
    fn entry(&self, status: StatusCode, typed: &str, problem: Option<DeviceProblem>) -> Result<Response, HandlerError> {
        let frame = responses::frame(self.request, self.context)?;
        let code = match UserCode::parse(typed) {
            Some(code) => code.to_string(),
            None => typed.chars().take(32).collect(),
        };
        let page = pages::device_code(&pages::DeviceCode {
            frame: &frame,
            user_code: &code,
            problem,
            csrf: &self.browser.form_token(self.context, "device", ""),
        });
        Ok(responses::page(status, page))
    }

    /// Shows the consent page.
    fn ask(&self, approval: &Approval, sealed: &str) -> Result<Response, HandlerError> {
        let frame = responses::frame(self.request, self.context)?;
        let request = &approval.pending.request;
        let scope = request.scope.clone();
        let words = |name| self.context.configuration.scope_description(name);
        let scopes: Vec<ScopeLine<'_>> = ScopeLine::all(&scope, words, |_| false).collect();
        let view = ConsentView {
            frame: &frame,
            client: pages::ClientProfile::of(&approval.client, &self.context.config.issuer),
            user: approval.signed_in.profile(),
            scopes: &scopes,
            claims: &ClaimLine::all(&request.named_claims(), &self.context.configuration.claims, |_| false),
            resources: &request.resources,
            details: &request
                .authorization_details
                .words(&self.context.configuration.details_types, self.request.header(&header::ACCEPT_LANGUAGE)),
            interaction: sealed,
            csrf: &self.browser.consent_token(self.context, "device-consent", sealed, &approval.signed_in),
            kind: ConsentKind::Device {
                user_code: &approval.user_code.to_string(),
                device: request.asked_by.as_deref().map(|device| DeviceProfile::of(device, self.request.received_at)),
            },
        };
        Ok(responses::page(StatusCode::OK, pages::consent(&view)))
    }

    /// Shows that the user may grant nothing of the request.
    fn not_grantable(&self, interaction: Interaction, error: &Error) -> Result<Response, HandlerError> {
        self.request.log.error(error.code.as_str(), &error.description);
        let sign_in = interactions::location(self.context, "/login", &interaction.restart_as_other_user()?)?;
        let frame = responses::frame(self.request, self.context)?;
        let page = pages::device_not_grantable(&frame, &sign_in);
        Ok(responses::page(StatusCode::FORBIDDEN, page))
    }

    /// Shows the outcome.
    fn outcome(&self, outcome: DeviceOutcome) -> Result<Response, HandlerError> {
        let frame = responses::frame(self.request, self.context)?;
        let page = pages::device_outcome(&frame, outcome);
        match outcome {
            DeviceOutcome::Approved | DeviceOutcome::Denied => Ok(responses::page(StatusCode::OK, page)),
            DeviceOutcome::Over => {
                let error = Error::new(ErrorCode::ExpiredToken, "the user code has expired, or was decided before");
                self.request.log.error(error.code.as_str(), &error.description);
                Ok(responses::page(StatusCode::BAD_REQUEST, page))
            }
        }
    }
}
