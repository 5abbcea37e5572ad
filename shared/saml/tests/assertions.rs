//! Assertions that another implementation signed (signxml on libxml2, with another canonicalization), and attacks on
//! them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::executor::block_on;
use jose::{Algorithm, PublicKey};
use latchkey_saml::{Assertion, ParsedAssertion, Problem, Rules, VerifiedAssertion};
use std::time::Duration;
use types::Timestamp;

const RSA: &str = include_str!("fixtures/rsa.xml");
const EC: &str = include_str!("fixtures/ec.xml");
const PSS: &str = include_str!("fixtures/pss.xml");
const PREFIXES: &str = include_str!("fixtures/prefixes.xml");
const RSA_CERTIFICATE: &str = include_str!("fixtures/rsa.crt");
const EC_CERTIFICATE: &str = include_str!("fixtures/ec.crt");

/// 2026-11-21T08:01:00Z.
const NOW: u64 = 1_795_248_060;

fn rules() -> Rules<'static> {
    Rules {
        issuer: "https://idp.example/saml",
        audience: "https://id.example.com",
        recipient: "https://id.example.com/token",
        max_lifetime: Duration::from_secs(600),
        now: Timestamp::from_secs(NOW),
    }
}

fn verified(xml: &str) -> Result<VerifiedAssertion, Problem> {
    let parsed = ParsedAssertion::parse_xml(xml)?;
    let certificate = if parsed.algorithm() == Algorithm::ES256 { EC_CERTIFICATE } else { RSA_CERTIFICATE };
    let key = PublicKey::from_certificate(certificate).unwrap();
    let verifier = block_on(jose::platform().verifier(parsed.algorithm(), &key)).unwrap();
    block_on(parsed.verify(verifier.as_ref())).map_err(|_| Problem::Signature)
}

fn check(xml: &str, rules: &Rules<'_>) -> Result<Assertion, Problem> {
    verified(xml)?.check(rules)
}

#[track_caller]
fn refused(xml: &str, problem: Problem) {
    assert_eq!(check(xml, &rules()).err(), Some(problem), "{xml}");
}

/// Returns `RSA` with the first `from` replaced. Panics if there is none.
#[track_caller]
fn with(from: &str, to: &str) -> String {
    assert!(RSA.contains(from), "{from}");
    RSA.replacen(from, to, 1)
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let from = text.find(start).unwrap();
    let length = text.get(from..).unwrap().find(end).unwrap() + end.len();
    text.get(from..from + length).unwrap()
}

fn signature() -> &'static str {
    between(RSA, "<ds:Signature ", "</ds:Signature>")
}

#[test]
fn assertions_of_another_implementation_are_accepted() {
    for (xml, algorithm) in
        [(RSA, Algorithm::RS256), (PSS, Algorithm::PS256), (EC, Algorithm::ES256), (PREFIXES, Algorithm::RS256)]
    {
        let parsed = ParsedAssertion::parse_xml(xml).unwrap();
        assert_eq!((parsed.algorithm(), parsed.issuer().as_deref()), (algorithm, Some(rules().issuer)));
        let assertion = check(xml, &rules()).unwrap();
        assert_eq!(assertion.id, "_a75adf55");
        assert_eq!(assertion.expires_at, Timestamp::from_secs(NOW + 240));
        assert_eq!(assertion.authenticated_at, Some(Timestamp::from_secs(NOW - 180)));
        assert_eq!(assertion.claims["uid"], "u&1 \"q\" <b>\r\u{e9}");
        assert!(!assertion.claims.contains_key("groups"), "it has two values");
    }
}

/// A comment does not end a name: the value that is read is the signed one.
#[test]
fn comments_cut_nothing_off() {
    assert_eq!(check(RSA, &rules()).unwrap().subject, "ada.lovelace");
    let moved = with("ada<!-- not the end -->.lovelace", "ada.love<!-- evil -->lace");
    assert_eq!(check(&moved, &rules()).unwrap().subject, "ada.lovelace");
}

/// RFC 7522 §2.1.
#[test]
fn the_parameter_is_base64url() {
    let encoded = URL_SAFE_NO_PAD.encode(RSA);
    assert!(ParsedAssertion::parse(&encoded).is_ok());
    assert!(ParsedAssertion::parse(&format!("{encoded}{}", "=".repeat((4 - encoded.len() % 4) % 4))).is_ok());
    for wrong in [RSA, "", "%%%", &format!("{encoded}\n"), &URL_SAFE_NO_PAD.encode([0xFF, 0xFE]), &"A".repeat(60_000)] {
        assert!(ParsedAssertion::parse(wrong).is_err());
    }
}

/// A change of any signed byte is detected, in the assertion and in the signature.
#[test]
fn what_was_changed_is_refused() {
    refused(&with(".lovelace", ".lovelacf"), Problem::Digest);
    refused(&with("<saml2:OneTimeUse/>", ""), Problem::Digest);
    refused(&with("ID=\"_a75adf55\"", "ID=\"_other\""), Problem::SignedInfo);
    refused(&with("08:05:00Z", "09:05:00Z"), Problem::Digest);
    let value = between(RSA, "<ds:SignatureValue>", "</ds:SignatureValue>");
    refused(&with(value, "<ds:SignatureValue></ds:SignatureValue>"), Problem::Signature);
    refused(&with(value, "<ds:SignatureValue>AAAA</ds:SignatureValue>"), Problem::Signature);
    let swapped = RSA.replacen(value, between(PSS, "<ds:SignatureValue>", "</ds:SignatureValue>"), 1);
    refused(&swapped, Problem::Signature);
}

/// Another key of the right type is rejected, and the certificate in the assertion is ignored.
#[test]
fn only_the_configured_key_counts() {
    for (xml, certificate) in [(RSA, EC_CERTIFICATE), (EC, RSA_CERTIFICATE)] {
        let parsed = ParsedAssertion::parse_xml(xml).unwrap();
        let key = PublicKey::from_certificate(certificate).unwrap();
        assert!(block_on(jose::platform().verifier(parsed.algorithm(), &key)).is_err());
    }
    let certificate = between(RSA, "<ds:KeyInfo>", "</ds:KeyInfo>");
    assert!(check(&with(certificate, ""), &rules()).is_ok());
    assert!(check(&with(certificate, "<ds:KeyInfo/>"), &rules()).is_ok());
}

/// SHA-1, HMAC with the public key as the secret, and other unlisted algorithms (SAML Core §5.4).
#[test]
fn algorithms_are_the_listed_ones() {
    refused(include_str!("fixtures/sha1.xml"), Problem::SignedInfo);
    refused(include_str!("fixtures/inclusive.xml"), Problem::SignedInfo);
    const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    for method in [
        "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
        "none",
        "",
    ] {
        refused(&with(RSA_SHA256, method), Problem::SignedInfo);
    }
    // A listed method that is not the signature's.
    refused(&with(RSA_SHA256, "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"), Problem::Signature);
    refused(
        &with("http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1"),
        Problem::SignedInfo,
    );
}

/// SAML Core §5.4.4: no transform but the two, in their order.
#[test]
fn transforms_are_the_two() {
    const ENVELOPED: &str = "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>";
    const EXCLUSIVE: &str = "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>";
    for transforms in [
        String::new(),
        ENVELOPED.to_owned(),
        EXCLUSIVE.to_owned(),
        format!("{EXCLUSIVE}{ENVELOPED}"),
        format!("{ENVELOPED}{EXCLUSIVE}{EXCLUSIVE}"),
        format!(
            "{ENVELOPED}<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><ds:XPath>not(//evil)</ds:XPath></ds:Transform>{EXCLUSIVE}"
        ),
        format!("{ENVELOPED}<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"/>"),
        format!("{ENVELOPED}<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#WithComments\"/>"),
        format!("text{ENVELOPED}{EXCLUSIVE}"),
    ] {
        refused(&with(&format!("{ENVELOPED}{EXCLUSIVE}"), &transforms), Problem::SignedInfo);
    }
    let many = "a b c d e f g h i";
    let listed = format!(
        "{ENVELOPED}<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"><ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"{many}\"/></ds:Transform>"
    );
    refused(&with(&format!("{ENVELOPED}{EXCLUSIVE}"), &listed), Problem::SignedInfo);
}

/// Signature wrapping: the signed assertion is moved to a place where it proves nothing about the content that is
/// read (Somorovsky et al., "On Breaking SAML", the eight places).
#[test]
fn a_wrapped_assertion_is_refused() {
    let evil = RSA.replace("_a75adf55", "_evil").replacen("ada<!-- not the end -->.lovelace", "admin", 1);
    let evil_unsigned = evil.replacen(between(&evil, "<ds:Signature ", "</ds:Signature>"), "", 1);
    let original_unsigned = RSA.replacen(signature(), "", 1);
    let open_end = "</saml2:Assertion>";
    let inside = |host: &str, guest: &str| {
        let end = host.rfind(open_end).unwrap();
        format!("{}{guest}{open_end}", host.get(..end).unwrap())
    };
    let put_signature = |host: &str, signature: &str| {
        let issuer = "</saml2:Issuer>";
        host.replacen(issuer, &format!("{issuer}{signature}"), 1)
    };

    // The original inside the forged one, with its signature.
    refused(&inside(&evil_unsigned, RSA), Problem::Signature);
    // The original's signature moved up to the forged one, the original below.
    refused(&inside(&put_signature(&evil_unsigned, signature()), &original_unsigned), Problem::SignedInfo);
    // The same ID on both.
    let same_id = evil_unsigned.replace("_evil", "_a75adf55");
    refused(&inside(&put_signature(&same_id, signature()), &original_unsigned), Problem::Digest);
    refused(&put_signature(&same_id, signature()), Problem::Digest);
    // The original in the signature's Object, and in its KeyInfo.
    let object =
        signature().replacen("</ds:KeyInfo>", &format!("</ds:KeyInfo><ds:Object>{original_unsigned}</ds:Object>"), 1);
    refused(&put_signature(&evil_unsigned, &object), Problem::Signature);
    let key_info = signature().replacen("<ds:KeyInfo>", &format!("<ds:KeyInfo>{original_unsigned}"), 1);
    refused(&put_signature(&evil_unsigned, &key_info), Problem::SignedInfo);
    refused(&put_signature(&same_id, &key_info), Problem::Digest);
    // Both in a response, or one after the other.
    let response = |content: String| {
        format!("<p:Response xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\">{content}</p:Response>")
    };
    refused(&response(format!("{evil_unsigned}{RSA}")), Problem::NotAnAssertion);
    refused(&response(RSA.to_owned()), Problem::NotAnAssertion);
    refused(&format!("{evil_unsigned}{RSA}"), Problem::Xml);
    refused(&format!("{RSA}{evil_unsigned}"), Problem::Xml);
    // Two signatures; a signature below another element; none.
    refused(&put_signature(RSA, signature()), Problem::Signature);
    refused(&put_signature(&original_unsigned, &format!("<x>{}</x>", signature())), Problem::Signature);
    refused(&original_unsigned, Problem::Signature);
    // Content in KeyInfo is removed with the signature and never read.
    let hidden = signature().replacen("<ds:KeyInfo>", &format!("<ds:KeyInfo>{evil_unsigned}"), 1);
    let assertion = check(&RSA.replacen(signature(), &hidden, 1), &rules()).unwrap();
    assert_eq!(assertion.subject, "ada.lovelace");
}

/// The reference must name the assertion by its ID: not the document, an XPointer or another place.
#[test]
fn the_reference_is_to_the_assertion() {
    for uri in [
        "",
        "#",
        "#_other",
        "#xpointer(/)",
        "#xpointer(id('_a75adf55'))",
        "https://evil.example/#_a75adf55",
        "_a75adf55",
    ] {
        refused(&with("URI=\"#_a75adf55\"", &format!("URI=\"{uri}\"")), Problem::SignedInfo);
    }
    refused(&with(" URI=\"#_a75adf55\"", ""), Problem::SignedInfo);
    let reference = between(RSA, "<ds:Reference ", "</ds:Reference>");
    refused(&with(reference, &format!("{reference}{reference}")), Problem::SignedInfo);
    refused(&with(reference, ""), Problem::SignedInfo);
}

/// Additional content in the digest element does not hide another digest.
#[test]
fn comments_in_the_digest_hide_nothing() {
    let digest = between(RSA, "<ds:DigestValue>", "</ds:DigestValue>");
    let evil = digest.replacen('>', "><!--AAAA-->", 1);
    assert!(check(&with(digest, &evil), &rules()).is_ok(), "canonicalization drops it, and so do we");
    let evil = digest.replacen('>', "><x>AAAA</x>", 1);
    refused(&with(digest, &evil), Problem::SignedInfo);
    let twice = format!("{digest}{digest}");
    refused(&with(digest, &twice), Problem::SignedInfo);
}

/// No DTD: no external entity, no bomb, no default attribute. No processing instruction. No depth.
#[test]
fn hostile_xml_is_refused() {
    let after_declaration = |text: &str| format!("{text}{RSA}");
    for dtd in [
        "<!DOCTYPE a>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>",
        "<!DOCTYPE a SYSTEM \"https://evil.example/a.dtd\">",
        "<!DOCTYPE a [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]>",
        "<!DOCTYPE a [<!ATTLIST saml2:Assertion ID ID #REQUIRED>]>",
        "<?evil?>",
    ] {
        refused(&after_declaration(dtd), Problem::Xml);
    }
    refused(&with(".lovelace", "&evil;"), Problem::Xml);
    refused(&with(".lovelace", "<?evil?>.lovelace"), Problem::Xml);
    refused(&with(".lovelace", ".lovelace\u{0}"), Problem::Xml);
    refused(&with(" Version=\"2.0\"", " Version=\"2.0\" Version=\"2.0\""), Problem::Xml);
    refused(&"<a>".repeat(10_000), Problem::Xml);
    refused("", Problem::Xml);
    refused(&"<a/>".repeat(10_000), Problem::Encoding);
}

/// Rules of RFC 7522 §3 for a verified assertion.
#[test]
fn each_rule_refuses() {
    let refused = |rules: &Rules<'_>, problem| assert_eq!(check(RSA, rules).err(), Some(problem), "{rules:?}");
    refused(&Rules { issuer: "https://other.example", ..rules() }, Problem::Issuer);
    refused(&Rules { audience: "https://other.example", ..rules() }, Problem::Audience);
    refused(&Rules { audience: "https://id.example.com/", ..rules() }, Problem::Audience);
    refused(&Rules { recipient: "https://id.example.com/other", ..rules() }, Problem::Confirmation);
    refused(&Rules { now: Timestamp::from_secs(NOW + 271), ..rules() }, Problem::Expired);
    refused(&Rules { now: Timestamp::from_secs(NOW - 121), ..rules() }, Problem::NotYetValid);
    refused(&Rules { max_lifetime: Duration::from_secs(100), ..rules() }, Problem::TooLongLived);
    assert!(check(RSA, &Rules { now: Timestamp::from_secs(NOW + 269), ..rules() }).is_ok(), "clocks may differ");
    assert!(check(RSA, &Rules { now: Timestamp::from_secs(NOW - 89), ..rules() }).is_ok(), "clocks may differ");
}
