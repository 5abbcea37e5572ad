//! Notifying clients that a session has ended: logout tokens and their delivery attempts (OpenID Connect Back-Channel Logout
//! 1.0), and frames (OpenID Connect Front-Channel Logout 1.0).

use crate::Sid;
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;
use types::{ClientId, Issuer, Jti, Subject, Timestamp};
use url::Url;

/// The `typ` of a logout token (Back-Channel Logout §2.4).
pub const LOGOUT_TOKEN_TYPE: &str = "logout+jwt";

/// Lifetime of a logout token (Back-Channel Logout §2.4: at most two minutes).
const LIFETIME: Duration = Duration::from_secs(120);

/// Claims of a logout token (Back-Channel Logout §2.4). It never has a `nonce`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogoutTokenClaims<'a> {
    iss: &'a Issuer,
    sub: &'a Subject,
    aud: &'a ClientId,
    iat: u64,
    exp: u64,
    jti: &'a Jti,
    sid: &'a Sid,
    events: Value,
}

impl<'a> LogoutTokenClaims<'a> {
    /// Returns the claims that say that the session `sid` of `subject` at `client_id` has ended.
    pub fn new(
        issuer: &'a Issuer,
        client_id: &'a ClientId,
        subject: &'a Subject,
        sid: &'a Sid,
        jti: &'a Jti,
        now: Timestamp,
    ) -> Self {
        Self {
            iss: issuer,
            sub: subject,
            aud: client_id,
            iat: now.as_secs(),
            exp: now.after(LIFETIME).as_secs(),
            jti,
            sid,
            events: json!({ "http://schemas.openid.net/event/backchannel-logout": {} }),
        }
    }
}

/// Time after the end of a session in which its clients are notified.
const GIVE_UP: Duration = Duration::from_secs(86_400);
/// Time between the first and the second attempt. Each later wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(60);
/// Longest time between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(4 * 3600);

/// Returns the time of the next attempt, after `attempts` attempts of which the last was at `now`. `None` if it would be more
/// than a day after the end of the session.
pub fn next_attempt(attempts: u32, ended_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1).min(16));
    let due = now.after(FIRST_WAIT.saturating_mul(doubled).min(LONGEST_WAIT));
    (due.since(ended_at) <= GIVE_UP).then_some(due)
}

/// The most attempts to ping a client about a backchannel request. It may also poll.
const MOST_PINGS: u32 = 3;

/// Returns the time of the next ping, after `attempts` pings of which the last was at `now`; `None` after the third one, or if the request
/// would be over (OpenID Connect CIBA Core §10.2).
pub fn next_ping(attempts: u32, expires_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let due = now.after(FIRST_WAIT);
    (attempts < MOST_PINGS && !expires_at.is_past(due)).then_some(due)
}

/// Returns the URL of the frame that notifies a client (Front-Channel Logout §2): its logout URI with `iss` and `sid`.
pub fn frame_url(frontchannel_logout_uri: &str, issuer: &Issuer, sid: &Sid) -> Option<String> {
    let mut url = Url::parse(frontchannel_logout_uri).ok()?;
    url.query_pairs_mut().append_pair("iss", issuer.as_str()).append_pair("sid", sid.as_str());
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(id: &str) -> ClientId {
        ClientId::parse(id).unwrap()
    }

    fn sid(text: &str) -> Sid {
        serde_json::from_value(text.into()).unwrap()
    }

    const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

    /// Back-Channel Logout §2.4.
    #[test]
    fn a_logout_token_has_the_required_claims() {
        let (app, ada) = (client("app"), Subject::parse("ada").unwrap());
        let (sid, jti) = (sid("session"), Jti::parse("name").unwrap());
        let issuer = Issuer::new("https://as.example");
        let claims = LogoutTokenClaims::new(&issuer, &app, &ada, &sid, &jti, T0);
        let claims = serde_json::to_value(claims).unwrap();
        assert_eq!(
            claims,
            json!({
                "iss": "https://as.example", "sub": "ada", "aud": "app", "iat": 1_800_000_000_u64,
                "exp": 1_800_000_120_u64, "jti": "name", "sid": "session",
                "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
            })
        );
        assert!(claims.get("nonce").is_none(), "MUST NOT");
    }

    #[test]
    fn waits_double_and_attempts_end_after_a_day() {
        let (mut now, mut attempts, mut waits) = (T0, 0, Vec::new());
        while let Some(due) = next_attempt(attempts + 1, T0, now) {
            waits.push(due.since(now).as_secs());
            (now, attempts) = (due, attempts + 1);
            assert!(attempts < 50, "it ends");
        }
        assert_eq!(waits[..4], [60, 120, 240, 480]);
        assert!(waits.iter().all(|wait| *wait <= 4 * 3600));
        assert!(now.since(T0) <= Duration::from_secs(86_400) && now.since(T0) > Duration::from_secs(18 * 3600));
        assert!((8..20).contains(&attempts), "{attempts}");
    }

    /// Front-Channel Logout §2: "may contain a query component, which MUST be retained".
    #[test]
    fn a_frame_keeps_its_query() {
        let issuer = Issuer::new("https://as.example");
        assert_eq!(
            frame_url("https://app.example/out?a=b", &issuer, &sid("s t")).as_deref(),
            Some("https://app.example/out?a=b&iss=https%3A%2F%2Fas.example&sid=s+t")
        );
        assert_eq!(frame_url("not a URL", &issuer, &sid("s")), None);
    }
}
