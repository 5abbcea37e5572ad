//! A day in words.

use protocol::MONTHS;

/// Days of 400 years of the Gregorian calendar.
const ERA: u64 = 146_097;

/// A day, UTC. Pages show no time of day: no clock tells it, and a list of times would be a record of what a user does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day {
    year: u64,
    /// 1 to 12.
    month: u64,
    /// 1 to 31.
    day: u64,
}

impl Day {
    /// Returns the day of a time in seconds since the epoch.
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::integer_division,
        reason = "the numbers stay far below the limits"
    )]
    pub(crate) const fn of(seconds: u64) -> Self {
        // Days since 0000-03-01: the leap day is the last day of its year.
        let days = seconds / 86_400 + 719_468;
        let (era, of_era) = (days / ERA, days % ERA);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let since_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * since_march + 2) / 5 + 1;
        let month = if since_march < 10 { since_march + 3 } else { since_march - 9 };
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        Self { year, month, day }
    }

    /// Returns the day as `datetime` of the element `time` has it.
    pub(crate) fn machine(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// Returns the day in words.
    pub(crate) fn words(self) -> String {
        let month = usize::try_from(self.month.saturating_sub(1)).ok().and_then(|index| MONTHS.get(index));
        format!("{} {} {}", self.day, month.copied().unwrap_or_default(), self.year)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, machine, words) in [
            (0, "1970-01-01", "1 January 1970"),
            (86_399, "1970-01-01", "1 January 1970"),
            (951_782_400, "2000-02-29", "29 February 2000"),
            (951_868_800, "2000-03-01", "1 March 2000"),
            (1_798_675_199, "2026-12-30", "30 December 2026"),
            (4_107_542_400, "2100-03-01", "1 March 2100"),
        ] {
            assert_eq!((Day::of(seconds).machine(), Day::of(seconds).words()), (machine.into(), words.into()));
        }
    }
}
