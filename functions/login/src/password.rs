//! Sign-in with a password: the page, the limit of attempts, and the hash (Argon2id).

use crate::SignInView;
use crate::limits::{Attempt, Counted};
use crate::method::{AfterSuccess, Judged};
use crate::passkey;
use http::StatusCode;
use latchkey_http::Response;
use pages::{ClientProfile, DeviceProfile, SignIn};
use protocol::{AuthenticationDenied, AuthenticationState, PassedFirstFactor, Password, PasswordAttempt};
use provider::names::PLATFORM_UNICODE;
use provider::password_hash::Comparison;
use provider::{Context, HandlerError, InteractionPage, password_hash, responses};
use storage::Unavailable;
use storage::users::{self, Credential, StoredCredential};

/// Shows the page with the fields for username and password.
pub(crate) fn render(
    page: &InteractionPage<'_>,
    status: StatusCode,
    view: &SignInView<'_>,
) -> Result<Response, HandlerError> {
    let frame = page.frame()?;
    let requested = &page.interaction.requested;
    let rendered = pages::sign_in(&SignIn {
        frame: &frame,
        client: page.client.as_ref().map(|client| ClientProfile::of(client, &page.context.config.issuer)),
        redirect_uri: requested.redirect_uri().map(|redirect_uri| redirect_uri.as_str()),
        device: requested.asking_device().map(|device| DeviceProfile::of(device, page.request.received_at)),
        username: view.username,
        problem: view.problem,
        interaction: &page.sealed,
        csrf: &page.browser.form_token(page.context, "login", &page.sealed),
        current: view.current,
        passkey_options: passkey::options(page)?.as_deref(),
        has_recovery: page.context.config.mail.is_some(),
    });
    Ok(responses::page(status, rendered))
}

/// Judges the username and the password of the form. The attempt is counted before the password is compared, while the
/// credential is read.
pub(crate) async fn authenticate<'a>(page: &InteractionPage<'a>) -> Result<Judged<'a>, HandlerError> {
    let denied = |denied| Ok(Judged::denied(denied));
    let sent = match PasswordAttempt::from_form(&page.parameters, &PLATFORM_UNICODE) {
        Ok(sent) => sent,
        Err(reason) => return denied(reason),
    };
    // The names that no user can have share a counter, and the store is not asked for them.
    let account = sent.username().map_or_else(String::new, ToString::to_string);
    let begin = Attempt::begin(page, Counted::password(&account));
    let (begun, credential) = futures::join!(begin, find(page, &sent));
    let attempt = match begun? {
        Ok(attempt) => attempt,
        Err(wait) => return denied(AuthenticationDenied::TooManyAttempts { retry_after: wait.as_secs() }),
    };
    match judge(page, &sent, credential).await {
        Ok(Verdict::Right { state, rehash, has_passkey, has_second_factor }) => {
            let username = sent.username().map(ToString::to_string);
            let state = match state {
                AuthenticationState::Success { subject, name, context } if has_second_factor => {
                    let now = page.request.received_at;
                    AuthenticationState::Continue(PassedFirstFactor {
                        subject,
                        name,
                        username: username.clone().unwrap_or_default(),
                        browser: page.browser.id.clone(),
                        not_before: context.auth_time,
                        expires_at: now.after(PassedFirstFactor::LIFETIME),
                    })
                }
                other => other,
            };
            let after = rehash.map_or(AfterSuccess::Nothing, AfterSuccess::Rehash);
            Ok(Judged { state, attempt: Some(attempt), username, after, has_passkey })
        }
        Ok(Verdict::Wrong(comparison)) => {
            attempt.fail().await?;
            comparison.wait().await;
            denied(AuthenticationDenied::WrongCredential)
        }
        Err(error) => {
            attempt.succeed().await;
            Err(error)
        }
    }
}

async fn find(page: &InteractionPage<'_>, sent: &PasswordAttempt) -> Result<Option<StoredCredential>, Unavailable> {
    match sent.username() {
        Some(username) => users::find_stored_credential(page.context.records.as_ref(), username).await,
        None => Ok(None),
    }
}

/// The verdict about a username and a password.
enum Verdict {
    /// The password is right.
    Right {
        /// The state after it.
        state: AuthenticationState,
        /// The hash to replace.
        rehash: Option<Box<Rehash>>,
        /// True if the user has a passkey.
        has_passkey: bool,
        /// True if a second factor must follow.
        has_second_factor: bool,
    },
    /// Username or password is wrong, or the user is disabled.
    Wrong(Comparison),
}

/// Compares the password.
async fn judge(
    page: &InteractionPage<'_>,
    sent: &PasswordAttempt,
    stored: Result<Option<StoredCredential>, Unavailable>,
) -> Result<Verdict, HandlerError> {
    let stored = stored?;
    let hash = stored.as_ref().map(|stored| stored.credential.password.clone());
    let most_work = page.context.config.passwords.hash_work;
    let comparison = password_hash::compare(sent.password().clone(), hash, most_work).await?;
    let is_accepted = |stored: &StoredCredential| comparison.is_right && !stored.credential.disabled;
    let Some(stored) = stored.filter(is_accepted) else { return Ok(Verdict::Wrong(comparison)) };
    let auth_time = stored.credential.auth_time(page.request.received_at);
    let Credential { subject, name, has_passkey, has_second_factor, .. } = stored.credential.clone();
    let name = match name {
        Some(name) => name,
        None => {
            let user = users::find(page.context.records.as_ref(), &subject).await?;
            user.map_or_else(|| subject.as_str().to_owned(), |user| user.display_name().to_owned())
        }
    };
    let rehash = comparison.is_to_replace.then(|| Box::new(Rehash { password: sent.password().clone(), stored }));
    Ok(Verdict::Right {
        state: PasswordAttempt::success(subject, name, auth_time),
        rehash,
        has_passkey,
        has_second_factor,
    })
}

/// A hash that is dearer than those of this version, or has another form, because it was imported. The password is known to be right: it gets a new
/// hash.
pub(crate) struct Rehash {
    password: Password,
    stored: StoredCredential,
}

impl Rehash {
    /// Replaces the hash. A failure does not fail the sign-in: the next one tries again. Round trips: 1.
    pub(crate) async fn run(self, context: &Context) {
        let outcome = async {
            let hash = password_hash::hash(self.password).await?;
            Ok::<_, HandlerError>(users::rehash(context.records.as_ref(), self.stored, hash).await?)
        };
        if let Err(error) = outcome.await {
            (context.log)(&format!("an imported password hash was not replaced: {error:?}"));
        }
    }
}

/// Returns the username that the user typed; nothing if the form was not accepted.
pub(crate) fn typed_username<'a>(page: &'a InteractionPage<'_>) -> &'a str {
    match PasswordAttempt::from_form(&page.parameters, &PLATFORM_UNICODE) {
        Ok(_) => page.parameters.value("username").unwrap_or_default(),
        Err(_) => "",
    }
}
