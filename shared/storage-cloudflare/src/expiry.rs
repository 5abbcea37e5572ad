//! The time at which an object looks whether a record has expired.

use types::Timestamp;

/// Milliseconds of the steps: an hour, and a day for records that live for longer than two days.
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

/// Returns the time at which the object looks for a record that expires at `expires_at`: the next full hour, or the next
/// full day if the expiry is more than two days ahead. Cloudflare bills each written row of an index. An expiry that moves
/// within its step writes none: a grant that is refreshed all day is entered once.
pub fn coarse(expires_at: Timestamp, now: Timestamp) -> Timestamp {
    let expiry = expires_at.as_millis();
    let is_far = expiry.saturating_sub(now.as_millis()) > DAY.saturating_mul(2);
    let step = if is_far { DAY } else { HOUR };
    Timestamp::from_millis(expiry.checked_next_multiple_of(step).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::time::Duration;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    #[test]
    fn it_is_never_before_the_expiry_and_less_than_a_step_after_it() {
        for (secs, step) in
            [(0, 3600), (1, 3600), (3600, 3600), (172_800, 3600), (172_801, 86_400), (7_776_000, 86_400)]
        {
            let expiry = NOW.after(Duration::from_secs(secs));
            let looked_at = coarse(expiry, NOW);
            assert!(looked_at >= expiry && looked_at.since(expiry) < Duration::from_secs(step), "{secs}");
        }
        coarse(Timestamp::from_millis(u64::MAX), NOW);
    }

    #[test]
    fn a_day_of_refreshes_has_at_most_two_times() {
        let times = (0..86_400).step_by(600).map(|secs| {
            let now = NOW.after(Duration::from_secs(secs));
            coarse(now.after(Duration::from_secs(14 * 86_400)), now)
        });
        assert!(times.collect::<BTreeSet<_>>().len() <= 2);
    }
}
