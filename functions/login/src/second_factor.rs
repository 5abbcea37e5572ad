//! The second factor after a password: a code of an authenticator app, or a recovery code.

use crate::limits::{Attempt, Counted};
use crate::method::{AfterSuccess, Judged};
use crate::{SignInView, passkey};
use http::StatusCode;
use latchkey_http::Response;
use pages::{ClientProfile, DeviceProfile, SecondFactorPage};
use protocol::{
    AuthenticationDenied, AuthenticationMethod, AuthenticationState, PassedFirstFactor, RecoveryCode, TotpStep,
};
use provider::{Context, HandlerError, InteractionPage, interactions, responses, second_factor as sealed};
use storage::second_factor::{self, SecondFactorUse, StoredSecondFactor};

/// The field of the form with the sealed proof of the first factor.
pub(crate) const FIELD: &str = "passed";

/// Returns the method of the form of this page: six digits are a code of the app.
pub(crate) fn method(page: &InteractionPage<'_>) -> AuthenticationMethod {
    let typed = page.parameters.value("one_time_code").unwrap_or_default();
    let digits = typed.chars().filter(|c| !c.is_whitespace());
    match digits.clone().count() == 6 && digits.clone().all(|c| c.is_ascii_digit()) {
        true => AuthenticationMethod::Totp,
        false => AuthenticationMethod::RecoveryCode,
    }
}

/// Shows the page to a user whose password was right.
pub(crate) fn ask(page: &InteractionPage<'_>, passed: &PassedFirstFactor) -> Result<Response, HandlerError> {
    let passed = interactions::seal(page.context, passed)?;
    show(page, StatusCode::OK, &passed, &SignInView::default())
}

/// Shows the page again.
pub(crate) fn render(
    page: &InteractionPage<'_>,
    status: StatusCode,
    view: &SignInView<'_>,
) -> Result<Response, HandlerError> {
    show(page, status, page.parameters.value(FIELD).unwrap_or_default(), view)
}

fn show(
    page: &InteractionPage<'_>,
    status: StatusCode,
    passed: &str,
    view: &SignInView<'_>,
) -> Result<Response, HandlerError> {
    let frame = responses::frame(page.request, page.context)?;
    let requested = &page.interaction.requested;
    let rendered = pages::second_factor(&SecondFactorPage {
        frame: &frame,
        client: page.client.as_ref().map(|client| ClientProfile::of(client, &page.context.config.issuer)),
        redirect_uri: requested.redirect_uri().map(|redirect_uri| redirect_uri.as_str()),
        device: requested.asking_device().map(|device| DeviceProfile::of(device, page.request.received_at)),
        problem: view.problem,
        passed,
        interaction: &page.sealed,
        csrf: &page.browser.form_token(page.context, "login", &page.sealed),
        passkey_options: passkey::options(page)?.as_deref(),
    });
    Ok(responses::page(status, rendered))
}

/// Returns the user whose password was right in this browser; `None` if that is over.
pub(crate) fn passed(page: &InteractionPage<'_>) -> Option<PassedFirstFactor> {
    let opened: PassedFirstFactor = interactions::open(page.context, page.parameters.value(FIELD)?)?;
    let is_live = opened.browser == page.browser.id && !opened.expires_at.is_past(page.request.received_at);
    is_live.then_some(opened)
}

/// Judges the code. The attempt is counted before the code is compared, while the record is read.
pub(crate) async fn authenticate<'a>(page: &InteractionPage<'a>) -> Result<Judged<'a>, HandlerError> {
    let Some(passed) = passed(page) else {
        return Ok(Judged::denied(AuthenticationDenied::Expired));
    };
    let method = method(page);
    let counted = match method {
        AuthenticationMethod::Totp => Counted::code(&passed.username),
        _ => Counted::recovery_code(&passed.username),
    };
    let (begun, stored) = futures::join!(
        Attempt::begin(page, counted),
        second_factor::find(page.context.records.as_ref(), &passed.subject)
    );
    let attempt = match begun? {
        Ok(attempt) => attempt,
        Err(wait) => {
            return Ok(Judged::denied(AuthenticationDenied::TooManyAttempts { retry_after: wait.as_secs() }));
        }
    };
    let judged = match stored {
        Ok(Some(stored)) => judge(page, &passed, method, stored),
        Ok(None) => Ok(None),
        Err(error) => Err(error.into()),
    };
    match judged {
        Ok(Some(used)) => {
            let auth_time = passed.not_before.max(page.request.received_at);
            let PassedFirstFactor { subject, name, username, .. } = passed;
            let state = AuthenticationState::Success { subject, name, context: method.context(auth_time) };
            let after = AfterSuccess::SecondFactor(Box::new(used));
            Ok(Judged { attempt: Some(attempt), username: Some(username), after, ..Judged::of(state) })
        }
        Ok(None) => {
            attempt.fail().await?;
            Ok(Judged::denied(AuthenticationDenied::WrongCode))
        }
        Err(error) => {
            attempt.succeed().await;
            Err(error)
        }
    }
}

/// Compares the code that the user typed. Returns the use of it.
fn judge(
    page: &InteractionPage<'_>,
    passed: &PassedFirstFactor,
    method: AuthenticationMethod,
    stored: StoredSecondFactor,
) -> Result<Option<UsedSecondFactor>, HandlerError> {
    let (context, subject) = (page.context, &passed.subject);
    let typed = page.parameters.value("one_time_code").unwrap_or_default();
    let used = if method == AuthenticationMethod::Totp {
        let Some(secret) = sealed::open(context, subject, &stored.value.secret) else {
            return Err(HandlerError::unavailable(
                "the secret of an authenticator app cannot be opened; is LATCHKEY_SECRET the one it was sealed with?",
            ));
        };
        let last = TotpStep::from_number(stored.value.last_step);
        match secret.verify(typed, Some(last), page.request.received_at) {
            Some(step) => Some(SecondFactorUse::Code { step, secret: sealed::seal(context, subject, &secret)? }),
            None => None,
        }
    } else {
        let codes = RecoveryCode::parse(typed).map(|code| sealed::recovery_macs(context, subject, &code));
        let is_left = |mac: &String| stored.value.recovery_codes.contains(mac);
        codes.into_iter().flatten().find(is_left).map(SecondFactorUse::RecoveryCode)
    };
    Ok(used.map(|used| UsedSecondFactor { stored, used }))
}

/// The use of a code, which is recorded with the new session.
pub(crate) struct UsedSecondFactor {
    stored: StoredSecondFactor,
    used: SecondFactorUse,
}

impl UsedSecondFactor {
    /// Uses the code up. Errors: another request used it first, at the same moment. Round trips: 1.
    pub(crate) async fn run(self, context: &Context) -> Result<(), HandlerError> {
        match second_factor::use_up(context.records.as_ref(), self.stored, &self.used).await? {
            true => Ok(()),
            false => Err(HandlerError::unavailable("the code was used by another request at the same moment")),
        }
    }
}
