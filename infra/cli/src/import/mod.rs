//! `latchkey user import`: the users of another system, with the hashes of their passwords.

mod auth0;
mod firebase;
mod keycloak;
mod lines;
mod okta;

use crate::args::{ImportFormat, UserImportArgs};
use crate::deployment::{Deployment, segment};
use crate::failure::Failure;
use crate::output::Output;
use protocol::StoredHash;
use protocol::limits::Argon2Cost;
use serde_json::{Map, Value, json};
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Requests at the same time.
const AT_ONCE: usize = 8;

/// The most refused users whose problems are printed as text. JSON has all.
const SHOWN: usize = 20;

/// A user of an export.
#[derive(Debug, Default, PartialEq)]
struct ImportedUser {
    /// Name with which the user signs in.
    username: String,
    /// `sub`: the identifier in the other system.
    subject: Option<String>,
    claims: Map<String, Value>,
    /// The hash of the password ([`StoredHash`]).
    password_hash: Option<String>,
    disabled: bool,
}

/// A user that is not imported.
#[derive(Debug, PartialEq)]
struct Refused {
    /// The user, as far as the file names one.
    user: String,
    problem: String,
}

/// The outcome of an import.
#[derive(Debug, Default)]
struct Report {
    imported: usize,
    /// Users who were there before. They stay as they are.
    existed: usize,
    refused: Vec<Refused>,
    /// The greatest work of a hash.
    hash_work: u32,
}

impl ImportedUser {
    /// Returns what the deployment would refuse, as far as this machine can tell.
    fn problem(&self) -> Option<String> {
        if self.username.is_empty() {
            return Some("the user has no name to sign in with: choose another with --username".to_owned());
        }
        match &self.password_hash {
            None => Some(
                "the user has no hash of a password: `latchkey user add` registers the user with a new one".to_owned(),
            ),
            Some(hash) => {
                StoredHash::problem(hash, Argon2Cost::MOST.work()).map(|rule| format!("password_hash {rule}"))
            }
        }
    }

    /// Returns the document for the admin API.
    fn document(&self) -> Value {
        let mut document = json!({ "only_if_new": true, "claims": self.claims, "password_hash": self.password_hash });
        if let Some(members) = document.as_object_mut() {
            members.extend(self.subject.as_ref().map(|subject| ("sub".to_owned(), json!(subject))));
            members.extend(self.disabled.then(|| ("disabled".to_owned(), json!(true))));
        }
        document
    }

    fn refused(&self, problem: String) -> Refused {
        let name = if self.username.is_empty() { self.subject.as_deref() } else { Some(self.username.as_str()) };
        Refused { user: name.unwrap_or_default().to_owned(), problem }
    }
}

pub(crate) fn run(args: &UserImportArgs, output: Output) -> Result<(), Failure> {
    let text = read(args)?;
    let found = match args.from {
        ImportFormat::Lines => lines::read(&text),
        ImportFormat::Auth0 => auth0::read(&text, args.username),
        ImportFormat::Keycloak => keycloak::read(&text, args.username)?,
        ImportFormat::Firebase => firebase::read(&text, args)?,
        ImportFormat::Okta => okta::read(&text, args.username)?,
    };
    let mut report = Report::default();
    let mut users = Vec::new();
    for user in found {
        match user.and_then(|user| match user.problem() {
            Some(problem) => Err(user.refused(problem)),
            None => Ok(user),
        }) {
            Ok(user) => {
                let work = user.password_hash.as_deref().and_then(StoredHash::parse).map_or(0, |hash| hash.work());
                report.hash_work = report.hash_work.max(work);
                users.push(user);
            }
            Err(refused) => report.refused.push(refused),
        }
    }
    let total = users.len().saturating_add(report.refused.len());
    let mut stopped = None;
    if args.dry_run {
        report.imported = users.len();
    } else {
        let deployment = Deployment::of(&args.deployment)?;
        stopped = send(&deployment, &users, &mut report, output).err();
    }
    print(&report, total, args.dry_run, output);
    match stopped {
        Some(failure) => {
            Err(failure.remedy("Run the same command again: users who are there already stay as they are."))
        }
        None if report.refused.is_empty() => Ok(()),
        None => Err(Failure::new(format!("{} of {total} users were not imported.", report.refused.len()))
            .remedy("Correct them in the file, and run the same command again.")),
    }
}

fn read(args: &UserImportArgs) -> Result<String, Failure> {
    let file = args.file.display();
    let failed = |error: std::io::Error| Failure::new(format!("{file} cannot be read: {error}."));
    if args.file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(failed)?;
        return Ok(text);
    }
    std::fs::read_to_string(&args.file).map_err(failed)
}

/// Registers the users. A failure of the deployment stops the import; a user that it rejects does not.
fn send(deployment: &Deployment, users: &[ImportedUser], report: &mut Report, output: Output) -> Result<(), Failure> {
    let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (done, failed) = (Mutex::new(std::mem::take(report)), Mutex::new(None));
    let work = || {
        while let Some(user) = users.get(next.fetch_add(1, Ordering::Relaxed)) {
            if is_over.load(Ordering::Relaxed) {
                return;
            }
            let answer = deployment.offer(&format!("users/{}", segment(&user.username)), &user.document());
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            match answer {
                Ok(Ok(stored)) if stored.get("existed") == Some(&Value::Bool(true)) => {
                    done.existed = done.existed.saturating_add(1);
                }
                Ok(Ok(_)) => done.imported = done.imported.saturating_add(1),
                Ok(Err(problem)) => done.refused.push(user.refused(problem)),
                Err(failure) => {
                    is_over.store(true, Ordering::Relaxed);
                    failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
                    return;
                }
            }
            let settled = done.imported.saturating_add(done.existed);
            output.progress(&format!("{settled} of {} users", users.len()));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(users.len()) {
            scope.spawn(work);
        }
    });
    output.end_progress();
    *report = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

fn print(report: &Report, total: usize, is_dry_run: bool, output: Output) {
    let Report { imported, existed, refused, hash_work } = report;
    let needs_more = *hash_work > Argon2Cost::GENERATED.work();
    let list: Vec<Value> =
        refused.iter().map(|refused| json!({ "user": refused.user, "problem": refused.problem })).collect();
    let json = json!({
        "users": total, "imported": imported, "existed": existed, "refused": list, "dry_run": is_dry_run, "hash_work": hash_work,
    });
    output.print(&json, || {
        let mut text = match is_dry_run {
            true => format!("{imported} of {total} users can be imported. Nothing was sent."),
            false => format!("{imported} of {total} users were imported; {existed} were there already."),
        };
        if is_dry_run && needs_more {
            text.push_str(&format!(
                "\nTheir hashes need LATCHKEY_PASSWORD_HASH_WORK={hash_work} or more. Each failed sign-in takes as long as such a hash."
            ));
        }
        for Refused { user, problem } in refused.iter().take(SHOWN) {
            text.push_str(&format!("\n{user}: {problem}"));
        }
        if let Some(more @ 1..) = refused.len().checked_sub(SHOWN) {
            text.push_str(&format!("\n… and {more} more; --json has all."));
        }
        text
    });
}

/// Returns the member of an object as text; `None` if it is missing, empty or no text.
fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Adds claims whose members an object has. `names` has the member of the object and the claim.
fn add_claims(claims: &mut Map<String, Value>, object: &Value, names: &[(&str, &str)]) {
    for (member, claim) in names {
        if let Some(text) = text(object, member) {
            claims.insert((*claim).to_owned(), json!(text));
        }
    }
}

/// Adds a Boolean claim, if the object has it.
fn add_mark(claims: &mut Map<String, Value>, object: &Value, (member, claim): (&str, &str)) {
    if let Some(mark) = object.get(member).and_then(Value::as_bool) {
        claims.insert(claim.to_owned(), json!(mark));
    }
}

/// Parses a file that is one JSON document.
fn document(text: &str, what: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| {
        Failure::new(format!(
            "The file is not {what}: the JSON ends or breaks in line {}, column {}.",
            error.line(),
            error.column()
        ))
    })
}
