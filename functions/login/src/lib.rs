//! The sign-in page: the only function that reads credentials.

mod browser_kind;
mod form;
mod known_browser;
mod limits;
mod method;
mod offer;
mod passkey;
mod password;
mod second_factor;

use crate::known_browser::KnownAccounts;
use crate::limits::Attempt;
use crate::method::AfterSuccess;
use http::{Method, StatusCode, header};
use latchkey_http::{Request, Response};
use pages::{CurrentUser, SignInProblem};
use platform::entropy;
use protocol::mail::SecurityNotice;
use protocol::{AuthenticationContext, AuthenticationMethod, NextPrompt, SessionGroup, SessionId, SignInReason};
use provider::mail::notify_user;
use provider::sessions::{self as browser_sessions, SignedIn};
use provider::{AuditEvent, Context, Function, HandlerError, InteractionPage, interactions};
use storage::sessions;
use types::Subject;

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::page("login", |request, context| Box::pin(handle(request, context)));

/// Shows the page, or handles its form.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let page = InteractionPage::open(request, context).await?;
    if request.method == Method::POST { form::submit(page).await } else { show(&page, None).await }
}

/// Shows the page of the first method. A user who is signed in may continue as that user if the request lets users select
/// the account. If the session already fits the request, the request proceeds: the user signed in in another tab. A user name that was typed is kept.
async fn show(page: &InteractionPage<'_>, problem: Option<SignInProblem>) -> Result<Response, HandlerError> {
    let signed_in = SignedIn::of(page.request, page.context).await?;
    let now = page.request.received_at;
    let client = page.client.as_ref().map(|stored| &stored.client);
    let prompt = interactions::next_prompt(page.context, &page.interaction, signed_in.as_ref(), client, now);
    if prompt == Ok(NextPrompt::Proceed) {
        return interactions::resume(page.context, &page.interaction);
    }
    let current = current_user(page, signed_in.as_ref());
    let username = match page.request.method == Method::POST {
        true => method::typed_username(AuthenticationMethod::FIRST, page),
        false => page.interaction.requested.login_hint().unwrap_or_default(),
    };
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    method::render(AuthenticationMethod::FIRST, page, status, &SignInView { username, problem, current })
}

/// Returns the user who is signed in, and what the request means for that user. `None` for a user who wants another account.
fn current_user<'a>(page: &InteractionPage<'_>, signed_in: Option<&'a SignedIn>) -> Option<CurrentUser<'a>> {
    let (context, now) = (page.context, page.request.received_at);
    let client = page.client.as_ref().map(|stored| &stored.client);
    let prompt = interactions::next_prompt(context, &page.interaction, signed_in, client, now);
    let signed_in = signed_in?;
    let of_client = client.map(|client| context.subject_for(client, &signed_in.session.subject));
    let subject = of_client.as_ref().unwrap_or(&signed_in.session.subject);
    match (prompt, page.interaction.sign_in_reason(subject)) {
        (Ok(NextPrompt::SelectAccount), _) => Some(CurrentUser::MayContinue(signed_in.profile())),
        (_, SignInReason::Confirm) => Some(CurrentUser::MustConfirm(signed_in.profile())),
        (_, SignInReason::NamesOther) => Some(CurrentUser::IsOther(signed_in.profile())),
        (_, SignInReason::OtherWanted) => None,
    }
}

/// The variable part of the page of a method.
#[derive(Default)]
struct SignInView<'a> {
    /// Fills the username field.
    username: &'a str,
    /// Reason why the user sees the page again.
    problem: Option<SignInProblem>,
    /// The user who is signed in, and what the request means for that user.
    current: Option<CurrentUser<'a>>,
}

/// A user whose authentication succeeded.
struct AuthenticatedUser {
    subject: Subject,
    /// The display name.
    name: String,
    /// The sign-in name.
    username: Option<String>,
    context: AuthenticationContext,
    /// The last method that the user passed.
    method: AuthenticationMethod,
    /// True if the user has a passkey.
    has_passkey: bool,
}

/// Creates a session for the user in place of `before`, the browser's session, and resumes the request. Round trips: 2 at
/// the same time, those that end `before`, 1 for a hash that is replaced, and 1 for a notice.
async fn sign_in(
    page: InteractionPage<'_>,
    user: AuthenticatedUser,
    before: Option<SignedIn>,
    attempt: Option<&Attempt<'_>>,
    after: AfterSuccess,
) -> Result<Response, HandlerError> {
    let end_attempt = async {
        if let Some(attempt) = attempt {
            attempt.succeed().await;
        }
    };
    let (username, method, has_passkey) = (user.username.clone(), user.method, user.has_passkey);
    let known = username.map(|username| KnownAccounts::of(page.request, page.context, &username));
    let subject = user.subject.clone();
    let is_new_browser = known.as_ref().is_some_and(|known| known.browser.is_none());
    let tell = async {
        if let Some(notice) = notice(&page, method, is_new_browser) {
            notify_user(page.context, &subject, notice, page.request.received_at).await;
        }
    };
    let (started, (), done, ()) =
        futures::join!(start_session(&page, user, before), end_attempt, after.run(page.context), tell);
    done?;
    let id = started?;
    let cookie = browser_sessions::session_cookie(page.context, id, page.request.received_at)?;
    let known = known.map(|known| known.remember(&page)).transpose()?;
    // A new cookie at each sign-in: an attacker may know the earlier one (session fixation).
    let browser = page.browser.renewed()?;
    let is_offer_due = offer::is_due(&page, method, has_passkey);
    let mut interaction = page.interaction.sign_in(id)?;
    interaction.browser = Some(browser.id.clone());
    let response = match is_offer_due {
        true => offer::show(page.context, &interaction)?,
        false => interactions::resume(page.context, &interaction)?,
    };
    let response = response.with(header::SET_COOKIE, &cookie).with(header::SET_COOKIE, &browser.cookie(page.context));
    Ok(match known {
        Some(known) => response.with(header::SET_COOKIE, &known),
        None => response,
    })
}

/// Returns the notice about a sign-in; at most one, because each is a call to the store.
fn notice(page: &InteractionPage<'_>, method: AuthenticationMethod, is_new_browser: bool) -> Option<SecurityNotice> {
    if method == AuthenticationMethod::RecoveryCode {
        return Some(SecurityNotice::RecoveryCodeUsed);
    }
    let browser = || page.request.header(&header::USER_AGENT).and_then(browser_kind::name);
    is_new_browser.then(|| SecurityNotice::NewBrowser { browser: browser() })
}

/// Creates a session. A session of the same user keeps its `sid`, so that sign-out ends its earlier grants too (OpenID
/// Connect Back-Channel Logout §2). A session of another user ends as by sign-out; the scheduled function notifies its
/// clients.
async fn start_session(
    page: &InteractionPage<'_>,
    user: AuthenticatedUser,
    before: Option<SignedIn>,
) -> Result<SessionId, HandlerError> {
    let (context, now) = (page.context, page.request.received_at);
    let records = context.records.as_ref();
    context.check_clock(page.request).await?;
    let (same, other) = match before {
        Some(before) if before.session.subject == user.subject => (Some(before), None),
        before => (None, before),
    };
    if let Some(other) = other {
        other.end(context, now).await?;
    }
    let session = sessions::Session {
        name: user.name,
        username: user.username,
        authentication: user.context,
        browser: page.request.header(&header::USER_AGENT).and_then(browser_kind::name),
        group: match &same {
            Some(same) => same.session.group,
            None => SessionGroup::new(entropy::bytes()?),
        },
        subject: user.subject,
    };
    let id = sessions::new_id(&session.subject, entropy::bytes()?);
    sessions::create(records, id, &session, now.after(context.config.session_lifetime)).await?;
    if let Some(same) = same {
        sessions::end(records, same.id, now).await?;
    }
    let (client, method) = (page.client_id(), user.method);
    AuditEvent::SignInSucceeded { subject: &session.subject, client, method }.record(page.request);
    Ok(id)
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(
    request: worker::Request,
    env: worker::Env,
    invocation: worker::Context,
) -> worker::Result<worker::Response> {
    provider::worker::serve_with_mail(FUNCTION, request, &env, &invocation).await
}
