//! RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0).

mod request;

use http::{Method, StatusCode, header};
use latchkey_http::MAX_QUERY;
use latchkey_http::{Request, Response};
use pages::LeaveReason;
use protocol::Parameters;
use provider::authorization_response::leave;
use provider::browser::Browser;
use provider::sessions::{self as browser_sessions, SignedIn};
use provider::{Actor, AuditEvent, Context, Function, HandlerError, RequestParameters, cookies, responses};
use request::{LinkOrigin, LogoutRequest};
use storage::sessions;
use types::Error;

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::page("logout", |request, context| Box::pin(handle(request, context)));

/// Ends the session of this browser: at once if a client presents an ID token of that session, else after the user
/// confirms (RP-Initiated Logout §2).
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let browser = Browser::of(request, context)?;
    let response = match request.parameters() {
        Err(error) => return Err(error_page(error)),
        Ok(parameters) => match parameters.value("interaction") {
            Some(_) if request.method == Method::POST => confirmed(request, context, &browser, &parameters).await?,
            Some(sealed) => match LogoutRequest::open(sealed, request, context, &browser).await? {
                Some((logout, _)) => begin(request, context, &browser, &logout).await?,
                None => return Err(error_page(Error::invalid_request("the link is not one of this server"))),
            },
            None => asked(request, context, &browser, &parameters).await?,
        },
    };
    Ok(browser.remember(response, context))
}

/// Checks a client's request. Browsers omit cookies from a POST of another site, so the request continues by GET. It
/// is sealed, so that no URL shows the parameters that the client posted.
async fn asked(
    request: &Request,
    context: &Context,
    browser: &Browser,
    parameters: &Parameters,
) -> Result<Response, HandlerError> {
    let logout = LogoutRequest::check(parameters, request, context).await?;
    if request.method != Method::POST {
        return begin(request, context, browser, &logout).await;
    }
    let sealed = logout.seal(request, context, browser)?;
    if sealed.len() > MAX_QUERY {
        return Err(error_page(Error::invalid_request("the request is too long")));
    }
    Ok(Response::see_other(&format!("{}/logout?interaction={sealed}", context.config.issuer)))
}

async fn begin(
    request: &Request,
    context: &Context,
    browser: &Browser,
    logout: &LogoutRequest,
) -> Result<Response, HandlerError> {
    match SignedIn::of(request, context).await? {
        // Without a session and a hint nothing shows that the user came from this client: the user decides (§3, §4).
        None if !logout.has_hint() => {
            let cookie = cookies::clear(&context.config, cookies::SESSION);
            Ok(signed_out(request, context, logout, false, &[], None)?.with(header::SET_COOKIE, &cookie))
        }
        None => {
            logout.end_named(context, request.received_at).await?;
            done(request, context, browser, logout, &[])
        }
        Some(signed_in) if logout.names(&signed_in.session) => end(request, context, browser, &signed_in, logout).await,
        Some(signed_in) => ask(request, context, browser, &signed_in, logout, pages::logout),
    }
}

/// Asks the user with a page and its form.
fn ask(
    request: &Request,
    context: &Context,
    browser: &Browser,
    signed_in: &SignedIn,
    logout: &LogoutRequest,
    render: fn(&pages::Logout<'_>) -> pages::Page,
) -> Result<Response, HandlerError> {
    let frame = responses::frame(request, context)?;
    let sealed = logout.seal(request, context, browser)?;
    let page = render(&pages::Logout {
        frame: &frame,
        client_name: logout.client_name.as_deref(),
        user: Some(signed_in.profile()),
        interaction: &sealed,
        csrf: &browser.form_token(context, "logout", &sealed),
    });
    Ok(responses::page(StatusCode::OK, page))
}

/// Applies the user's decision.
async fn confirmed(
    request: &Request,
    context: &Context,
    browser: &Browser,
    parameters: &Parameters,
) -> Result<Response, HandlerError> {
    let sealed = parameters.value("interaction").unwrap_or_default();
    let accepts_form = browser.accepts_form(context, "logout", sealed, parameters.value("csrf"));
    let logout = match LogoutRequest::open(sealed, request, context, browser).await? {
        Some((logout, LinkOrigin::ThisBrowser)) if accepts_form => logout,
        // The user signed in in another tab since: the question is asked again.
        Some((logout, LinkOrigin::BeforeSignIn)) => return begin(request, context, browser, &logout).await,
        _ => return Err(error_page(Error::invalid_request("the form is not one that this browser was shown"))),
    };
    let decision = parameters.value("decision").unwrap_or_default();
    if !matches!(decision, "yes" | "everywhere" | "everywhere-yes") {
        return signed_out(request, context, &logout, true, &[], None);
    }
    let Some(signed_in) = SignedIn::of(request, context).await? else {
        return done(request, context, browser, &logout, &[]);
    };
    match decision {
        "everywhere" => ask(request, context, browser, &signed_in, &logout, pages::logout_everywhere),
        "everywhere-yes" => end_everywhere(request, context, browser, &signed_in, &logout).await,
        _ => end(request, context, browser, &signed_in, &logout).await,
    }
}

/// Ends the session and notifies its clients.
async fn end(
    request: &Request,
    context: &Context,
    browser: &Browser,
    signed_in: &SignedIn,
    logout: &LogoutRequest,
) -> Result<Response, HandlerError> {
    let notifications = signed_in.end(context, request.received_at).await?;
    AuditEvent::SignedOut { subject: &signed_in.session.subject }.record(request);
    notifications.send(context, request.received_at).await;
    done(request, context, browser, logout, notifications.frames())
}

/// The most applications that the page after a sign-out everywhere names.
const MAX_NAMES: usize = 50;

/// Ends all sessions and all grants of the user. The page says what ended; it does not redirect.
async fn end_everywhere(
    request: &Request,
    context: &Context,
    browser: &Browser,
    signed_in: &SignedIn,
    logout: &LogoutRequest,
) -> Result<Response, HandlerError> {
    let (records, subject, now) = (context.records.as_ref(), &signed_in.session.subject, request.received_at);
    let (ended, notifications) = browser_sessions::end_everywhere(context, subject, now).await?;
    // The list of the user's records may lag; this session must end in any case.
    sessions::end(records, signed_in.id, now).await?;
    AuditEvent::SignedOutEverywhere { subject, actor: Actor::User }.record(request);
    notifications.send(context, now).await;
    let mut applications = Vec::new();
    for client_id in ended.clients.iter().take(MAX_NAMES) {
        let client = context.client(client_id, now).await?;
        applications.extend(client.map(|client| client.client.display_name().to_owned()));
    }
    let ended = pages::EndedEverywhere {
        sessions: ended.sessions.max(1),
        applications: &applications,
        unfinished: ended.unfinished,
    };
    forgotten(context, browser, signed_out(request, context, logout, false, notifications.frames(), Some(ended))?)
}

/// Leads to the client's post-logout redirect URI, after a form by a page that navigates; or shows the page after sign-out. Clients with front-channel
/// logout (OpenID Connect Front-Channel Logout §3) are notified in frames of that page, which then continues to the
/// client.
fn done(
    request: &Request,
    context: &Context,
    browser: &Browser,
    logout: &LogoutRequest,
    frames: &[String],
) -> Result<Response, HandlerError> {
    let response = match logout.return_to() {
        Some(uri) if frames.is_empty() && request.method == Method::POST => {
            leave(&uri, LeaveReason::SignedOut, request, context)?
        }
        Some(location) if frames.is_empty() => Response::see_other(&location),
        _ => signed_out(request, context, logout, false, frames, None)?,
    };
    forgotten(context, browser, response)
}

/// Returns a response that removes the session cookie and renews the browser cookie: the next user of this browser continues
/// nothing of this one.
fn forgotten(context: &Context, browser: &Browser, response: Response) -> Result<Response, HandlerError> {
    Ok(response
        .with(header::SET_COOKIE, &cookies::clear(&context.config, cookies::SESSION))
        .with(header::SET_COOKIE, &browser.replaced()?.cookie(context)))
}

fn signed_out(
    request: &Request,
    context: &Context,
    logout: &LogoutRequest,
    stayed: bool,
    frames: &[String],
    ended: Option<pages::EndedEverywhere<'_>>,
) -> Result<Response, HandlerError> {
    let frame = responses::frame(request, context)?;
    let return_uri = logout.return_to();
    let page = pages::signed_out(&pages::SignedOut {
        frame: &frame,
        client_name: logout.client_name.as_deref(),
        return_uri: return_uri.as_deref(),
        start_uri: logout.start_uri.as_deref(),
        stayed,
        ended,
        frames,
    });
    Ok(responses::page(StatusCode::OK, page))
}

fn error_page(error: Error) -> HandlerError {
    HandlerError::page(
        "This sign-out link does not work",
        "The application sent you here with a request that cannot be answered. You are still signed in.",
        error,
    )
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
