//! Rate limits: counters in windows of time. The rules are pure; the counters are in the store.

use std::time::Duration;
use types::Timestamp;

/// The amount that an attempt in progress adds to a counter. It is subtracted when the attempt succeeds, or is refused by any limit.
pub const ATTEMPT: i64 = 1;

/// The amount that a failed attempt leaves in the counter of its window, in place of [`ATTEMPT`].
pub const FAILURE: i64 = 1 << 20;

/// The amount that a failed attempt adds to the counter of the next window. So an attacker who waits for the next window finds half
/// of the failures there, and has all free failures back only after a whole window without any.
pub const CARRIED: i64 = FAILURE / 2;

/// Retry-After if only attempts in progress stand in the way.
const SOON: Duration = Duration::from_secs(1);

/// A limit of failed attempts, for one account, network or browser.
///
/// An attempt is counted before it is judged, so that concurrent attempts cannot evade the limit. Success is never counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Failures that a window allows, together with the attempts in progress beyond `at_once`.
    pub free: u32,
    /// Attempts that may be in progress beside them: a network may be that of many users.
    pub at_once: u32,
    /// The length of a window.
    pub window: Duration,
    /// The length of the windows in which attempts in progress are counted by themselves; `None` if they are counted with the
    /// failures. An attempt that a crash or a fault of the store left in progress is forgotten when its window ends. A limit
    /// without room for such attempts needs a short one, or it would refuse the user until `window` ends.
    pub progress: Option<Duration>,
}

/// A number of uses that a window of time allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The uses.
    pub most: u32,
    /// The length of a window.
    pub window: Duration,
}

/// One of the windows into which time is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The position among the windows of this length.
    pub number: u64,
    /// The end.
    pub ends_at: Timestamp,
}

const MINUTE: Duration = Duration::from_secs(60);

const QUARTER_HOUR: Duration = Duration::from_secs(15 * 60);

/// Longer than an attempt takes, and short enough to wait for.
const SECONDS: Duration = Duration::from_secs(5);

impl Limit {
    /// For a network: attempts on many accounts, or guesses of user codes. Many users may share a network, and sign in at
    /// the same moment.
    pub const NETWORK: Self = Self { free: 50, at_once: 250, window: QUARTER_HOUR, progress: None };

    /// For one account in one network, once the account is beyond [`Quota::ACCOUNT`].
    pub const ACCOUNT_IN_NETWORK: Self = Self { free: 3, at_once: 0, window: QUARTER_HOUR, progress: Some(SECONDS) };

    /// For one account in a browser in which it signed in before.
    pub const KNOWN_BROWSER: Self = Self { free: 10, at_once: 0, window: QUARTER_HOUR, progress: Some(SECONDS) };

    /// For a browser: guesses of user codes. A browser can discard its cookie, so the network counts, too.
    pub const USER_CODE: Self = Self { free: 5, at_once: 0, window: QUARTER_HOUR, progress: Some(SECONDS) };

    /// Judges an attempt by the total after it was counted. Errors: the time until an attempt may succeed, in whole seconds.
    pub fn judge(self, total: i64, now: Timestamp) -> Result<(), Duration> {
        let (failures, in_progress) = Self::parts(total);
        if self.is_used_up(total) {
            return Err(Window::at(now, self.window).wait(now));
        }
        let room = i64::from(self.free).saturating_sub(failures).saturating_add(self.at_once.into());
        if in_progress <= room {
            return Ok(());
        }
        Err(self.progress.map_or(SOON, |length| Window::at(now, length).wait(now)))
    }

    /// True if the failures alone use up the limit: no attempt succeeds before the window ends.
    pub fn is_used_up(self, total: i64) -> bool {
        Self::parts(total).0 >= self.free.into()
    }

    /// Returns the failures and the attempts in progress of a total.
    fn parts(total: i64) -> (i64, i64) {
        // A negative total is that of a counter that lost attempts: it allows everything.
        let halves = total.saturating_add(CARRIED / 2).div_euclid(CARRIED).max(0);
        let in_progress = total.saturating_sub(halves.saturating_mul(CARRIED)).max(0);
        (halves.saturating_add(1).div_euclid(2), in_progress)
    }
}

impl Quota {
    /// Attempts to sign in to one account from browsers in which it did not sign in before, and from all networks. Beyond
    /// it [`Limit::ACCOUNT_IN_NETWORK`] decides, so that only a network that guesses is refused.
    pub const ACCOUNT: Self = Self { most: 2, window: Duration::from_secs(24 * 3600) };

    /// Failed authentications of one client from one network (RFC 6749 §2.3.1). A secret has the strength of 128 random bits,
    /// so the limit bounds the cost of guesses. It is short, because instances of a client with an old secret may share a network
    /// with those that have the new one.
    pub const CLIENT_AUTHENTICATION: Self = Self { most: 30, window: MINUTE };

    /// Metadata documents of clients that one network makes the server read for the first time. Software of one vendor has one
    /// document, so users meet few.
    pub const CLIENT_DOCUMENTS: Self = Self { most: 60, window: Duration::from_secs(3600) };

    /// Requests of administrators from one network whose token is wrong.
    pub const ADMINISTRATION: Self = Self { most: 30, window: MINUTE };

    /// Requests that one client pushes from one network without authentication: 20 a second on average, so that ten thousand
    /// users behind one address can sign in within ten minutes.
    pub const PUSHED_REQUESTS: Self = Self { most: 1200, window: MINUTE };

    /// Device authorizations that one client starts from one network without authentication: 5 a second on average.
    pub const DEVICE_REQUESTS: Self = Self { most: 300, window: MINUTE };

    /// Backchannel requests of one client for one user who has a user code: each compares one, which costs as much as a password.
    pub const USER_CODES: Self = Self { most: 10, window: QUARTER_HOUR };

    /// Mails of one kind to one address that a request of anyone can cause. A window is as long as the link in such a mail lives
    /// ([`MailContent::RESET_LINK`](crate::mail::MailContent::RESET_LINK)): whenever another mail is refused, one with a link that works was
    /// sent. So an attacker who uses the quota up keeps no user from choosing a new password.
    pub const MAILS_TO_ADDRESS: Self = Self { most: 3, window: Duration::from_secs(3600) };

    /// Requests for a new password from one network.
    pub const RESET_REQUESTS: Self = Self { most: 20, window: Duration::from_secs(3600) };

    /// Mails that prove an e-mail address, caused by one user: to any addresses.
    pub const ADDRESS_MAILS: Self = Self { most: 5, window: Duration::from_secs(3600) };

    /// Judges a use by the total after it was counted. Errors: the time until the next use, in whole seconds.
    pub fn judge(self, total: i64, now: Timestamp) -> Result<(), Duration> {
        if total > self.most.into() { Err(Window::at(now, self.window).wait(now)) } else { Ok(()) }
    }
}

impl Window {
    /// Returns the window of this length that holds a time.
    pub fn at(time: Timestamp, length: Duration) -> Self {
        let length = u64::try_from(length.as_millis()).unwrap_or(u64::MAX).max(1);
        let number = time.as_millis().div_euclid(length);
        Self { number, ends_at: Timestamp::from_millis(number.saturating_add(1).saturating_mul(length)) }
    }

    /// Returns the time until the end, in whole seconds, rounded up.
    fn wait(self, now: Timestamp) -> Duration {
        Duration::from_secs(self.ends_at.since(now).as_secs().saturating_add(1))
    }
}
