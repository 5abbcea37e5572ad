//! The number of live grants of one user for one client.

use crate::limits::MAX_GRANTS;
use sha2::{Digest, Sha256};
use types::{Subject, Timestamp};

/// One in so many new grants leaves a note that the grants of its user are counted.
const ONE_IN: u64 = 50;

/// True if a grant that is created now leaves a note to count the grants of its user: one in 50, on average. The milliseconds
/// decide, which are as good as random. The user shifts them, so that no rhythm of requests misses every user.
pub fn is_counted(subject: &Subject, now: Timestamp) -> bool {
    let digest = Sha256::digest(subject.as_str());
    let shift = digest.first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
    now.as_millis().wrapping_add(shift).checked_rem(ONE_IN) == Some(0)
}

/// Returns the live grants of one user and client beyond `most`, those that were unused for the longest time. `grants` are times of the
/// last use and grants. The least number is that of [`MAX_GRANTS`], whatever `most` says.
pub fn excess<T>(mut grants: Vec<(Timestamp, T)>, most: u32) -> Vec<T> {
    let most = usize::try_from(most.max(*MAX_GRANTS.start())).unwrap_or(usize::MAX);
    grants.sort_by_key(|(last_used, _)| *last_used);
    let count = grants.len().saturating_sub(most);
    grants.into_iter().take(count).map(|(_, grant)| grant).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn grants(count: u64) -> Vec<(Timestamp, u64)> {
        // Not in the order of their use.
        (0..count).rev().map(|n| (Timestamp::from_millis(n), n)).collect()
    }

    #[test]
    fn those_unused_longest_are_in_excess() {
        assert_eq!(excess(grants(130), 100), (0..30).collect::<Vec<_>>());
        assert_eq!(excess(grants(100), 100), Vec::<u64>::new());
    }

    #[test]
    fn twenty_never_end() {
        for most in [0, 1, 19, 20] {
            assert_eq!(excess(grants(20), most), Vec::<u64>::new());
            assert_eq!(excess(grants(22), most), [0, 1]);
        }
    }

    #[test]
    fn one_in_fifty_is_counted() {
        for name in ["alice", "bob", "carol"] {
            let subject = Subject::parse(name).unwrap();
            let counted =
                (0..5000).filter(|n| is_counted(&subject, Timestamp::from_millis(T0.as_millis() + n))).count();
            assert_eq!(counted, 100, "{name}");
        }
    }
}
