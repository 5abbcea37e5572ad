//! Requests: Lambda events, and the header fields `Authorization: Basic` and `Cookie`.

use http::{HeaderMap, HeaderValue, Method, header};
use latchkey_http::{Forwarded, Request, RequestId, RequestLog};
use protocol::{ClientCredentials, Parameters};
use types::Timestamp;

fn request(name: header::HeaderName, fields: &[HeaderValue]) -> Request {
    let mut headers = HeaderMap::new();
    for field in fields {
        headers.append(&name, field.clone());
    }
    Request {
        method: Method::POST,
        path: "/token".to_owned(),
        query: String::new(),
        headers,
        body: Vec::new().into(),
        address: None,
        place: None,
        certificate: None,
        forwarded: Forwarded::default(),
        received_at: Timestamp::from_secs(1_800_000_000),
        id: RequestId::default(),
        log: RequestLog::default(),
    }
}

/// Client authentication in the header (RFC 6749 §2.3.1), as it is and as the base64 of the bytes.
pub(crate) fn basic(bytes: &[u8]) {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let encoded = format!("Basic {}", STANDARD.encode(bytes)).into_bytes();
    for field in [bytes, &encoded] {
        let Ok(value) = HeaderValue::from_bytes(field) else { continue };
        let request = request(header::AUTHORIZATION, &[value]);
        let Ok(Some(header)) = request.authorization() else { continue };
        let Ok(credentials) = ClientCredentials::from_request(Some(header), &Parameters::default()) else { continue };
        assert!(!credentials.client_id.as_str().is_empty());
        assert_eq!(format!("{credentials:?}"), format!("ClientCredentials({})", credentials.client_id));
    }
}

/// Cookies (RFC 6265 §5.4): the bytes are up to three fields, apart by zero bytes. Another host of the domain may set any
/// cookie; it must not hide or change ours.
pub(crate) fn cookies(bytes: &[u8]) {
    const NAME: &str = "__Host-latchkey_session";
    let ours = HeaderValue::from_static("__Host-latchkey_session=ours");
    let mut fields: Vec<HeaderValue> =
        bytes.split(|byte| *byte == 0).take(3).filter_map(|field| HeaderValue::from_bytes(field).ok()).collect();
    let foreign = request(header::COOKIE, &fields);
    let found = foreign.cookie(NAME).map(str::to_owned);
    assert!(found.is_none_or(|found| !found.contains(';')));
    let names_ours = bytes.windows(NAME.len()).any(|window| window == NAME.as_bytes());
    fields.push(ours);
    if !names_ours {
        assert_eq!(request(header::COOKIE, &fields).cookie(NAME), Some("ours"));
    }
}

/// An event of an API Gateway HTTP API. A request that is read has a path and a query that fit into a URL.
pub(crate) fn lambda_event(bytes: &[u8]) {
    let now = Timestamp::from_secs(1_800_000_000);
    let Ok(request) = platform::lambda::read_event(bytes, now) else { return };
    assert!(
        request.path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'?' && byte != b'#'),
        "{}",
        request.path
    );
    assert!(request.received_at <= now);
    let _ = request.cookie("__Host-latchkey_session");
    let _ = Parameters::parse(request.query.as_bytes());
}
