//! Certificates of clients: RFC 5280 §4.1, RFC 8705 §2.1.2.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use latchkey_types::{Certificate, CertificateSubject, Timestamp};

/// Made by openssl: a P-256 key, names of every form, valid from 2026-11-30 to 2036-11-27.
const PEM: &str = include_str!("client.pem");

fn der() -> Vec<u8> {
    STANDARD.decode(PEM.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap()
}

fn certificate() -> Certificate {
    Certificate::from_der(&der()).unwrap()
}

#[test]
fn each_form_of_the_subject_is_compared() {
    let name = |text| CertificateSubject::name(text).unwrap();
    let dns = |text| CertificateSubject::dns(text).unwrap();
    let uri = |text| CertificateSubject::uri(text).unwrap();
    let ip = |text| CertificateSubject::ip(text).unwrap();
    let email = |text| CertificateSubject::email(text).unwrap();
    for subject in [
        // As openssl prints it, and as other tools do.
        name(
            r"organizationIdentifier=PSDDE-BAFIN-1234,CN=Lu\C4\8Di\C4\87 Client,OU=Zahlungen,O=Beispiel  Bank\, AG,C=DE",
        ),
        name("2.5.4.97=PSDDE-BAFIN-1234, CN=lučić client, OU=Zahlungen, O=\"Beispiel Bank, AG\", C=de"),
        dns("client.example"),
        dns("CLIENT.example"),
        uri("https://client.example/id"),
        uri("spiffe://example/client"),
        ip("192.0.2.7"),
        ip("2001:db8::7"),
        ip("2001:0DB8:0:0::7"),
        email("ops@client.example"),
    ] {
        assert!(certificate().has_subject(&subject), "{subject:?}");
    }
    for subject in [
        name("CN=Lučić Client,OU=Zahlungen,O=Beispiel Bank\\, AG,C=DE"),
        name("C=DE,O=Beispiel Bank\\, AG,OU=Zahlungen,CN=Lučić Client,2.5.4.97=PSDDE-BAFIN-1234"),
        name("CN=client.example"),
        dns("other.client.example"),
        uri("https://CLIENT.example/id"),
        uri("urn:client.example"),
        ip("192.0.2.8"),
        ip("::ffff:192.0.2.7"),
        email("OPS@client.example"),
    ] {
        assert!(!certificate().has_subject(&subject), "{subject:?}");
    }
}

#[test]
fn a_certificate_is_valid_between_its_dates() {
    let at = |seconds| certificate().is_valid_at(Timestamp::from_secs(seconds));
    let (from, to) = (1_796_057_482, 2_111_417_482);
    assert!(!at(from - 1) && at(from) && at(to) && !at(to + 1));
}

#[test]
fn a_subject_has_the_syntax_of_its_form() {
    for wrong in [
        CertificateSubject::name("client.example"),
        CertificateSubject::dns(""),
        CertificateSubject::dns("*.example"),
        CertificateSubject::dns("https://client.example/id"),
        CertificateSubject::dns("a..example"),
        CertificateSubject::uri("client.example"),
        CertificateSubject::uri("urn:a b"),
        CertificateSubject::ip("192.0.2"),
        CertificateSubject::ip("[2001:db8::7]"),
        CertificateSubject::email("client.example"),
        CertificateSubject::email("@client.example"),
    ] {
        assert_eq!(wrong, None);
    }
}

#[test]
fn other_input_is_no_certificate() {
    let der = der();
    for length in 0..der.len() {
        assert_eq!(Certificate::from_der(&der[..length]), None, "{length} bytes");
    }
    assert_eq!(Certificate::from_der(&[der.as_slice(), &[0]].concat()), None, "a byte more");
    assert_eq!(Certificate::from_der(PEM.as_bytes()), None);
}
