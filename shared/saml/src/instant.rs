//! `xs:dateTime`, as SAML writes it: in UTC (SAML Core §1.3.3).

use types::Timestamp;

/// Parses `2026-11-21T07:26:43.123Z`, and truncates to milliseconds. Returns `None` for anything else: another time
/// zone, a day that does not exist, a year before 1970.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim().strip_suffix('Z')?;
    let (date, time) = text.split_once('T')?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 59 || !(1..=12).contains(&month) || day < 1 {
        return None;
    }
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis: u64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let days = days(year, month, day)?;
    let seconds = days.checked_mul(86_400)?.checked_add(hour.checked_mul(3600)?)?;
    let seconds = seconds.checked_add(minute.checked_mul(60)?)?.checked_add(second)?;
    Some(Timestamp::from_millis(seconds.checked_mul(1000)?.checked_add(millis)?))
}

/// Parses three numbers with these numbers of digits.
fn numbers(text: &str, separator: char, lengths: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let mut next = |length: usize| {
        let part =
            parts.next().filter(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        part.parse().ok()
    };
    let [first, second, third] = lengths;
    let numbers = [next(first)?, next(second)?, next(third)?];
    if parts.next().is_some() { None } else { Some(numbers) }
}

/// Returns the days from 1970-01-01 to a day of the Gregorian calendar.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    const LENGTHS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let is_leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    let index = usize::try_from(month.checked_sub(1)?).ok()?;
    let leap_day = u64::from(is_leap && month == 2);
    if day > LENGTHS.get(index)?.checked_add(leap_day)? {
        return None;
    }
    // Leap days from the year 1 to the end of the previous year.
    let leap_days = |year: u64| {
        let past = year.checked_sub(1)?;
        (past / 4).checked_sub(past / 100)?.checked_add(past / 400)
    };
    let years = year.checked_sub(1970)?;
    let passed = leap_days(year)?.checked_sub(leap_days(1970)?)?;
    let this_year =
        BEFORE.get(index)?.checked_add(u64::from(is_leap && month > 2))?.checked_add(day.checked_sub(1)?)?;
    years.checked_mul(365)?.checked_add(passed)?.checked_add(this_year)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read() {
        let read = |text| parse(text).map(Timestamp::as_millis);
        assert_eq!(read("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(read("2000-02-29T12:00:00Z"), Some(951_825_600_000));
        assert_eq!(read("2000-03-01T00:00:00Z"), Some(951_868_800_000));
        assert_eq!(read("2026-11-21T07:26:43.1239Z"), Some(1_795_246_003_123));
        assert_eq!(read("2100-03-01T00:00:00.5Z"), Some(4_107_542_400_500));
    }

    #[test]
    fn what_is_none_is_not_read() {
        for text in [
            "",
            "2026-11-21",
            "2026-11-21T07:26:43",
            "2026-11-21T07:26:43+00:00",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-11-31T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T07:26:60Z",
            "2026-11-21T07:26:43.Z",
            "2026-11-21T07:26:43.-1Z",
            "26-11-21T07:26:43Z",
            "+026-11-21T07:26:43Z",
            "1969-12-31T23:59:59Z",
            "2026-11-21T07:26:43:00Z",
            "\u{661}\u{662}26-11-21T07:26:43Z",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
