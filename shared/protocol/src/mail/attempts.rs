//! The times of the attempts to send a mail.

use std::time::Duration;
use types::Timestamp;

/// The wait after the first attempt. Each later wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(60);

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(2 * 3600);

/// Returns the time of the next attempt, after `attempts` attempts of which the last was at `now`; `None` if the mail would be of no
/// use any more by then.
pub fn next_attempt(attempts: u32, useful_until: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1).min(16));
    let due = now.after(FIRST_WAIT.saturating_mul(doubled).min(LONGEST_WAIT));
    (!useful_until.is_past(due)).then_some(due)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_until_the_mail_is_of_no_use() {
        let start = Timestamp::from_secs(1_800_000_000);
        let (mut now, mut attempts, mut waits) = (start, 1, Vec::new());
        while let Some(due) = next_attempt(attempts, start.after(Duration::from_secs(3600)), now) {
            waits.push(due.since(now).as_secs());
            (now, attempts) = (due, attempts + 1);
            assert!(attempts < 50, "it ends");
        }
        assert_eq!(waits, [60, 120, 240, 480, 960]);
        assert_eq!(next_attempt(1, start, start), None);
    }
}
