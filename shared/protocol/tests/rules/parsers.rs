//! Parsers of untrusted bytes: no panic, and linear time.

use latchkey_protocol::{ClaimsRequest, ClientCredentials, CodeChallenge, Parameters, RedirectUri};
use proptest::prelude::*;
use types::{ClientId, ErrorCode, Scope};

fn id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

#[test]
fn parameters_are_taken_as_sent() {
    let parameters = Parameters::parse(b"a=1&b=&c=%2B+%26&d").unwrap();
    assert_eq!(parameters.value("a"), Some("1"));
    assert_eq!((parameters.value("b"), parameters.value("d")), (None, None), "without a value is not sent");
    assert_eq!(parameters.value("c"), Some("+ &"));
    let replaced = Parameters::parse("a=x%EF%BF%BD&b=\u{FFFD}".as_bytes()).unwrap();
    assert_eq!((replaced.value("a"), replaced.value("b")), (Some("x\u{FFFD}"), Some("\u{FFFD}")), "valid UTF-8");
    assert!(
        Parameters::parse(b"a=%FF").is_err()
            && Parameters::parse(b"%C3=1").is_err()
            && Parameters::parse(b"a=\xFF").is_err()
    );
    assert!(Parameters::parse("&a=1".repeat(65).as_bytes()).is_err());
    assert!(Parameters::parse(b"a=1&a=1").unwrap().refuse_repeated().is_err());
}

#[test]
fn the_verifier_of_rfc_7636_appendix_b() {
    let challenge = CodeChallenge::of_verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
    assert_eq!(challenge.as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    assert!(CodeChallenge::of_verifier(&"a".repeat(42)).is_err());
    assert!(CodeChallenge::of_verifier(&"a".repeat(129)).is_err());
    assert!(CodeChallenge::of_verifier(&"é".repeat(43)).is_err());
}

#[test]
fn client_credentials_come_one_way() {
    let none = Parameters::default();
    let basic = |text: &str| {
        use base64::{Engine, engine::general_purpose::STANDARD};
        format!("Basic {}", STANDARD.encode(text))
    };
    let parsed = ClientCredentials::from_request(Some(&basic("a%3Ab:s%2Bc")), &none).unwrap();
    assert_eq!(parsed.client_id, id("a:b"), "form-encoded within Basic (RFC 6749 section 2.3.1)");
    assert!(!format!("{parsed:?}").contains("s+c"), "secrets are hidden from Debug");
    let both = Parameters::parse(b"client_secret=x").unwrap();
    assert_eq!(
        ClientCredentials::from_request(Some(&basic("a:b")), &both).unwrap_err().code,
        ErrorCode::InvalidRequest
    );
    let other = Parameters::parse(b"client_id=x").unwrap();
    assert_eq!(
        ClientCredentials::from_request(Some(&basic("a:b")), &other).unwrap_err().code,
        ErrorCode::InvalidRequest
    );
    for header in ["Bearer x", "Basic", "Basic !", &basic("a"), &basic(":b"), &basic(":"), &basic("%FF:b")] {
        assert_eq!(
            ClientCredentials::from_request(Some(header), &none).unwrap_err().code,
            ErrorCode::InvalidClient,
            "{header}"
        );
    }
}

#[test]
fn what_cannot_be_registered_for_redirection() {
    for uri in [
        "javascript:alert(1)",
        "data:text/html,x",
        "http://app.example/cb",
        "https://app.example/#f",
        "https://*.example/cb",
        "/cb",
        "about:blank",
        "vbscript:x",
        "view-source:https://app.example/",
        "file:///cb",
        "https://u@app.example/",
        "https://app.example/a b",
        "https://app.example\\@evil.example/",
        "file:///etc/passwd",
        "https:///evil.example/cb",
        "https:/evil.example/cb",
        "https:evil.example/cb",
        "https://",
        "https:////evil.example/cb",
        "https://%65vil.example/cb",
        "https://b\u{fc}cher.example/cb",
        "https://127.1/cb",
        "https://@app.example/cb",
        "https://app.example/\u{e9}",
        "https://app.example/\"x\"",
        "https://app.example/<x>",
        "https://app.example/{x}",
        "https://app.example/%zz",
        "https://app.example/%4",
        "com.example.app:/<x>",
        "",
    ] {
        assert!(RedirectUri::new(uri).problem().is_some(), "{uri}");
    }
    for uri in [
        "https://app.example/cb?x=1",
        "https://App.example:8443",
        "https://app.example/a%20b;c=(d)/~e",
        "http://localhost:3000/cb",
        "http://[::1]/cb",
        "http://[::1]:80/cb",
        "com.example.app:/cb",
        "com.example.app://cb",
        "myapp://cb",
        "app:/cb",
        "cursor://anysphere.cursor-mcp/oauth/callback",
    ] {
        assert_eq!(RedirectUri::new(uri).problem(), None, "{uri}");
    }
}

proptest! {
    #[test]
    fn no_parser_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in ".{0,200}") {
        let _ = Parameters::parse(&bytes);
        let _ = Scope::parse(&text);
        let _ = ClaimsRequest::parse(&text);
        let _ = CodeChallenge::of_verifier(&text);
        let _ = RedirectUri::new(text.as_str()).problem();
        let _ = RedirectUri::new(text.as_str()).matches("http://127.0.0.1/cb");
        let _ = RedirectUri::new("http://127.0.0.1/cb").matches(&format!("http://127.0.0.1{text}"));
        let _ = ClientCredentials::from_request(Some(&text), &Parameters::default());
        let _ = ClientCredentials::from_request(Some(&format!("Basic {text}")), &Parameters::default());
    }

    #[test]
    fn a_scope_survives_the_wire(tokens in proptest::collection::vec("[!#-\\[\\]-~]{1,12}", 0..8)) {
        let scope = Scope::parse(&tokens.join(" ")).unwrap();
        prop_assert_eq!(Scope::parse(&scope.to_string()).unwrap(), scope);
    }

    /// Scopes are compared token by token. Their size is bounded, so that one request cannot cost seconds.
    #[test]
    fn a_scope_of_very_many_tokens_is_none(more in 1usize..4) {
        let tokens: Vec<String> = (0..256 + more).map(|n| n.to_string()).collect();
        prop_assert!(Scope::parse(&tokens[..256].join(" ")).is_some());
        prop_assert!(Scope::parse(&tokens.join(" ")).is_none());
        prop_assert!(Scope::parse(&vec!["one"; 300].join(" ")).is_some());
    }

    /// Only the port may differ, and only on a loopback address.
    #[test]
    fn nothing_matches_by_accident(rest in "[:/@.?#a-z0-9%]{0,20}") {
        let requested = format!("http://127.0.0.1{rest}");
        if RedirectUri::new("http://127.0.0.1/cb").matches(&requested) {
            let url = url::Url::parse(&requested).unwrap();
            prop_assert_eq!((url.host_str(), url.path(), url.query(), url.fragment(), url.username()), (Some("127.0.0.1"), "/cb", None, None, ""));
        }
    }
}

#[test]
fn an_internationalised_host_is_registered_by_its_ascii_name() {
    assert_eq!(RedirectUri::new("https://xn--bcher-kva.example/cb").problem(), None);
}
