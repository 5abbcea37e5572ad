//! Password reset by mail, and the links of security notices: `infra/docs/security-model.md#mail`.

use super::passwords::signs_in;
use suite::{AuthorizationRequest, Browser, Page, TokenRequest, Tokens, admin, mail, random, spa};

const NEW: &str = "seven grey herons at dusk";

/// A new user with a verified address.
pub(super) fn user(name: &str) -> (String, String) {
    let unique: String = random().to_lowercase().chars().filter(char::is_ascii_alphanumeric).take(16).collect();
    let user = format!("{name}-{unique}");
    let address = format!("{user}@mail.example");
    admin::user(&user);
    admin::command(&[
        "user",
        "add",
        "--json",
        &user,
        "--claim",
        &format!("email={address}"),
        "--claim",
        "email_verified=true",
    ]);
    mail::receive();
    (user, address)
}

/// Asks for a link in a new browser, from a network of its own, and returns the page after it.
fn ask(identifier: &str) -> Page {
    let mut browser = Browser::new();
    let page = browser.open("/recovery").page();
    let form = page.form("identifier");
    browser.submit(&form, &[("identifier", identifier)]).page()
}

/// Presses the button of the link in a notice. Returns the page after it.
pub(super) fn disown(notice: &mail::Mail) -> Page {
    let mut browser = Browser::new();
    let page = browser.open(&notice.link()).page();
    browser.decide(&page, "act").page()
}

/// Returns the link of the latest of `count` mails.
fn link(address: &str, count: usize) -> String {
    mail::wait_for(address, "password_reset", count).last().expect("one").link()
}

fn sign_in(user: &str) -> (Browser, Tokens) {
    let mut browser = Browser::new();
    let request = AuthorizationRequest::new(&spa()).offline();
    let code = browser.complete_as(&request, user, admin::PASSWORD).code();
    (browser, TokenRequest::code(&request, &code).tokens())
}

#[track_caller]
fn is_over(page: &Page) {
    assert_eq!(
        (page.reply.status, page.select("#outcome")),
        (400, vec!["This link is over".to_owned()]),
        "{:?}",
        page.reply
    );
    assert_eq!(page.attributes("#again", "href"), ["/recovery"]);
}

fn set(browser: &mut Browser, page: &Page, password: &str, repeated: &str) -> Page {
    browser.submit(&page.form("password"), &[("password", password), ("repeated", repeated)]).page()
}

/// From the sign-in page to a new password. The link works once; all sessions and grants end; the user receives a notice.
#[test]
fn a_link_sets_a_new_password_once() {
    let (user, address) = user("reset-once");
    let (mut elsewhere, tokens) = sign_in(&user);
    let page = Browser::new().open("/account").login_page();
    assert_eq!(page.attributes("#forgot", "href"), ["/recovery"]);
    assert_eq!(ask(&user).select("#outcome"), ["Look into your mailbox"]);
    let mails = mail::wait_for(&address, "password_reset", 1);
    assert_eq!(mails[0].text("from"), "no-reply@suite.example");
    assert_eq!(mails[0].text("subject"), "Choose a new password for Suite");
    let link = mails[0].link();
    assert!(link.starts_with(&suite::url("/recovery?link=")), "{link}");
    // A scanner of mails opens links, more than once.
    Browser::new().open(&link).page();
    let mut browser = Browser::new();
    let page = browser.open(&link).page();
    assert_eq!(page.reply.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.attributes("a[href^=http], img, script[src], link[href^=http]", "href"), Vec::<String>::new());
    let refused = set(&mut browser, &page, "short", "short");
    assert!(refused.select("#problem")[0].contains("characters"), "{:?}", refused.reply);
    let refused = set(&mut browser, &refused, NEW, "another one");
    assert!(refused.select("#problem")[0].contains("differ"), "{:?}", refused.reply);
    let done = set(&mut browser, &refused, NEW, NEW);
    assert_eq!(done.select("#outcome"), ["Your new password is set"], "{:?}", done.reply);
    assert!(!tokens.is_live() && elsewhere.open("/account").page().login().is_some());
    assert!(signs_in(&user, NEW) && !signs_in(&user, admin::PASSWORD));
    is_over(&set(&mut browser, &page, "eight grey herons at dusk", "eight grey herons at dusk"));
    is_over(&Browser::new().open(&link).page());
    assert!(signs_in(&user, NEW));
    mail::wait_for(&address, "password_was_reset", 1);
}

/// The same page and status whether there is such a user or not, and whether the user has a verified address. What looks like two
/// addresses or a header field reaches no mail.
#[test]
fn no_answer_tells_whether_there_is_such_a_user() {
    let (user, address) = user("reset-known");
    let unverified = format!("{user}-unverified");
    admin::user(&unverified);
    admin::command(&["user", "add", "--json", &unverified, "--claim", &format!("email={unverified}@mail.example")]);
    let known = ask(&user);
    for other in
        [&unverified, "suite-nobody", "nobody@mail.example", &format!("{user},{user}@mail.example"), "a\u{202e}b"]
    {
        let page = ask(other);
        assert_eq!((page.reply.status, page.text()), (known.reply.status, known.text()), "{other}");
    }
    for unreadable in ["", " ", &format!("{user}\r\nBcc: eve@mail.example"), &"a".repeat(257)] {
        let page = ask(unreadable);
        assert_eq!(page.reply.status, 400, "{unreadable:?}");
        assert!(page.select("#problem")[0].contains("username or your e-mail address"));
    }
    mail::wait_for(&address, "password_reset", 1);
    assert_eq!(mail::to(&format!("{unverified}@mail.example")).len(), 0);
    assert_eq!(mail::to("eve@mail.example").len(), 0);
}

/// An attacker who asks again and again fills no mailbox, and keeps no user from a link that works.
#[test]
fn many_requests_leave_few_mails_and_a_link_that_works() {
    let (user, address) = user("reset-bombed");
    let first = ask(&user);
    for _ in 0..6 {
        assert_eq!(ask(&user).text(), first.text());
    }
    // A quota has windows: at most two of them saw these requests.
    let latest = link(&address, 3);
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!((3..=6).contains(&mail::to(&address).len()), "{}", mail::to(&address).len());
    let mut browser = Browser::new();
    let page = browser.open(&latest).page();
    assert_eq!(set(&mut browser, &page, NEW, NEW).select("#outcome"), ["Your new password is set"]);
    // The other links are over: one of them may be in the wrong hands.
    is_over(&Browser::new().open(&mail::wait_for(&address, "password_reset", 3)[0].link()).page());
}

/// A link is over once the user changes the password, signs out everywhere, has another address, or is disabled.
#[test]
fn a_link_is_over_when_the_account_changes() {
    let (user, address) = user("reset-changed");
    ask(&user);
    let first = link(&address, 1);
    admin::sign_out(&user);
    is_over(&Browser::new().open(&first).page());
    ask(&address.to_uppercase());
    let second = link(&address, 2);
    admin::command(&["user", "add", "--json", &user, "--claim", "email=other@mail.example"]);
    is_over(&Browser::new().open(&second).page());
    for forged in ["x", "lkx_AAAA", &format!("{}A", second.split_once("?link=").expect("a link").1)] {
        is_over(&Browser::new().open(&format!("/recovery?link={forged}")).page());
    }
}

/// A form of another browser changes nothing (cross-site request forgery), and says what to do.
#[test]
fn a_form_of_another_browser_changes_nothing() {
    let (user, address) = user("reset-forged");
    ask(&user);
    let link = link(&address, 1);
    let page = Browser::new().open(&link).page();
    let mut other = Browser::new();
    other.open("/recovery").page();
    let refused = set(&mut other, &page, NEW, NEW);
    assert_eq!((refused.reply.status, refused.select("#outcome")), (400, vec!["Nothing was changed".to_owned()]));
    let asked = Browser::new().open("/recovery").page();
    let refused = other.submit(&asked.form("identifier"), &[("identifier", &user)]).page();
    assert_eq!(refused.reply.status, 400);
    assert!(signs_in(&user, admin::PASSWORD));
}

/// A new browser causes a notice. The link of the notice acts by its button alone: then each session and grant ends, the
/// password no longer works, and a link to choose a new one is on its way.
#[test]
fn a_notice_lets_the_user_throw_an_attacker_out() {
    let (user, address) = user("reset-notice");
    let (mut attacker, tokens) = sign_in(&user);
    let notice = mail::wait_for(&address, "new_browser", 1).remove(0);
    assert_eq!(notice.text("subject"), "New sign-in – Suite");
    let mut browser = Browser::new();
    let page = browser.open(&notice.link()).page();
    assert_eq!(page.attributes("#act", "value"), ["act"]);
    assert!(tokens.is_live() && attacker.open("/account").page().login().is_none(), "to open a link changes nothing");
    let done = browser.decide(&page, "act").page();
    assert_eq!(done.select("#outcome"), ["Your account is safe again"], "{:?}", done.reply);
    assert!(!tokens.is_live() && attacker.open("/account").page().login().is_some());
    assert!(!signs_in(&user, admin::PASSWORD));
    is_over(&Browser::new().open(&notice.link()).page());
    let mut browser = Browser::new();
    let page = browser.open(&link(&address, 1)).page();
    assert_eq!(set(&mut browser, &page, NEW, NEW).select("#outcome"), ["Your new password is set"]);
    assert!(signs_in(&user, NEW));
}

/// A browser that the account was used in before causes no notice.
#[test]
fn a_known_browser_causes_no_notice() {
    let (user, address) = user("reset-known-browser");
    let mut browser = Browser::new();
    let request = AuthorizationRequest::new(&spa()).set("prompt", "login");
    browser.complete_as(&request, &user, admin::PASSWORD).code();
    mail::wait_for(&address, "new_browser", 1);
    browser.complete_as(&request, &user, admin::PASSWORD).code();
    sign_in(&user);
    assert_eq!(mail::wait_for(&address, "new_browser", 2).len(), 2);
}
