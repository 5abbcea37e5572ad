//! One browser and one public client, going through the authorization code flow.

use crate::{ISSUER, Instance, USERNAME, json_of};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Method, StatusCode, header};
use latchkey_http::Response;
use sha2::{Digest, Sha256};
use suite::{Browser, Call, Callback, Landing, Page, Reply, Turn};

/// The code verifier of every flow.
pub const VERIFIER: &str = "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJK";

/// A successful token response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

/// A browser: the one of the black-box suite, with the functions of this process as its server.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    browser: Browser,
    /// The user, if it is not the one that every deployment has.
    username: Option<String>,
}

impl Flow {
    /// Returns the browser of another user.
    pub fn of(username: &str) -> Self {
        Self { username: Some(username.to_owned()), ..Self::default() }
    }

    /// True if the browser is signed in.
    pub fn has_session(&self) -> bool {
        self.browser.cookies().contains_key("__Host-latchkey_session")
    }

    /// Returns the browser without its session cookie.
    #[must_use]
    pub fn without_session(mut self) -> Self {
        self.browser.forget("__Host-latchkey_session");
        self
    }

    /// Returns the start of an authorization request.
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

    /// Opens a URL. Redirects are responses.
    pub async fn get(&mut self, instance: &Instance, url: &str) -> Response {
        self.send(instance, Call::get(url)).await.0
    }

    /// Sends the form of a page, with these answers in place of its own values.
    pub async fn submit(
        &mut self,
        instance: &Instance,
        path: &str,
        page: &Response,
        answers: &[(&str, &str)],
    ) -> Response {
        let reply = reply(Call::get(path), page);
        let page = Page::read(&reply.url(), reply);
        let hidden = ["interaction", "csrf", "client_id", "session", "link"]
            .into_iter()
            .filter_map(|name| page.forms.iter().find_map(|form| form.value(name)).map(|value| (name, value)));
        let fields: Vec<(&str, &str)> = hidden.chain(answers.iter().copied()).collect();
        self.send(instance, Call::post(path).form(&fields)).await.0
    }

    /// Signs in and consents as far as the server asks for it. Returns the code.
    pub async fn code(&mut self, instance: &Instance, password: &str, scope: &str) -> String {
        self.code_of(instance, &Self::authorize_url(scope), password).await
    }

    /// The same for any authorization request.
    pub async fn code_of(&mut self, instance: &Instance, url: &str, password: &str) -> String {
        self.callback(instance, url, password).await.code()
    }

    /// Signs in and consents as far as the server asks for it. Returns the response at the client.
    pub async fn callback(&mut self, instance: &Instance, url: &str, password: &str) -> Callback {
        let mut call = Call::get(url);
        loop {
            let reply = self.send(instance, call).await.1;
            call = match Turn::after(&reply.url(), reply) {
                Turn::Send(next) => next,
                Turn::Landed(Landing::Callback(callback)) => return callback,
                Turn::Landed(Landing::Page(page)) => page
                    .willing(self.username.as_deref().unwrap_or(USERNAME), password)
                    .unwrap_or_else(|| panic!("neither sign-in nor consent: {:?}", page.reply)),
            };
        }
    }

    /// Sends a request with the cookies, and stores those that the response sets.
    async fn send(&mut self, instance: &Instance, call: Call) -> (Response, Reply) {
        let sent = self.browser.with_cookies(call);
        let (method, url, headers, body) = sent.parts();
        let path = url.strip_prefix(ISSUER).unwrap_or_else(|| panic!("{url} is not at the server"));
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| (name.clone(), value.to_str().expect("ASCII").to_owned())).collect();
        let response = instance.send(method, path, &headers, String::from_utf8(body).expect("UTF-8")).await;
        for field in response.headers.get_all(header::SET_COOKIE) {
            let field = field.to_str().expect("ASCII");
            assert!(field.contains("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{field}");
        }
        let reply = reply(sent.clone(), &response);
        self.browser.receive(&reply);
        (response, reply)
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

    /// Calls UserInfo with an access token.
    pub async fn userinfo(instance: &Instance, token: &str) -> Response {
        instance
            .send(Method::GET, "/userinfo", &[(header::AUTHORIZATION, format!("Bearer {token}"))], String::new())
            .await
    }
}

impl Tokens {
    /// Reads a token response, which must be successful.
    pub fn of(response: &Response) -> Self {
        assert_eq!(response.status, StatusCode::OK, "{}", String::from_utf8_lossy(&response.body));
        let json = json_of(response);
        let text = |name: &str| json.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token") }
    }
}

/// Returns the URL to which a browser goes on from a response: of a redirect, or of a page that navigates at once.
pub fn onward(response: &Response) -> String {
    let onward = reply(Call::get(ISSUER), response).onward();
    onward.unwrap_or_else(|| panic!("a response that leads nowhere: {}", response.status)).to_string()
}

fn reply(asked: Call, response: &Response) -> Reply {
    Reply::new(asked, response.status.as_u16(), response.headers.clone(), response.body.clone())
}

/// Returns the token with its last character replaced. The result always differs from the token.
pub fn altered(token: &str) -> String {
    let mut altered = token.to_owned();
    let last = altered.pop();
    altered.push(if last == Some('A') { 'B' } else { 'A' });
    altered
}
