//! The notification by which the operator's push service learns of a request.

use platform::entropy;
use protocol::{REQUEST_NOTIFICATION_TYPE, RequestNotificationClaims, StoredClient};
use provider::{Context, HandlerError};
use serde_json::json;
use storage::waiting::WaitingRequest;
use types::{Algorithm, Subject};

/// Tells the push service of the operator, if there is one. It receives a signed JWT with the page of the request, where the user signs in and
/// decides. A push service that does not answer is logged: the user finds the request on the page, too.
pub(crate) async fn send(
    context: &Context,
    client: &StoredClient,
    subject: &Subject,
    waiting: &WaitingRequest,
    uri: &str,
) -> Result<(), HandlerError> {
    let Some(url) = &context.config.backchannel_webhook else { return Ok(()) };
    let claims = RequestNotificationClaims {
        iss: &context.config.issuer,
        aud: url,
        iat: waiting.asked_at.as_secs(),
        exp: waiting.expires_at.as_secs(),
        jti: &entropy::name()?,
        sub: subject.as_str(),
        client_id: &client.client.client_id,
        client_name: client.client.display_name(),
        binding_message: waiting.request.binding_message.as_deref(),
        uri,
    };
    let token =
        context.sign(&client.client, Algorithm::RS256, REQUEST_NOTIFICATION_TYPE, &claims, waiting.asked_at).await?;
    let reason = match context.fetch.post_form(url, &[("notification", &token)]).await {
        Ok(answer) if answer.status.is_success() => return Ok(()),
        Ok(answer) => format!("the push service answered {}", answer.status),
        Err(error) => error.to_string(),
    };
    let line = json!({ "at": waiting.asked_at.as_millis(), "event": "backchannel_notification", "reason": reason });
    (context.log)(&line.to_string());
    Ok(())
}
