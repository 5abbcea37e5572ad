//! Formats of strings in authorization details, and their words for users.

/// A format of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// `YYYY-MM-DD` (RFC 3339 §5.6).
    Date,
    /// Date and time with the difference to UTC (RFC 3339 §5.6).
    DateTime,
    /// Absolute URI.
    Uri,
    /// UUID (RFC 9562 §4).
    Uuid,
    /// Digits, with a fraction or a sign: an amount of money.
    Decimal,
    /// Three capital letters (ISO 4217).
    Currency,
    /// International bank account number with right check digits (ISO 13616).
    Iban,
}

/// The names of the months, as pages write dates.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Format {
    /// The rule for the keyword `format`.
    pub(super) const RULE: &str = "must be one of date, date-time, uri, uuid, decimal, currency, iban";

    /// Returns the format of this name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "date" => Self::Date,
            "date-time" => Self::DateTime,
            "uri" => Self::Uri,
            "uuid" => Self::Uuid,
            "decimal" => Self::Decimal,
            "currency" => Self::Currency,
            "iban" => Self::Iban,
            _ => return None,
        })
    }

    /// True if the text has the format.
    pub(super) fn accepts(self, text: &str) -> bool {
        match self {
            Self::Date => date(text).is_some(),
            Self::DateTime => date_time(text).is_some(),
            Self::Uri => url::Url::parse(text).is_ok(),
            Self::Uuid => is_uuid(text),
            Self::Decimal => is_decimal(text),
            Self::Currency => text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()),
            Self::Iban => is_iban(text),
        }
    }
}

/// Returns a date, or a date and time, in words; `None` for another text.
pub(super) fn date_in_words(text: &str) -> Option<String> {
    let (date_part, time) = match text.split_once(['T', 't']) {
        None => (text, None),
        Some((date, _)) => (date, Some(date_time(text)?)),
    };
    let (year, month, day) = date(date_part)?;
    let month = MONTHS.get(month.checked_sub(1)?)?;
    Some(match time {
        None => format!("{day} {month} {year}"),
        Some((time, "Z" | "z")) => format!("{day} {month} {year}, {time} UTC"),
        Some((time, offset)) => format!("{day} {month} {year}, {time} UTC{offset}"),
    })
}

/// Returns year, month and day.
fn date(text: &str) -> Option<(u16, usize, u8)> {
    let mut parts = text.split('-');
    let (year, month, day): (u16, u8, u8) =
        (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let is_date = parts.next().is_none() && (1..=12).contains(&month) && (1..=days).contains(&day);
    is_date.then_some((year, usize::from(month), day))
}

/// Returns the time and the difference to UTC of a date and time.
fn date_time(text: &str) -> Option<(&str, &str)> {
    let (day, rest) = text.split_once(['T', 't'])?;
    date(day)?;
    let (time, offset) = rest.split_at_checked(rest.find(['Z', 'z', '+', '-'])?)?;
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let is_clock = |text: &str, most: [u8; 3], parts: usize| {
        let mut numbers = text.split(':').map(|part| number::<u8>(part, 2));
        text.split(':').count() == parts
            && most.iter().zip(numbers.by_ref()).all(|(most, part)| part.is_some_and(|part| part <= *most))
    };
    let is_offset = match offset.split_at_checked(1)? {
        ("Z" | "z", "") => true,
        ("+" | "-", difference) => is_clock(difference, [23, 59, 0], 2),
        _ => false,
    };
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    (is_clock(whole, [23, 59, 60], 3) && is_fraction && is_offset).then_some((time, offset))
}

/// Returns a number of exactly so many digits.
fn number<T: std::str::FromStr>(text: &str, digits: usize) -> Option<T> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// True for digits with a fraction or a sign, without zeros before them.
pub(super) fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    digits(whole) && digits(fraction) && (whole.len() == 1 || !whole.starts_with('0'))
}

/// True for an IBAN without spaces whose remainder by 97 is 1.
fn is_iban(text: &str) -> bool {
    let has_form =
        (15..=34).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let Some((head, account)) = text.split_at_checked(4).filter(|_| has_form) else { return false };
    let remainder = account.chars().chain(head.chars()).fold(0, |remainder: u32, c| {
        let value = c.to_digit(36).unwrap_or(0);
        let shift = if value > 9 { 100 } else { 10 };
        (remainder.wrapping_mul(shift).wrapping_add(value)) % 97
    });
    let is_letter = |byte: u8| byte.is_ascii_uppercase();
    let is_head = matches!(head.as_bytes(), [a, b, c, d] if is_letter(*a) && is_letter(*b) && c.is_ascii_digit() && d.is_ascii_digit());
    is_head && remainder == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_accepts_and_rejects() {
        for (name, good, bad) in [
            (
                "date",
                &["2026-11-30", "2024-02-29", "0001-01-01"][..],
                &["2026-02-29", "2026-13-01", "2026-1-1", "2026-11-31", "26-11-30", "", "2026-11-30-"][..],
            ),
            (
                "date-time",
                &[
                    "2026-11-30T10:00:00Z",
                    "2026-11-30t10:00:00.25z",
                    "2026-11-30T10:00:00+05:30",
                    "2016-12-31T23:59:60Z",
                ],
                &[
                    "2026-11-30",
                    "2026-11-30T10:00Z",
                    "2026-11-30T24:00:00Z",
                    "2026-11-30T10:00:00",
                    "2026-11-30T10:00:00.Z",
                    "2026-11-30T10:00:00+5",
                    "T10:00:00Z",
                    "2026-11-30T10:00:00Zx",
                    "2026-11-30T1\u{e9}:00:00Z",
                ],
            ),
            ("uri", &["https://a.example/b", "urn:x:y"], &["", "a", "//a", "https://"]),
            (
                "uuid",
                &["f81d4fae-7dec-11d0-a765-00a0c91e6bf6"],
                &["f81d4fae7dec11d0a76500a0c91e6bf6", "g81d4fae-7dec-11d0-a765-00a0c91e6bf6", ""],
            ),
            ("decimal", &["0", "123.50", "-1", "0.01"], &["", "1.", ".5", "01", "1,5", "1e3", "+1", "--1", "\u{661}"]),
            ("currency", &["EUR"], &["eur", "EURO", "", "E1R"]),
            (
                "iban",
                &["DE02100100109307118603", "GB82WEST12345698765432"],
                &["DE03100100109307118603", "de02100100109307118603", "", "DE02", "1234100100109307118603"],
            ),
        ] {
            let format = Format::parse(name).unwrap();
            assert!(Format::RULE.contains(name));
            assert_eq!(good.iter().find(|text| !format.accepts(text)), None, "{name}");
            assert_eq!(bad.iter().find(|text| format.accepts(text)), None, "{name}");
        }
    }

    #[test]
    fn dates_have_words() {
        for (text, words) in [
            ("2026-11-30", Some("30 November 2026")),
            ("2026-03-01T09:05:00Z", Some("1 March 2026, 09:05:00 UTC")),
            ("2026-03-01T09:05:00+02:00", Some("1 March 2026, 09:05:00 UTC+02:00")),
            ("2026-02-30", None),
            ("soon", None),
        ] {
            assert_eq!(date_in_words(text).as_deref(), words);
        }
    }
}
