//! Device authorization (RFC 8628): the request, the user code, and the polling interval.

use super::AskingDevice;
use crate::authorization::requested_claims;
use crate::limits::CLOCK_DIFFERENCE;
use crate::resource::{RequestedAccess, Targets};
use crate::{AuthorizationDetails, ClaimsRequest, Client, GrantType, NamedClaim, Parameters};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use types::{ClientId, Error, ErrorCode, Scope, Timestamp};

/// A device authorization request whose checks have passed (RFC 8628 §3.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceRequest {
    /// `client_id`.
    pub client_id: ClientId,
    /// `scope`, without the scopes that the client may not request.
    pub scope: Scope,
    /// `resource` (RFC 8707).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// `authorization_details` (RFC 9396).
    #[serde(default, skip_serializing_if = "AuthorizationDetails::is_empty")]
    pub authorization_details: AuthorizationDetails,
    /// `claims`: claims requested by name (OpenID Connect Core §5.5).
    #[serde(default, skip_serializing_if = "ClaimsRequest::is_empty")]
    pub claims: ClaimsRequest,
    /// The device that sent the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<Box<AskingDevice>>,
}

impl DeviceRequest {
    /// Checks a request (RFC 8628 §3.1). Scope and resources are checked as at the authorization endpoint.
    pub fn check(parameters: &Parameters, client: &Client, targets: Targets<'_>) -> Result<Self, Error> {
        parameters.refuse_repeated()?;
        if !client.may_use(GrantType::DeviceCode) {
            return Err(Error::new(
                ErrorCode::UnauthorizedClient,
                format!("the client may not use the {} grant", GrantType::DeviceCode.as_str()),
            ));
        }
        let RequestedAccess { scope, resources, authorization_details } = targets.of_request(parameters, client)?;
        Ok(Self {
            client_id: client.client_id.clone(),
            scope,
            resources,
            authorization_details,
            claims: requested_claims(parameters, client, &targets)?,
            asked_by: None,
        })
    }

    /// Returns the request without its authorization details. They stay in the store while the user signs in.
    #[must_use]
    pub fn without_details(self) -> Self {
        Self { authorization_details: AuthorizationDetails::default(), ..self }
    }

    /// Returns the claims that the user is asked for by name, beside the scope (OpenID Connect Core §3.1.2.4).
    pub fn named_claims(&self) -> Vec<NamedClaim<'_>> {
        self.claims.beyond(&self.scope)
    }
}

/// The characters of a user code: no vowels, which make words, and no character that looks like a digit (RFC 8628 §6.1).
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// The number of characters of a user code: 20⁸ codes, above 34 bits.
const LENGTH: usize = 8;
/// The longest input that is parsed as a user code, in bytes.
const MAX_TYPED: usize = 64;

/// `user_code`: eight letters that the user types or compares (RFC 8628 §6.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserCode(String);

impl UserCode {
    /// Returns the user code that 16 random bytes determine.
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

    /// Parses a code as a user typed it. Case, dashes, spaces and other punctuation do not matter.
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > MAX_TYPED {
            return None;
        }
        let letters: String =
            typed.chars().filter(|c| c.is_alphanumeric()).map(|letter| letter.to_ascii_uppercase()).collect();
        let is_code = letters.len() == LENGTH && letters.bytes().all(|letter| ALPHABET.contains(&letter));
        is_code.then_some(Self(letters))
    }

    /// Returns the letters without a dash.
    pub fn letters(&self) -> &str {
        &self.0
    }
}

/// Writes `XXXX-XXXX`.
impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_at_checked(LENGTH / 2) {
            Some((first, second)) => write!(f, "{first}-{second}"),
            None => f.write_str(&self.0),
        }
    }
}

/// The time between two polls of a device. Each poll that comes too early makes it longer (`slow_down`, RFC 8628 §3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollInterval {
    last: Timestamp,
    interval: Duration,
}

impl PollInterval {
    /// `interval` of the device authorization response (RFC 8628 §3.2).
    pub const INITIAL: Duration = Duration::from_secs(5);
    /// The growth of the interval with each poll that comes too early (RFC 8628 §3.5).
    const GROWTH: Duration = Duration::from_secs(5);
    /// The longest interval.
    const LONGEST: Duration = Duration::from_secs(60);
    /// A poll may come this much earlier than the interval says, because network delays vary.
    const LEEWAY: Duration = Duration::from_secs(1);

    /// Returns the interval after the first poll.
    pub const fn first(now: Timestamp) -> Self {
        Self { last: now, interval: Self::INITIAL }
    }

    /// Returns the interval after another poll, and true if the poll came too early.
    #[must_use]
    pub fn next(self, now: Timestamp) -> (Self, bool) {
        let too_early = now.since(self.last).saturating_add(Self::LEEWAY) < self.interval;
        let interval =
            if too_early { self.interval.saturating_add(Self::GROWTH).min(Self::LONGEST) } else { self.interval };
        (Self { last: now, interval }, too_early)
    }
}

/// The verdict on a poll that comes after the one that received the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollVerdict {
    /// Several polls ran at the same moment, and another one won.
    Race,
    /// The response was lost: issue the same tokens again.
    Retry,
    /// The device code was redeemed before: reject the poll and revoke the grant.
    Replay,
}

/// The time in which a device that lost the response may poll again, without the difference of clocks.
const GRACE: Duration = Duration::from_secs(30);

/// Judges a poll with a device code that was redeemed at `redeemed_at`. A device that keeps to its interval receives its
/// tokens again for half a minute, as a refresh does: the user who approved it may be gone. Another instance may have redeemed
/// the code: a clock that is ahead turns no race into a retry, and no retry into a replay.
pub fn judge_poll(redeemed_at: Timestamp, now: Timestamp) -> PollVerdict {
    let since = now.since(redeemed_at);
    let race = PollInterval::INITIAL.saturating_sub(PollInterval::LEEWAY).saturating_add(CLOCK_DIFFERENCE);
    if since < race {
        PollVerdict::Race
    } else if since < GRACE.saturating_add(CLOCK_DIFFERENCE) {
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
    fn case_and_punctuation_of_a_typed_code_do_not_matter() {
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
    fn every_letter_is_used() {
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
        let interval = PollInterval::first(at(0));
        let (interval, too_early) = interval.next(at(5));
        assert!(!too_early);
        let (interval, too_early) = interval.next(at(6));
        assert!(too_early, "5 seconds are not over");
        let (interval, too_early) = interval.next(at(12));
        assert!(too_early, "6 of 10 seconds");
        let (interval, too_early) = interval.next(at(27));
        assert!(!too_early, "15 seconds");
        let (interval, too_early) = interval.next(at(37));
        assert!(too_early, "10 of 15 seconds: it stays");
        let patient = (0..100).fold(interval, |interval, _| interval.next(at(37)).0);
        assert!(!patient.next(at(97)).1, "a minute is always enough");
    }

    #[test]
    fn network_delays_may_vary() {
        let (_, too_early) = PollInterval::first(at(0)).next(at(4));
        assert!(!too_early);
        let (_, too_early) = PollInterval::first(at(0)).next(at(3));
        assert!(too_early);
    }

    #[test]
    fn a_lost_response_is_repeated_for_half_a_minute() {
        for (seconds, verdict) in [
            (0, PollVerdict::Race),
            (8, PollVerdict::Race),
            (9, PollVerdict::Retry),
            (34, PollVerdict::Retry),
            (35, PollVerdict::Replay),
            (500, PollVerdict::Replay),
        ] {
            assert_eq!(judge_poll(at(0), at(seconds)), verdict, "{seconds}");
        }
    }

    /// A poll at another instance, whose clock is 5 seconds behind or ahead.
    #[test]
    fn a_clock_difference_changes_no_verdict_about_a_poll() {
        for (seconds, verdict) in
            [(0, PollVerdict::Race), (3, PollVerdict::Race), (15, PollVerdict::Retry), (29, PollVerdict::Retry)]
        {
            for now in [at(seconds), at(seconds).before(CLOCK_DIFFERENCE), at(seconds).after(CLOCK_DIFFERENCE)] {
                assert_eq!(judge_poll(at(0), now), verdict, "{seconds} {now:?}");
            }
        }
        assert_eq!(judge_poll(at(0), at(40).before(CLOCK_DIFFERENCE)), PollVerdict::Replay);
    }
}
