//! Distinguished names: those of certificates (RFC 5280 §4.1.2.4), and those that an operator writes (RFC 4514).

use crate::der::{self, BMP_STRING, IA5_STRING, OBJECT_IDENTIFIER, PRINTABLE_STRING, SET, TELETEX_STRING, UTF8_STRING};
use std::collections::BTreeSet;

/// The attribute types that have a short name (RFC 4514 §3, RFC 4519), and those that tools write: name and OID as dotted decimal.
const TYPES: [(&str, &str); 19] = [
    ("CN", "2.5.4.3"),
    ("SN", "2.5.4.4"),
    ("SERIALNUMBER", "2.5.4.5"),
    ("C", "2.5.4.6"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("S", "2.5.4.8"),
    ("STREET", "2.5.4.9"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("TITLE", "2.5.4.12"),
    ("POSTALCODE", "2.5.4.17"),
    ("GIVENNAME", "2.5.4.42"),
    ("ORGANIZATIONIDENTIFIER", "2.5.4.97"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("EMAILADDRESS", "1.2.840.113549.1.9.1"),
    ("E", "1.2.840.113549.1.9.1"),
    ("BUSINESSCATEGORY", "2.5.4.15"),
];

/// A distinguished name. Two names are equal if their RDNs are, one by one. An RDN is a set of attributes, whose texts are compared
/// without case and with single spaces (RFC 5280 §7.1, RFC 4518 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistinguishedName(Vec<BTreeSet<Attribute>>);

/// An attribute: its type as dotted decimal, and its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Attribute {
    kind: String,
    value: AttributeValue,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum AttributeValue {
    /// A directory string, folded.
    Text(String),
    /// The DER of another value.
    Other(Vec<u8>),
}

impl DistinguishedName {
    /// Reads the name of a certificate, from the content of its sequence.
    pub(super) fn from_der(content: &[u8]) -> Option<Self> {
        let mut rdns = Vec::new();
        for (tag, rdn) in der::all(content)? {
            if tag != SET {
                return None;
            }
            let mut attributes = BTreeSet::new();
            for (_, attribute) in der::all(rdn)? {
                let (kind, rest) = der::value(attribute, OBJECT_IDENTIFIER)?;
                attributes.insert(Attribute { kind: dotted(kind)?, value: value_of(rest)? });
            }
            rdns.push(attributes);
        }
        Some(Self(rdns))
    }

    /// Parses the string of a name (RFC 4514 §3), which begins with the last RDN. `None` if it is malformed, or empty.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rdns = Vec::new();
        for rdn in split(text, |byte| matches!(byte, b',' | b';'))? {
            let mut attributes = BTreeSet::new();
            for attribute in split(rdn, |byte| byte == b'+')? {
                let (kind, value) = attribute.split_once('=')?;
                attributes.insert(Attribute { kind: kind_of(kind.trim())?, value: parse_value(trim(value))? });
            }
            rdns.push(attributes);
        }
        rdns.reverse();
        (!rdns.is_empty()).then_some(Self(rdns))
    }
}

/// Removes the spaces around a value, except for an escaped one at its end.
fn trim(value: &str) -> &str {
    let value = value.trim_start_matches(' ');
    let trimmed = value.trim_end_matches(' ');
    match trimmed.ends_with('\\') && !trimmed.ends_with("\\\\") && trimmed.len() < value.len() {
        true => value.get(..trimmed.len().saturating_add(1)).unwrap_or(value),
        false => trimmed,
    }
}

/// Splits a text at separators that are neither escaped nor quoted. `None` if it ends in an escape or a quotation.
fn split(text: &str, is_separator: fn(u8) -> bool) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut is_escaped, mut is_quoted) = (Vec::new(), 0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            byte if !is_quoted && is_separator(byte) => {
                parts.push(text.get(start..at)?);
                start = at.saturating_add(1);
            }
            _ => {}
        }
    }
    parts.push(text.get(start..)?);
    (!is_escaped && !is_quoted).then_some(parts)
}

/// Returns the OID of an attribute type: one of the known names, or dotted decimal, with or without `OID.`.
fn kind_of(name: &str) -> Option<String> {
    let known = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    if let Some((_, oid)) = known {
        return Some((*oid).to_owned());
    }
    let prefixed = name.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("oid."));
    let oid = if prefixed { name.get(4..)? } else { name };
    let is_oid =
        oid.contains('.') && oid.split('.').all(|arc| !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit()));
    is_oid.then(|| oid.to_owned())
}

/// Parses a value: `#` and the DER in hexadecimal digits, a text, or a quoted text.
fn parse_value(text: &str) -> Option<AttributeValue> {
    if let Some(digits) = text.strip_prefix('#') {
        let pairs: Vec<&[u8]> = digits.as_bytes().chunks(2).collect();
        let bytes: Option<Vec<u8>> = pairs.into_iter().map(hex).collect();
        return value_of(&bytes?);
    }
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        rest = match (first, after) {
            (b'\\', [high, low, after @ ..]) if hex(&[*high, *low]).is_some() => {
                bytes.push(hex(&[*high, *low])?);
                after
            }
            (b'\\', [escaped, after @ ..]) => {
                bytes.push(*escaped);
                after
            }
            (b'\\', []) => return None,
            (byte, after) => {
                bytes.push(byte);
                after
            }
        };
    }
    Some(AttributeValue::Text(folded(&String::from_utf8(bytes).ok()?)))
}

fn hex(pair: &[u8]) -> Option<u8> {
    let [high, low] = pair else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some((digit(*high)? << 4) | digit(*low)?)
}

/// Returns the value in the DER of an attribute.
fn value_of(der: &[u8]) -> Option<AttributeValue> {
    let (tag, content, rest) = der::any(der)?;
    if !rest.is_empty() {
        return None;
    }
    let text = match tag {
        UTF8_STRING | PRINTABLE_STRING | IA5_STRING => std::str::from_utf8(content).ok()?.to_owned(),
        // Latin 1, as certificates use it.
        TELETEX_STRING => content.iter().copied().map(char::from).collect(),
        BMP_STRING => {
            let units =
                content.chunks_exact(2).map(|pair| pair.iter().fold(0, |sum, byte| (sum << 8) | u16::from(*byte)));
            char::decode_utf16(units).collect::<Result<String, _>>().ok()?
        }
        _ => return Some(AttributeValue::Other(der.to_vec())),
    };
    Some(AttributeValue::Text(folded(&text)))
}

/// Folds a directory string: lower case, single spaces, none at its ends.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Returns an OID as dotted decimal (X.690 §8.19).
fn dotted(oid: &[u8]) -> Option<String> {
    let mut arcs: Vec<u64> = Vec::new();
    let (mut arc, mut is_open) = (0_u64, false);
    for byte in oid {
        arc = arc.checked_mul(128)?.checked_add(u64::from(byte & 0x7F))?;
        is_open = byte & 0x80 != 0;
        if !is_open {
            if arcs.is_empty() {
                let first = (arc / 40).min(2);
                arcs.push(first);
                arcs.push(arc.checked_sub(first.checked_mul(40)?)?);
            } else {
                arcs.push(arc);
            }
            arc = 0;
        }
    }
    (!is_open && !arcs.is_empty()).then(|| arcs.iter().map(u64::to_string).collect::<Vec<_>>().join("."))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn name(text: &str) -> DistinguishedName {
        DistinguishedName::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    /// RFC 4514 §4, and the ways in which tools write one name.
    #[test]
    fn one_name_is_written_in_many_ways() {
        for (one, other) in [
            ("UID=jsmith,DC=example,DC=net", "uid=JSmith, dc=example , dc=NET"),
            ("OU=Sales+CN=J.  Smith,DC=example", "cn=J. Smith + ou=sales,DC=example"),
            (r#"CN=James \"Jim\" Smith\, III,DC=net"#, r#"CN="James \"Jim\" Smith, III",DC=net"#),
            (r"CN=Before\0dAfter,DC=net", "CN=Before\rAfter,DC=net"),
            (r"CN=Lu\C4\8Di\C4\87", "CN=Lučić"),
            ("1.3.6.1.4.1.1466.0=#04024869", "OID.1.3.6.1.4.1.1466.0=#04024869"),
            ("2.5.4.97=PSDDE-1", "organizationIdentifier=PSDDE-1"),
            ("2.5.4.97=#0c0750534444452d31".replace(' ', "").as_str(), "organizationIdentifier=PSDDE-1"),
            (
                "emailAddress=a@b.example,CN=x",
                "1.2.840.113549.1.9.1=#160b61406 22e6578616d706c65,CN=x".replace(' ', "").as_str(),
            ),
        ] {
            assert_eq!(name(one), name(other), "{one} {other}");
        }
        assert_ne!(name("CN=a,O=b"), name("O=b,CN=a"), "the order of RDNs counts");
        assert_ne!(name("CN=a,O=b"), name("CN=a+O=b"));
        assert_ne!(name("CN=a"), name("CN=a,O=b"));
        assert_ne!(name(r"CN=a\,O\=b"), name("CN=a,O=b"));
    }

    #[test]
    fn other_text_is_no_name() {
        for text in ["", "a", "CN", "CN=a,", "=a", "X=a", r"CN=a\", "CN=\"a", "CN=#0", "CN=#zz", "1..2=a", "."] {
            assert_eq!(DistinguishedName::parse(text), None, "{text}");
        }
    }
}
