//! Pings: a client learns that a user has decided about its backchannel request (OpenID Connect CIBA Core §10.2).

use super::deliver;
use crate::{Context, HandlerError};
use keys::Purpose;
use platform::entropy;
use protocol::logout::next_ping;
use serde::{Deserialize, Serialize};
use serde_json::json;
use storage::notices::{self, Notice, NoticeContent, Ping};
use storage::waiting::WaitingRequest;
use types::{Jti, Timestamp};

/// The content of a ping, which the store holds sealed.
#[derive(Serialize, Deserialize)]
struct Content {
    auth_req_id: String,
    client_notification_token: String,
}

/// Returns the sealed content of a ping.
pub fn seal_ping(context: &Context, auth_req_id: &str, token: &str) -> Result<String, HandlerError> {
    let content = Content { auth_req_id: auth_req_id.to_owned(), client_notification_token: token.to_owned() };
    let json = serde_json::to_vec(&content).map_err(HandlerError::unavailable)?;
    context.secrets.seal(Purpose::Notice, &json).map_err(HandlerError::unavailable)
}

/// Notifies the client of a request in ping mode that the user has decided. If the client does not answer, the scheduled function repeats
/// the ping. Round trips: 0 in poll mode; else 2.
pub async fn ping(context: &Context, waiting: &WaitingRequest, now: Timestamp) -> Result<(), HandlerError> {
    let Some(sealed) = &waiting.ping else { return Ok(()) };
    let ping = Ping { sealed: sealed.clone(), expires_at: waiting.expires_at };
    let notice = Notice {
        jti: Jti::from_random(entropy::bytes()?),
        client_id: waiting.request.client_id.clone(),
        at: now,
        content: NoticeContent::Ping(ping),
    };
    let next_at = next_ping(1, waiting.expires_at, now).unwrap_or(waiting.expires_at);
    notices::create(context.records.as_ref(), &notice, 1, next_at, &entropy::name()?).await?;
    deliver(context, &notice, now).await;
    Ok(())
}

/// Sends one ping. Succeeds, too, if the client refuses it: a redirect or an error of the client is not repeated (CIBA Core §10.2). Errors:
/// the reason to try again.
pub(super) async fn send(context: &Context, notice: &Notice, ping: &Ping, now: Timestamp) -> Result<(), String> {
    if ping.expires_at.is_past(now) {
        return Ok(());
    }
    let stored = context.client(&notice.client_id, now).await.map_err(|error| error.to_string())?;
    let endpoint = stored.as_ref().and_then(|stored| stored.client.backchannel_client_notification_endpoint.as_deref());
    let content = context.secrets.open(Purpose::Notice, &ping.sealed);
    let content: Option<Content> = content.and_then(|json| types::json::decode(&json).ok());
    let (Some(endpoint), Some(content)) = (endpoint, content) else {
        // The client is removed, or has no endpoint any more.
        return Ok(());
    };
    let body = json!({ "auth_req_id": content.auth_req_id }).to_string();
    let sent = context.fetch.post_json(endpoint, &content.client_notification_token, body).await;
    let status = sent.map_err(|error| error.to_string())?.status;
    match status.is_server_error() || status.as_u16() == 429 {
        true => Err(format!("the client answered {status}")),
        false => Ok(()),
    }
}
