//! What a client asks for when it ends a session (RP-Initiated Logout §2, §3).

use crate::error_page;
use latchkey_http::Request;
use protocol::Parameters;
use protocol::logout::sid_for;
use provider::{Context, HandlerError};
use serde::{Deserialize, Serialize};
use storage::sessions::Session;
use types::Error;

/// A request that passed every check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogoutRequest {
    client_id: Option<String>,
    /// The client's name for people.
    pub(crate) client_name: Option<String>,
    /// Where the browser goes afterwards: registered by the client.
    pub(crate) redirect_uri: Option<String>,
    state: Option<String>,
    hint: Option<Hint>,
}

/// Whose session, according to a genuine ID token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Hint {
    client_id: String,
    sid: String,
}

impl LogoutRequest {
    /// Checks a request. The browser is redirected to a URI that the client registered, or to none (§3). Errors: an error
    /// page.
    pub(crate) async fn check(
        parameters: &Parameters,
        request: &Request,
        context: &Context,
    ) -> Result<Self, HandlerError> {
        let wrong = |description| error_page(Error::invalid_request(description));
        parameters.refuse_repeated().map_err(error_page)?;
        let mut logout = Self { state: parameters.value("state").map(str::to_owned), ..Self::default() };
        logout.client_id = parameters.value("client_id").map(str::to_owned);
        if let Some(token) = parameters.value("id_token_hint") {
            let hint = context.id_token_hint(token, request.received_at).await?;
            let hint = hint.ok_or_else(|| wrong("id_token_hint is not an ID token of this server"))?;
            if logout.client_id.as_ref().is_some_and(|client_id| *client_id != hint.aud) {
                return Err(wrong("client_id is not the client that id_token_hint was issued to"));
            }
            logout.client_id = Some(hint.aud.clone());
            logout.hint = Some(Hint { client_id: hint.aud, sid: hint.sid });
        }
        let Some(client_id) = logout.client_id.clone() else {
            return match parameters.value("post_logout_redirect_uri") {
                Some(_) => Err(wrong("post_logout_redirect_uri needs an id_token_hint or a client_id")),
                None => Ok(logout),
            };
        };
        let stored = context.client(&client_id, request.received_at).await?;
        let stored = stored.ok_or_else(|| wrong("the client_id is unknown"))?;
        logout.client_name = Some(stored.client.display_name().to_owned());
        if let Some(uri) = parameters.value("post_logout_redirect_uri") {
            if !stored.client.post_logout_redirect_uris.iter().any(|registered| registered == uri) {
                return Err(wrong(
                    "the post_logout_redirect_uri is not registered for this client; it must match to the character",
                ));
            }
            logout.redirect_uri = Some(uri.to_owned());
        }
        Ok(logout)
    }

    /// Whether a genuine ID token shows that the client knows this very session. The `sid` is enough: a session is one
    /// person's, whatever name the client knows that person by.
    pub(crate) fn names(&self, session: &Session) -> bool {
        self.hint.as_ref().is_some_and(|hint| hint.sid == sid_for(&hint.client_id, &session.sid))
    }

    /// Where the browser goes afterwards, with the client's state.
    pub(crate) fn return_to(&self) -> Option<String> {
        let uri = self.redirect_uri.as_ref()?;
        let Some(state) = &self.state else { return Some(uri.clone()) };
        let separator = if uri.contains('?') { '&' } else { '?' };
        let encoded = form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
        Some(format!("{uri}{separator}{encoded}"))
    }
}
