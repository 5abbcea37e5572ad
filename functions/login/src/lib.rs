//! The sign-in page: the only function that reads credentials.

mod form;
mod password;

use http::{Method, StatusCode, header};
use pages::{SignIn, SignInProblem};
use protocol::interaction::{self, Interaction, Step};
use protocol::{AuthenticationContext, Error, ErrorCode, StoredClient};
use runtime::browser::{self, Browser, SignedIn};
use runtime::{Context, Fault, Request, Response, entropy};
use storage::{sessions, users};

/// Shows the page, or takes what it sends.
pub async fn handle(request: &Request, context: &Context) -> Result<Response, Fault> {
    let browser = Browser::of(request, context)?;
    let Ok(parameters) = request.parameters() else { return lost(request) };
    if parameters.refuse_repeated().is_err() {
        return lost(request);
    }
    let sealed = parameters.value("interaction").unwrap_or_default();
    let Some(interaction) = browser.open_interaction(context, sealed, request.received_at) else {
        return lost(request);
    };
    let Some(client) = context.client(&interaction.request.client_id, request.received_at).await? else {
        return lost(request);
    };
    let visit = Visit { request, context, browser: &browser, client: &client, sealed, interaction };
    if request.method == Method::POST { form::submit(visit, &parameters).await } else { visit.show().await }
}

/// One visit of the page.
struct Visit<'a> {
    request: &'a Request,
    context: &'a Context,
    browser: &'a Browser,
    client: &'a StoredClient,
    sealed: &'a str,
    interaction: Interaction,
}

impl Visit<'_> {
    /// The page as first seen. Whoever is signed in may go on as that, when the request lets people choose.
    async fn show(&self) -> Result<Response, Fault> {
        let chooses = self.interaction.request.prompt.select_account;
        let signed_in = if chooses { SignedIn::of(self.request, self.context).await? } else { None };
        let known_as = signed_in
            .as_ref()
            .map(|signed_in| signed_in.known_as(self.context, &self.client.client))
            .unwrap_or_default();
        let active = signed_in.as_ref().map(|signed_in| signed_in.as_active(&known_as));
        let may_go_on =
            interaction::step(&self.interaction, active.as_ref(), self.request.received_at) == Ok(Step::SelectAccount);
        let continue_as = signed_in.as_ref().filter(|_| may_go_on).map(|signed_in| signed_in.session.name.as_str());
        let hint = self.interaction.request.login_hint.as_deref().unwrap_or_default();
        self.page(StatusCode::OK, hint, None, continue_as)
    }

    fn page(
        &self,
        status: StatusCode,
        username: &str,
        problem: Option<SignInProblem>,
        continue_as: Option<&str>,
    ) -> Result<Response, Fault> {
        let nonce = entropy::name()?;
        let client = &self.client.client;
        let page = pages::sign_in(&SignIn {
            nonce: &nonce,
            client: client.into(),
            redirect_uri: self.interaction.request.target.redirect_uri(),
            username,
            problem,
            interaction: self.sealed,
            csrf: &self.browser.form_token(self.context, "login", self.sealed),
            continue_as,
            cancel: true,
        });
        Ok(Response::page(status, page.html, &page.csp).of_client(&client.client_id))
    }

    /// Signs a person in: a new session, and on with the request.
    async fn sign_in(self, subject: String) -> Result<Response, Fault> {
        let (context, now) = (self.context, self.request.received_at);
        let records = context.records.as_ref();
        let user = users::find(records, &subject).await?;
        let session = sessions::Session {
            name: user.as_ref().map_or_else(|| subject.clone(), |user| user.display_name().to_owned()),
            authentication: AuthenticationContext::password(now),
            sid: entropy::name()?,
            subject,
        };
        let id = sessions::new_id(&session.subject, entropy::bytes()?);
        sessions::create(records, id, &session, now.after(context.config.session_lifetime)).await?;
        let cookie = browser::session_cookie(context, id, now)?;
        Ok(self.go_on_as(id.name())?.with(header::SET_COOKIE, &cookie))
    }

    /// On with the request, in this session.
    fn go_on_as(self, session: String) -> Result<Response, Fault> {
        let interaction = Interaction { signed_in: Some(session), decision: None, ..self.interaction };
        browser::forward(self.context, interaction.path(), &interaction)
    }
}

/// What a person is told whose sign-in is over or began elsewhere.
fn lost(request: &Request) -> Result<Response, Fault> {
    let nonce = entropy::name()?;
    let error = Error::new(ErrorCode::InvalidRequest, "the interaction is missing, over, or of another browser");
    let page = pages::error(&pages::ErrorPage {
        nonce: &nonce,
        status: 400,
        title: "This sign-in is over",
        message: "It took too long, was opened in another browser, or your browser does not keep cookies. Go back to the application and sign in again.",
        hint: None,
        request_id: &request.id,
    });
    Ok(Response::page(StatusCode::BAD_REQUEST, page.html, &page.csp).failed(&error))
}

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(request: worker::Request, env: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    runtime::worker::serve("login", request, &env, |request, context| Box::pin(handle(request, context))).await
}
