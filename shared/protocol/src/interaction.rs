//! What must happen before a request can be answered: sign-in, consent, or nothing (OpenID Connect Core §3.1.2.3, §3.1.2.4).

use crate::device::WaitingDevice;
use crate::{AuthenticationContext, AuthorizationRequest, Client, Resource, redirect_uri};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use types::{Error, ErrorCode, Scope, Timestamp};

/// A request on its way through sign-in and consent. It travels sealed, in the browser's URL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// The request.
    pub request: AuthorizationRequest,
    /// Who must sign in, when an ID token hint says so: a subject.
    pub expected_subject: Option<String>,
    /// The pushed request that it is (RFC 9126), which is good for one answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed: Option<String>,
    /// The browser that it began in; in any other it is refused. None while it is not known: the request was posted, and
    /// goes on by GET.
    pub browser: Option<String>,
    /// Dead from this moment on.
    pub expires_at: Timestamp,
    /// The session that a person chose for this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<String>,
    /// The session that a person made for this request, by signing in.
    pub signed_in: Option<String>,
    /// What the person decided.
    pub decision: Option<Decision>,
    /// The device that it is about (RFC 8628 §3.3); none for a request that came to the authorization endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<WaitingDevice>,
}

impl Interaction {
    /// A request at the beginning of its way: nobody has done anything.
    pub fn begin(request: AuthorizationRequest, browser: Option<String>, expires_at: Timestamp) -> Self {
        Self {
            request,
            expected_subject: None,
            pushed: None,
            browser,
            expires_at,
            chosen: None,
            signed_in: None,
            decision: None,
            device: None,
        }
    }

    /// The path that it comes back to after sign-in.
    pub const fn path(&self) -> &'static str {
        if self.device.is_some() { "/device" } else { "/authorize" }
    }

    /// The same for somebody else, who must sign in first.
    #[must_use]
    pub fn switched(mut self) -> Self {
        self.request.prompt.login = true;
        Self { chosen: None, signed_in: None, decision: None, ..self }
    }
}

/// What a person decided about a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Allowed it, in this session.
    Allowed {
        /// The session.
        session: String,
    },
    /// Refused it, or went away from signing in.
    Denied,
}

/// Somebody signed in, in this browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveSession<'a> {
    /// The session.
    pub id: &'a str,
    /// Who.
    pub subject: &'a str,
    /// How and when.
    pub authentication: &'a AuthenticationContext,
}

/// What must happen next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The person must sign in.
    SignIn,
    /// The person must choose an account.
    SelectAccount,
    /// The session is good for this request: ask what was consented to.
    Proceed,
}

/// What the session allows. The error goes to the client.
pub fn step(interaction: &Interaction, session: Option<&ActiveSession<'_>>, now: Timestamp) -> Result<Step, Error> {
    let request = &interaction.request;
    if interaction.decision == Some(Decision::Denied) {
        return Err(Error::new(ErrorCode::AccessDenied, "the person refused the request"));
    }
    let Some(session) = session else { return ask(request, Step::SignIn, "nobody is signed in") };
    let signed_in_for_this = interaction.signed_in.as_deref() == Some(session.id);
    let expected = [interaction.expected_subject.as_deref(), requested_subject(request).as_deref()]
        .into_iter()
        .flatten()
        .all(|subject| subject == session.subject);
    if !expected {
        return match signed_in_for_this {
            true => Err(Error::new(ErrorCode::LoginRequired, "somebody else signed in than the request names")),
            false => ask(request, Step::SignIn, "somebody else is signed in than the request names"),
        };
    }
    let too_old = request
        .max_age
        .is_some_and(|max_age| now.since(session.authentication.auth_time) > Duration::from_secs(max_age));
    if !signed_in_for_this {
        if request.prompt.login || too_old || (request.max_age == Some(0)) {
            return ask(request, Step::SignIn, "the sign-in is older than max_age allows");
        }
        if request.prompt.select_account && interaction.chosen.as_deref() != Some(session.id) {
            return Ok(Step::SelectAccount);
        }
    }
    Ok(Step::Proceed)
}

/// Whether the person must be asked for consent, in this session. The error goes to the client.
pub fn needs_consent(
    interaction: &Interaction,
    session: &str,
    client: &Client,
    remembered: &Scope,
) -> Result<bool, Error> {
    let request = &interaction.request;
    let decided =
        matches!(&interaction.decision, Some(Decision::Allowed { session: in_session }) if in_session == session);
    if decided || (client.skip_consent && !request.prompt.consent) {
        return Ok(false);
    }
    if !request.prompt.consent && request.to_consent().is_within(remembered) {
        return Ok(false);
    }
    if request.prompt.none {
        return Err(Error::new(
            ErrorCode::ConsentRequired,
            "the person has not consented to this request, and prompt=none forbids to ask",
        ));
    }
    Ok(true)
}

/// Whether what a person allowed before counts. Not when nothing shows that it is the same client that asks: one without
/// a secret, at a redirect URI that any application can claim (RFC 6749 §10.2, RFC 8252 §8.6).
pub fn remembers_consent(request: &AuthorizationRequest, client: &Client, issuer: &str) -> bool {
    client.is_confidential() || !redirect_uri::can_be_claimed(request.target.redirect_uri(), issuer)
}

/// What is remembered when a person allows a request: that and what they allowed before, of what the client may ask for
/// still.
pub fn to_remember(request: &AuthorizationRequest, client: &Client, resources: &[Resource], before: &Scope) -> Scope {
    let may_ask = |name: &str| client.scope.contains(name) || resources.iter().any(|known| known.resource == name);
    before.with(&request.to_consent()).filtered(may_ask)
}

fn ask(request: &AuthorizationRequest, step: Step, why: &'static str) -> Result<Step, Error> {
    if request.prompt.none {
        Err(Error::new(ErrorCode::LoginRequired, format!("{why}, and prompt=none forbids to ask")))
    } else {
        Ok(step)
    }
}

/// The subject that the `claims` parameter asks for (OpenID Connect Core §5.5.1).
fn requested_subject(request: &AuthorizationRequest) -> Option<String> {
    request.claims.id_token("sub")?.value?.as_str().map(str::to_owned)
}
