//! The sign-in page: the only function that reads credentials.

mod form;
mod password;

use http::{Method, StatusCode, header};
use latchkey_http::{Request, Response};
use pages::{SignIn, SignInProblem};
use platform::entropy;
use protocol::AuthenticationContext;
use protocol::interaction::{Interaction, Step};
use provider::browser::{self, SignedIn};
use provider::{Context, Function, HandlerError, Visit, responses};
use storage::{sessions, users};

/// The function, as every platform calls it.
pub const FUNCTION: Function = Function::page("login", |request, context| Box::pin(handle(request, context)));

/// Shows the page, or takes what it sends.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let visit = Visit::open(request, context).await?;
    if request.method == Method::POST { form::submit(&visit).await } else { show(&visit).await }
}

/// The page as first seen. Whoever is signed in may go on as that, when the request lets people choose; and goes on
/// without it, when the session is good for the request by now: the person signed in in another tab.
async fn show(visit: &Visit<'_>) -> Result<Response, HandlerError> {
    let signed_in = SignedIn::of(visit.request, visit.context).await?;
    let now = visit.request.received_at;
    let step = browser::step(visit.context, &visit.interaction, signed_in.as_ref(), &visit.client.client, now);
    if step == Ok(Step::Proceed) {
        return browser::forward(visit.context, visit.interaction.path(), &visit.interaction);
    }
    let may_go_on = step == Ok(Step::SelectAccount);
    let continue_as = signed_in.as_ref().filter(|_| may_go_on).map(|signed_in| signed_in.session.name.as_str());
    let username = visit.interaction.request.login_hint.as_deref().unwrap_or_default();
    page(visit, StatusCode::OK, username, None, continue_as)
}

/// The page again, and why.
fn show_again(
    visit: &Visit<'_>,
    status: StatusCode,
    username: &str,
    problem: SignInProblem,
) -> Result<Response, HandlerError> {
    page(visit, status, username, Some(problem), None)
}

fn page(
    visit: &Visit<'_>,
    status: StatusCode,
    username: &str,
    problem: Option<SignInProblem>,
    continue_as: Option<&str>,
) -> Result<Response, HandlerError> {
    let nonce = entropy::name()?;
    let client = &visit.client.client;
    let page = pages::sign_in(&SignIn {
        nonce: &nonce,
        client: client.into(),
        redirect_uri: visit.interaction.request.target.redirect_uri(),
        username,
        problem,
        interaction: &visit.sealed,
        csrf: &visit.browser.form_token(visit.context, "login", &visit.sealed),
        continue_as,
    });
    Ok(responses::page(status, page))
}

/// Signs a person in: a new session in place of the one that the browser had, and on with the request. The same person's
/// keeps its `sid`, so that signing out ends what was granted before, too (OpenID Connect Back-Channel Logout §2); another
/// person's ends as by signing out, and its clients are told by the scheduled function.
async fn sign_in(visit: &Visit<'_>, subject: String) -> Result<Response, HandlerError> {
    let (context, now) = (visit.context, visit.request.received_at);
    let records = context.records.as_ref();
    let (same, other) = match SignedIn::of(visit.request, context).await? {
        Some(before) if before.session.subject == subject => (Some(before), None),
        before => (None, before),
    };
    if let Some(other) = other {
        other.end(context, now).await?;
    }
    let user = users::find(records, &subject).await?;
    let session = sessions::Session {
        name: user.as_ref().map_or_else(|| subject.clone(), |user| user.display_name().to_owned()),
        authentication: AuthenticationContext::password(now),
        sid: same.as_ref().map_or_else(entropy::name, |same| Ok(same.session.sid.clone()))?,
        subject,
    };
    let id = sessions::new_id(&session.subject, entropy::bytes()?);
    sessions::create(records, id, &session, now.after(context.config.session_lifetime)).await?;
    if let Some(same) = same {
        sessions::remove(records, same.id).await?;
    }
    let cookie = browser::session_cookie(context, id, now)?;
    let interaction = Interaction { signed_in: Some(id.name()), decision: None, ..visit.interaction.clone() };
    Ok(browser::forward(context, interaction.path(), &interaction)?.with(header::SET_COOKIE, &cookie))
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    provider::worker::serve(FUNCTION, request, &env).await
}
