//! The verification page (RFC 8628 §3.3): the code is typed, the person signs in, sees who asks for what, and decides.

use crate::{decide, find};
use http::{Method, StatusCode, header};
use pages::{DeviceOutcome, DeviceProblem, ScopeLine};
use protocol::device::{UserCode, WaitingDevice};
use protocol::interaction::{Decision, Interaction, Step};
use protocol::throttle::{ADDRESS, BROWSER};
use protocol::{Error, ErrorCode, Parameters, StoredClient};
use runtime::browser::{self, Browser, FormOrigin, SignedIn};
use runtime::throttle::Slots;
use runtime::{Context, Fault, Request, Response, entropy};
use std::sync::Arc;
use storage::devices::Pending;

/// Shows the page, or takes what it sends.
pub(crate) async fn handle(request: &Request, context: &Context) -> Result<Response, Fault> {
    let browser = Browser::of(request, context)?;
    let page = Page { request, context, browser: &browser };
    let response = match request.parameters() {
        Err(_) => page.entry(StatusCode::BAD_REQUEST, "", None)?,
        Ok(parameters) if parameters.refuse_repeated().is_err() => page.entry(StatusCode::BAD_REQUEST, "", None)?,
        Ok(parameters) => page.answer(&parameters).await?,
    };
    Ok(browser.remember(response, context))
}

/// One visit.
struct Page<'a> {
    request: &'a Request,
    context: &'a Context,
    browser: &'a Browser,
}

/// A person who is signed in, before a device that waits.
pub(crate) struct Visit {
    pub(crate) interaction: Interaction,
    pub(crate) signed_in: SignedIn,
    pub(crate) client: Arc<StoredClient>,
    /// The name of the device's record.
    pub(crate) name: String,
    pub(crate) pending: Pending,
    code: UserCode,
}

impl Page<'_> {
    async fn answer(&self, parameters: &Parameters) -> Result<Response, Fault> {
        let typed = parameters.value("user_code").unwrap_or_default();
        match (self.request.method == Method::POST, parameters.value("interaction")) {
            (false, None) => self.entry(StatusCode::OK, typed, None),
            (true, None) => self.take_code(typed, parameters).await,
            (false, Some(sealed)) => match self.visit(sealed).await? {
                Ok(visit) => self.ask(&visit, sealed),
                Err(response) => Ok(*response),
            },
            (true, Some(sealed)) => match self.visit(sealed).await? {
                Ok(visit) => self.take_decision(visit, sealed, parameters).await,
                Err(response) => Ok(*response),
            },
        }
    }

    /// Looks for the device that shows the code. Guesses are counted before they are looked at (RFC 8628 §5.1).
    async fn take_code(&self, typed: &str, parameters: &Parameters) -> Result<Response, Fault> {
        let (context, now) = (self.context, self.request.received_at);
        if self.browser.known_id().is_none() {
            // Only a page that the browser asks for itself can give it the cookie that the form needs.
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
            return Ok(response.with(header::RETRY_AFTER, &wait.as_secs().to_string()).failed(&error));
        }
        let Some((_, pending)) = find(context, &code, now).await? else {
            let error = Error::new(ErrorCode::AccessDenied, "an unknown user code");
            return Ok(self.entry(StatusCode::FORBIDDEN, typed, Some(DeviceProblem::Unknown))?.failed(&error));
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

    /// Who decides about what; or what must be shown first.
    async fn visit(&self, sealed: &str) -> Result<Result<Visit, Box<Response>>, Fault> {
        let (context, now) = (self.context, self.request.received_at);
        let opened = self.browser.open_interaction(context, sealed, now);
        let Some((interaction, device)) =
            opened.and_then(|opened| opened.device.clone().map(|device| (opened, device)))
        else {
            return Ok(Err(Box::new(self.outcome(DeviceOutcome::Over)?)));
        };
        if interaction.decision == Some(Decision::Denied) {
            // Went away from signing in: nobody decided anything.
            return Ok(Err(Box::new(self.entry(StatusCode::OK, "", None)?)));
        }
        let Some(client) = context.client(&interaction.request.client_id, now).await? else {
            return Ok(Err(Box::new(self.outcome(DeviceOutcome::Over)?)));
        };
        let signed_in = SignedIn::of(self.request, context).await?;
        let step = browser::step(context, &interaction, signed_in.as_ref(), &client.client, now);
        let (Ok(Step::Proceed), Some(signed_in)) = (step, signed_in) else {
            return Ok(Err(Box::new(browser::forward(context, "/login", &interaction)?)));
        };
        match find(context, &device.code, now).await? {
            Some((name, pending)) => Ok(Ok(Visit { interaction, signed_in, client, name, pending, code: device.code })),
            None => {
                let outcome = decide::decided(context, &device.decision, &signed_in).await?;
                Ok(Err(Box::new(self.outcome(outcome)?)))
            }
        }
    }

    async fn take_decision(&self, visit: Visit, sealed: &str, parameters: &Parameters) -> Result<Response, Fault> {
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
                Ok(self.outcome(outcome)?.of_client(&visit.client.client.client_id))
            }
            _ => {
                let outcome = decide::deny(context, &visit).await?;
                Ok(self.outcome(outcome)?.of_client(&visit.client.client.client_id))
            }
        }
    }

    fn entry(&self, status: StatusCode, typed: &str, problem: Option<DeviceProblem>) -> Result<Response, Fault> {
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
        Ok(Response::page(status, page))
    }

    fn ask(&self, visit: &Visit, sealed: &str) -> Result<Response, Fault> {
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
        Ok(Response::page(StatusCode::OK, page).of_client(&client.client_id))
    }

    fn outcome(&self, outcome: DeviceOutcome) -> Result<Response, Fault> {
        let nonce = entropy::name()?;
        let page = pages::device_outcome(&nonce, outcome);
        match outcome {
            DeviceOutcome::Approved | DeviceOutcome::Denied => Ok(Response::page(StatusCode::OK, page)),
            DeviceOutcome::Over => {
                let error = Error::new(ErrorCode::ExpiredToken, "the user code is over, or was decided about before");
                Ok(Response::page(StatusCode::BAD_REQUEST, page).failed(&error))
            }
        }
    }
}
