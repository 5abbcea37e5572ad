//! The export of a realm of Keycloak: a document with `users`, or with one of its parts.

use super::{ImportedUser, Refused, add_claims, add_mark, document, text};
use crate::args::ImportName;
use crate::failure::Failure;
use serde_json::{Map, Value, json};

pub(super) fn read(export: &str, name: ImportName) -> Result<Vec<Result<ImportedUser, Refused>>, Failure> {
    let realm = document(export, "the export of a realm")?;
    let users = realm.get("users").and_then(Value::as_array).ok_or_else(|| {
        Failure::new("The file has no list users.")
            .remedy("Export the realm with its users: kc.sh export --realm NAME --users realm_file")
    })?;
    Ok(users.iter().map(|entry| Ok(user(entry, name))).collect())
}

fn user(entry: &Value, name: ImportName) -> ImportedUser {
    let mut claims = Map::new();
    add_claims(&mut claims, entry, &[("email", "email"), ("firstName", "given_name"), ("lastName", "family_name")]);
    add_mark(&mut claims, entry, ("emailVerified", "email_verified"));
    let full: Vec<&str> = ["firstName", "lastName"].iter().filter_map(|name| text(entry, name)).collect();
    if !full.is_empty() {
        claims.insert("name".to_owned(), json!(full.join(" ")));
    }
    let subject = text(entry, "id").map(str::to_owned);
    let username = name.of(text(entry, "username"), text(entry, "email"), subject.as_deref());
    let credentials = entry.get("credentials").and_then(Value::as_array).into_iter().flatten();
    let password_hash = credentials.filter(|credential| text(credential, "type") == Some("password")).find_map(hash);
    let disabled = entry.get("enabled").and_then(Value::as_bool) == Some(false);
    ImportedUser { username, subject, claims, password_hash, disabled }
}

/// Returns the hash of a credential. Secret and parameters are JSON within JSON.
fn hash(credential: &Value) -> Option<String> {
    let part = |name: &str| serde_json::from_str::<Value>(text(credential, name)?).ok();
    let (secret, parameters) = (part("secretData")?, part("credentialData")?);
    let (salt, hash) = (text(&secret, "salt")?, text(&secret, "value")?);
    let iterations = parameters.get("hashIterations").and_then(Value::as_u64)?;
    let additional = |name: &str| {
        let value = parameters.get("additionalParameters")?.get(name)?;
        value.get(0).and_then(Value::as_str).or_else(|| value.as_str())
    };
    let digest = match text(&parameters, "algorithm")? {
        "pbkdf2" => "sha1",
        "pbkdf2-sha256" => "sha256",
        "pbkdf2-sha512" => "sha512",
        "argon2" if additional("type") == Some("id") => {
            let (memory, lanes) = (additional("memory")?, additional("parallelism")?);
            let bare = |text: &str| text.trim_end_matches('=').to_owned();
            return Some(format!("$argon2id$v=19$m={memory},t={iterations},p={lanes}${}${}", bare(salt), bare(hash)));
        }
        _ => return None,
    };
    Some(format!("$pbkdf2-{digest}$i={iterations}${salt}${hash}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export(secret: &str, parameters: &str) -> String {
        let credential = json!({ "type": "password", "secretData": secret, "credentialData": parameters });
        let user = json!({
            "id": "9d2c", "username": "ada", "firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com",
            "emailVerified": true, "enabled": false, "credentials": [{ "type": "otp" }, credential],
        });
        json!({ "realm": "shop", "users": [user] }).to_string()
    }

    #[test]
    fn hashes_are_json_within_json() {
        let secret = r#"{"value":"aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g=","salt":"c2FsdHNhbHRzYWx0c2FsdA==","additionalParameters":{}}"#;
        for (parameters, prefix) in [
            (
                r#"{"hashIterations":27500,"algorithm":"pbkdf2-sha256","additionalParameters":{}}"#,
                "$pbkdf2-sha256$i=27500$",
            ),
            (
                r#"{"hashIterations":210000,"algorithm":"pbkdf2-sha512","additionalParameters":{}}"#,
                "$pbkdf2-sha512$i=210000$",
            ),
            (
                r#"{"hashIterations":5,"algorithm":"argon2","additionalParameters":{"hash":["32"],"memory":["7168"],"type":["id"],"version":["1.3"],"parallelism":["1"]}}"#,
                "$argon2id$v=19$m=7168,t=5,p=1$",
            ),
        ] {
            let [user] = read(&export(secret, parameters), ImportName::Auto).unwrap().try_into().unwrap();
            let user = user.unwrap();
            assert!(user.password_hash.as_ref().unwrap().starts_with(prefix), "{user:?}");
            assert_eq!((user.problem(), user.username.as_str(), user.subject.as_deref()), (None, "ada", Some("9d2c")));
            assert!(user.disabled && user.claims["name"] == "Ada Lovelace" && user.claims["email_verified"] == true);
        }
        let [user] = read(&export("{}", "{}"), ImportName::Auto).unwrap().try_into().unwrap();
        assert!(user.unwrap().problem().unwrap().contains("no hash"));
        assert!(read("{}", ImportName::Auto).unwrap_err().to_string().contains("users"));
    }
}
