//! The browser of a user: sign-in, consent, codes, sign-out.

use crate::at_every_call;
use std::cell::RefCell;
use std::thread::sleep;
use std::time::Duration;
use suite::pushed::{push, pushed, reference};
use suite::{AuthorizationRequest, Browser, Call, Client, Form, Page, Reply, TokenRequest, authenticated, spa};

/// A browser at a page, with the request that led to it.
struct Visit {
    browser: RefCell<Browser>,
    request: AuthorizationRequest,
    form: Form,
}

impl Visit {
    fn at(browser: Browser, request: AuthorizationRequest, form: &Form) -> Self {
        Self { browser: RefCell::new(browser), request, form: form.clone() }
    }

    /// Sends the form. Redirects are responses.
    fn send(&self, entries: &[(&str, &str)]) -> Reply {
        let call = Call::post(self.form.action.as_str()).form(&self.form.filled(entries));
        page_or_redirect(self.browser.borrow_mut().send(call))
    }
}

/// Demands a page that a user can read.
#[track_caller]
fn page_or_redirect(reply: Reply) -> Reply {
    // The response of Lambda itself, after the function died, is not a page of the server.
    if !matches!(reply.status, 303 | 500) {
        assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"), "{reply:?}");
    }
    reply
}

/// Follows the response and gets tokens.
#[track_caller]
fn arrives(browser: &RefCell<Browser>, request: &AuthorizationRequest, reply: &Reply) {
    let mut browser = browser.borrow_mut();
    let landing = browser.follow(&request.url(), reply.clone());
    let callback = browser.finish(landing, suite::USERNAME, suite::PASSWORD);
    assert!(TokenRequest::code(request, &callback.code()).tokens().is_live());
}

fn at_sign_in() -> Visit {
    let (mut browser, request) = (Browser::new(), AuthorizationRequest::new(&spa()));
    let page = browser.authorize(&request).login_page();
    Visit::at(browser, request, page.login().expect("a form"))
}

/// A user who sends the sign-in form again is signed in and never sees that the password is wrong.
#[test]
fn a_sign_in_can_be_sent_again() {
    let credentials = [("username", suite::USERNAME), ("password", suite::PASSWORD)];
    at_every_call(
        at_sign_in,
        |visit| visit.send(&credentials),
        |trial| arrives(&trial.subject.browser, &trial.subject.request, &trial.reply),
    );
}

fn at_consent() -> Visit {
    let (mut browser, request) = (Browser::signed_in(), AuthorizationRequest::new(&spa()).offline());
    let page = browser.authorize(&request).consent_page();
    Visit::at(browser, request, page.consent().expect("a form"))
}

/// A user who sends the consent again arrives at the client.
#[test]
fn a_consent_can_be_sent_again() {
    at_every_call(
        at_consent,
        |visit| visit.send(&[("decision", "allow")]),
        |trial| arrives(&trial.subject.browser, &trial.subject.request, &trial.reply),
    );
}

/// A browser that is redirected to the client without a page.
struct Passage {
    browser: RefCell<Browser>,
    request: AuthorizationRequest,
    url: String,
}

impl Passage {
    fn open(&self) -> Reply {
        page_or_redirect(self.browser.borrow_mut().send(Call::get(&self.url)))
    }
}

fn passage() -> Passage {
    let request = AuthorizationRequest::new(&spa());
    Passage { browser: RefCell::new(Browser::signed_in()), url: request.url(), request }
}

/// A browser that reloads `/authorize` gets a code.
#[test]
fn a_code_can_be_asked_for_again() {
    at_every_call(passage, Passage::open, |trial| {
        arrives(&trial.subject.browser, &trial.subject.request, &trial.reply)
    });
}

fn pushed_passage() -> Passage {
    let request = AuthorizationRequest::new(&spa());
    let url = reference(&request.client, &pushed(&request));
    Passage { browser: RefCell::new(Browser::signed_in()), request, url }
}

/// RFC 9126 §2: a push can be sent again, and its reference leads to a code.
#[test]
fn a_push_can_be_sent_again() {
    let request = || AuthorizationRequest::new(&spa());
    at_every_call(request, push, |trial| drop(trial.reply.clone().expect(201)));
}

/// RFC 9126 §4: a request_uri is used once; a browser that reloads the page after a fault still arrives.
#[test]
fn a_reference_that_brought_no_answer_is_good() {
    at_every_call(pushed_passage, Passage::open, |trial| {
        arrives(&trial.subject.browser, &trial.subject.request, &trial.reply)
    });
}

fn at_sign_out() -> Visit {
    let mut browser = Browser::new_signed_in();
    let page: Page = browser.open("/logout").page();
    let form = page.deciding("yes").expect("a form").clone();
    Visit::at(browser, AuthorizationRequest::new(&spa()).set("prompt", "none"), &form)
}

/// A user who sees the signed-out page is signed out.
#[test]
fn a_sign_out_is_done_when_it_is_answered() {
    at_every_call(
        at_sign_out,
        |visit| visit.send(&[("decision", "yes")]),
        |trial| {
            trial.reply.clone().expect(200);
            let visit = trial.subject;
            let callback = visit.browser.borrow_mut().authorize(&visit.request).callback();
            assert_eq!(callback.error(), "login_required");
        },
    );
}

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A device, and a browser at the page that asks for approval.
fn device() -> (Client, String, Visit) {
    let client = Client::public("demo-device");
    let asked = authenticated(
        Call::post("/device_authorization"),
        &client,
        &[("scope".to_owned(), "openid offline_access".to_owned())],
    );
    let document = asked.send().expect(200).json();
    let text = |name: &str| document[name].as_str().expect("text").to_owned();
    let mut browser = Browser::signed_in();
    let page = browser.open("/device").page();
    let form = page.forms.iter().find(|form| form.has("user_code")).expect("a field for the code").clone();
    let page = browser.submit(&form, &[("user_code", &text("user_code"))]).consent_page();
    let visit = Visit::at(browser, AuthorizationRequest::new(&client), page.consent().expect("a form"));
    (client, text("device_code"), visit)
}

/// Polls as a device that obeys `slow_down` (RFC 8628 §3.5).
fn poll(client: &Client, device_code: &str) -> Reply {
    let reply = TokenRequest::new(client, DEVICE).set("device_code", device_code).send();
    if reply.status != 400 || reply.json()["error"] != "slow_down" {
        return reply;
    }
    sleep(Duration::from_secs(10));
    poll(client, device_code)
}

/// RFC 8628 §3.3: a user who approves again has approved.
#[test]
fn an_approval_can_be_sent_again() {
    at_every_call(
        device,
        |(_, _, visit)| visit.send(&[("decision", "allow")]),
        |trial| {
            trial.reply.clone().expect(200);
            let (client, device_code, _) = trial.subject;
            poll(client, device_code).expect(200);
        },
    );
}

/// RFC 8628 §3.5: a device that polls again gets the tokens.
#[test]
fn a_poll_can_be_sent_again() {
    let approved = || {
        let device = device();
        device.2.send(&[("decision", "allow")]).expect(200);
        device
    };
    at_every_call(
        approved,
        |(client, device_code, _)| poll(client, device_code),
        |trial| {
            let (client, device_code, _) = trial.subject;
            let token = |reply: Reply| reply.expect(200).json()["refresh_token"].as_str().expect("text").to_owned();
            let first = token(trial.reply.clone());
            let again = poll(client, device_code);
            assert!(again.status == 400 || token(again) == first);
            TokenRequest::refresh(client, &first).tokens();
        },
    );
}
