//! HTTP requests and responses.

use crate::certificate::{self, Certificate};
use crate::clock::{self, Clock};
use crate::page::Page;
use crate::target::{certificate_secret, platform, proxy_secret, url};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::blocking::Client;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use std::net::Ipv6Addr;
use std::sync::OnceLock;
use std::time::Duration;
use url::Url;

/// A request, each part of which a test can set.
#[derive(Clone, Debug)]
#[must_use]
pub struct Call {
    method: Method,
    url: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
    /// The certificate of the connection, which is one with TLS then.
    certificate: Option<Option<Certificate>>,
}

impl Call {
    /// Returns a request with any method. `path` is a path on the server, or a URL.
    pub fn new(method: &str, path: &str) -> Self {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        Self { method, url: url(path), headers: Vec::new(), body: None, certificate: None }
    }

    /// Returns a GET request.
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// Returns a POST request.
    pub fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    /// Appends parameters to the query, form-encoded.
    pub fn query<K: AsRef<str>, V: AsRef<str>>(mut self, parameters: &[(K, V)]) -> Self {
        self.url.push(if self.url.contains('?') { '&' } else { '?' });
        self.url.push_str(&encode(parameters));
        self
    }

    /// Adds a header field to those of the same name.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Sends a body as it is.
    pub fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut call = self.header("content-type", content_type);
        call.body = Some(body.into());
        call
    }

    /// Sends a body and no Content-Type.
    pub fn untyped_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends parameters as `application/x-www-form-urlencoded`.
    pub fn form<K: AsRef<str>, V: AsRef<str>>(self, parameters: &[(K, V)]) -> Self {
        self.body("application/x-www-form-urlencoded", encode(parameters))
    }

    /// Authenticates a client as RFC 6749 §2.3.1 says: form-encodes identifier and secret, then Basic.
    pub fn basic(self, id: &str, secret: &str) -> Self {
        self.raw_basic(format!("{}:{}", encode_one(id), encode_one(secret)))
    }

    /// Sends Basic with the credentials as they are.
    pub fn raw_basic(self, credentials: impl AsRef<[u8]>) -> Self {
        self.header("authorization", format!("Basic {}", STANDARD.encode(credentials)))
    }

    /// Presents a bearer token in the Authorization field (RFC 6750 §2.1).
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Sends the request over a TLS connection with this certificate of the client (RFC 8705).
    pub fn certificate(mut self, certificate: &Certificate) -> Self {
        if !certificate::is_real() {
            return certificate.on(self);
        }
        self.certificate = Some(Some(certificate.clone()));
        self
    }

    /// Sends the request to where the server asks for certificates, without one.
    pub fn without_certificate(mut self) -> Self {
        self.certificate = certificate::is_real().then_some(None);
        self
    }

    /// Names the client's address as the trusted proxy of the suite does.
    pub fn through_proxy(self, address: &str) -> Self {
        self.header("x-client-address", address).header("latchkey-proxy-secret", proxy_secret())
    }

    /// Names the client's address and the certificate of its connection as the trusted proxy of the suite does from a host that asks for
    /// certificates.
    pub fn through_proxy_with(self, certificate: &str) -> Self {
        let call = self.header("x-client-address", address()).header("latchkey-proxy-secret", certificate_secret());
        if certificate.is_empty() { call } else { call.header("cloudfront-viewer-cert-pem", certificate) }
    }

    /// True if a header field has this name.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// Sends the request and reads the whole response. Redirects are responses.
    pub fn send(self) -> Reply {
        self.try_send().unwrap_or_else(|(call, error)| panic!("{}: no answer to {call:?}: {error:?}", platform()))
    }

    /// Does the same as `send`. Errors: the request and the reason, if there is no whole response.
    #[allow(clippy::result_large_err, reason = "tests are not short of memory")]
    pub fn try_send(mut self) -> Result<Reply, (Self, reqwest::Error)> {
        if let Some(certificate) = self.certificate.take() {
            let ahead = Clock::here().offset().as_millis().to_string();
            return Ok(certificate::send(self.header(clock::FIELD, ahead), certificate.as_ref()));
        }
        let mut request = http().request(self.method.clone(), &self.url).headers(self.header_map());
        let ahead = Clock::here().offset();
        if !ahead.is_zero() {
            request = request.header(clock::FIELD, ahead.as_millis().to_string());
        }
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        let answer = request.send().and_then(|response| {
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Ok((status, headers, response.bytes()?.to_vec()))
        });
        match answer {
            Ok((status, headers, body)) => Ok(Reply { asked: self, status, headers, body }),
            Err(error) => Err((self, error)),
        }
    }

    /// Returns the parts for a server in this process: method, URL, header fields, body.
    pub fn parts(&self) -> (Method, &str, HeaderMap, Vec<u8>) {
        (self.method.clone(), &self.url, self.header_map(), self.body.clone().unwrap_or_default())
    }

    fn header_map(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
            headers.append(name, HeaderValue::from_bytes(value).expect("a header value"));
        }
        headers
    }
}

/// Returns an address of a client in a network that no other test uses, for [`Call::through_proxy`].
pub fn address() -> String {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).expect("entropy");
    let [a, b, c, d] = bytes;
    Ipv6Addr::new(0x2001, 0xdb8, u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]), 0, 0, 0, 1).to_string()
}

/// Form-encodes parameters.
pub(crate) fn encode<K: AsRef<str>, V: AsRef<str>>(parameters: &[(K, V)]) -> String {
    let mut serializer = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        serializer.append_pair(name.as_ref(), value.as_ref());
    }
    serializer.finish()
}

fn encode_one(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

fn http() -> &'static Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .pool_idle_timeout(Duration::from_secs(2))
            .build()
            .expect("an HTTP client")
    })
}

/// A whole response, with its request.
#[derive(Clone)]
pub struct Reply {
    asked: Call,
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// Returns the response of a server in this process.
    pub fn new(asked: Call, status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self { asked, status, headers, body }
    }

    /// Returns the request.
    pub fn asked(&self) -> &Call {
        &self.asked
    }

    /// Returns the value of a header field that occurs once. A repeated field fails the test.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        assert!(values.next().is_none(), "{name} is sent more than once: {self:?}");
        first.to_str().ok()
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the body as JSON.
    pub fn json(&self) -> Value {
        let content_type = self.header("content-type").unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        assert!(essence == "application/json" || essence.ends_with("+json"), "not JSON: {self:?}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Returns the URL of the request.
    pub fn url(&self) -> Url {
        Url::parse(&self.asked.url).expect("the URL asked for")
    }

    /// Returns the absolute target of a redirect.
    pub fn location(&self) -> Option<Url> {
        let location = self.header("location")?;
        let from = self.url();
        Some(from.join(location).unwrap_or_else(|error| panic!("bad Location, {error}: {self:?}")))
    }

    /// Returns the URL to which a browser goes on: of a redirect, or of a page that navigates at once.
    pub fn onward(&self) -> Option<Url> {
        self.location().or_else(|| Page::read(&self.url(), self.clone()).refresh())
    }

    /// Demands a status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "expected {status}: {self:?}");
        self
    }

    /// Demands an error as RFC 6749 §5.2 defines it: status, JSON, error code, no token, `no-store`.
    #[track_caller]
    pub fn expect_error(self, status: u16, code: &str) -> Self {
        let reply = self.expect(status);
        let document = reply.json();
        assert_eq!(document["error"], code, "expected {code}: {reply:?}");
        for token in ["access_token", "refresh_token", "id_token"] {
            assert!(document.get(token).is_none(), "an error carries {token}: {reply:?}");
        }
        if let Some(description) = document.get("error_description") {
            let description = description.as_str().expect("error_description is text");
            assert!(is_error_text(description), "characters that RFC 6749 §5.2 forbids: {description:?}");
        }
        reply.expect_no_store()
    }

    /// Demands `Cache-Control: no-store`.
    #[track_caller]
    pub fn expect_no_store(self) -> Self {
        let control = self.header("cache-control").unwrap_or_default().to_ascii_lowercase();
        assert!(control.split(',').any(|directive| directive.trim() == "no-store"), "may be cached: {self:?}");
        self
    }
}

/// True if a text has only the characters of `error_description`: %x20-21 / %x23-5B / %x5D-7E.
pub(crate) fn is_error_text(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "[{}] {} {}", platform(), self.asked.method, self.asked.url)?;
        for (name, value) in &self.asked.headers {
            writeln!(f, "> {name}: {}", String::from_utf8_lossy(value))?;
        }
        if let Some(body) = &self.asked.body {
            writeln!(f, "> {}", cut(body))?;
        }
        writeln!(f, "< {}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "< {name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        writeln!(f, "{}", cut(&self.body))
    }
}

fn cut(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(3000)]).into_owned()
}
