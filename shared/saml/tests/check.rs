//! The whole check of an assertion as one message: the order of its steps, and the way between two Workers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::executor::block_on;
use latchkey_saml::{CheckRequest, CheckResponse, IssuerRules, MAX_MESSAGE, Problem};
use protocol::TrustedIssuer;
use serde_json::{Value, json};
use types::Timestamp;

const RSA: &str = include_str!("fixtures/rsa.xml");
const RSA_CERTIFICATE: &str = include_str!("fixtures/rsa.crt");
const EC_CERTIFICATE: &str = include_str!("fixtures/ec.crt");

const ISSUER: &str = "https://idp.example/saml";

/// Returns a trusted issuer with the key of `RSA` and these changes.
fn trusted(changes: Value) -> TrustedIssuer {
    let mut issuer = json!({ "issuer": ISSUER, "certificates": [RSA_CERTIFICATE], "subject": "same" });
    issuer.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    serde_json::from_value(issuer).unwrap()
}

fn request<'a>(xml: &str, issuers: &'a [TrustedIssuer]) -> CheckRequest<'a> {
    CheckRequest {
        assertion: URL_SAFE_NO_PAD.encode(xml).into(),
        issuers: issuers.iter().map(IssuerRules::from).collect(),
        audience: "https://id.example.com".into(),
        recipient: "https://id.example.com/token".into(),
        // 2026-11-21T08:01:00Z.
        now: Timestamp::from_secs(1_795_248_060),
    }
}

/// Runs the check as the Worker `saml` does: from JSON to JSON. Asserts that the way changes nothing.
fn check(xml: &str, issuers: &[TrustedIssuer]) -> CheckResponse {
    let request = request(xml, issuers);
    let received = CheckRequest::from_json(request.to_json().unwrap().as_bytes()).unwrap();
    assert!(received == request, "the message changed on its way");
    let response = block_on(received.run());
    assert_eq!(block_on(request.run()), response);
    assert_eq!(CheckResponse::from_json(&serde_json::to_vec(&response).unwrap()).as_ref(), Ok(&response));
    response
}

#[track_caller]
fn rejected(xml: &str, issuers: &[TrustedIssuer], problem: Problem) {
    assert_eq!(check(xml, issuers), CheckResponse::Rejected(problem));
}

/// An issuer that changes its key has two certificates for a while.
#[test]
fn an_assertion_is_accepted_with_any_key_of_its_issuer() {
    let other = trusted(json!({ "issuer": "https://other.example", "certificates": [EC_CERTIFICATE] }));
    for certificates in [json!([RSA_CERTIFICATE]), json!(["nonsense", EC_CERTIFICATE, RSA_CERTIFICATE])] {
        let issuers = [other.clone(), trusted(json!({ "certificates": certificates }))];
        let CheckResponse::Accepted(assertion) = check(RSA, &issuers) else { panic!("{certificates}") };
        assert_eq!((assertion.issuer.as_str(), assertion.id.as_str()), (ISSUER, "_a75adf55"));
        assert_eq!(assertion.claims["uid"], "u&1 \"q\" <b>\r\u{e9}");
    }
}

#[test]
fn each_step_rejects() {
    let right = || trusted(json!({}));
    rejected("", &[right()], Problem::Xml);
    rejected(RSA, &[], Problem::UntrustedIssuer);
    // The key is the right one, and belongs to another issuer.
    rejected(RSA, &[trusted(json!({ "issuer": "https://other.example" }))], Problem::UntrustedIssuer);
    rejected(RSA, &[trusted(json!({ "algorithms": ["ES256"] }))], Problem::Algorithm);
    rejected(RSA, &[trusted(json!({ "certificates": [EC_CERTIFICATE] }))], Problem::Key);
    rejected(RSA, &[trusted(json!({ "max_lifetime": 100 }))], Problem::TooLongLived);
    let signature = RSA.split_once("<ds:SignatureValue>").unwrap().1.split_once('<').unwrap().0;
    rejected(&RSA.replacen(signature, "AAAA", 1), &[right()], Problem::Key);
    let issuers = [right()];
    let elsewhere = CheckRequest { audience: "https://other.example".into(), ..request(RSA, &issuers) };
    assert_eq!(block_on(elsewhere.run()), CheckResponse::Rejected(Problem::Audience));
    let elsewhere = CheckRequest { recipient: "https://other.example".into(), ..request(RSA, &issuers) };
    assert_eq!(block_on(elsewhere.run()), CheckResponse::Rejected(Problem::Confirmation));
}

/// A member that a later version adds is ignored; anything else is no message and no answer.
#[test]
fn what_is_no_message_is_not_read() {
    let issuers = [trusted(json!({}))];
    let mut message: Value = serde_json::from_str(&request(RSA, &issuers).to_json().unwrap()).unwrap();
    message["later"] = json!(true);
    assert!(CheckRequest::from_json(message.to_string().as_bytes()).is_ok());
    message.as_object_mut().unwrap().remove("audience");
    for wrong in [message.to_string().as_str(), "", "{}", "null", "[1]"] {
        assert!(CheckRequest::from_json(wrong.as_bytes()).is_err(), "{wrong}");
    }
    for wrong in ["", "{}", "null", r#"{"accepted":null}"#, r#"{"accepted":{}}"#, r#"{"rejected":"perhaps"}"#] {
        assert!(CheckResponse::from_json(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

/// The longest assertion and more certificates than the settings of a Worker can hold (5 KB for a variable, 128 variables).
#[test]
fn a_message_fits() {
    let certificate = "A".repeat(2_000);
    let issuers: Vec<TrustedIssuer> = (0..64).map(|_| trusted(json!({ "certificates": [certificate, "B"] }))).collect();
    let longest = format!("<a>{}</a>", "\"".repeat(32 * 1024 - 7));
    let length = request(&longest, &issuers).to_json().unwrap().len();
    assert!(length < MAX_MESSAGE, "{length}");
}
