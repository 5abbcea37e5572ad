//! Limits, each in one place: name, unit and range. Validation and documentation read the same constants.

use std::fmt;
use std::time::Duration;

/// The difference between the clocks of two instances that changes no verdict. Every comparison of times that two instances
/// wrote allows for it: a race and a grace window last so much longer, and a revocation reaches so much further.
pub const CLOCK_DIFFERENCE: Duration = Duration::from_secs(5);

/// The difference between the clocks of an instance and of the store from which on the instance issues nothing. The store says
/// whole seconds, and its answer takes time.
pub const MAX_CLOCK_ERROR: Duration = Duration::from_secs(60);

/// The longest lifetime of a code in the profiles of FAPI 2.0 (Security Profile §5.3.2.1 (11)).
pub const FAPI_CODE_LIFETIME: Duration = Duration::from_secs(60);

/// The longest age of a request object in the profiles of FAPI 2.0, and its longest lifetime (Message Signing §5.3.1 (3), (4)).
pub const FAPI_REQUEST_OBJECT_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The most members of a list in a client's settings.
pub const MAX_LIST: usize = 100;

/// The longest name, contact or URL in a client's settings, in bytes.
pub const MAX_TEXT: usize = 2048;

/// The most keys in a client's `jwks`.
pub const MAX_KEYS: usize = 20;

/// The largest client that registers itself, in bytes of JSON.
pub const MAX_CLIENT: usize = 32 * 1024;

/// The longest client secret that an operator may choose, in bytes. Generated secrets have 43.
pub const MAX_CLIENT_SECRET: usize = 256;

/// The fewest different characters of a client secret that an operator chooses. A random one of 128 bits has more.
pub const CLIENT_SECRET_DIFFERENT: usize = 7;

/// The most secrets of a client that are valid at the same time.
pub const MAX_SECRETS: usize = 2;

/// The longest lifetime of refresh tokens: 10 years.
pub const MAX_REFRESH_LIFETIME: Duration = Duration::from_secs(10 * 366 * 86_400);

/// The range of the most live grants of a user for one client. Several installations share a client_id, so a lower number would end
/// grants that are in use.
pub const MAX_GRANTS: std::ops::RangeInclusive<u32> = 20..=10_000;

/// The longest username, in bytes.
pub const MAX_USERNAME: usize = 128;

/// The longest e-mail address, in bytes: a path of 256 (RFC 5321 §4.5.3.1.3) without its brackets.
pub const MAX_EMAIL_ADDRESS: usize = 254;

/// The longest external id of a user or a group, in bytes.
pub const MAX_EXTERNAL_ID: usize = 255;

/// The longest password, in bytes.
pub const MAX_PASSWORD: usize = 1024;

/// The range of the fewest characters of a new password. NIST SP 800-63B-4 §3.1.1.2 demands 15 of a password that is the only
/// factor, and 8 where a second factor is required.
pub const MIN_PASSWORD: std::ops::RangeInclusive<u32> = 8..=64;

/// The range of the work of an imported password hash: memory in KiB times passes.
pub const PASSWORD_HASH_WORK: std::ops::RangeInclusive<u32> = Argon2Cost::GENERATED.work()..=Argon2Cost::MOST.work();

/// The longest `iss`, `sub` and `jti` of an assertion, in bytes.
pub const MAX_ASSERTION_NAME: usize = 512;

/// The longest name of a rule for workloads, in bytes.
pub const MAX_WORKLOAD_NAME: usize = 64;

/// The lifetime of an ID-JAG that this server issues.
pub const ID_JAG_LIFETIME: Duration = Duration::from_secs(300);

/// The longest lifetime of an assertion that may be configured, in seconds: a day.
pub const MAX_ASSERTION_SECONDS: u64 = 86_400;

/// The cost of an Argon2id hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Parallel lanes.
    pub lanes: u32,
}

impl Argon2Cost {
    /// The cost of the hashes that the tools generate (OWASP: 19 MiB, two passes, one lane).
    pub const GENERATED: Self = Self { memory_kib: 19_456, passes: 2, lanes: 1 };

    /// The least cost: the cheapest recommendation of OWASP (7 MiB, five passes).
    pub const LEAST: Self = Self { memory_kib: 7168, passes: 5, lanes: 1 };

    /// The greatest cost that a function can spend: a Worker has 128 MiB.
    pub const MOST: Self = Self { memory_kib: 65_536, passes: 10, lanes: 4 };

    /// Returns the time that a failed sign-in takes at least where the dearest hash has this work: 2 ms for 1,000 KiB and pass. A
    /// hash takes less on a processor of its own.
    pub const fn time_of_failure(work: u32) -> Duration {
        Duration::from_micros((work as u64).saturating_mul(2))
    }

    /// Returns the work: memory in KiB times passes. The time of a hash grows with it.
    pub const fn work(self) -> u32 {
        self.memory_kib.saturating_mul(self.passes)
    }

    /// True if an attacker can try passwords cheaper than OWASP recommends.
    pub const fn is_too_cheap(self) -> bool {
        self.memory_kib < Self::LEAST.memory_kib || self.work() < Self::LEAST.work()
    }

    /// True if a function cannot check the hash.
    pub const fn is_too_dear(self) -> bool {
        let most = Self::MOST;
        self.memory_kib > most.memory_kib || self.passes > most.passes || self.lanes < 1 || self.lanes > most.lanes
    }
}

impl fmt::Display for Argon2Cost {
    /// Writes the cost as in a PHC string.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={},t={},p={}", self.memory_kib, self.passes, self.lanes)
    }
}
