//! X.509 certificates of clients (RFC 5280 §4.1), as far as mutual TLS needs them (RFC 8705).
//!
//! Chains are the platform's to verify, with the trust anchors of the operator.

mod name;

use crate::Timestamp;
use crate::der::{
    BOOLEAN, GENERALIZED_TIME, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, UTC_TIME, all, any, value,
};
pub use name::DistinguishedName;
use std::net::IpAddr;

/// The longest certificate, in bytes.
const MAX_LENGTH: usize = 16 * 1024;

/// Tag `[0]`, explicit: the version.
const VERSION: u8 = 0xA0;
/// Tag `[3]`, explicit: the extensions.
const EXTENSIONS: u8 = 0xA3;
/// The extension `subjectAltName` (§4.2.1.6).
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 0x11];

/// The tags of the forms of a subject alternative name (§4.2.1.6).
const SAN_EMAIL: u8 = 0x81;
const SAN_DNS: u8 = 0x82;
const SAN_URI: u8 = 0x86;
const SAN_IP: u8 = 0x87;

/// A certificate of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    not_before: Timestamp,
    not_after: Timestamp,
    subject: DistinguishedName,
    alternative_names: Vec<(u8, Vec<u8>)>,
}

/// A subject that a certificate must have: one of the five forms of RFC 8705 §2.1.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateSubject {
    /// `tls_client_auth_subject_dn`.
    Name(DistinguishedName),
    /// `tls_client_auth_san_dns`.
    Dns(String),
    /// `tls_client_auth_san_uri`.
    Uri(String),
    /// `tls_client_auth_san_ip`.
    Ip(IpAddr),
    /// `tls_client_auth_san_email`.
    Email(String),
}

impl CertificateSubject {
    /// Parses `tls_client_auth_subject_dn` (RFC 4514).
    pub fn name(text: &str) -> Option<Self> {
        DistinguishedName::parse(text).map(Self::Name)
    }

    /// Parses `tls_client_auth_san_dns`: a host name.
    pub fn dns(text: &str) -> Option<Self> {
        let is_label = |label: &str| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        text.split('.').all(is_label).then(|| Self::Dns(text.to_owned()))
    }

    /// Parses `tls_client_auth_san_uri`: an absolute URI.
    pub fn uri(text: &str) -> Option<Self> {
        let is_uri = text.bytes().all(|byte| byte.is_ascii_graphic()) && url::Url::parse(text).is_ok();
        is_uri.then(|| Self::Uri(text.to_owned()))
    }

    /// Parses `tls_client_auth_san_ip`: an IPv4 address in dotted decimal, or an IPv6 address (RFC 5952).
    pub fn ip(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::Ip)
    }

    /// Parses `tls_client_auth_san_email`: a mailbox (RFC 5280 §4.2.1.6).
    pub fn email(text: &str) -> Option<Self> {
        let (local, host) = text.rsplit_once('@')?;
        let is_mailbox = !local.is_empty() && !host.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_mailbox.then(|| Self::Email(text.to_owned()))
    }
}

impl Certificate {
    /// Reads a certificate from DER. `None` if it is malformed, longer than 16 KB, or has a date that cannot be read.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let (certificate, rest) = value(der, SEQUENCE)?;
        if !rest.is_empty() || der.len() > MAX_LENGTH {
            return None;
        }
        let (to_be_signed, _) = value(certificate, SEQUENCE)?;
        let after_version = value(to_be_signed, VERSION).map_or(to_be_signed, |(_, rest)| rest);
        let (_, rest) = value(after_version, INTEGER)?;
        let (_, rest) = value(rest, SEQUENCE)?;
        let (_, rest) = value(rest, SEQUENCE)?;
        let (validity, rest) = value(rest, SEQUENCE)?;
        let (subject, rest) = value(rest, SEQUENCE)?;
        let (_, rest) = value(rest, SEQUENCE)?;
        let (not_before, after) = date(validity)?;
        let (not_after, _) = date(after)?;
        let extensions = all(rest)?.into_iter().find(|(tag, _)| *tag == EXTENSIONS);
        let alternative_names = match extensions {
            None => Vec::new(),
            Some((_, extensions)) => alternative_names(value(extensions, SEQUENCE)?.0)?,
        };
        let subject = DistinguishedName::from_der(subject)?;
        Some(Self { not_before, not_after, subject, alternative_names })
    }

    /// True if the certificate is valid at this time (RFC 5280 §4.1.2.5). Both dates belong to the validity.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.not_before <= now && now.as_secs() <= self.not_after.as_secs()
    }

    /// True if the certificate has this subject (RFC 8705 §2.1.2). A name of one form is none of another.
    pub fn has_subject(&self, subject: &CertificateSubject) -> bool {
        let mut names = self.alternative_names.iter();
        match subject {
            CertificateSubject::Name(name) => self.subject == *name,
            CertificateSubject::Dns(dns) => {
                names.any(|(tag, name)| *tag == SAN_DNS && name.eq_ignore_ascii_case(dns.as_bytes()))
            }
            CertificateSubject::Uri(uri) => names.any(|(tag, name)| *tag == SAN_URI && name == uri.as_bytes()),
            CertificateSubject::Ip(IpAddr::V4(ip)) => names.any(|(tag, name)| *tag == SAN_IP && *name == ip.octets()),
            CertificateSubject::Ip(IpAddr::V6(ip)) => names.any(|(tag, name)| *tag == SAN_IP && *name == ip.octets()),
            CertificateSubject::Email(email) => {
                names.any(|(tag, name)| *tag == SAN_EMAIL && is_same_mailbox(name, email.as_bytes()))
            }
        }
    }
}

/// True if two mailboxes are one: the host is compared without case (RFC 5280 §7.5).
fn is_same_mailbox(one: &[u8], other: &[u8]) -> bool {
    let split = |mailbox: &[u8]| mailbox.iter().rposition(|byte| *byte == b'@');
    match (split(one), split(other)) {
        (Some(at), Some(same)) if at == same => {
            one.get(..at) == other.get(..at)
                && one.get(at..).zip(other.get(at..)).is_some_and(|(one, other)| one.eq_ignore_ascii_case(other))
        }
        _ => false,
    }
}

/// Returns the subject alternative names: the tag of the form, and the content.
fn alternative_names(extensions: &[u8]) -> Option<Vec<(u8, Vec<u8>)>> {
    let mut found = Vec::new();
    for (_, extension) in all(extensions)? {
        let (id, rest) = value(extension, OBJECT_IDENTIFIER)?;
        if id != SUBJECT_ALT_NAME {
            continue;
        }
        let rest = value(rest, BOOLEAN).map_or(rest, |(_, rest)| rest);
        let (content, _) = value(rest, OCTET_STRING)?;
        let names = all(value(content, SEQUENCE)?.0)?;
        found.extend(names.into_iter().map(|(tag, name)| (tag, name.to_vec())));
    }
    Some(found)
}

/// Reads a date: UTCTime or GeneralizedTime, to the second, in UTC (RFC 5280 §4.1.2.5). Returns the rest, too.
fn date(der: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (tag, content, rest) = any(der)?;
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let (year, text) = match tag {
        UTC_TIME => {
            let (year, text) = text.split_at_checked(2)?;
            let year: i64 = year.parse().ok()?;
            (if year >= 50 { year.saturating_add(1900) } else { year.saturating_add(2000) }, text)
        }
        GENERALIZED_TIME => {
            let (year, text) = text.split_at_checked(4)?;
            (year.parse().ok()?, text)
        }
        _ => return None,
    };
    if text.len() != 10 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |at: usize| text.get(at..at.saturating_add(2)).and_then(|digits| digits.parse::<i64>().ok());
    let (month, day, hour, minute, second) = (part(0)?, part(2)?, part(4)?, part(6)?, part(8)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days_since_epoch(year, month, day)
        .checked_mul(86_400)?
        .checked_add(hour.checked_mul(3600)?)?
        .checked_add(minute.checked_mul(60)?)?
        .checked_add(second)?;
    // A certificate that was valid before 1970 was valid in 1970, too.
    Some((Timestamp::from_secs(u64::try_from(seconds).unwrap_or(0)), rest))
}

/// Returns the number of days from 1970-01-01 to a day of the Gregorian calendar. Years begin in March, so that a leap day is the last.
#[expect(clippy::arithmetic_side_effects, reason = "a year has four digits, a month and a day two")]
const fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        for (date, days) in [
            ((1970, 1, 1), 0),
            ((1969, 12, 31), -1),
            ((2000, 2, 29), 11_016),
            ((2000, 3, 1), 11_017),
            ((2026, 11, 30), 20_787),
        ] {
            let (year, month, day) = date;
            assert_eq!(days_since_epoch(year, month, day), days, "{date:?}");
        }
    }

    #[test]
    fn dates_have_two_forms() {
        let read = |tag: u8, text: &str| {
            let der = [&[tag, u8::try_from(text.len()).unwrap_or(0)], text.as_bytes()].concat();
            date(&der).map(|(at, _)| at.as_secs())
        };
        assert_eq!(read(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(read(UTC_TIME, "491231235959Z"), Some(2_524_607_999));
        assert_eq!(read(UTC_TIME, "500101000000Z"), Some(0), "1950");
        assert_eq!(read(GENERALIZED_TIME, "20500101000000Z"), Some(2_524_608_000));
        assert_eq!(read(GENERALIZED_TIME, "99991231235959Z"), Some(253_402_300_799));
        for (tag, text) in [
            (UTC_TIME, "7001010000Z"),
            (UTC_TIME, "700101000000"),
            (UTC_TIME, "700101000000+0100"),
            (UTC_TIME, "701301000000Z"),
            (UTC_TIME, "700100000000Z"),
            (UTC_TIME, "700101240000Z"),
            (UTC_TIME, "7001010000-1Z"),
            (GENERALIZED_TIME, "20500101000000.5Z"),
            (INTEGER, "700101000000Z"),
        ] {
            assert_eq!(read(tag, text), None, "{text}");
        }
    }
}
