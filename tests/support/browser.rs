//! A browser without JavaScript: cookies, redirects, forms.

use crate::authorization::{AuthorizationRequest, Callback};
use crate::call::{Call, Reply};
use crate::clock::{self, Clock};
use crate::page::{Form, Page};
use crate::target::base;
use crate::{PASSWORD, USERNAME, client};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;
use url::Url;

/// The browser of one user. A clone is a second tab of the same user at that moment.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    cookies: BTreeMap<String, Cookie>,
}

/// A cookie as the server set it.
#[derive(Clone, Debug)]
pub struct Cookie {
    /// Its value.
    pub value: String,
    /// Its attributes, names in lower case.
    pub attributes: BTreeMap<String, String>,
}

/// The next turn of a browser that received a response.
#[derive(Clone, Debug)]
pub enum Turn {
    /// A redirect within the server: the browser sends this request.
    Send(Call),
    /// The browser shows a page, or is back at the client.
    Landed(Landing),
}

/// The end of a chain of redirects.
#[derive(Clone, Debug)]
pub enum Landing {
    /// The redirect URI of the client.
    Callback(Callback),
    /// A page of the server, or any other response that is not a redirect.
    Page(Box<Page>),
}

impl Landing {
    /// Returns the response at the client. Fails the test if the browser is still at the server.
    #[track_caller]
    pub fn callback(self) -> Callback {
        match self {
            Self::Callback(callback) => callback,
            Self::Page(page) => panic!("expected to come back to the client: {:?}", page.reply),
        }
    }

    /// Returns the page. Fails the test if the browser is at the client.
    #[track_caller]
    pub fn page(self) -> Page {
        match self {
            Self::Page(page) => *page,
            Self::Callback(callback) => panic!("expected a page: {callback:?}"),
        }
    }

    /// Returns the page, which must be the sign-in page.
    #[track_caller]
    pub fn login_page(self) -> Page {
        let page = self.page();
        assert!(page.login().is_some(), "expected the sign-in page: {:?}", page.reply);
        page
    }

    /// Returns the page, which must be the consent page.
    #[track_caller]
    pub fn consent_page(self) -> Page {
        let page = self.page();
        assert!(page.consent().is_some(), "expected the consent page: {:?}", page.reply);
        page
    }

    /// Returns the page, which must be an error page with a 4xx status and no redirect.
    #[track_caller]
    pub fn error_page(self) -> Page {
        let page = self.page();
        assert!((400..500).contains(&page.reply.status), "expected an error page: {:?}", page.reply);
        assert!(page.reply.header("location").is_none(), "an error page redirects: {:?}", page.reply);
        page
    }
}

/// Waits for the time in `Retry-After`: a second without it, 20 seconds at most.
fn wait_as_told(reply: &Reply) {
    let seconds = reply.header("retry-after").and_then(|value| value.parse().ok()).unwrap_or(1_u64);
    clock::wait(Duration::from_secs(seconds.min(20)));
}

impl Browser {
    /// Returns a browser without cookies.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a tab of the one browser in which the demo user is signed in and has consented to the demo clients.
    pub fn signed_in() -> Self {
        static SHARED: OnceLock<Browser> = OnceLock::new();
        SHARED
            .get_or_init(|| {
                Clock::real(|| {
                    let mut browser = Self::new();
                    for client in [client::spa(), client::web()] {
                        let scope = "openid profile email address phone offline_access";
                        browser.complete(&AuthorizationRequest::new(&client).scope(scope)).code();
                    }
                    browser
                })
            })
            .clone()
    }

    /// Returns a new browser in which the demo user has signed in.
    pub fn new_signed_in() -> Self {
        let mut browser = Self::new();
        browser.complete(&AuthorizationRequest::new(&client::spa())).code();
        browser
    }

    /// Returns the cookies.
    pub fn cookies(&self) -> &BTreeMap<String, Cookie> {
        &self.cookies
    }

    /// Removes the cookies whose names contain a text.
    pub fn forget(&mut self, name: &str) {
        self.cookies.retain(|cookie, _| !cookie.contains(name));
    }

    /// Takes over the cookies of another browser; those replace cookies of the same names.
    pub fn take_cookies_of(&mut self, other: &Self) {
        self.cookies.extend(other.cookies.clone());
    }

    /// Sends a request with the cookies, and stores those that the response sets.
    pub fn send(&mut self, call: Call) -> Reply {
        let reply = self.with_cookies(call).send();
        self.receive(&reply);
        reply
    }

    /// Returns the request with the cookies.
    pub fn with_cookies(&self, call: Call) -> Call {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, cookie)| format!("{name}={}", cookie.value)).collect();
        if pairs.is_empty() { call } else { call.header("cookie", pairs.join("; ")) }
    }

    /// Stores the cookies that a response sets.
    pub fn receive(&mut self, reply: &Reply) {
        for field in reply.headers.get_all("set-cookie") {
            self.keep(field.to_str().expect("Set-Cookie is ASCII"));
        }
    }

    fn keep(&mut self, field: &str) {
        let mut parts = field.split(';').map(str::trim);
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("Set-Cookie has a pair");
        let attributes: BTreeMap<_, _> = parts
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let is_gone = attributes.get("max-age").is_some_and(|age| age.parse::<i64>().is_ok_and(|age| age <= 0));
        if is_gone || value.is_empty() {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), Cookie { value: value.to_owned(), attributes });
        }
    }

    /// Opens a path of the server, or a URL, and follows redirects until a page or the client.
    pub fn open(&mut self, url: &str) -> Landing {
        let reply = self.send(Call::get(url));
        self.follow(&crate::url(url), reply)
    }

    /// Sends an authorization request, with GET.
    pub fn authorize(&mut self, request: &AuthorizationRequest) -> Landing {
        self.open(&request.url())
    }

    /// Posts parameters to a path of the server, or a URL, and follows redirects.
    pub fn post<K: AsRef<str>, V: AsRef<str>>(&mut self, path: &str, parameters: &[(K, V)]) -> Landing {
        let reply = self.send(Call::post(path).form(parameters));
        self.follow(&crate::url(path), reply)
    }

    /// Sends a form with these controls filled in and buttons pressed.
    pub fn submit(&mut self, form: &Form, entries: &[(&str, &str)]) -> Landing {
        self.go(form.call(entries))
    }

    /// Signs in at a sign-in page. Waits if the server demands it after failed attempts.
    #[track_caller]
    pub fn sign_in(&mut self, page: &Page, username: &str, password: &str) -> Landing {
        let form = page.login().unwrap_or_else(|| panic!("expected the sign-in page: {:?}", page.reply)).clone();
        self.go_patiently(&form.call(&[("username", username), ("password", password)]))
    }

    /// Sends a request and follows redirects. Waits and tries again while the response is 429.
    #[track_caller]
    fn go_patiently(&mut self, call: &Call) -> Landing {
        for _ in 0..5 {
            let landing = self.go(call.clone());
            match &landing {
                Landing::Page(page) if page.reply.status == 429 => {
                    wait_as_told(&page.reply);
                }
                _ => return landing,
            }
        }
        panic!("the server asks to wait for too long: {call:?}")
    }

    /// Presses the button for a decision: `allow`, `deny`, `continue`, `cancel`, `yes`, `no`, `everywhere`.
    #[track_caller]
    pub fn decide(&mut self, page: &Page, decision: &str) -> Landing {
        let form = page.deciding(decision).unwrap_or_else(|| panic!("no button {decision}: {:?}", page.reply)).clone();
        self.submit(&form, &[("decision", decision)])
    }

    /// Sends an authorization request; signs in as the demo user and consents, until the browser is at the client.
    #[track_caller]
    pub fn complete(&mut self, request: &AuthorizationRequest) -> Callback {
        self.complete_as(request, USERNAME, PASSWORD)
    }

    /// Does the same as `complete` for another user.
    #[track_caller]
    pub fn complete_as(&mut self, request: &AuthorizationRequest, username: &str, password: &str) -> Callback {
        let landing = self.authorize(request);
        self.finish(landing, username, password)
    }

    /// Signs in and consents from a page on, until the browser is at the client.
    #[track_caller]
    pub fn finish(&mut self, mut landing: Landing, username: &str, password: &str) -> Callback {
        for _ in 0..4 {
            landing = match landing {
                Landing::Callback(callback) => return callback,
                Landing::Page(page) if page.reply.status == 429 => {
                    wait_as_told(&page.reply);
                    self.sign_in(&page, username, password)
                }
                Landing::Page(page) => match page.willing(username, password) {
                    Some(call) => self.go_patiently(&call),
                    None => panic!("neither sign-in nor consent: {:?}", page.reply),
                },
            }
        }
        panic!("signing in and consenting does not end: {landing:?}")
    }

    /// Sends a request and follows redirects until a page or the client.
    pub fn go(&mut self, call: Call) -> Landing {
        let reply = self.send(call);
        let url = reply.url();
        self.follow(url.as_str(), reply)
    }

    /// Follows the redirects that begin with a response to `from`, until a page or the client.
    pub fn follow(&mut self, from: &str, mut reply: Reply) -> Landing {
        let mut at = Url::parse(from).expect("a URL");
        for _ in 0..10 {
            match Turn::after(&at, reply) {
                Turn::Landed(landing) => return landing,
                Turn::Send(call) => reply = self.send(call),
            }
            at = reply.url();
        }
        panic!("redirects without end: {reply:?}")
    }
}

impl Turn {
    /// Returns the turn after this response to a request to `url`.
    #[track_caller]
    pub fn after(url: &Url, reply: Reply) -> Self {
        let redirects = (300..400).contains(&reply.status);
        // RFC 9700 §4.12: never 307, which would send a form's password on.
        assert!(!redirects || matches!(reply.status, 302 | 303), "a redirect that may keep the method: {reply:?}");
        let Some(location) = reply.onward() else {
            assert!(!redirects, "a redirect to nowhere: {reply:?}");
            let page = Page::read(url, reply);
            let callback = Callback::from_form_post(&page);
            return Self::Landed(callback.map_or(Landing::Page(Box::new(page)), Landing::Callback));
        };
        if is_client(&location) {
            Self::Landed(Landing::Callback(Callback::from_location(location)))
        } else {
            Self::Send(Call::get(location.as_str()))
        }
    }
}

/// True if a redirect leaves the server. The playground is a client on the server's own origin.
fn is_client(location: &Url) -> bool {
    let server = Url::parse(base()).expect("LATCHKEY_TEST_URL is a URL");
    location.origin() != server.origin() || location.path().starts_with("/playground")
}
