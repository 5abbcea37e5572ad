//! Device authorization (RFC 8628): what is asked for, the code that a person types, and how often a device may ask.

use crate::authorization_request;
use crate::resource::{self, Resource};
use crate::{AuthorizationRequest, Client, GrantType, Parameters};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use types::{Error, ErrorCode, Scope, Timestamp};

/// What a device asks for; passed every check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRequest {
    /// Who asks.
    pub client_id: String,
    /// For what.
    pub scope: Scope,
    /// At which resources (RFC 8707).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
}

impl DeviceRequest {
    /// Checks a request (RFC 8628 §3.1): scope and resources as at the authorization endpoint.
    pub fn check(parameters: &Parameters, client: &Client, known: &[Resource]) -> Result<Self, Error> {
        parameters.refuse_repeated()?;
        if !client.may_use(GrantType::DeviceCode) {
            return Err(Error::new(
                ErrorCode::UnauthorizedClient,
                format!("the client may not use the {} grant", GrantType::DeviceCode.as_str()),
            ));
        }
        Ok(Self {
            client_id: client.client_id.clone(),
            scope: authorization_request::check_scope(parameters, client)?,
            resources: resource::requested(parameters, known, client)?,
        })
    }

    /// The same, for sign-in; the browser comes back to `page`, which is ours.
    pub fn to_authorization_request(&self, page: &str) -> AuthorizationRequest {
        AuthorizationRequest::of_device(self, page)
    }
}

/// The characters of a user code: no vowel that makes words, nothing that looks or sounds like a digit (RFC 8628 §6.1).
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// How many of them a code has: 20⁸, above 34 bits.
const LENGTH: usize = 8;

/// The code that a person types or compares: eight letters (RFC 8628 §6.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserCode(String);

impl UserCode {
    /// From randomness.
    pub fn from_random(random: [u8; 16]) -> Self {
        let mut rest = u128::from_be_bytes(random);
        let mut letters = String::with_capacity(LENGTH);
        for _ in 0..LENGTH {
            let index = usize::try_from(rest % 20).unwrap_or_default();
            rest /= 20;
            letters.push(ALPHABET.get(index).map_or('B', |letter| char::from(*letter)));
        }
        Self(letters)
    }

    /// As a person typed it: case, dashes, spaces and other punctuation do not matter.
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > 64 {
            return None;
        }
        let letters: String =
            typed.chars().filter(|c| c.is_alphanumeric()).map(|letter| letter.to_ascii_uppercase()).collect();
        let is_code = letters.len() == LENGTH && letters.bytes().all(|letter| ALPHABET.contains(&letter));
        is_code.then_some(Self(letters))
    }

    /// Its letters alone.
    pub fn letters(&self) -> &str {
        &self.0
    }
}

/// A device that a person is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingDevice {
    /// The code that it shows.
    pub code: UserCode,
    /// The name of the record of what the person decides.
    pub decision: String,
}

/// `XXXX-XXXX`, as it is shown.
impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_at_checked(LENGTH / 2) {
            Some((first, second)) => write!(f, "{first}-{second}"),
            None => f.write_str(&self.0),
        }
    }
}

/// The least time between two polls, until a device is told to slow down (RFC 8628 §3.2).
pub const INTERVAL: Duration = Duration::from_secs(5);
/// By how much the interval grows with each poll that comes too early (RFC 8628 §3.5).
const GROWTH: Duration = Duration::from_secs(5);
/// How far it grows.
const LONGEST: Duration = Duration::from_secs(60);
/// How much earlier than the interval a poll may come: networks are not even.
const LEEWAY: Duration = Duration::from_secs(1);

/// How often one device may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    last: Timestamp,
    interval: Duration,
}

impl Pace {
    /// Of a device that asks for the first time.
    pub const fn first(now: Timestamp) -> Self {
        Self { last: now, interval: INTERVAL }
    }

    /// After one more poll; and whether it came too early, which makes every later interval longer (`slow_down`,
    /// RFC 8628 §3.5).
    #[must_use]
    pub fn next(self, now: Timestamp) -> (Self, bool) {
        let too_early = now.since(self.last).saturating_add(LEEWAY) < self.interval;
        let interval = if too_early { self.interval.saturating_add(GROWTH).min(LONGEST) } else { self.interval };
        (Self { last: now, interval }, too_early)
    }

    /// When nothing need be remembered of it any more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.last) > LONGEST.saturating_mul(2)
    }
}

/// What a poll means that comes after the one that got the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollVerdict {
    /// Polls at the same moment, of which one won. Too early for anything else.
    Race,
    /// The answer was lost: the same tokens again.
    Retry,
    /// The code was used before. Deny, and revoke the grant.
    Replay,
}

/// How long a device that lost the answer may ask for it again.
const GRACE: Duration = Duration::from_secs(30);

/// Judges a poll with a code that was redeemed at `redeemed_at`. A device that lost the answer has nobody at hand who
/// could approve anew, so one that keeps to its interval gets its tokens again for half a minute, as a refresh does.
pub fn judge_poll(redeemed_at: Timestamp, now: Timestamp) -> PollVerdict {
    let since = now.since(redeemed_at);
    if since.saturating_add(LEEWAY) < INTERVAL {
        PollVerdict::Race
    } else if since < GRACE {
        PollVerdict::Retry
    } else {
        PollVerdict::Replay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000).after(Duration::from_secs(seconds))
    }

    /// RFC 8628 §6.1.
    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = UserCode::parse("WDJBMJHT").unwrap();
        assert_eq!(code.to_string(), "WDJB-MJHT");
        for typed in ["wdjb-mjht", " WDJB MJHT ", "W-D-J-B-M-J-H-T", "wdjb\u{2013}mjht", "WdJb.MjHt"] {
            assert_eq!(UserCode::parse(typed), Some(code.clone()), "{typed}");
        }
        for typed in ["", "WDJB-MJH", "WDJB-MJHTT", "WDJB-MJHA", "WDJB-MJH1", "ẂDJB-MJHT", &"-".repeat(65)] {
            assert_eq!(UserCode::parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn every_letter_can_come() {
        let codes: Vec<_> = (0..40u8).map(|n| UserCode::from_random([n.wrapping_mul(37); 16])).collect();
        for code in &codes {
            assert_eq!(UserCode::parse(&code.to_string()).as_ref(), Some(code));
        }
        let letters: String = codes.iter().map(UserCode::letters).collect();
        assert!(ALPHABET.iter().all(|letter| letters.contains(char::from(*letter))), "{letters}");
    }

    /// RFC 8628 §3.5: "the interval MUST be increased by 5 seconds for this and all subsequent requests".
    #[test]
    fn the_interval_grows_and_stays() {
        let pace = Pace::first(at(0));
        let (pace, too_early) = pace.next(at(5));
        assert!(!too_early);
        let (pace, too_early) = pace.next(at(6));
        assert!(too_early, "5 seconds are not over");
        let (pace, too_early) = pace.next(at(12));
        assert!(too_early, "6 of 10 seconds");
        let (pace, too_early) = pace.next(at(27));
        assert!(!too_early, "15 seconds");
        let (pace, too_early) = pace.next(at(37));
        assert!(too_early, "10 of 15 seconds: it stays");
        let patient = (0..100).fold(pace, |pace, _| pace.next(at(37)).0);
        assert!(!patient.next(at(97)).1, "a minute is always enough");
    }

    #[test]
    fn networks_may_be_uneven() {
        let (_, too_early) = Pace::first(at(0)).next(at(4));
        assert!(!too_early);
        let (_, too_early) = Pace::first(at(0)).next(at(3));
        assert!(too_early);
    }

    #[test]
    fn a_lost_answer_strands_nobody() {
        for (seconds, verdict) in [
            (0, PollVerdict::Race),
            (3, PollVerdict::Race),
            (4, PollVerdict::Retry),
            (29, PollVerdict::Retry),
            (30, PollVerdict::Replay),
            (500, PollVerdict::Replay),
        ] {
            assert_eq!(judge_poll(at(0), at(seconds)), verdict, "{seconds}");
        }
    }
}
