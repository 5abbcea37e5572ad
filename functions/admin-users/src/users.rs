//! The users of the admin API: read, register, change, remove. Credentials are written, never read.

use crate::new_password;
use http::StatusCode;
use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::{EmailAddress, ExternalId, Problem, StoredHash, Username, is_profile_claim};
use provider::administration::{listing, not_found, problem};
use provider::{Actor, AuditEvent, Context, HandlerError, RequestParameters, names, sessions, user_data};
use serde_json::{Map, Value, json};
use storage::users::{self, Credential, User};
use storage::{account, consents, directory, sign_out};
use types::{ClientId, Subject, Timestamp};

/// Lists the users, or those with an e-mail address or an external id.
pub(crate) async fn list(request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let records = &*context.records;
    let parameters = request.parameters()?;
    let found = match (parameters.value("email"), parameters.value("external_id")) {
        (None, None) => None,
        (Some(email), _) => match EmailAddress::parse(email) {
            Some(address) => Some(users::find_by_email(records, &address).await?),
            None => {
                let wrong = Problem::new("email", EmailAddress::RULE);
                return Ok(problem(request, StatusCode::BAD_REQUEST, &[wrong]));
            }
        },
        (None, Some(id)) => match ExternalId::parse(id) {
            Some(id) => Some(users::find_by_external_id(records, &id).await?),
            None => {
                let wrong = Problem::new("external_id", ExternalId::RULE);
                return Ok(problem(request, StatusCode::BAD_REQUEST, &[wrong]));
            }
        },
    };
    if let Some(found) = found {
        let items = found.iter().map(|user| json!({ "username": user.username, "sub": user.subject }));
        return Ok(Response::json(StatusCode::OK, &json!({ "items": items.collect::<Vec<_>>() })));
    }
    let cursor = listing::cursor(request);
    let page = directory::list(&*context.records, cursor.as_ref(), listing::PAGE).await?;
    let items: Vec<Value> = page.items.iter().map(|entry| json!(entry)).collect();
    Ok(listing::page(&items, &page.unreadable, page.next, request))
}

pub(crate) async fn get(username: &str, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let Some(entry) = entry(username, context).await? else { return Ok(not_found(request)) };
    Ok(match users::find(&*context.records, &entry.subject).await? {
        Some(user) => Response::json(StatusCode::OK, &shown(&user)),
        None => not_found(request),
    })
}

/// Finds the directory entry of a user; `None` also if no user can have the name.
pub(crate) async fn entry(username: &str, context: &Context) -> Result<Option<directory::Entry>, HandlerError> {
    let Some(username) = names::username(username) else { return Ok(None) };
    Ok(directory::find(&*context.records, &username).await?)
}

/// Registers or changes a user. `claims` (OpenID Connect Core §5.1, and those that the operator defined) replaces all claims,
/// `password` the password, which must keep the rules of the deployment. `password_hash` is for imports ([`StoredHash`]): no rule can
/// be applied to it. With `only_if_new` a registered user stays as stored. A member that is omitted stays. `sub` can be chosen for a new user. A new password ends all sessions
/// and grants of the user, unless `keep_sessions` is true: an attacker may know the old one. A user with `disabled` cannot sign in;
/// the sessions and grants end. `user_code` is the code without which no client may ask the user (CIBA Core §7.1); `null` removes it. `external_id` names
/// the user in another directory; `null` removes it.
pub(crate) async fn put(
    username: &str,
    mut body: Map<String, Value>,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    let now = request.received_at;
    let mut problems = Vec::new();
    let Some(username) = names::username(username) else {
        return Ok(problem(request, StatusCode::BAD_REQUEST, &[Problem::new("username", Username::RULE)]));
    };
    if body.remove("username").is_some_and(|sent| sent.as_str().and_then(names::username).as_ref() != Some(&username)) {
        problems.push(Problem::new("username", "is not the one in the path"));
    }
    let subject = text(&mut body, "sub", &mut problems);
    let subject = subject.and_then(|sub| {
        let is_usable = sub.bytes().all(|byte| byte.is_ascii_graphic()) && !protocol::is_reserved(&sub);
        let subject = Subject::parse(&sub).filter(|_| is_usable);
        if subject.is_none() {
            let rule =
                format!("must be 1 to {} visible ASCII characters, not beginning with workload:", Subject::MAX_LENGTH);
            problems.push(Problem::new("sub", rule));
        }
        subject
    });
    let password = text(&mut body, "password", &mut problems);
    let imported = text(&mut body, "password_hash", &mut problems);
    let most = context.config.passwords.hash_work;
    if let Some(rule) = imported.as_deref().and_then(|hash| StoredHash::problem(hash, most)) {
        problems.push(Problem::new("password_hash", rule));
    }
    if password.is_some() && imported.is_some() {
        problems.push(Problem::new("password_hash", "is for imports: send it or password, not both"));
    }
    let keep_sessions = mark(&mut body, "keep_sessions", &mut problems).unwrap_or(false);
    let only_if_new = mark(&mut body, "only_if_new", &mut problems).unwrap_or(false);
    let disabled = mark(&mut body, "disabled", &mut problems);
    let user_code = match body.remove("user_code") {
        None => None,
        Some(Value::Null) => Some(None),
        Some(Value::String(code)) => Some(Some(code)),
        Some(_) => {
            problems.push(Problem::new("user_code", "must be a string or null"));
            None
        }
    };
    let external_id = match body.remove("external_id") {
        None => None,
        Some(Value::Null) => Some(None),
        Some(sent) => {
            let id = sent.as_str().and_then(ExternalId::parse);
            if id.is_none() {
                problems.push(Problem::new("external_id", format!("{}, or null", ExternalId::RULE)));
            }
            id.map(|id| Some(id.as_str().to_owned()))
        }
    };
    let claims = match body.remove("claims") {
        None => None,
        Some(Value::Object(claims)) => match checked_claims(claims, now, context).await? {
            Ok(claims) => Some(claims),
            Err(found) => {
                problems.extend(found);
                None
            }
        },
        Some(_) => {
            problems.push(Problem::new("claims", "must be an object"));
            None
        }
    };
    let unknown = "there is no such member; claims go into claims";
    problems.extend(body.keys().map(|name| Problem::new(name.clone(), unknown)));
    if !problems.is_empty() {
        return Ok(problem(request, StatusCode::BAD_REQUEST, &problems));
    }

    let records = &*context.records;
    let known = match directory::find(records, &username).await? {
        Some(entry) => Some(entry.subject),
        None => None,
    };
    if let (Some(known), Some(asked)) = (&known, &subject)
        && known != asked
    {
        return Ok(problem(request, StatusCode::BAD_REQUEST, &[Problem::new("sub", "cannot be changed")]));
    }
    let subject = match known.clone().or(subject) {
        Some(subject) => subject,
        None => Subject::try_from(entropy::name()?).map_err(HandlerError::unavailable)?,
    };
    let before = users::find(records, &subject).await?;
    if before.as_ref().is_some_and(|user| user.username != username.as_str()) {
        return Ok(problem(request, StatusCode::BAD_REQUEST, &[Problem::new("sub", "belongs to another user")]));
    }
    if before.is_none() && password.is_none() && imported.is_none() {
        let missing = Problem::new("password", "is missing: a new user needs one");
        return Ok(problem(request, StatusCode::BAD_REQUEST, &[missing]));
    }
    if let Some(user) = before.as_ref().filter(|_| only_if_new) {
        return keep(user, &username, imported, context).await;
    }
    let is_new = before.is_none();
    let was_disabled = before.as_ref().is_some_and(|user| user.disabled);
    let disabled = disabled.unwrap_or(was_disabled);
    let code_before = before.as_ref().and_then(|user| user.user_code.clone());
    let external_id = external_id.unwrap_or_else(|| before.as_ref().and_then(|user| user.external_id.clone()));
    let mut claims = claims.or(before.map(|user| user.claims)).unwrap_or_default();
    let hash = match password {
        None => imported,
        Some(sent) => match new_password::hash(sent, &username, &claims, context).await? {
            Ok(hash) => Some(hash),
            Err(rule) => return Ok(problem(request, StatusCode::BAD_REQUEST, &[rule])),
        },
    };
    let user_code = match user_code {
        None => code_before,
        Some(None) => None,
        Some(Some(sent)) => match new_password::hash_user_code(sent, &username, context).await? {
            Ok(hash) => Some(hash),
            Err(rule) => return Ok(problem(request, StatusCode::BAD_REQUEST, &[rule])),
        },
    };

    // The directory entry comes first: of two requests with the same sign-in name it decides the subject.
    let subject = directory::enter(records, &username, &subject).await?.subject;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    claims.entry("updated_at").or_insert_with(|| json!(now.as_secs()));
    let user = User { disabled, user_code, external_id, ..User::new(subject.clone(), username.to_string(), claims) };
    let revoked_before = users::save(records, &user, now).await?;
    let is_new_password = hash.is_some() && status == StatusCode::OK;
    match hash {
        Some(password) => {
            let name = Some(user.display_name().to_owned());
            let credential = Credential { disabled, revoked_before, ..Credential::new(subject, password, name) };
            users::save_credential(records, &username, &credential).await?;
        }
        None => users::save_profile(records, &username, &user).await?,
    }
    let event = match status {
        StatusCode::CREATED => AuditEvent::UserCreated { subject: &user.subject },
        _ => AuditEvent::UserChanged { subject: &user.subject },
    };
    event.record(request);
    let mut document = shown(&user);
    if is_new_password && !keep_sessions || disabled && !was_disabled && !is_new {
        let ended = end_all(&user.subject, now, context).await?;
        AuditEvent::SignedOutEverywhere { subject: &user.subject, actor: Actor::Administrator }.record(request);
        if let Some(members) = document.as_object_mut() {
            members.insert("ended".to_owned(), numbers(ended));
        }
    }
    Ok(Response::json(status, &document))
}

pub(crate) fn numbers(ended: sign_out::Ended) -> Value {
    let mut numbers = json!({ "sessions": ended.sessions, "grants": ended.grants });
    if ended.unfinished
        && let Some(members) = numbers.as_object_mut()
    {
        members.insert("unfinished".to_owned(), Value::Bool(true));
    }
    numbers
}

/// Returns the consents of a user: the clients, and the scope of each.
pub(crate) async fn consents(username: &str, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let records = &*context.records;
    let Some(entry) = entry(username, context).await? else { return Ok(not_found(request)) };
    Ok(Response::json(StatusCode::OK, &json!({ "items": consents::of_user(records, &entry.subject).await? })))
}

/// Returns all that is stored about a user.
pub(crate) async fn export(username: &str, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let (records, now) = (&*context.records, request.received_at);
    let Some(entry) = entry(username, context).await? else { return Ok(not_found(request)) };
    let (account, user) =
        futures::join!(account::read(records, &entry.subject, now), users::find(records, &entry.subject));
    let (account, Some(user)) = (account?, user?) else { return Ok(not_found(request)) };
    AuditEvent::DataDownloaded { subject: &entry.subject, actor: Actor::Administrator }.record(request);
    Ok(Response::json(StatusCode::OK, &user_data::export(&user, &account, now)))
}

/// Returns the live grants of a user, with those that outlive the session of their sign-in.
pub(crate) async fn grants(username: &str, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let Some(entry) = entry(username, context).await? else { return Ok(not_found(request)) };
    let items = storage::grants::of_user(&*context.records, &entry.subject, request.received_at).await?;
    Ok(Response::json(StatusCode::OK, &json!({ "items": items })))
}

/// Withdraws the consent of a user to a client, and ends the client's grants: its refresh tokens are rejected at once, and
/// the next request asks the user again.
pub(crate) async fn withdraw(
    username: &str,
    client_id: &str,
    request: &Request,
    context: &Context,
) -> Result<Response, HandlerError> {
    let entry = entry(username, context).await?;
    let (Some(entry), Some(client_id)) = (entry, ClientId::parse(client_id)) else { return Ok(not_found(request)) };
    let ended = sessions::withdraw(context, &entry.subject, &client_id, request.received_at).await?;
    let actor = Actor::Administrator;
    AuditEvent::ConsentWithdrawn { subject: &entry.subject, client: &client_id, actor }.record(request);
    Ok(Response::json(StatusCode::OK, &json!({ "grants": ended.grants })))
}

/// Ends all sessions and grants of a user.
pub(crate) async fn sign_out(username: &str, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let now = request.received_at;
    let Some(entry) = entry(username, context).await? else { return Ok(not_found(request)) };
    let ended = end_all(&entry.subject, now, context).await?;
    AuditEvent::SignedOutEverywhere { subject: &entry.subject, actor: Actor::Administrator }.record(request);
    Ok(Response::json(StatusCode::OK, &numbers(ended)))
}

/// Ends all sessions and grants of a user, and notifies the clients that registered for it.
pub(crate) async fn end_all(
    subject: &Subject,
    now: Timestamp,
    context: &Context,
) -> Result<sign_out::Ended, HandlerError> {
    let (ended, notifications) = sessions::end_everywhere(context, subject, now).await?;
    notifications.send(context, now).await;
    Ok(ended)
}

pub(crate) async fn delete(username: &str, request: &Request, context: &Context) -> Result<Response, HandlerError> {
    let now = request.received_at;
    let records = &*context.records;
    let Some(username) = &names::username(username) else { return Ok(not_found(request)) };
    let Some(subject) = directory::find_for_deletion(records, username).await? else { return Ok(not_found(request)) };
    // The credential is removed first, the directory entry last, so that an interrupted removal can be repeated.
    users::remove_credential(records, username).await?;
    if let Some(subject) = subject {
        sessions::erase(context, &subject, now).await?;
        AuditEvent::UserDeleted { subject: &subject, actor: Actor::Administrator }.record(request);
    }
    directory::remove(records, username).await?;
    Ok(Response::new(StatusCode::NO_CONTENT))
}

fn shown(user: &User) -> Value {
    let mut shown = json!({ "username": user.username, "sub": user.subject, "claims": user.claims });
    if let Some(members) = shown.as_object_mut() {
        members.extend(user.external_id.iter().map(|id| ("external_id".to_owned(), json!(id))));
        let marks = [("disabled", user.disabled), ("has_user_code", user.user_code.is_some())];
        let marks = marks.into_iter().filter(|(_, is_set)| *is_set);
        members.extend(marks.map(|(name, is_set)| (name.to_owned(), Value::Bool(is_set))));
    }
    shown
}

/// Keeps a registered user as stored. An import that was interrupted may have left the user without a credential: the hash completes
/// it. Returns the user with `existed`.
async fn keep(
    user: &User,
    username: &Username,
    imported: Option<String>,
    context: &Context,
) -> Result<Response, HandlerError> {
    if let Some(password) = imported {
        let name = Some(user.display_name().to_owned());
        let (subject, disabled, revoked_before) = (user.subject.clone(), user.disabled, user.revoked_before);
        let credential = Credential { disabled, revoked_before, ..Credential::new(subject, password, name) };
        users::create_credential(&*context.records, username, &credential).await?;
    }
    let mut document = shown(user);
    if let Some(members) = document.as_object_mut() {
        members.insert("existed".to_owned(), Value::Bool(true));
    }
    Ok(Response::json(StatusCode::OK, &document))
}

fn mark(body: &mut Map<String, Value>, name: &str, problems: &mut Vec<Problem>) -> Option<bool> {
    match body.remove(name)? {
        Value::Bool(mark) => Some(mark),
        _ => {
            problems.push(Problem::new(name.to_owned(), "must be true or false"));
            None
        }
    }
}

fn text(body: &mut Map<String, Value>, name: &str, problems: &mut Vec<Problem>) -> Option<String> {
    match body.remove(name) {
        None => None,
        Some(Value::String(text)) => Some(text),
        Some(_) => {
            problems.push(Problem::new(name.to_owned(), "must be a string"));
            None
        }
    }
}

/// Returns the claims of a user, each of its type. Errors: every problem. Round trips: 1 if the operator must have defined one.
async fn checked_claims(
    mut claims: Map<String, Value>,
    now: Timestamp,
    context: &Context,
) -> Result<Result<Map<String, Value>, Vec<Problem>>, HandlerError> {
    let mut problems: Vec<Problem> = claims.iter().filter_map(|(claim, value)| claim_problem(claim, value)).collect();
    if claims.keys().any(|claim| !is_profile_claim(claim)) {
        let configuration = context.current_configuration(now).await?;
        for (claim, value) in claims.iter_mut().filter(|(claim, _)| !is_profile_claim(claim)) {
            match configuration.claims.read(claim, value.take()) {
                Ok(read) => *value = read,
                Err(rule) => problems.push(Problem::new(format!("claims.{claim}"), rule)),
            }
        }
    }
    Ok(if problems.is_empty() { Ok(claims) } else { Err(problems) })
}

/// Types of standard claims: OpenID Connect Core §5.1.
fn claim_problem(claim: &str, value: &Value) -> Option<Problem> {
    let field = || format!("claims.{claim}");
    if !is_profile_claim(claim) {
        return None;
    }
    let (is_right, wanted) = match claim {
        "email_verified" | "phone_number_verified" => (value.is_boolean(), "true or false"),
        "updated_at" => (value.is_u64(), "a number of seconds since 1970"),
        "address" => {
            (value.as_object().is_some_and(|address| address.values().all(Value::is_string)), "an object of strings")
        }
        "email" => match value.as_str() {
            Some(address) if EmailAddress::parse(address).is_none() => {
                return Some(Problem::new(field(), EmailAddress::RULE));
            }
            address => (address.is_some(), "a string"),
        },
        _ => (value.is_string(), "a string"),
    };
    (!is_right).then(|| Problem::new(field(), format!("must be {wanted}")))
}
