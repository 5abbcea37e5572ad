//! Notifications of clients that a session has ended: by a logout token (OpenID Connect Back-Channel Logout 1.0), or by a
//! frame (OpenID Connect Front-Channel Logout 1.0).
//!
//! A record for each logout token is written before anything ends. All tokens are then sent once, at the same time. The
//! scheduled function `notify` sends the failed ones again until the client accepts or a day has passed ([`retry`]).

mod queue;

use crate::{Context, HandlerError};
use futures::future::join_all;
use platform::entropy;
use protocol::Client;
use protocol::logout::{LOGOUT_TOKEN_TYPE, LogoutTokenClaims, frame_url, next_attempt};
use serde_json::json;
use std::time::Duration;
use storage::grants::SessionClient;
use storage::logouts::{self, Logout};
use types::{Jti, Subject, Timestamp};

pub use queue::{RunLimits, retry};

/// Maximum number of logout tokens that are sent at the same time.
const AT_ONCE: usize = 32;

/// The notifications of one sign-out.
#[derive(Debug)]
pub struct LogoutNotifications {
    logouts: Vec<Logout>,
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
        let mut notifications = Self { logouts: Vec::new(), frames: Vec::new() };
        for holder in clients {
            let Some(stored) = context.client(&holder.client_id, now).await? else { continue };
            let client = &stored.client;
            let frame = client.frontchannel_logout_uri.as_deref();
            let sid = holder.group.sid(&client.client_id);
            notifications.frames.extend(frame.and_then(|uri| frame_url(uri, &context.config.issuer, &sid)));
            if client.backchannel_logout_uri.is_none() {
                continue;
            }
            let logout = Logout {
                jti: Jti::from_random(entropy::bytes()?),
                client_id: holder.client_id.clone(),
                subject: subject.to_owned(),
                group: holder.group,
                ended_at: now,
            };
            logouts::create(context.records.as_ref(), &logout, attempts, next_at, &entropy::name()?).await?;
            notifications.logouts.push(logout);
        }
        Ok(notifications)
    }

    /// Sends each logout token once. The function `notify` sends failed ones again.
    pub async fn send(&self, context: &Context, now: Timestamp) {
        for some in self.logouts.chunks(AT_ONCE) {
            join_all(some.iter().map(|logout| deliver(context, logout, now))).await;
        }
    }

    /// Returns the URLs to show in frames.
    pub fn frames(&self) -> &[String] {
        &self.frames
    }
}

/// Sends one logout token. Returns true if the client accepts it or no longer has a logout URI; the record is then removed.
async fn deliver(context: &Context, logout: &Logout, now: Timestamp) -> bool {
    match attempt(context, logout, now).await {
        Ok(()) => {
            forget(context, logout, now).await;
            true
        }
        Err(reason) => {
            note(context, logout, now, &reason);
            false
        }
    }
}

async fn attempt(context: &Context, logout: &Logout, now: Timestamp) -> Result<(), String> {
    let stored = context.client(&logout.client_id, now).await.map_err(|error| error.to_string())?;
    let Some((client, uri)) =
        stored.as_ref().and_then(|stored| Some((&stored.client, stored.client.backchannel_logout_uri.as_deref()?)))
    else {
        // The client is removed, or has no logout URI any more.
        return Ok(());
    };
    let token = logout_token(context, client, logout, now).await.map_err(|error| error.to_string())?;
    let answer = context.fetch.post_form(uri, &[("logout_token", &token)]).await.map_err(|error| error.to_string())?;
    if answer.status.is_success() { Ok(()) } else { Err(format!("the client answered {}", answer.status)) }
}

async fn logout_token(
    context: &Context,
    client: &Client,
    logout: &Logout,
    now: Timestamp,
) -> Result<String, HandlerError> {
    let subject = context.subject_for(client, &logout.subject);
    let sid = logout.group.sid(&client.client_id);
    let claims = LogoutTokenClaims::new(&context.config.issuer, &client.client_id, &subject, &sid, &logout.jti, now);
    context.sign(client, client.id_token_signed_response_alg, LOGOUT_TOKEN_TYPE, &claims, now).await
}

/// Removes a record. If that fails, the client receives the logout token again, which is harmless.
async fn forget(context: &Context, logout: &Logout, now: Timestamp) {
    if let Err(error) = logouts::remove(context.records.as_ref(), &logout.jti).await {
        note(context, logout, now, &error.reason);
    }
}

fn note(context: &Context, logout: &Logout, now: Timestamp, reason: &str) {
    let line = json!({
        "at": now.as_millis(),
        "event": "backchannel_logout",
        "client": logout.client_id,
        "reason": reason,
    });
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
