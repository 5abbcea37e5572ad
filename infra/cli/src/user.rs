//! `latchkey user`: the users of a deployment.

use crate::args::{
    UserAddArgs, UserClaimArgs, UserCodeArgs, UserCommand, UserEndArgs, UserGrantsArgs, UserListArgs, UserPasswordArgs,
    UserWithdrawArgs, UsernameArgs,
};
use crate::clock;
use crate::deployment::{Deployment, encoded, segment};
use crate::failure::Failure;
use crate::import;
use crate::output::{Output, duration, table};
use crate::password;
use protocol::is_profile_claim;
use serde_json::{Map, Value, json};

pub(crate) fn run(command: &UserCommand, output: Output) -> Result<(), Failure> {
    match command {
        UserCommand::Add(args) => add(args, output),
        UserCommand::Import(args) => import::run(args, output),
        UserCommand::SetClaim(args) => set_claim(args, output),
        UserCommand::List(args) => list(args, output),
        UserCommand::Show(args) => show(args, output),
        UserCommand::Remove(args) => remove(args, output),
        UserCommand::SignOut(args) => sign_out(args, output),
        UserCommand::SetPassword(args) => set_password(args, output),
        UserCommand::SetUserCode(args) => set_user_code(args, output),
        UserCommand::Disable(args) => disable(args, output),
        UserCommand::Enable(args) => enable(args, output),
        UserCommand::Consents(args) => consents(args, output),
        UserCommand::Grants(args) => grants(args, output),
        UserCommand::Withdraw(args) => withdraw(args, output),
        UserCommand::SignInMethods(args) => sign_in_methods(args, output),
        UserCommand::RemoveSecondFactor(args) => {
            remove_method(args, "second-factor", "the authenticator app and the recovery codes", output)
        }
        UserCommand::RemovePasskeys(args) => remove_method(args, "passkeys", "all passkeys", output),
        UserCommand::Export(args) => export(args, output),
    }
}

fn path(username: &str) -> String {
    format!("users/{}", segment(username))
}

fn unknown(username: &str) -> Failure {
    Failure::new(format!("There is no user {username}.")).remedy("`latchkey user list` lists them.")
}

fn add(args: &UserAddArgs, output: Output) -> Result<(), Failure> {
    let deployment = Deployment::of(&args.deployment)?;
    let path = path(&args.username);
    let before = deployment.get(&path)?;
    let is_new = before.is_none();
    let mut user = Map::new();
    if is_new {
        user.extend([password::member(&args.username, "user add", args.import_hash)?]);
    }
    if let Some(subject) = &args.subject {
        user.insert("sub".to_owned(), json!(subject));
    }
    if !args.claims.is_empty() {
        let mut claims = before
            .and_then(|mut before| before.get_mut("claims").map(Value::take))
            .and_then(|claims| if let Value::Object(claims) = claims { Some(claims) } else { None })
            .unwrap_or_default();
        claims.remove("updated_at");
        claims.extend(assigned(&args.claims));
        user.insert("claims".to_owned(), Value::Object(claims));
    }
    let mut answer = deployment.put(&path, &Value::Object(user))?;
    if let Value::Object(members) = &mut answer {
        members.insert("created".to_owned(), json!(is_new));
    }
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    output.print(&answer, || {
        let name = text("username");
        if is_new {
            return format!("username  {name}\nsub       {}", text("sub"));
        }
        let claims = if args.claims.is_empty() { "unchanged" } else { "changed" };
        format!(
            "{name} was registered already: claims {claims}, password unchanged (`latchkey user set-password {name}` sets it)."
        )
    });
    Ok(())
}

fn set_claim(args: &UserClaimArgs, output: Output) -> Result<(), Failure> {
    let deployment = Deployment::of(&args.deployment)?;
    let path = path(&args.username);
    let mut before = deployment.get(&path)?.ok_or_else(|| unknown(&args.username))?;
    let mut claims = match before.get_mut("claims").map(Value::take) {
        Some(Value::Object(claims)) => claims,
        _ => Map::new(),
    };
    claims.remove("updated_at");
    for name in &args.remove {
        if claims.remove(name).is_none() {
            return Err(Failure::new(format!("{} has no claim {name}.", args.username)));
        }
    }
    claims.extend(assigned(&args.claims));
    let answer = deployment.put(&path, &json!({ "claims": claims }))?;
    output.print(&answer, || format!("{:#}", answer.get("claims").unwrap_or(&Value::Null)));
    Ok(())
}

/// Returns claims of a command line. The values of a claim that is there several times are a list.
fn assigned(pairs: &[(String, String)]) -> Map<String, Value> {
    let mut claims = Map::new();
    for (name, value) in pairs {
        let value = claim(name, value);
        match claims.get_mut(name) {
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = json!([first.take(), value]),
            None => {
                claims.insert(name.clone(), value);
            }
        }
    }
    claims
}

/// Returns the value of a claim: JSON for claims that are Booleans, numbers or objects, otherwise the text. A phone
/// number of digits stays a string.
fn claim(name: &str, value: &str) -> Value {
    let is_text = !matches!(name, "email_verified" | "phone_number_verified" | "updated_at" | "address");
    // A claim that the operator defined may be a list. The deployment reads other texts as its type.
    let is_list = !is_profile_claim(name) && value.starts_with('[');
    if is_text && !is_list { json!(value) } else { serde_json::from_str(value).unwrap_or_else(|_| json!(value)) }
}

fn list(args: &UserListArgs, output: Output) -> Result<(), Failure> {
    let deployment = Deployment::of(&args.deployment)?;
    let by = [("email", &args.email), ("external_id", &args.external_id)];
    let users = match by.into_iter().find_map(|(name, value)| value.as_ref().map(|value| (name, value))) {
        None => deployment.list_sorted("users", "username", output)?,
        Some((name, value)) => {
            let found = deployment.get(&format!("users?{name}={}", encoded(value)))?.unwrap_or_default();
            found.get("items").and_then(Value::as_array).cloned().unwrap_or_default()
        }
    };
    output.print(&json!(users), || {
        let text = |user: &Value, name: &str| user.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let rows: Vec<Vec<String>> = users.iter().map(|user| vec![text(user, "username"), text(user, "sub")]).collect();
        table(&["USERNAME", "SUBJECT"], &rows)
    });
    Ok(())
}

fn show(args: &UsernameArgs, output: Output) -> Result<(), Failure> {
    let user = Deployment::of(&args.deployment)?.get(&path(&args.username))?.ok_or_else(|| unknown(&args.username))?;
    output.print(&user, || format!("{user:#}"));
    Ok(())
}

fn remove(args: &UserEndArgs, output: Output) -> Result<(), Failure> {
    let UsernameArgs { username, deployment } = &args.user;
    let deployment = Deployment::of(deployment)?;
    let question = format!("Remove user {username} from {}? All sessions and grants end.", deployment.origin());
    output.confirm(&question, args.confirmation.yes)?;
    if deployment.delete(&path(username))?.is_none() {
        return Err(unknown(username));
    }
    output.print(&json!({ "removed": username }), || format!("{username} is removed."));
    Ok(())
}

fn sign_out(args: &UserEndArgs, output: Output) -> Result<(), Failure> {
    let UsernameArgs { username, deployment } = &args.user;
    let deployment = Deployment::of(deployment)?;
    let question = format!("End all sessions and grants of {username} at {}?", deployment.origin());
    output.confirm(&question, args.confirmation.yes)?;
    let ended = deployment.post(&format!("{}/sign-out", path(username)))?.ok_or_else(|| unknown(username))?;
    let count = |name: &str| ended.get(name).and_then(Value::as_u64).unwrap_or_default();
    output.print(&ended, || {
        format!("{username} is signed out: {} sessions and {} grants ended.", count("sessions"), count("grants"))
    });
    Ok(())
}

fn set_password(args: &UserPasswordArgs, output: Output) -> Result<(), Failure> {
    let UsernameArgs { username, deployment } = &args.user;
    let deployment = Deployment::of(deployment)?;
    let path = path(username);
    deployment.get(&path)?.ok_or_else(|| unknown(username))?;
    let keep = args.keep_sessions;
    let mut user = Map::from_iter([password::member(username, "user set-password", args.import_hash)?]);
    user.insert("keep_sessions".to_owned(), json!(keep));
    let answer = deployment.put(&path, &Value::Object(user))?;
    let count = |name: &str| answer.pointer(&format!("/ended/{name}")).and_then(Value::as_u64).unwrap_or_default();
    output.print(&json!({ "username": username, "ended": answer.get("ended") }), || {
        let ended = if keep {
            "Sessions and grants stay.".to_owned()
        } else {
            format!("{} sessions and {} grants ended.", count("sessions"), count("grants"))
        };
        format!("{username} has a new password. {ended}")
    });
    Ok(())
}

fn set_user_code(args: &UserCodeArgs, output: Output) -> Result<(), Failure> {
    let UsernameArgs { username, deployment } = &args.user;
    let deployment = Deployment::of(deployment)?;
    let path = path(username);
    deployment.get(&path)?.ok_or_else(|| unknown(username))?;
    let code = if args.remove { None } else { Some(password::user_code(username)?) };
    deployment.put(&path, &json!({ "user_code": code }))?;
    output.print(&json!({ "username": username, "has_user_code": code.is_some() }), || match code {
        Some(_) => format!("{username} has a new user code. A client must send it to ask {username}."),
        None => format!("{username} has no user code."),
    });
    Ok(())
}

fn disable(args: &UserEndArgs, output: Output) -> Result<(), Failure> {
    let UsernameArgs { username, deployment } = &args.user;
    let deployment = Deployment::of(deployment)?;
    let question = format!("Disable {username} at {}? All sessions and grants end.", deployment.origin());
    output.confirm(&question, args.confirmation.yes)?;
    set_disabled(&deployment, username, true, output)
}

fn enable(args: &UsernameArgs, output: Output) -> Result<(), Failure> {
    set_disabled(&Deployment::of(&args.deployment)?, &args.username, false, output)
}

fn set_disabled(deployment: &Deployment, username: &str, disabled: bool, output: Output) -> Result<(), Failure> {
    let path = path(username);
    deployment.get(&path)?.ok_or_else(|| unknown(username))?;
    let answer = deployment.put(&path, &json!({ "disabled": disabled }))?;
    output.print(&json!({ "username": username, "disabled": disabled, "ended": answer.get("ended") }), || {
        let status = if disabled { "is disabled: sessions and grants ended" } else { "can sign in" };
        format!("{username} {status}.")
    });
    Ok(())
}

fn consents(args: &UsernameArgs, output: Output) -> Result<(), Failure> {
    let listed = Deployment::of(&args.deployment)?.get(&format!("{}/consents", path(&args.username)))?;
    let listed = listed.ok_or_else(|| unknown(&args.username))?;
    let items = listed.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    output.print(&json!(items), || {
        let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let rows: Vec<Vec<String>> = items
            .iter()
            .map(|item| {
                let claims = [claims(item, "claims"), claims(item, "refused_claims")];
                let [released, refused] = claims.map(|claims| claims.join(", "));
                vec![text(item, "client_id"), text(item, "scope"), released, refused]
            })
            .collect();
        table(&["CLIENT", "SCOPE", "CLAIMS", "REFUSED CLAIMS"], &rows)
    });
    Ok(())
}

/// Returns the claims of a consent or a grant in a list of its members: each with what the client learns by it.
fn claims(item: &Value, member: &str) -> Vec<String> {
    let names = item.get(member).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let shown = |name: &str| match pages::claim_meaning(name) {
        Some(meaning) => format!("{name} ({meaning})"),
        None => name.to_owned(),
    };
    names.map(shown).collect()
}

fn grants(args: &UserGrantsArgs, output: Output) -> Result<(), Failure> {
    let username = &args.user.username;
    let listed = Deployment::of(&args.user.deployment)?.get(&format!("{}/grants", path(username)))?;
    let listed = listed.ok_or_else(|| unknown(username))?;
    let mut items = listed.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let stays = |item: &Value| item.get("outlives_session").and_then(Value::as_bool).unwrap_or_default();
    items.retain(|item| stays(item) || !args.outlives_session);
    let now = clock::now().as_secs();
    output.print(&json!(items), || {
        let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let seconds = |item: &Value, name: &str| item.get(name).and_then(Value::as_u64).unwrap_or_default();
        let row = |item: &Value| {
            let end = if stays(item) { "expiry or withdrawal" } else { "the browser session" };
            vec![
                text(item, "client_id"),
                text(item, "scope"),
                claims(item, "claims").join(", "),
                format!("{} ago", duration(now.saturating_sub(seconds(item, "used_at")))),
                format!("in {}", duration(seconds(item, "expires_at").saturating_sub(now))),
                end.to_owned(),
            ]
        };
        let rows: Vec<Vec<String>> = items.iter().map(row).collect();
        table(&["CLIENT", "SCOPE", "CLAIMS", "USED", "EXPIRES", "ENDS WITH"], &rows)
    });
    Ok(())
}

fn withdraw(args: &UserWithdrawArgs, output: Output) -> Result<(), Failure> {
    let UserWithdrawArgs { username, client_id, deployment, confirmation } = args;
    let deployment = Deployment::of(deployment)?;
    let question =
        format!("Withdraw the consent of {username} to {client_id} at {}? Its grants end.", deployment.origin());
    output.confirm(&question, confirmation.yes)?;
    let path = format!("{}/consents/{}", path(username), segment(client_id));
    let answer = deployment.delete(&path)?.ok_or_else(|| unknown(username))?;
    let grants = answer.get("grants").and_then(Value::as_u64).unwrap_or_default();
    output.print(&answer, || format!("{client_id} must ask {username} again: {grants} grants ended."));
    Ok(())
}

fn sign_in_methods(args: &UsernameArgs, output: Output) -> Result<(), Failure> {
    let found = Deployment::of(&args.deployment)?.get(&format!("{}/sign-in-methods", path(&args.username)))?;
    let found = found.ok_or_else(|| unknown(&args.username))?;
    output.print(&found, || {
        let day = |value: Option<&Value>| {
            let seconds = value.and_then(Value::as_u64);
            seconds.map_or_else(
                || "never".to_owned(),
                |at| format!("{} ago", duration(clock::now().as_secs().saturating_sub(at))),
            )
        };
        let passkeys = found.get("passkeys").and_then(Value::as_array).into_iter().flatten();
        let passkey = |item: &Value| {
            let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
            vec![format!("passkey {name}"), day(item.get("created_at")), day(item.get("last_used_on"))]
        };
        let app = found.get("authenticator_app").filter(|app| !app.is_null()).map(|app| {
            let left = app.get("recovery_codes_left").and_then(Value::as_u64).unwrap_or_default();
            vec![format!("authenticator app, {left} recovery codes left"), day(app.get("since")), String::new()]
        });
        let rows: Vec<Vec<String>> = passkeys.map(passkey).chain(app).collect();
        table(&["METHOD", "SINCE", "LAST USED"], &rows)
    });
    Ok(())
}

/// Removes sign-in methods of a user; `words` name them in the question.
fn remove_method(args: &UserEndArgs, below: &str, words: &str, output: Output) -> Result<(), Failure> {
    let UsernameArgs { username, deployment } = &args.user;
    let deployment = Deployment::of(deployment)?;
    let question = format!("Remove {words} of {username} at {}? All sessions and grants end.", deployment.origin());
    output.confirm(&question, args.confirmation.yes)?;
    let ended = deployment.delete(&format!("{}/{below}", path(username)))?.ok_or_else(|| unknown(username))?;
    let count = |name: &str| ended.get(name).and_then(Value::as_u64).unwrap_or_default();
    let (sessions, grants) = (count("sessions"), count("grants"));
    output.print(&ended, || format!("{words} of {username}: removed. {sessions} sessions and {grants} grants ended."));
    Ok(())
}

fn export(args: &UsernameArgs, output: Output) -> Result<(), Failure> {
    let found = Deployment::of(&args.deployment)?.get(&format!("{}/data", path(&args.username)))?;
    let found = found.ok_or_else(|| unknown(&args.username))?;
    output.print(&found, || format!("{found:#}"));
    Ok(())
}
