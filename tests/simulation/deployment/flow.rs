//! One browser and one public client, going through the authorization code flow.

use crate::{ISSUER, Instance, json_of};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Method, StatusCode, header};
use latchkey_http::Response;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The code verifier of every flow.
pub const VERIFIER: &str = "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJK";

/// What a token response held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

/// A browser.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    cookies: BTreeMap<String, String>,
}

impl Flow {
    /// Whether the browser is signed in.
    pub fn has_session(&self) -> bool {
        self.cookies.contains_key("__Host-latchkey_session")
    }

    /// The start of an authorization request.
    pub fn authorize_url(scope: &str) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", "spa")
            .append_pair("redirect_uri", "https://app.example/cb")
            .append_pair("response_type", "code")
            .append_pair("scope", scope)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .finish();
        format!("/authorize?{query}")
    }

    /// Visits a page.
    pub async fn get(&mut self, instance: &Instance, url: &str) -> Response {
        let response =
            instance.send(Method::GET, url.strip_prefix(ISSUER).unwrap_or(url), &[self.cookie()], String::new()).await;
        self.keep(&response);
        response
    }

    /// Sends the form of a page, with these answers in place of what stands in it.
    pub async fn submit(
        &mut self,
        instance: &Instance,
        path: &str,
        page: &Response,
        answers: &[(&str, &str)],
    ) -> Response {
        let page = String::from_utf8_lossy(&page.body).into_owned();
        let mut form = form_urlencoded::Serializer::new(String::new());
        for name in ["interaction", "csrf"] {
            form.extend_pairs(hidden(&page, name).map(|value| (name, value)));
        }
        let headers = [self.cookie(), (header::CONTENT_TYPE, "application/x-www-form-urlencoded".to_owned())];
        let response = instance.send(Method::POST, path, &headers, form.extend_pairs(answers).finish()).await;
        self.keep(&response);
        response
    }

    /// Signs in and consents as far as that is asked for; gives back the code.
    pub async fn code(&mut self, instance: &Instance, password: &str, scope: &str) -> String {
        self.code_of(instance, &Self::authorize_url(scope), password).await
    }

    /// The same for any authorization request.
    pub async fn code_of(&mut self, instance: &Instance, url: &str, password: &str) -> String {
        let mut response = self.get(instance, url).await;
        loop {
            let location = location(&response);
            if let Some(query) = location.strip_prefix("https://app.example/cb?") {
                let fields: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
                return fields.get("code").unwrap_or_else(|| panic!("no code in {fields:?}")).clone();
            }
            let page = self.get(instance, &location).await;
            response = match page.status {
                StatusCode::SEE_OTHER => page,
                _ if location.contains("/login?") => {
                    self.submit(instance, "/login", &page, &[("username", "alice"), ("password", password)]).await
                }
                _ => self.submit(instance, "/consent", &page, &[("decision", "allow")]).await,
            };
        }
    }

    /// Redeems a code.
    pub async fn redeem(instance: &Instance, code: &str) -> Response {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "spa"),
            ("redirect_uri", "https://app.example/cb"),
            ("code_verifier", VERIFIER),
            ("code", code),
        ];
        instance.post("/token", &form).await
    }

    /// Uses a refresh token.
    pub async fn refresh(instance: &Instance, token: &str) -> Response {
        instance
            .post("/token", &[("grant_type", "refresh_token"), ("client_id", "spa"), ("refresh_token", token)])
            .await
    }

    /// Calls UserInfo.
    pub async fn userinfo(instance: &Instance, token: &str) -> Response {
        instance
            .send(Method::GET, "/userinfo", &[(header::AUTHORIZATION, format!("Bearer {token}"))], String::new())
            .await
    }

    fn cookie(&self) -> (header::HeaderName, String) {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (header::COOKIE, pairs.join("; "))
    }

    fn keep(&mut self, response: &Response) {
        for field in response.headers.get_all(header::SET_COOKIE) {
            let field = field.to_str().unwrap();
            assert!(field.contains("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{field}");
            let (name, rest) = field.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if value.is_empty() {
                self.cookies.remove(name)
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned())
            };
        }
    }
}

impl Tokens {
    /// From a token response that must be one.
    pub fn of(response: &Response) -> Self {
        assert_eq!(response.status, StatusCode::OK, "{}", String::from_utf8_lossy(&response.body));
        let json = json_of(response);
        let text = |name: &str| json.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token") }
    }
}

/// Where a response sends the browser.
pub(crate) fn location(response: &Response) -> String {
    let location = response.headers.get(header::LOCATION);
    location
        .unwrap_or_else(|| panic!("no redirect: {} {}", response.status, String::from_utf8_lossy(&response.body)))
        .to_str()
        .unwrap()
        .to_owned()
}

fn hidden(page: &str, name: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\""))?;
    rest.split('"').next().map(str::to_owned)
}

/// The token with its last character exchanged for another: never the same token, whatever stood there.
pub fn altered(token: &str) -> String {
    let mut altered = token.to_owned();
    let last = altered.pop();
    altered.push(if last == Some('A') { 'B' } else { 'A' });
    altered
}
