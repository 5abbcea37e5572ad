//! Sign-in with a passkey (WebAuthn §7.2). The challenge is consumed first; the signature decides.

use crate::limits;
use crate::method::{AfterSuccess, Judged};
use futures::join;
use jose::Jwk;
use platform::entropy;
use protocol::{
    AuthenticationDenied, AuthenticationMethod, AuthenticationState, Ceremony, PasskeyAssertion, PasskeyChallenge,
    PasskeyProblem, PasskeyUse, RelyingParty, SignedByPasskey, request_options,
};
use provider::{Context, HandlerError, InteractionPage};
use storage::markers;
use storage::passkeys::{self, StoredPasskey};
use storage::users::{self, User};

/// The field of the form with the answer of the browser.
pub(crate) const FIELD: &str = "passkey";

/// Returns the options with which the page asks the browser for a passkey, as JSON; `None` without passkeys.
pub(crate) fn options(page: &InteractionPage<'_>) -> Result<Option<String>, HandlerError> {
    let Some(party) = &page.context.config.passkeys else { return Ok(None) };
    let expires_at = page.request.received_at.after(PasskeyChallenge::LIFETIME);
    let challenge = PasskeyChallenge { id: entropy::bytes()?, expires_at };
    let sealed = challenge.seal(&page.context.secrets, Ceremony::Get, &page.browser.id, "");
    Ok(Some(request_options(party, &sealed, &[]).to_string()))
}

/// Judges the answer of the browser. Round trips: 3, of which 2 at the same time; one more group for an answer that is rejected, which
/// is counted against the network.
pub(crate) async fn authenticate<'a>(page: &InteractionPage<'a>) -> Result<Judged<'a>, HandlerError> {
    let network = limits::passkey(page);
    if let Err(wait) = network.check() {
        return Ok(Judged::denied(AuthenticationDenied::TooManyAttempts { retry_after: wait.as_secs() }));
    }
    match judge(page).await? {
        Ok(accepted) => {
            let Accepted { user, stored, after } = accepted;
            let auth_time = user.auth_time(page.request.received_at);
            let state = AuthenticationState::Success {
                name: user.display_name().to_owned(),
                context: AuthenticationMethod::Passkey.context(auth_time),
                subject: user.subject,
            };
            let used = Box::new(UsedPasskey { before: stored, after });
            Ok(Judged {
                username: Some(user.username),
                after: AfterSuccess::PasskeyUse(used),
                has_passkey: true,
                ..Judged::of(state)
            })
        }
        Err(problem) => {
            page.request.log.error("access_denied", &problem.to_string());
            let _ = network.acquire().await?;
            network.fail().await?;
            Ok(Judged::denied(AuthenticationDenied::UnknownPasskey))
        }
    }
}

/// A user whose passkey answered.
struct Accepted {
    user: User,
    stored: StoredPasskey,
    after: PasskeyUse,
}

async fn judge(page: &InteractionPage<'_>) -> Result<Result<Accepted, PasskeyProblem>, HandlerError> {
    let (context, now) = (page.context, page.request.received_at);
    let Some(party) = &context.config.passkeys else { return Ok(Err(PasskeyProblem::Credential)) };
    let answer = match PasskeyAssertion::parse(page.parameters.value(FIELD).unwrap_or_default(), party) {
        Ok(answer) => answer,
        Err(problem) => return Ok(Err(problem)),
    };
    let challenge = answer.challenge();
    let opened = PasskeyChallenge::open(&context.secrets, challenge, Ceremony::Get, &page.browser.id, "", now);
    let Some(challenge) = opened else { return Ok(Err(PasskeyProblem::Challenge)) };
    let (records, name, write_id) = (context.records.as_ref(), challenge.name(), entropy::name()?);
    let (is_first, found) = join!(
        markers::use_once(records, "passkey-challenge", &name, challenge.expires_at, &write_id),
        passkeys::find(records, answer.user_handle(), answer.credential_id())
    );
    if !is_first? {
        return Ok(Err(PasskeyProblem::Challenge));
    }
    let Some(stored) = found? else { return Ok(Err(PasskeyProblem::Credential)) };
    if let Err(problem) = verify(&answer, &stored, party).await? {
        return Ok(Err(problem));
    }
    let user = users::find(records, &stored.subject).await?.filter(|user| !user.disabled);
    let Some(user) = user else { return Ok(Err(PasskeyProblem::Credential)) };
    let after = answer.used(&stored.usage, now);
    Ok(Ok(Accepted { user, stored, after }))
}

/// Verifies the signature of the answer.
async fn verify(
    answer: &PasskeyAssertion,
    stored: &StoredPasskey,
    party: &RelyingParty,
) -> Result<Result<(), PasskeyProblem>, HandlerError> {
    let signed = match answer.check(&stored.passkey, &stored.usage, party) {
        Ok(signed) => signed,
        Err(problem) => return Ok(Err(problem)),
    };
    let SignedByPasskey { algorithm, message, signature } = signed;
    let jwk: Option<Jwk> = types::json::typed(&stored.passkey.key.jwk());
    let Some(jwk) = jwk else { return Ok(Err(PasskeyProblem::Key)) };
    let verifier = jose::platform().verifier(algorithm, &jwk.key).await.map_err(HandlerError::unavailable)?;
    Ok(if verifier.verify(&message, &signature).await { Ok(()) } else { Err(PasskeyProblem::Credential) })
}

/// The use of a passkey, which is recorded with the new session.
pub(crate) struct UsedPasskey {
    before: StoredPasskey,
    after: PasskeyUse,
}

impl UsedPasskey {
    /// Records the use. Round trips: 1; 0 if nothing changes.
    pub(crate) async fn run(self, context: &Context) -> Result<(), HandlerError> {
        let is_recorded = passkeys::record_use(context.records.as_ref(), self.before, &self.after).await?;
        // The session that starts at the same time has an identifier that no browser receives.
        match is_recorded {
            true => Ok(()),
            false => Err(HandlerError::unavailable("the passkey was removed, or used elsewhere, at the same moment")),
        }
    }
}
