//! The message of a mail: recipient, link and words.

use pages::{MailView, MailWords};
use protocol::mail::{Mail, MailContent, Message, SecurityNotice};
use protocol::rate_limit::Quota;
use protocol::{AuthenticationMethod, EmailAddress};
use provider::mail::{MailLink, MailLinkTarget};
use provider::rate_limiter::QuotaCounter;
use provider::{Context, HandlerError, names};
use std::time::Duration;
use storage::directory;
use storage::users::{self, User};
use types::{Jti, Timestamp};

/// The path of the pages of links that need no session.
const RECOVERY: &str = "/recovery";

/// The path of the page that confirms an address, for a user who is signed in.
const ADDRESS: &str = "/account/email";

/// A recipient and the act of the link.
struct Draft<'a> {
    user: &'a User,
    to: EmailAddress,
    target: MailLinkTarget,
    lifetime: Duration,
    path: &'a str,
    words: MailWords<'a>,
}

/// The most users with one address who get a mail.
const MOST_USERS: usize = 5;

/// Returns the messages of a mail: one for each user. None if there is no such user, the user has no verified address, or the address got
/// enough mails of this kind. Round trips: 1 to 4.
pub(crate) async fn messages(
    mail: &Mail,
    is_first: bool,
    now: Timestamp,
    context: &Context,
) -> Result<Vec<Message>, HandlerError> {
    let records = context.records.as_ref();
    let mut found = match &mail.content {
        MailContent::PasswordReset { identifier, .. } => find(identifier, context).await?,
        MailContent::AddressVerification { subject, .. }
        | MailContent::AddressChanged { subject, .. }
        | MailContent::Notice { subject, .. } => users::find(records, subject).await?.into_iter().collect(),
    };
    found.retain(|user| !user.disabled);
    let drafts: Vec<_> = found.iter().filter_map(|user| draft(mail, user)).take(MOST_USERS).collect();
    let Some(first) = drafts.first() else { return Ok(Vec::new()) };
    if is_first && !is_within_quota(mail, &first.to, now, context).await? {
        return Ok(Vec::new());
    }
    let messages = drafts.into_iter().enumerate();
    let messages = messages.map(|(number, draft)| message(mail, number, draft, now, context));
    Ok(messages.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// Returns the message for the user with this number.
fn message(
    mail: &Mail,
    number: usize,
    draft: Draft<'_>,
    now: Timestamp,
    context: &Context,
) -> Result<Option<Message>, HandlerError> {
    let Some(policy) = &context.config.mail else { return Ok(None) };
    let id = match number {
        0 => mail.id.clone(),
        number => Jti::parse(&format!("{}-{number}", mail.id.as_str())).unwrap_or_else(|| mail.id.clone()),
    };
    let Draft { user, to, target, lifetime, path, words } = draft;
    // The act may be in the future of this clock.
    let link = MailLink::new(context, &user.subject, user.revoked_before, target, lifetime, now.max(mail.at))?;
    let view = MailView {
        product: policy.name.as_str(),
        issuer: context.config.issuer.as_str(),
        at: mail.at.as_secs(),
        link: &link.url(context, path)?,
        content: words,
    };
    let body = pages::mail(&view)
        .ok_or_else(|| HandlerError::unavailable("a subject has a character that it may not have"))?;
    let kind = mail.content.kind();
    Ok(Some(Message { id, kind, from: policy.from.clone(), name: policy.name.clone(), to, body }))
}

fn draft<'a>(mail: &'a Mail, user: &'a User) -> Option<Draft<'a>> {
    Some(match &mail.content {
        MailContent::PasswordReset { .. } => {
            let to = user.verified_email()?;
            Draft {
                user,
                target: MailLinkTarget::PasswordReset { address: to.clone() },
                to,
                lifetime: MailContent::RESET_LINK,
                path: RECOVERY,
                words: MailWords::PasswordReset { username: &user.username },
            }
        }
        MailContent::AddressVerification { address, .. } => Draft {
            user,
            to: address.clone(),
            target: MailLinkTarget::AddressVerification { address: address.clone(), current: user.email() },
            lifetime: MailContent::VERIFICATION_LINK,
            path: ADDRESS,
            words: MailWords::AddressVerification { username: &user.username },
        },
        MailContent::AddressChanged { old, .. } => Draft {
            user,
            to: old.clone(),
            target: MailLinkTarget::AddressChanged { at: mail.at },
            lifetime: MailContent::NOTICE_LINK,
            path: RECOVERY,
            words: MailWords::AddressChanged,
        },
        MailContent::Notice { notice, .. } => {
            let to = user.verified_email()?;
            let adds_app = *notice == SecurityNotice::MethodAdded { method: AuthenticationMethod::Totp };
            let added_app_at = adds_app.then_some(mail.at);
            Draft {
                user,
                target: MailLinkTarget::NotMe { address: to.clone(), added_app_at },
                to,
                lifetime: MailContent::NOTICE_LINK,
                path: RECOVERY,
                words: MailWords::Notice(notice),
            }
        }
    })
}

/// Finds the users with this user name or address: a user name may look like an address. Round trips: 1 to 2.
async fn find(identifier: &str, context: &Context) -> Result<Vec<User>, HandlerError> {
    let records = context.records.as_ref();
    let by_name = async {
        let Some(username) = names::username(identifier) else { return Ok(None) };
        match directory::find(records, &username).await? {
            Some(entry) => users::find(records, &entry.subject).await,
            None => Ok(None),
        }
    };
    let by_address = async {
        match EmailAddress::parse(identifier) {
            Some(address) => users::find_by_email(records, &address).await,
            None => Ok(Vec::new()),
        }
    };
    let (named, addressed) = futures::join!(by_name, by_address);
    let named = named?;
    let others = addressed?.into_iter().filter(|user| named.as_ref().is_none_or(|named| named.subject != user.subject));
    Ok(named.iter().cloned().chain(others).collect())
}

/// Counts a mail that anyone can cause. Notices are not counted: an attacker could silence them. Round trips: 0 to 1.
async fn is_within_quota(
    mail: &Mail,
    to: &EmailAddress,
    now: Timestamp,
    context: &Context,
) -> Result<bool, HandlerError> {
    match &mail.content {
        MailContent::PasswordReset { is_counted: true, .. } | MailContent::AddressVerification { .. } => {
            let names = [mail.content.kind(), &to.lower_cased()];
            let counter = QuotaCounter::new(context, now, Quota::MAILS_TO_ADDRESS, "mails", &names);
            Ok(counter.add().await?.exceeded.is_none())
        }
        MailContent::PasswordReset { .. } | MailContent::AddressChanged { .. } | MailContent::Notice { .. } => Ok(true),
    }
}
