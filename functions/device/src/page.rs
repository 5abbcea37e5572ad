//! The verification page (RFC 8628 §3.3): the user types the code, signs in, sees which client requests which scopes,
//! and decides.

use crate::{decide, find};
use http::{Method, StatusCode, header};
use latchkey_http::{Request, Response};
use pages::{DeviceOutcome, DeviceProblem, ScopeLine};
use platform::entropy;
use protocol::device::{UserCode, WaitingDevice};
use protocol::interaction::{Decision, Interaction, Step};
use protocol::throttle::{ADDRESS, BROWSER};
use protocol::{Parameters, StoredClient};
use provider::browser::{self, Browser, FormOrigin, SignedIn};
use provider::throttle::Slots;
use provider::{Context, HandlerError, RequestParameters, responses};
use std::sync::Arc;
use storage::devices::Pending;
use types::{Error, ErrorCode};

/// Shows the page (GET) or applies the form (POST).
pub(crate) async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let browser = Browser::of(request, context)?;
    let page = Page { request, context, browser: &browser };
    let response = match request.parameters() {
        Err(_) => page.entry(StatusCode::BAD_REQUEST, "", None)?,
        Ok(parameters) if parameters.refuse_repeated().is_err() => page.entry(StatusCode::BAD_REQUEST, "", None)?,
        Ok(parameters) => page.answer(&parameters).await?,
    };
    Ok(browser.remember(response, context))
}

/// One request to the page.
struct Page<'a> {
    request: &'a Request,
    context: &'a Context,
    browser: &'a Browser,
}

/// A signed-in user and a waiting device.
pub(crate) struct Visit {
    pub(crate) interaction: Interaction,
    pub(crate) signed_in: SignedIn,
    pub(crate) client: Arc<StoredClient>,
    /// Id of the device's record.
    pub(crate) name: String,
    pub(crate) pending: Pending,
    code: UserCode,
}

impl Page<'_> {
    async fn answer(&self, parameters: &Parameters) -> Result<Response, HandlerError> {
        let typed = parameters.value("user_code").unwrap_or_default();
        match (self.request.method == Method::POST, parameters.value("interaction")) {
            (false, None) => self.entry(StatusCode::OK, typed, None),
            (true, None) => self.take_code(typed, parameters).await,
            (false, Some(sealed)) => self.ask(&self.visit(sealed).await?, sealed),
            (true, Some(sealed)) => self.take_decision(self.visit(sealed).await?, sealed, parameters).await,
        }
    }

    /// Finds the device with the code. An attempt is counted before the lookup (RFC 8628 §5.1).
    async fn take_code(&self, typed: &str, parameters: &Parameters) -> Result<Response, HandlerError> {
        let (context, now) = (self.context, self.request.received_at);
        if self.browser.known_id().is_none() {
            // The cookie that the form needs can be set only on a page that the browser itself requested.
            let query = UserCode::parse(typed).map(|code| format!("?user_code={code}")).unwrap_or_default();
            return Ok(Response::see_other(&format!("{}/device{query}", context.config.issuer)));
        }
        if !self.browser.accepts_form(context, "device", "", parameters.value("csrf")) {
            return self.entry(StatusCode::BAD_REQUEST, typed, Some(DeviceProblem::SessionExpired));
        }
        let Some(code) = UserCode::parse(typed) else {
            return self.entry(StatusCode::FORBIDDEN, typed, Some(DeviceProblem::Unknown));
        };
        let slots = Slots::new(context, self.request)?
            .per_address("device-address", self.request.address, ADDRESS)
            .per("device-browser", &self.browser.id, BROWSER);
        if let Err(wait) = slots.reserve().await? {
            let problem = DeviceProblem::TooManyAttempts { retry_after_secs: wait.as_secs() };
            let response = self.entry(StatusCode::TOO_MANY_REQUESTS, typed, Some(problem))?;
            let error = Error::new(ErrorCode::TemporarilyUnavailable, "too many user codes were tried");
            self.request.log.error(error.code.as_str(), &error.description);
            return Ok(response.with(header::RETRY_AFTER, &wait.as_secs().to_string()));
        }
        let Some((_, pending)) = find(context, &code, now).await? else {
            let error = Error::new(ErrorCode::AccessDenied, "an unknown user code");
            self.request.log.error(error.code.as_str(), &error.description);
            return self.entry(StatusCode::FORBIDDEN, typed, Some(DeviceProblem::Unknown));
        };
        slots.forgive().await?;
        let page = format!("{}/device", context.config.issuer);
        let request = pending.request.to_authorization_request(&page);
        let expires_at = now.after(context.config.interaction_lifetime).min(pending.expires_at);
        let interaction = Interaction {
            device: Some(WaitingDevice { code, decision: pending.decision }),
            ..Interaction::begin(request, Some(self.browser.id.clone()), expires_at)
        };
        browser::forward(context, interaction.path(), &interaction)
    }

    /// Opens the interaction of a user who is signed in, for the device that waits. Errors: the page or redirect that comes
    /// first.
    async fn visit(&self, sealed: &str) -> Result<Visit, HandlerError> {
        let (context, now) = (self.context, self.request.received_at);
        let opened = self.browser.open_interaction(context, sealed, now);
        let Some((interaction, device)) =
            opened.and_then(|opened| opened.device.clone().map(|device| (opened, device)))
        else {
            return Err(self.outcome(DeviceOutcome::Over)?.into());
        };
        if interaction.decision == Some(Decision::Denied) {
            // The user cancelled the sign-in: there is no decision.
            return Err(self.entry(StatusCode::OK, "", None)?.into());
        }
        let Some(client) = context.client(&interaction.request.client_id, now).await? else {
            return Err(self.outcome(DeviceOutcome::Over)?.into());
        };
        self.request.log.client(&client.client.client_id);
        let signed_in = SignedIn::of(self.request, context).await?;
        let step = browser::step(context, &interaction, signed_in.as_ref(), &client.client, now);
        let (Ok(Step::Proceed), Some(signed_in)) = (step, signed_in) else {
            return Err(browser::forward(context, "/login", &interaction)?.into());
        };
        match find(context, &device.code, now).await? {
            Some((name, pending)) => Ok(Visit { interaction, signed_in, client, name, pending, code: device.code }),
            None => {
                let outcome = decide::decided(context, &device.decision, &signed_in).await?;
                Err(self.outcome(outcome)?.into())
            }
        }
    }

    async fn take_decision(
        &self,
        visit: Visit,
        sealed: &str,
        parameters: &Parameters,
    ) -> Result<Response, HandlerError> {
        let context = self.context;
        let csrf = parameters.value("csrf");
        match self.browser.form_origin(context, "device-consent", sealed, &visit.signed_in, csrf) {
            FormOrigin::ThisSession => {}
            FormOrigin::OtherSession => {
                return browser::forward(context, visit.interaction.path(), &visit.interaction);
            }
            FormOrigin::Elsewhere => return self.outcome(DeviceOutcome::Over),
        }
        match parameters.value("decision") {
            Some("switch") => browser::forward(context, "/login", &visit.interaction.switched()),
            Some("allow") => {
                let outcome = decide::approve(context, &visit, self.request.received_at).await?;
                self.outcome(outcome)
            }
            _ => {
                let outcome = decide::deny(context, &visit).await?;
                self.outcome(outcome)
            }
        }
    }

    fn entry(&self, status: StatusCode, typed: &str, problem: Option<DeviceProblem>) -> Result<Response, HandlerError> {
        let nonce = entropy::name()?;
        let code = match UserCode::parse(typed) {
            Some(code) => code.to_string(),
            None => typed.chars().take(32).collect(),
        };
        let page = pages::device_code(&pages::DeviceCode {
            nonce: &nonce,
            user_code: &code,
            problem,
            csrf: &self.browser.form_token(self.context, "device", ""),
        });
        Ok(responses::page(status, page))
    }

    fn ask(&self, visit: &Visit, sealed: &str) -> Result<Response, HandlerError> {
        let nonce = entropy::name()?;
        let client = &visit.client.client;
        let asked = &visit.pending.request;
        let scopes: Vec<ScopeLine<'_>> = ScopeLine::all(&asked.scope).collect();
        let page = pages::device_consent(&pages::DeviceConsent {
            nonce: &nonce,
            client: client.into(),
            user: &visit.signed_in.session.name,
            user_code: &visit.code.to_string(),
            scopes: &scopes,
            resources: &asked.resources,
            interaction: sealed,
            csrf: &self.browser.decision_token(self.context, "device-consent", sealed, &visit.signed_in),
        });
        Ok(responses::page(StatusCode::OK, page))
    }

    fn outcome(&self, outcome: DeviceOutcome) -> Result<Response, HandlerError> {
        let nonce = entropy::name()?;
        let page = pages::device_outcome(&nonce, outcome);
        match outcome {
            DeviceOutcome::Approved | DeviceOutcome::Denied => Ok(responses::page(StatusCode::OK, page)),
            DeviceOutcome::Over => {
                let error = Error::new(ErrorCode::ExpiredToken, "the user code is over, or was decided about before");
                self.request.log.error(error.code.as_str(), &error.description);
                Ok(responses::page(StatusCode::BAD_REQUEST, page))
            }
        }
    }
}
