//! The export of Firebase Authentication: `firebase auth:export users.json`. The parameters of the hash are in its console.

use super::{ImportedUser, Refused, add_claims, add_mark, document, text};
use crate::args::UserImportArgs;
use crate::failure::Failure;
use serde_json::{Map, Value};

pub(super) fn read(export: &str, args: &UserImportArgs) -> Result<Vec<Result<ImportedUser, Refused>>, Failure> {
    let Some(signer_key) = &args.firebase_signer_key else {
        return Err(Failure::new("The hashes of Firebase need the parameters of the project.").remedy(
            "Copy them from Authentication, Users, Password Hash Parameters: --firebase-signer-key, and the others if they differ.",
        ));
    };
    let users = document(export, "an export of Firebase")?;
    let users = users.get("users").and_then(Value::as_array).ok_or_else(|| {
        Failure::new("The file has no list users.").remedy("Export it as JSON: firebase auth:export users.json")
    })?;
    let parameters = format!(
        "ln={},r={},sep={},key={}",
        args.firebase_mem_cost,
        args.firebase_rounds,
        standard(&args.firebase_salt_separator),
        standard(signer_key)
    );
    Ok(users.iter().map(|entry| Ok(user(entry, &parameters, args))).collect())
}

fn user(entry: &Value, parameters: &str, args: &UserImportArgs) -> ImportedUser {
    let mut claims = Map::new();
    let names = [("email", "email"), ("displayName", "name"), ("photoUrl", "picture"), ("phoneNumber", "phone_number")];
    add_claims(&mut claims, entry, &names);
    add_mark(&mut claims, entry, ("emailVerified", "email_verified"));
    let subject = text(entry, "localId").map(str::to_owned);
    let username = args.username.of(None, text(entry, "email"), subject.as_deref());
    let password_hash = text(entry, "passwordHash")
        .zip(text(entry, "salt"))
        .map(|(hash, salt)| format!("$firebase-scrypt${parameters}${}${}", standard(salt), standard(hash)));
    let disabled = entry.get("disabled").and_then(Value::as_bool).unwrap_or(false);
    ImportedUser { username, subject, claims, password_hash, disabled }
}

/// Returns base64 in its standard alphabet. Exports have that of URLs.
fn standard(text: &str) -> String {
    text.replace('-', "+").replace('_', "/")
}
