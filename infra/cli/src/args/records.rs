//! Arguments of `latchkey records`.

use super::{ConfirmationArgs, DeploymentArgs};
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum RecordsCommand {
    /// Let all records go back to an earlier time of the last 30 days, on Cloudflare.
    ///
    /// The first call plans the restore. Then deploy every function with the epoch that it prints, and call it again: without the
    /// new epoch, what was redeemed since that time could be redeemed again. A call that was interrupted is continued by the same
    /// call. infra/docs/operations.md has the steps for AWS.
    #[command(
        after_long_help = "Examples:\n  latchkey records restore --at 2026-11-30T09:00:00Z\n  latchkey records restore --at 1796029200 --yes --json"
    )]
    Restore(RestoreArgs),
    /// Change the number of Durable Objects, on Cloudflare.
    ///
    /// Every request is answered with 503 from the beginning until the functions are deployed with the new LATCHKEY_SHARDS. A call
    /// that was interrupted is continued by the same call. Needs the admin key of the deployment's settings.
    #[command(after_long_help = "Examples:\n  latchkey records reshard --shards 512")]
    Reshard(ReshardArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The time to go back to: 2026-11-30T09:00:00Z, or seconds since 1970.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) at: u64,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
    #[command(flatten)]
    pub(crate) confirmation: ConfirmationArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReshardArgs {
    /// The new number of Durable Objects.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) shards: u16,
    #[command(flatten)]
    pub(crate) deployment: DeploymentArgs,
    #[command(flatten)]
    pub(crate) confirmation: ConfirmationArgs,
}

/// Parses a time of RFC 3339 in UTC, to the second, or seconds since 1970.
fn time(text: &str) -> Result<u64, String> {
    let rule = || "must be a time in UTC such as 2026-11-30T09:00:00Z, or seconds since 1970".to_owned();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map_err(|_| rule());
    }
    let has_form = text.len() == 20
        && text.bytes().enumerate().all(|(position, byte)| match position {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            19 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        });
    let number = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<u64>().ok());
    let (true, Some(year), Some(month), Some(day)) = (has_form, number(0, 4), number(5, 7), number(8, 10)) else {
        return Err(rule());
    };
    let (Some(hour), Some(minute), Some(second)) = (number(11, 13), number(14, 16), number(17, 19)) else {
        return Err(rule());
    };
    let days = days_since_1970(year, month, day).filter(|_| hour < 24 && minute < 60 && second < 60);
    let seconds = |days: u64| {
        days.checked_mul(24)?
            .checked_add(hour)?
            .checked_mul(60)?
            .checked_add(minute)?
            .checked_mul(60)?
            .checked_add(second)
    };
    days.and_then(seconds).ok_or_else(rule)
}

/// Returns the number of days from 1970-01-01 to a day of the Gregorian calendar; `None` if there is no such day.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    let is_leap = |year: u64| (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    let length = |month: u64| match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=length(month)).contains(&day) {
        return None;
    }
    let years: u64 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    let months: u64 = (1..month).map(length).sum();
    years.checked_add(months)?.checked_add(day)?.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_either_form() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2026-11-30T09:00:00Z", 1_796_029_200),
            ("1796029200", 1_796_029_200),
        ] {
            assert_eq!(time(text), Ok(seconds), "{text}");
        }
        for text in
            ["", "yesterday", "2026-11-30", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-30T24:00:00Z"]
        {
            assert!(time(text).is_err(), "{text}");
        }
        assert!(time("2026-11-30T09:00:00+01:00").is_err() && time("1969-12-31T23:59:59Z").is_err());
    }
}
