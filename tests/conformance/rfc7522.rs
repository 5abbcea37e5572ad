//! The SAML 2.0 bearer grant: RFC 7522 §2.1 and §3, SAML Core §5.4. What an attacker can do to a signature is tested in
//! `shared/saml/tests`; here it is that the endpoint stands behind it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use suite::trusted::{SAML_MACHINES, SAML_NAMES, SamlAssertion, instant, machines, people, saml_bearer};
use suite::{Call, Client, Reply, Signer, TokenRequest, USERNAME, admin, grant, issuer, jwt, now, service, spa, url};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:saml2-bearer";

fn bearer() -> Client {
    let grants = format!("grant_types=[\"{GRANT}\"]");
    admin::client("saml-bearer", &["--service", "--scope", "read write delete openid", "--set", &grants])
}

fn right() -> SamlAssertion {
    SamlAssertion::new(SAML_NAMES, "whoever", USERNAME)
}

fn present(xml: &str) -> Reply {
    saml_bearer(&bearer(), xml).send()
}

#[track_caller]
fn refused(assertion: &SamlAssertion) {
    present(&assertion.signed()).expect_error(400, "invalid_grant");
}

/// RFC 7522 §2.1, RFC 7521 §4.1: an access token about the user, and no other token.
#[test]
fn an_assertion_brings_an_access_token() {
    let tokens = saml_bearer(&bearer(), &right().signed()).tokens();
    assert!(tokens.text("refresh_token").is_none() && tokens.text("id_token").is_none(), "{tokens:?}");
    assert_eq!(tokens.text("scope"), Some("read write"));
    let token = jwt::verify(tokens.access());
    assert_eq!(token.text("sub"), jwt::read(grant(&spa()).id()).text("sub"));
    assert_eq!(token.text("client_id"), "saml-bearer");
}

/// A machine of a trusted issuer needs no account; the issuer is for the clients that it names, and for as long.
#[test]
fn a_machine_has_a_subject_of_its_own() {
    let grants = format!("grant_types=[\"{GRANT}\"]");
    let client = admin::client("saml-machine", &["--service", "--scope", "read", "--set", &grants]);
    let xml = SamlAssertion::new(SAML_MACHINES, "app&amp;1", "").signed();
    present(&xml).expect_error(400, "invalid_grant");
    assert_eq!(jwt::verify(saml_bearer(&client, &xml).tokens().access()).text("sub"), "saml:app&1");
    let mut long = SamlAssertion::new(SAML_MACHINES, "app", "");
    long.conditions = SamlAssertion::conditioned(&SamlAssertion::audience(issuer()), now(), now() + 300);
    long.confirmation = SamlAssertion::confirmed("bearer", &url("/token"), now() + 300);
    saml_bearer(&client, &long.signed()).send().expect_error(400, "invalid_grant");
}

/// An assertion may be used once, in any encoding.
#[test]
fn an_assertion_is_used_once() {
    let assertion = right();
    present(&assertion.signed()).expect(200);
    present(&assertion.signed()).expect_error(400, "invalid_grant");
    present(&assertion.signed().replacen("<saml:Issuer>", "\n<!-- new --><saml:Issuer>", 1))
        .expect_error(400, "invalid_grant");
    present(&format!("<!-- new -->{}", assertion.signed())).expect_error(400, "invalid_grant");
}

/// Of 32 that present one assertion at once, one gets a token.
#[test]
fn one_of_32_wins() {
    let replies = saml_bearer(&bearer(), &right().signed()).send_at_once();
    let (won, lost): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 200);
    assert_eq!(won.len(), 1, "{won:?}");
    lost.into_iter().for_each(|reply| drop(reply.expect_error(400, "invalid_grant")));
}

/// A mistake in the request costs the client nothing.
#[test]
fn a_mistake_does_not_use_the_assertion_up() {
    let request = saml_bearer(&bearer(), &right().signed());
    for scope in ["delete", "openid", "read admin"] {
        request.clone().set("scope", scope).send().expect_error(400, "invalid_scope");
    }
    assert_eq!(request.set("scope", "read").tokens().text("scope"), Some("read"));
}

/// RFC 7522 §3 (1): the issuer.
#[test]
fn issuers_are_trusted_by_name() {
    for name in ["https://nobody.test", "https://saml.test/", "", SAML_MACHINES] {
        refused(&SamlAssertion { issuer: name.to_owned(), ..right() });
    }
    let twice = format!("{SAML_NAMES}</saml:Issuer><saml:Issuer>{SAML_NAMES}");
    refused(&SamlAssertion { issuer: twice, ..right() });
}

/// RFC 7522 §3 (2): the audience is the issuer identifier and nothing else, as draft-ietf-oauth-rfc7523bis demands.
#[test]
fn the_audience_is_this_server() {
    let of = |conditions: &str| SamlAssertion {
        conditions: SamlAssertion::conditioned(conditions, now() - 5, now() + 60),
        ..right()
    };
    let here = SamlAssertion::audience(issuer());
    for conditions in [
        String::new(),
        SamlAssertion::audience("https://other.example"),
        SamlAssertion::audience(&url("/token")),
        SamlAssertion::audience(&format!("{}/", issuer())),
        format!("{here}{}", SamlAssertion::audience("https://other.example")),
        here.replace(
            "</saml:AudienceRestriction>",
            "<saml:Audience>https://other.example</saml:Audience></saml:AudienceRestriction>",
        ),
        "<saml:AudienceRestriction></saml:AudienceRestriction>".to_owned(),
        // SAML Core §2.5.1.1: a condition that is not understood.
        format!("{here}<saml:Condition></saml:Condition>"),
        format!("{here}<x:Condition xmlns:x=\"urn:x\"></x:Condition>"),
    ] {
        refused(&of(&conditions));
    }
    refused(&SamlAssertion { conditions: String::new(), ..right() });
    present(&of(&format!("{here}{here}<saml:OneTimeUse></saml:OneTimeUse>")).signed()).expect(200);
}

/// RFC 7522 §3 (3): one subject, in clear.
#[test]
fn the_subject_is_one_name() {
    for name_id in [
        "",
        "<saml:NameID></saml:NameID>",
        "<saml:NameID>a</saml:NameID><saml:NameID>b</saml:NameID>",
        "<saml:NameID>a<saml:x></saml:x></saml:NameID>",
        "<saml:EncryptedID></saml:EncryptedID>",
        "<saml:NameID>a</saml:NameID><saml:BaseID></saml:BaseID>",
    ] {
        refused(&SamlAssertion { name_id: name_id.to_owned(), ..right() });
    }
    refused(&SamlAssertion::new(SAML_NAMES, "whoever", "nobody-of-this-name"));
    refused(&SamlAssertion { statements: String::new(), ..right() });
    // Two values are none, and so is one that is given twice.
    let twice = right().statements.repeat(2);
    refused(&SamlAssertion { statements: twice, ..right() });
}

/// RFC 7522 §3 (4), (5), (6): the times, and the bearer confirmation.
#[test]
fn times_and_confirmations_are_checked() {
    let here = SamlAssertion::audience(issuer());
    let conditions =
        |from, until| SamlAssertion { conditions: SamlAssertion::conditioned(&here, from, until), ..right() };
    refused(&conditions(now() - 120, now() - 60));
    refused(&conditions(now() + 120, now() + 180));
    refused(&conditions(now() - 5, now() + 7200).confirmed("bearer", &url("/token"), now() + 7200));
    refused(&SamlAssertion { issued: instant(now() - 7200), ..right() });
    refused(&SamlAssertion { issued: instant(now() + 120), ..right() });
    refused(&SamlAssertion { issued: "yesterday".to_owned(), ..right() });
    refused(&right().confirmed("bearer", &url("/token"), now() - 60));
    refused(&right().confirmed("bearer", "https://other.example/token", now() + 60));
    refused(&right().confirmed("holder-of-key", &url("/token"), now() + 60));
    refused(&SamlAssertion { confirmation: String::new(), ..right() });
    // Without a time anywhere, it has no end.
    let endless = SamlAssertion {
        conditions: format!("<saml:Conditions>{here}</saml:Conditions>"),
        confirmation:
            "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"></saml:SubjectConfirmation>"
                .to_owned(),
        ..right()
    };
    refused(&endless);
    // One confirmation that is met is enough.
    let mut two = right();
    two.confirmation = format!(
        "{}{}",
        SamlAssertion::confirmed("bearer", "https://other.example/token", now() + 60),
        two.confirmation
    );
    present(&two.signed()).expect(200);
    let over = format!(
        "<saml:AuthnStatement AuthnInstant=\"{0}\" SessionNotOnOrAfter=\"{0}\"></saml:AuthnStatement>",
        instant(now() - 60)
    );
    let statements = format!("{over}{}", right().statements);
    refused(&SamlAssertion { statements, ..right() });
}

trait Confirmed {
    fn confirmed(self, method: &str, recipient: &str, until: i64) -> Self;
}

impl Confirmed for SamlAssertion {
    fn confirmed(mut self, method: &str, recipient: &str, until: i64) -> Self {
        self.confirmation = Self::confirmed(method, recipient, until);
        self
    }
}

/// RFC 7522 §3 (8): signed by the issuer's key, and nothing in it was changed.
#[test]
fn signatures_are_by_the_issuers_key() {
    let refused = |xml: &str| drop(present(xml).expect_error(400, "invalid_grant"));
    let assertion = right();
    refused(&assertion.unsigned());
    refused(&assertion.with(&assertion.signature(&Signer::new("RS256", "other"))));
    refused(&assertion.signed().replace(USERNAME, "admin"));
    refused(&SamlAssertion { version: "1.1", ..right() }.signed());
    for method in [
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
    ] {
        refused(&SamlAssertion { method, ..right() }.signed());
    }
    // The key of the issuers of JWTs is not one of theirs.
    let other = SamlAssertion { method: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", ..right() };
    refused(&other.with(&other.signature(people())));
    // The signature of one assertion on another; twice; around it another.
    refused(&right().with(&assertion.signature(machines())));
    refused(&assertion.with(&assertion.signature(machines()).repeat(2)));
    let evil = SamlAssertion { id: assertion.id.clone(), ..SamlAssertion::new(SAML_NAMES, "admin", "admin") };
    refused(&evil.with(&assertion.signature(machines())));
    refused(&evil.unsigned().replace("</saml:Assertion>", &format!("{}</saml:Assertion>", assertion.signed())));
    refused(&format!("<r>{}</r>", assertion.signed()));
    let nested = SamlAssertion { statements: format!("<saml:Advice>{}</saml:Advice>", right().unsigned()), ..right() };
    refused(&nested.signed());
    present(&assertion.signed()).expect(200);
}

/// No DTD, no entity, nothing that is not an assertion; no panic, no delay.
#[test]
fn hostile_documents_are_refused() {
    let bomb = "<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>";
    let file = "<!DOCTYPE a [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>";
    let xml = right().signed();
    for hostile in [
        format!("{bomb}{xml}"),
        format!("{file}{}", xml.replace("whoever", "&a;")),
        format!("<?xml-stylesheet href=\"x\"?>{xml}"),
        "<a>".repeat(8000),
        "<a".to_owned(),
        String::new(),
        "\u{0}".to_owned(),
        format!("<a {}/>", (0..2000).map(|index| format!("b{index}=\"\" ")).collect::<String>()),
    ] {
        let reply = present(&hostile);
        let code = if hostile.is_empty() { "invalid_request" } else { "invalid_grant" };
        reply.expect_error(400, code);
    }
    let parameter = |value: &str| TokenRequest::new(&bearer(), GRANT).set("assertion", value).send();
    parameter(&STANDARD.encode(&xml).replace('+', " ")).expect_error(400, "invalid_grant");
    parameter(&xml).expect_error(400, "invalid_grant");
    parameter(grant(&spa()).access()).expect_error(400, "invalid_grant");
    TokenRequest::new(&bearer(), GRANT).send().expect_error(400, "invalid_request");
}

/// RFC 6749 §5.2: the client authenticates as it is registered, and must be registered for the grant.
#[test]
fn the_client_is_held_to_its_registration() {
    let xml = right().signed();
    saml_bearer(&Client::confidential("saml-bearer", "wrong"), &xml).send().expect_error(401, "invalid_client");
    saml_bearer(&service(), &xml).send().expect_error(400, "unauthorized_client");
    present(&xml).expect(200);
    let document = Call::get("/.well-known/openid-configuration").send().expect(200).json();
    assert!(document["grant_types_supported"].as_array().expect("an array").contains(&json!(GRANT)), "{document}");
}
