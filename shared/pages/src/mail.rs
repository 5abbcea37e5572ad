//! The words of mails, as plain text and as HTML. Every text is in this file.
//!
//! A mail has no image, no style sheet and no script. Each link leads to a page with a button: no link acts by itself.

use crate::day::Day;
use askama::Template;
use protocol::AuthenticationMethod;
use protocol::mail::{HeaderText, MailBody, SecurityNotice};

/// A mail.
#[derive(Debug, Clone, Copy)]
pub struct MailView<'a> {
    /// The name of the product.
    pub product: &'a str,
    /// The issuer, an origin.
    pub issuer: &'a str,
    /// The time of the act, in seconds since the epoch.
    pub at: u64,
    /// The URL of the page with the button.
    pub link: &'a str,
    /// Content.
    pub content: MailWords<'a>,
}

/// The content of a mail.
#[derive(Debug, Clone, Copy)]
pub enum MailWords<'a> {
    /// A link to choose a new password.
    PasswordReset {
        /// The sign-in name of the user.
        username: &'a str,
    },
    /// A link to confirm an address.
    AddressVerification {
        /// The sign-in name of the user.
        username: &'a str,
    },
    /// The address was changed.
    AddressChanged,
    /// A notice about the security of the account.
    Notice(&'a SecurityNotice),
}

/// The parts of a mail.
struct Parts {
    subject: String,
    lead: Vec<String>,
    /// The label of the link.
    label: &'static str,
    end: Vec<String>,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct MailTemplate<'a> {
    parts: &'a Parts,
    link: &'a str,
    issuer: &'a str,
}

/// Returns the words of a mail; `None` if the name of the product may not stand in a header field.
pub fn mail(view: &MailView<'_>) -> Option<MailBody> {
    let parts = parts(view);
    let subject = HeaderText::parse(&parts.subject)?;
    let link = format!("{}:\n{}", parts.label, view.link);
    let paragraphs = parts.lead.iter().map(String::as_str).chain([link.as_str()]);
    let text: Vec<&str> = paragraphs.chain(parts.end.iter().map(String::as_str)).chain([view.issuer]).collect();
    // Writing to a string cannot fail.
    let html = MailTemplate { parts: &parts, link: view.link, issuer: view.issuer }.render().unwrap_or_default();
    Some(MailBody { subject, text: text.join("\n\n") + "\n", html })
}

fn parts(view: &MailView<'_>) -> Parts {
    let product = view.product;
    let when = moment(view.at);
    match view.content {
        MailWords::PasswordReset { username } => Parts {
            subject: format!("Choose a new password for {product}"),
            lead: vec![
                format!("A new password was requested for your account {username} at {product}."),
                "The link works once, for one hour. A newer link does not end it.".to_owned(),
            ],
            label: "Choose a new password",
            end: vec!["If you did not request it, do nothing: your password stays as it is.".to_owned()],
        },
        MailWords::AddressVerification { username } => Parts {
            subject: format!("Confirm your e-mail address for {product}"),
            lead: vec![
                format!("The account {username} at {product} is to use this e-mail address."),
                "Open the link in the browser in which you are signed in to this account. It works for 24 hours.".to_owned(),
            ],
            label: "Confirm this address",
            end: vec!["If this is not your account, do nothing: the address is not used.".to_owned()],
        },
        MailWords::AddressChanged => Parts {
            subject: format!("Your e-mail address for {product} was changed"),
            lead: vec![format!("The e-mail address of your account at {product} was changed on {when}. Mails go to the new address.")],
            label: "Undo the change",
            end: vec!["If you changed it, there is nothing to do. Otherwise, open the link within seven days: the old address comes back, and each browser is signed out.".to_owned()],
        },
        MailWords::Notice(notice) => {
            let (subject, act) = act(notice);
            Parts {
                subject: format!("{subject} – {product}"),
                lead: vec![format!("{act} Account at {product}, {when}.")],
                label: "This was not me",
                end: vec!["If this was you, there is nothing to do. Otherwise, open the link within seven days: it signs out each browser and application, and you choose a new password.".to_owned()],
            }
        }
    }
}

/// Returns the subject and the sentence of a notice.
fn act(notice: &SecurityNotice) -> (&'static str, String) {
    match notice {
        SecurityNotice::PasswordChanged => ("Your password was changed", "Your password was changed.".to_owned()),
        SecurityNotice::PasswordReset => {
            ("Your password was reset", "A new password was chosen by a link from a mail to you.".to_owned())
        }
        SecurityNotice::NewBrowser { browser } => (
            "New sign-in",
            match browser {
                Some(browser) => format!("Your account was used to sign in in a new browser: {browser}."),
                None => "Your account was used to sign in in a new browser.".to_owned(),
            },
        ),
        SecurityNotice::MethodAdded { method } => {
            ("A sign-in method was added", format!("A sign-in method was added to your account: {}.", words(*method)))
        }
        SecurityNotice::MethodRemoved { method } => (
            "A sign-in method was removed",
            format!("A sign-in method was removed from your account: {}.", words(*method)),
        ),
        SecurityNotice::RecoveryCodeUsed => {
            ("A recovery code was used", "A recovery code of your account was used to sign in.".to_owned())
        }
    }
}

/// Returns the words for a method.
const fn words(method: AuthenticationMethod) -> &'static str {
    match method {
        AuthenticationMethod::Password => "password",
        AuthenticationMethod::Passkey => "passkey",
        AuthenticationMethod::Totp => "authenticator app",
        AuthenticationMethod::RecoveryCode => "new recovery codes",
    }
}

/// Returns day and time, UTC.
fn moment(seconds: u64) -> String {
    let of_day = seconds.rem_euclid(86_400);
    let (hour, minute) = (of_day.div_euclid(3600), of_day.rem_euclid(3600).div_euclid(60));
    format!("{} at {hour:02}:{minute:02} UTC", Day::of(seconds).words())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(content: MailWords<'_>) -> MailView<'_> {
        let (product, issuer, link) = ("Example & Sons", "https://id.example", "https://id.example/recovery?link=x");
        MailView { product, issuer, at: 1_798_675_199, link, content }
    }

    #[test]
    fn a_mail_has_the_link_in_both_forms_and_escapes_names() {
        let body = mail(&view(MailWords::PasswordReset { username: "<b>ada" })).unwrap();
        assert_eq!(body.subject.as_str(), "Choose a new password for Example & Sons");
        assert!(body.text.contains("<b>ada") && body.text.contains("\nhttps://id.example/recovery?link=x\n"));
        assert!(!body.html.contains("<b>ada") && body.html.contains("href=\"https://id.example/recovery?link=x\""));
        let notice = SecurityNotice::PasswordChanged;
        let body = mail(&view(MailWords::Notice(&notice))).unwrap();
        assert!(body.text.contains("30 December 2026 at 23:59 UTC"), "{}", body.text);
    }

    /// A name that a user chose stands in no header field.
    #[test]
    fn subjects_have_no_name_of_a_user_or_a_browser() {
        let browser = SecurityNotice::NewBrowser { browser: Some("mark".to_owned()) };
        for content in [
            MailWords::PasswordReset { username: "mark" },
            MailWords::AddressVerification { username: "mark" },
            MailWords::Notice(&browser),
        ] {
            let body = mail(&view(content)).unwrap();
            assert!(!body.subject.as_str().contains("mark") && body.text.contains("mark"), "{content:?}");
        }
        assert!(mail(&MailView { product: "a\r\nBcc: b", ..view(MailWords::AddressChanged) }).is_none());
    }
}
