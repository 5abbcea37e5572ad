//! Notifications of clients that a session has ended: by a logout token (OpenID Connect Back-Channel Logout 1.0), or by a
//! frame (OpenID Connect Front-Channel Logout 1.0).
//!
//! A record for each logout token is written before anything ends. All tokens are then sent once, at the same time. The
//! scheduled function `notify` sends the failed ones again until the client accepts or a day has passed ([`retry`]).

mod ping;
mod queue;

use crate::{Context, HandlerError};
use futures::future::join_all;
use platform::entropy;
use protocol::logout::{LOGOUT_TOKEN_TYPE, LogoutTokenClaims, frame_url, next_attempt, next_ping};
use protocol::{Client, SessionGroup};
use serde_json::json;
use std::time::Duration;
use storage::grants::SessionClient;
use storage::notices::{self, Notice, NoticeContent};
use types::{Jti, Subject, Timestamp};

pub use ping::{ping, seal_ping};
pub use queue::{RunLimits, retry};

/// Maximum number of logout tokens that are sent at the same time.
const AT_ONCE: usize = 32;

/// The notifications of one sign-out.
#[derive(Debug)]
pub struct LogoutNotifications {
    notices: Vec<Notice>,
    frames: Vec<String>,
}

impl LogoutNotifications {
    /// Records the logout tokens for those of the clients that have a logout URI. The caller sends them at once.
    pub async fn begin(
        context: &Context,
        subject: &Subject,
        clients: &[SessionClient],
        now: Timestamp,
    ) -> Result<Self, HandlerError> {
        // If the caller stops before that, the next attempt is the second.
        Self::record(context, subject, clients, now, 1, next_attempt(1, now, now).unwrap_or(now)).await
    }

    /// Records the logout tokens for those of the clients that have a logout URI. The next [`retry`] sends them.
    pub async fn enqueue(
        context: &Context,
        subject: &Subject,
        clients: &[SessionClient],
        now: Timestamp,
    ) -> Result<(), HandlerError> {
        Self::record(context, subject, clients, now, 0, now).await.map(|_| ())
    }

    async fn record(
        context: &Context,
        subject: &Subject,
        clients: &[SessionClient],
        now: Timestamp,
        attempts: u32,
        next_at: Timestamp,
    ) -> Result<Self, HandlerError> {
        let mut notifications = Self { notices: Vec::new(), frames: Vec::new() };
        for holder in clients {
            let Some(stored) = context.client(&holder.client_id, now).await? else { continue };
            let client = &stored.client;
            let frame = client.frontchannel_logout_uri.as_deref();
            let sid = holder.group.sid(&client.client_id);
            notifications.frames.extend(frame.and_then(|uri| frame_url(uri, &context.config.issuer, &sid)));
            if client.backchannel_logout_uri.is_none() {
                continue;
            }
            let notice = Notice {
                jti: Jti::from_random(entropy::bytes()?),
                client_id: holder.client_id.clone(),
                at: now,
                content: NoticeContent::Logout { subject: subject.to_owned(), group: holder.group },
            };
            notices::create(context.records.as_ref(), &notice, attempts, next_at, &entropy::name()?).await?;
            notifications.notices.push(notice);
        }
        Ok(notifications)
    }

    /// Sends each logout token once. The function `notify` sends failed ones again.
    pub async fn send(&self, context: &Context, now: Timestamp) {
        for some in self.notices.chunks(AT_ONCE) {
            join_all(some.iter().map(|notice| deliver(context, notice, now))).await;
        }
    }

    /// Returns the URLs to show in frames.
    pub fn frames(&self) -> &[String] {
        &self.frames
    }
}

/// Sends one notification. Returns true if the client accepts it, or can never accept it; the record is then removed.
async fn deliver(context: &Context, notice: &Notice, now: Timestamp) -> bool {
    let attempt = match &notice.content {
        NoticeContent::Logout { subject, group } => send_logout_token(context, notice, subject, *group, now).await,
        NoticeContent::Ping(ping) => ping::send(context, notice, ping, now).await,
    };
    match attempt {
        Ok(()) => {
            forget(context, notice, now).await;
            true
        }
        Err(reason) => {
            note(context, notice, now, &reason);
            false
        }
    }
}

async fn send_logout_token(
    context: &Context,
    notice: &Notice,
    subject: &Subject,
    group: SessionGroup,
    now: Timestamp,
) -> Result<(), String> {
    let stored = context.client(&notice.client_id, now).await.map_err(|error| error.to_string())?;
    let Some((client, uri)) =
        stored.as_ref().and_then(|stored| Some((&stored.client, stored.client.backchannel_logout_uri.as_deref()?)))
    else {
        // The client is removed, or has no logout URI any more.
        return Ok(());
    };
    let subject = context.subject_for(client, subject);
    let sid = group.sid(&client.client_id);
    let claims = LogoutTokenClaims::new(&context.config.issuer, &client.client_id, &subject, &sid, &notice.jti, now);
    let token = context.sign(client, client.id_token_signed_response_alg, LOGOUT_TOKEN_TYPE, &claims, now).await;
    let token = token.map_err(|error| error.to_string())?;
    let answer = context.fetch.post_form(uri, &[("logout_token", &token)]).await.map_err(|error| error.to_string())?;
    if answer.status.is_success() { Ok(()) } else { Err(format!("the client answered {}", answer.status)) }
}

/// Returns the time of the attempt that follows this number of attempts, of which the last is at `now`; `None` if there is none.
fn next(notice: &Notice, attempts: u32, now: Timestamp) -> Option<Timestamp> {
    match &notice.content {
        NoticeContent::Logout { .. } => next_attempt(attempts, notice.at, now),
        NoticeContent::Ping(ping) => next_ping(attempts, ping.expires_at, now),
    }
}

/// Removes a record. If that fails, the client receives the notification again, which is harmless.
async fn forget(context: &Context, notice: &Notice, now: Timestamp) {
    if let Err(error) = notices::remove(context.records.as_ref(), &notice.jti).await {
        note(context, notice, now, &error.reason);
    }
}

fn note(context: &Context, notice: &Notice, now: Timestamp, reason: &str) {
    let event = match notice.content {
        NoticeContent::Logout { .. } => "backchannel_logout",
        NoticeContent::Ping(_) => "backchannel_ping",
    };
    let line = json!({ "at": now.as_millis(), "event": event, "client": notice.client_id, "reason": reason });
    (context.log)(&line.to_string());
}

impl Context {
    /// Returns the time for which grants of a client are kept after they end, so that the client can be notified of the end
    /// of the session.
    pub fn remembered(&self, client: &Client) -> Duration {
        let is_told = client.backchannel_logout_uri.is_some() || client.frontchannel_logout_uri.is_some();
        if is_told { self.config.session_lifetime } else { Duration::ZERO }
    }
}
