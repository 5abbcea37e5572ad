//! Users as the API of Okta describes them: a list, or one user on each line. `credentials.password.hash` has the hash, as in Okta's own import.

use super::{ImportedUser, Refused, add_claims, document, lines, text};
use crate::args::ImportName;
use crate::failure::Failure;
use serde_json::{Map, Value};

pub(super) fn read(export: &str, name: ImportName) -> Result<Vec<Result<ImportedUser, Refused>>, Failure> {
    if export.trim_start().starts_with('[') {
        let users = document(export, "a list of users")?;
        return Ok(users.as_array().into_iter().flatten().map(|entry| Ok(user(entry, name))).collect());
    }
    let lines = export.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let users = lines.map(|(index, line)| match serde_json::from_str::<Value>(line) {
        Ok(entry) if entry.is_object() => Ok(user(&entry, name)),
        _ => Err(lines::refused(index, "is not a JSON object")),
    });
    Ok(users.collect())
}

fn user(entry: &Value, name: ImportName) -> ImportedUser {
    let profile = entry.get("profile").unwrap_or(&Value::Null);
    let mut claims = Map::new();
    add_claims(
        &mut claims,
        profile,
        &[
            ("email", "email"),
            ("displayName", "name"),
            ("firstName", "given_name"),
            ("lastName", "family_name"),
            ("middleName", "middle_name"),
            ("nickName", "nickname"),
            ("primaryPhone", "phone_number"),
        ],
    );
    let subject = text(entry, "id").map(str::to_owned);
    let username = name.of(text(profile, "login"), text(profile, "email"), subject.as_deref());
    let hash = entry.get("credentials").and_then(|credentials| credentials.get("password")?.get("hash"));
    let disabled = matches!(text(entry, "status"), Some("SUSPENDED" | "DEPROVISIONED"));
    ImportedUser { username, subject, claims, password_hash: hash.and_then(password_hash), disabled }
}

/// Returns the hash of Okta's form: BCRYPT or PBKDF2.
fn password_hash(hash: &Value) -> Option<String> {
    let (salt, value) = (text(hash, "salt")?, text(hash, "value")?);
    match text(hash, "algorithm")? {
        "BCRYPT" => {
            let cost = hash.get("workFactor").or_else(|| hash.get("workerFactor")).and_then(Value::as_u64)?;
            Some(format!("$2b${cost:02}${salt}{value}"))
        }
        "PBKDF2" => {
            let digest = match text(hash, "digestAlgorithm")? {
                "SHA256_HMAC" => "sha256",
                "SHA512_HMAC" => "sha512",
                _ => return None,
            };
            let iterations = hash.get("iterationCount").and_then(Value::as_u64)?;
            Some(format!("$pbkdf2-{digest}$i={iterations}${salt}${value}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_forms_of_a_hash_are_read() {
        let with = |hash: Value| {
            let user = json!({
                "id": "00u1", "status": "ACTIVE", "profile": { "login": "ada@example.com", "email": "ada@example.com", "firstName": "Ada" },
                "credentials": { "password": { "hash": hash } },
            });
            let [user] = read(&user.to_string(), ImportName::Auto).unwrap().try_into().unwrap();
            user.unwrap()
        };
        let bcrypt = with(json!({
            "algorithm": "BCRYPT", "workFactor": 10, "salt": "rwh3vH166HCH/NT9XV5FYu", "value": "qaMqvAPULkbiQzkTCWo5XDcvzpk8Tna",
        }));
        let (problem, hash) = (bcrypt.problem(), bcrypt.password_hash.unwrap());
        assert_eq!((problem, hash.as_str()), (None, "$2b$10$rwh3vH166HCH/NT9XV5FYuqaMqvAPULkbiQzkTCWo5XDcvzpk8Tna"));
        assert_eq!((bcrypt.username.as_str(), bcrypt.subject.as_deref()), ("ada@example.com", Some("00u1")));
        let pbkdf2 = with(json!({
            "algorithm": "PBKDF2", "digestAlgorithm": "SHA256_HMAC", "iterationCount": 10000, "salt": "c2FsdHNhbHRzYWx0c2FsdA==",
            "value": "aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g=",
        }));
        assert_eq!(pbkdf2.problem(), None);
        assert!(with(json!({ "algorithm": "MD5", "salt": "x", "value": "y" })).problem().is_some());
    }
}
