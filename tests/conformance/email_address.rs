//! The e-mail address of the user, who proves it, changes it, and undoes a change: `infra/docs/security-model.md#mail`.

use super::password_reset;
use super::passwords::signs_in;
use serde_json::{Value, json};
use suite::{AuthorizationRequest, Browser, Call, Form, Page, TokenRequest, admin, mail, random, spa};

/// A browser in which a user has signed in to the own account.
fn visit(user: &str) -> Browser {
    let mut browser = Browser::new();
    let page = browser.open("/account").login_page();
    browser.sign_in(&page, user, admin::PASSWORD).page();
    browser
}

/// An address that no test used before.
fn fresh() -> String {
    let letters: String = random().to_lowercase().chars().filter(char::is_ascii_alphanumeric).take(16).collect();
    format!("new-{letters}@mail.example")
}

fn form(page: &Page, field: &str) -> Form {
    page.forms.iter().find(|form| form.has(field)).unwrap_or_else(|| panic!("no {field}: {:?}", page.reply)).clone()
}

/// Asks for a link to an address.
fn ask(browser: &mut Browser, address: &str) -> Page {
    let page = browser.open("/account/email").page();
    browser.submit(&form(&page, "email"), &[("email", address)]).page()
}

/// Returns the latest link to an address.
fn link(address: &str) -> String {
    mail::wait_for(address, "address_verification", 1).last().expect("one").link()
}

/// Presses the button of the page of a link.
fn confirm(browser: &mut Browser, link: &str) -> Page {
    let page = browser.open(link).page();
    browser.submit(&form(&page, "link"), &[]).page()
}

#[track_caller]
fn is(page: &Page, outcome: &str) {
    assert_eq!(page.select("#outcome"), [outcome], "{:?}", page.reply);
}

/// Changes the address of a user, and returns the mail to the old address.
fn change(browser: &mut Browser, old: &str, new: &str, count: usize) -> mail::Mail {
    is(&ask(browser, new), "Look into your mailbox");
    is(&confirm(browser, &link(new)), "Your address is confirmed");
    mail::wait_for(old, "address_changed", count).remove(count - 1)
}

/// The claims of a user.
fn claims(user: &str) -> Value {
    let request = AuthorizationRequest::new(&spa()).set("scope", "openid email");
    let code = Browser::new().complete_as(&request, user, admin::PASSWORD).code();
    let tokens = TokenRequest::code(&request, &code).tokens();
    Call::get("/userinfo").bearer(tokens.access()).send().json()
}

/// The address changes once its link is opened and confirmed; the claims say so. The old address receives a notice.
#[test]
fn an_address_changes_by_its_link() {
    let (user, old) = password_reset::user("address");
    let (mut browser, new) = (visit(&user), fresh());
    let page = browser.open("/account/email").page();
    assert_eq!(
        (page.select("#address"), page.select("#address-state")),
        (vec![old.clone()], vec!["is confirmed.".to_owned()])
    );
    is(&ask(&mut browser, &new), "Look into your mailbox");
    assert_eq!(claims(&user)["email"], old, "nothing changes before the link is confirmed");
    let link = link(&new);
    let page = browser.open(&link).page();
    assert_eq!((page.select("#address"), page.select("#old-address")), (vec![new.clone()], vec![old.clone()]));
    assert_eq!(page.reply.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(claims(&user)["email"], old, "a link does not act by GET");
    is(&browser.submit(&form(&page, "link"), &[]).page(), "Your address is confirmed");
    let now = claims(&user);
    assert_eq!((&now["email"], &now["email_verified"]), (&new.as_str().into(), &true.into()));
    let notice = mail::wait_for(&old, "address_changed", 1).remove(0);
    assert_eq!(notice.text("subject"), "Your e-mail address for Suite was changed");
    is(&browser.open(&link).page(), "This link is over");
    // A new password goes to the new address from now on.
    let mut recovery = Browser::new();
    let form = form(&recovery.open("/recovery").page(), "identifier");
    recovery.submit(&form, &[("identifier", &new)]).page();
    mail::wait_for(&new, "password_reset", 1);
}

/// A user whose address an operator entered proves it by the same form.
#[test]
fn an_unverified_address_is_proved() {
    let user = admin::user(&format!("prove-{}", random().to_lowercase().replace(['-', '_'], "x")));
    let address = fresh();
    admin::command(&["user", "add", "--json", &user, "--claim", &format!("email={address}")]);
    mail::receive();
    let mut browser = visit(&user);
    let page = browser.open("/account/email").page();
    assert_eq!(page.select("#address-state"), ["is not confirmed yet."]);
    assert_eq!(form(&page, "email").value("email"), Some(address.as_str()));
    is(&ask(&mut browser, &address), "Look into your mailbox");
    is(&confirm(&mut browser, &link(&address)), "Your address is confirmed");
    assert_eq!(claims(&user)["email_verified"], true);
    let again = ask(&mut browser, &address);
    assert_eq!((again.reply.status, again.select("#problem").len()), (400, 1));
}

/// A link gives the address to the user who asked for it, and to no other: an attacker sends links to the own account to victims.
#[test]
fn a_link_is_for_the_user_who_asked() {
    let ((attacker, _), (victim, victims_address)) =
        (password_reset::user("address-attacker"), password_reset::user("address-victim"));
    let mut browser = visit(&attacker);
    is(&ask(&mut browser, &victims_address), "Look into your mailbox");
    let link = link(&victims_address);
    let mut of_victim = visit(&victim);
    is(&of_victim.open(&link).page(), "This link is over");
    // Without a session the user signs in first, and comes back to the link: still, it is for another user.
    let mut elsewhere = Browser::new();
    let page = elsewhere.open(&link).login_page();
    is(&elsewhere.sign_in(&page, &victim, admin::PASSWORD).page(), "This link is over");
    assert_ne!(claims(&attacker)["email"], victims_address);
}

/// A user who is not signed in in the browser that opens the link signs in, and sees the page of the link.
#[test]
fn a_link_survives_the_sign_in() {
    let (user, _) = password_reset::user("address-elsewhere");
    let new = fresh();
    is(&ask(&mut visit(&user), &new), "Look into your mailbox");
    let mut elsewhere = Browser::new();
    let page = elsewhere.open(&link(&new)).login_page();
    let page = elsewhere.sign_in(&page, &user, admin::PASSWORD).page();
    assert_eq!(page.select("#address"), [new.as_str()], "{:?}", page.reply);
    is(&elsewhere.submit(&form(&page, "link"), &[]).page(), "Your address is confirmed");
}

/// A link is over once the address changed, the user signed out everywhere, or it was altered. A form of another browser changes nothing.
#[test]
fn a_link_is_over_when_the_account_changes() {
    let (user, old) = password_reset::user("address-over");
    let (first, second, third) = (fresh(), fresh(), fresh());
    let mut browser = visit(&user);
    ask(&mut browser, &first);
    ask(&mut browser, &second);
    let (of_first, of_second) = (link(&first), link(&second));
    let page = browser.open(&of_first).page();
    let forged = browser.submit(&form(&page, "link"), &[("csrf", "x.y")]).page();
    is(&forged, "Nothing was changed");
    is(&confirm(&mut browser, &of_second), "Your address is confirmed");
    mail::wait_for(&old, "address_changed", 1);
    is(&browser.open(&of_first).page(), "This link is over");
    ask(&mut browser, &third);
    let of_third = link(&third);
    let (path, sealed) = of_third.split_once("?link=").expect("a link");
    is(&browser.open(&format!("{path}?link={}", suite::altered(sealed, 40))).page(), "This link is over");
    admin::sign_out(&user);
    let mut again = visit(&user);
    is(&again.open(&of_third).page(), "This link is over");
    assert_eq!(claims(&user)["email"], second);
}

/// The page says why it refuses a text that is no address, and too many mails. The answer is the same for an address that another user has.
#[test]
fn mails_about_addresses_are_limited() {
    let (user, _) = password_reset::user("address-limit");
    let (_, taken) = password_reset::user("address-taken");
    let mut browser = visit(&user);
    for bad in ["", "ada", "ada@mail.example, eve@mail.example", "ada@mail.example\r\nBcc: eve@mail.example"] {
        let page = ask(&mut browser, bad);
        assert_eq!((page.reply.status, page.select("#problem").len()), (400, 1), "{bad:?}");
    }
    let of_taken = ask(&mut browser, &taken);
    let of_free = ask(&mut browser, &fresh());
    assert_eq!((of_taken.reply.status, of_taken.text()), (of_free.reply.status, of_free.text()));
    let refused = (0..12).map(|_| ask(&mut browser, &fresh())).find(|page| page.reply.status == 429);
    let refused = refused.expect("a limit");
    assert!(refused.reply.header("retry-after").is_some() && refused.select("#problem")[0].contains("Too many mails"));
}

/// An attacker who holds a session changes the address. The old address undoes it: everything of the attacker ends, and a new password
/// goes to the old address. Later changes are undone with it, and the mailboxes of the attacker undo nothing any more.
#[test]
fn a_change_is_undone_by_the_old_address() {
    let (user, old) = password_reset::user("address-undo");
    let (second, third) = (fresh(), fresh());
    let mut attacker = visit(&user);
    let notice = change(&mut attacker, &old, &second, 1);
    let of_attacker = change(&mut attacker, &second, &third, 1);
    let mut browser = Browser::new();
    let page = browser.open(&notice.link()).page();
    assert_eq!(page.select("#address"), [old.as_str()], "{:?}", page.reply);
    assert_eq!(claims(&user)["email"], third, "a link does not act by GET");
    is(&browser.decide(&page, "act").page(), "Your address is back");
    assert!(attacker.open("/account").page().login().is_some() && !signs_in(&user, admin::PASSWORD));
    is(&Browser::new().open(&of_attacker.link()).page(), "This link is over");
    is(&Browser::new().open(&notice.link()).page(), "This link is over");
    let reset = mail::wait_for(&old, "password_reset", 1).remove(0).link();
    let page = browser.open(&reset).page();
    let fields = [("password", admin::PASSWORD), ("repeated", admin::PASSWORD)];
    is(&browser.submit(&form(&page, "repeated"), &fields).page(), "Your new password is set");
    assert_eq!(claims(&user)["email"], old);
    // A later change can be undone again.
    let next = fresh();
    let mut later = visit(&user);
    let notice = change(&mut later, &old, &next, 2);
    let page = browser.open(&notice.link()).page();
    is(&browser.decide(&page, "act").page(), "Your address is back");
}

/// The address of a user of a directory is the directory's: there is no link to the page, and no page.
#[test]
fn users_of_a_directory_have_no_such_page() {
    let (user, _) = password_reset::user("address-directory");
    let (path, body) =
        (format!("/admin/users/{user}"), json!({ "external_id": format!("directory-{user}") }).to_string());
    let token = admin::key(&["users:write"]).token("PUT", &path, &body);
    Call::new("PUT", &path).bearer(&token).body("application/json", body).send().expect(200);
    let mut browser = visit(&user);
    assert!(browser.open("/account").page().attributes("#email", "href").is_empty());
    assert_eq!(browser.open("/account/email").page().reply.status, 404);
}
